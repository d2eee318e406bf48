#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_verify
short_description: Prove a backup artifact, or any other ZIP
version_added: 0.1.0
description:
  - Proves an archive level by level and fails by name at the first contradiction.
  - Level 1, structure. Its directory opens, no name in it is unsafe or there twice, no two members share a byte, what
    is required is there, and the dump is not empty.
  - Level 2, content. Every byte of it belongs to something, every member decodes to the end of its stream and is what
    the member list says, nothing is missing and nothing else is there, and the file on the disk, read past the cache,
    is the one that was written.
  - Level 3, dump. The database dump decodes in full and has the rows that the database had. In a run the dump step has
    done that, and the dump in the archive is proved to be the same by its SHA-256. With O(path) it is decoded here.
  - Without O(path) the artifact of this run is verified and C(verification.json) is left in the run's workspace, which
    M(wst.backup.backup_publish) demands. With O(path) nothing is changed unless O(layer) is given too.
  - While it is read, M(wst.backup.backup_retention) does not remove it.
  - Any file may be given. One that lies, is a bomb or is no ZIP at all is refused by name, within bounded memory, and
    in time that grows with the file and what it unpacks to, at most a thousand times its size.
  - An archive that others made rests on its own CRCs at level 2, as RV(remarks) tells. A level that was asked for and
    cannot be reached is a failure, such as C(dump_missing).
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
    details: Verifies just the same and leaves no record of it. In a run without an archive yet, nothing is verified.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  root:
    description: The directory on the host that holds the key, the lock, the audit log and the runs' workspaces.
    type: path
    default: C:\wst-control
  path:
    description: The ZIP to verify. By default, the partial artifact of this run.
    type: path
  level:
    description: How far to go. Each level implies those before.
    type: int
    choices: [1, 2, 3]
    default: 3
  tools_dir:
    description: Directory of PostgreSQL's client programs, needed for level 3 with O(path).
    type: path
  required:
    description:
      - Files and directories that must be in the archive beside those that its manifest names.
      - With O(path) it is a failure when one is missing. In a run it is told in RV(missing), and makes the set suspect
        when it is published.
    type: list
    elements: str
    default: []
  layer:
    description:
      - Which layer the set in O(path) stands on. What was found at level 2 or 3 is then recorded in its state file,
        and a ZIP whose bytes are not those that its sidecar names is quarantined, which is to say renamed to
        C(.zip.damaged). M(wst.backup.backup_repair) brings it back.
    type: str
    choices: [local, mirror]
  prefix:
    description: What the names of artifacts begin with, for O(layer).
    type: str
    default: wst-backup
  sidecar:
    description: The sidecar to hold the ZIP against. By default, the one beside O(path) if there is one.
    type: path
seealso:
  - module: wst.backup.backup_archive
  - module: wst.backup.backup_publish
"""

EXAMPLES = r"""
- name: Verify what this run has made
  wst.backup.backup_verify:

- name: Verify an older artifact on the mirror, its dump included
  wst.backup.backup_verify:
    path: D:\wst-backups\wst-backup-20261123-150000.zip
    tools_dir: C:\wst-control\runtime\pg17\bin
"""

RETURN = r"""
artifact:
  description: Name of the artifact without suffix, as its manifest has it; null for an archive that others made.
  returned: success
  type: str
file:
  description: The file that was verified; null in check mode of a run without an archive yet.
  returned: success
  type: str
state:
  description:
    - V(building) for the artifact of this run, V(complete) for one that matches its sidecar, V(unfinished) for one of
      ours without a sidecar, V(foreign) for a ZIP that others made, V(absent) in check mode without an archive yet.
  returned: success
  type: str
level:
  description: The level that was proved; 0 in check mode without an archive yet.
  returned: success
  type: int
remarks:
  description: Why a level proves less than it does for an artifact of ours, and what pg_restore warned of.
  returned: success
  type: list
  elements: str
missing:
  description: What of O(required) is missing; always empty with O(path), where that is a failure.
  returned: success
  type: list
  elements: str
zip:
  description: Facts of the file (C(size), C(sha256) of what the disk holds, C(mtime_ns), C(file_id)).
  returned: success
  type: dict
sha256:
  description: SHA-256 of the file as the disk holds it; null below level 2.
  returned: success
  type: str
members:
  description: Members of the ZIP, directories included.
  returned: success
  type: int
files:
  description: Files below the sources (of the whole archive, where others made it or at level 1).
  returned: success
  type: int
directories:
  description: Directories, counted likewise.
  returned: success
  type: int
links:
  description: Links in the member list.
  returned: success
  type: int
bytes:
  description: Size of those files, unpacked.
  returned: success
  type: int
tables:
  description: Tables with data in the dump; null below level 3.
  returned: success
  type: int
rows:
  description: Rows in the dump; null below level 3.
  returned: success
  type: int
"""

from typing import Any, Dict, Iterator, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import DumpCheck, DumpCounts
from ansible_collections.wst.backup.plugins.module_utils._archive.verify_step import Request, verify_run
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import PG_RESTORE
from ansible_collections.wst.backup.plugins.module_utils._pg.record import sentences, warnings_part
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import verify_dump
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR
from ansible_collections.wst.backup.plugins.module_utils._sets.options import PREFIX
from ansible_collections.wst.backup.plugins.module_utils._sets.verify_set import verify_held, verify_set


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": r"C:\wst-control"},
            "path": {"type": "path"},
            "level": {"type": "int", "choices": [1, 2, 3], "default": 3},
            "tools_dir": {"type": "path"},
            "required": {"type": "list", "elements": "str", "default": []},
            "sidecar": {"type": "path"},
            "layer": {"type": "str", "choices": [LOCAL, MIRROR]},
            "prefix": {"type": "str", "default": PREFIX},
        },
        required_by={"layer": ["path"]},
        supports_check_mode=True,
    )
    _edge.run(module, lambda: _work(module.params, check_mode=module.check_mode))


def _work(params: Mapping[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    request = Request(
        layout=HostLayout(params["root"]),
        level=params["level"],
        required=params["required"],
        sidecar=params["sidecar"],
        check_dump=_dump_check(params["tools_dir"]) if params["tools_dir"] and params["path"] else None,
    )
    if params["path"] and params["layer"] and not check_mode:
        result = verify_set(request, params["path"], layer_name=params["layer"], prefix=params["prefix"])
        return {"changed": False, **result}
    if params["path"]:
        return {"changed": False, **verify_held(request, params["path"])}
    return {"changed": False, **verify_run(request, write=not check_mode)}


def _dump_check(tools_dir: str) -> DumpCheck:
    """Decodes a dump with the client programs of that directory."""

    def check(chunks: Iterator[bytes], name: str, database: Optional[Mapping[str, Any]]) -> DumpCounts:
        proof = verify_dump(chunks, tools=find_tools(tools_dir), name=name, expected=database)
        warned = sentences(warnings_part(proof.warnings)["warnings"], tool=PG_RESTORE)
        return DumpCounts(tables=len(proof.tables), rows=proof.rows_total, remarks=warned)

    return check


if __name__ == "__main__":
    main()
