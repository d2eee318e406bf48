#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: files_compare
short_description: Compare a tree with what an artifact holds
version_added: 0.1.0
description:
  - Compares a directory with the artifact that it was restored from. Each file is read past the cache and its SHA-256
    compared with the member list; what is missing, what is there and should not be, kinds, sizes, the targets of links,
    times, attributes, access lists and owners are compared too.
  - Every difference is counted, and the first of each kind are named. Any that is not ignored is the failure
    C(drill_mismatch).
  - It reads the artifact's member list, not the files in it. M(wst.backup.backup_verify) proves those.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.restore
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode, but a hold on the set while it reads.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  tree:
    description:
      - The directory that has what the artifact has at its top, as the O(wst.backup.backup_extract#module:target) of
        M(wst.backup.backup_extract).
      - With O(parts), O(include) and O(exclude) as they were given there, a part is compared with a part.
    type: path
    required: true
  ignore:
    description:
      - Differences that are counted apart and are no failure.
      - An access list that inherits only is never compared, nor is what this system does not have, as RV(not_compared)
        tells.
    type: list
    elements: str
    choices: [time, attributes, permissions, owner]
    default: []
  show:
    description: How many differences of each kind are named.
    type: int
    default: 20
  report_only:
    description: Return differences instead of failing with C(drill_mismatch).
    type: bool
    default: false
seealso:
  - module: wst.backup.backup_extract
  - module: wst.backup.backup_verify
"""

EXAMPLES = r"""
- name: Is what was restored what the artifact holds?
  wst.backup.files_compare:
    path: C:\wst-backups\wst-backup-20261123-150000.zip
    tree: C:\wst-control\scratch\{{ backup_run_id }}\files

- name: See what production differs in from the last backup
  wst.backup.files_compare:
    path: C:\wst-backups\wst-backup-20261123-150000.zip
    tree: C:\wst
    parts: [files]
    report_only: true
"""

RETURN = r"""
artifact:
  description: Name of the artifact without suffix.
  returned: success
  type: str
tree:
  description: The directory that was compared.
  returned: success
  type: str
equal:
  description: Whether there are no differences but ignored ones. With a failure these results are its facts.
  returned: success
  type: bool
differences:
  description:
    - C(counts) has the number of each kind. C(missing), C(extra), C(kind), C(size), C(content), C(target),
      C(unreadable), C(time), C(attributes), C(permissions) and C(owner) are kinds.
    - C(first) has the first of each kind, with C(kind), C(path), and where they tell something C(expected) and
      C(found). C(ignored) has the numbers of those that are ignored.
  returned: success
  type: dict
not_compared:
  description: Kinds that this system has nothing of.
  returned: success
  type: list
  elements: str
files:
  description: Files that are in both and were compared.
  returned: success
  type: int
directories:
  description: Directories, likewise.
  returned: success
  type: int
links:
  description: Links, likewise.
  returned: success
  type: int
bytes:
  description: How much was read of the tree.
  returned: success
  type: int
seconds:
  description: How long it took.
  returned: success
  type: float
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._restore.compare import Request, compare
from ansible_collections.wst.backup.plugins.module_utils._restore.differences import METADATA
from ansible_collections.wst.backup.plugins.module_utils._restore.options import artifact_options, selection_of


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **artifact_options(),
            "tree": {"type": "path", "required": True},
            "ignore": {"type": "list", "elements": "str", "choices": list(METADATA), "default": []},
            "show": {"type": "int", "default": 20},
            "report_only": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        request = Request(
            layout=HostLayout(params["root"]),
            path=params["path"],
            tree=params["tree"],
            selection=selection_of(params),
            sidecar=params["sidecar"],
            ignore=params["ignore"],
            show=params["show"],
            report_only=params["report_only"],
        )
        return {"changed": False, **compare(request)}

    _edge.run(module, work)


if __name__ == "__main__":
    main()
