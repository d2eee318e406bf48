#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_extract
short_description: Restore files and the dump from an artifact into a new directory
version_added: 0.1.0
description:
  - Restores what is selected of an artifact into a directory that must not exist yet. Nothing is ever written over.
  - Every file is written under a name that must be free, proved by its size and SHA-256 while it is written, and
    flushed. Times and attributes come back, and links and access lists where they were kept and where this account may
    make them. What could not be put back is told in RV(not_restored) and fails nothing.
  - On Windows a link to a directory by its whole path comes back as a junction, every other one as a symbolic link; an
    artifact does not tell the two apart.
  - It works in a directory with the suffix C(.partial), which takes the target's name only when everything is there. An
    extraction that was killed leaves that directory, and RV(unfinished) of a later one names it; one that fails leaves
    nothing.
  - What would not fit on the volume is refused before a byte is written.
  - A ZIP that others made can be restored from too, with fewer guarantees, of which it warns.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.restore
  - wst.backup.restore.authority
attributes:
  check_mode:
    support: full
    details: Proves the member list and the authority, and returns what would be restored and the space that it needs.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: A target that exists is refused.
options:
  target:
    description:
      - The directory to make. The one above it must be there.
      - To put a tree in the place of another with M(wst.backup.files_swap), make it on the same volume, best right
        beside that one, with O(private=false), so that it inherits the same access list.
    type: path
    required: true
  private:
    description:
      - Whether the directory is closed to everyone but the operator, SYSTEM and Administrators. If not, it inherits
        what the one above it gives.
    type: bool
    default: true
  access_lists:
    description: Whether access lists and owners are put back, where the artifact has them.
    type: bool
    default: true
seealso:
  - module: wst.backup.files_compare
  - module: wst.backup.files_swap
  - module: wst.backup.backup_verify
"""

EXAMPLES = r"""
- name: Get a lost directory back, beside production
  wst.backup.backup_extract:
    path: C:\wst-backups\wst-backup-20261123-150000.zip
    target: C:\wst-restore\config
    parts: [files]
    include: [wst/config/]

- name: Get only the dump
  wst.backup.backup_extract:
    path: D:\wst-backups\wst-backup-20261123-150000.zip
    target: C:\wst-control\scratch\{{ backup_run_id }}\dump
    parts: [dump, roles]
"""

RETURN = r"""
target:
  description: The directory that was made; in check mode, that would be.
  returned: success
  type: str
artifact:
  description: Name of the artifact without suffix, as its manifest has it; null for an archive that others made.
  returned: success
  type: str
file:
  description: The ZIP that it came from.
  returned: success
  type: str
dump:
  description: Where the database dump is; null where it was not restored.
  returned: success
  type: str
roles:
  description: Where C(roles.sql) is; null where it was not restored, and in check mode.
  returned: success
  type: str
files:
  description: Files that were restored.
  returned: success
  type: int
directories:
  description: Directories that were restored; those that were only needed on the way are not counted.
  returned: success
  type: int
links:
  description: Links that were made anew.
  returned: success
  type: int
bytes:
  description: Size of those files.
  returned: success
  type: int
needed:
  description: What they need on the disk at least, in bytes.
  returned: success
  type: int
free:
  description: What was free there before, in bytes.
  returned: success
  type: int
not_restored:
  description:
    - What could not be put back. C(counts) has the number of each kind (C(link), C(time), C(attributes),
      C(permissions), C(owner)), C(first) the first of them with C(kind), C(path) and C(reason).
  returned: success
  type: dict
remarks:
  description: Why this restore proves less than one of a published set of ours.
  returned: success
  type: list
  elements: str
unfinished:
  description: What extractions to the same target that were killed have left beside it.
  returned: success
  type: list
  elements: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._restore.extract_step import Request, extract
from ansible_collections.wst.backup.plugins.module_utils._restore.options import artifact_options, selection_of


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **artifact_options(),
            "target": {"type": "path", "required": True},
            "private": {"type": "bool", "default": True},
            "access_lists": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        request = Request(
            layout=HostLayout(params["root"]),
            path=params["path"],
            target=params["target"],
            selection=selection_of(params),
            sidecar=params["sidecar"],
            private=params["private"],
            access_lists=params["access_lists"],
        )
        result = extract(request, dry_run=module.check_mode)
        for remark in result["remarks"]:
            module.warn(f"{params['path']}: {remark}.")
        return result

    _edge.run(module, work)


if __name__ == "__main__":
    main()
