#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_begin
short_description: Say which set is restored into what, and prove that this may be
version_added: 0.1.0
description:
  - Chooses the set, and proves the authority that its targets need, on record with the reason. Directories and
    databases that the host's authority record does not name as something else are production, which needs L6 and
    O(target) and O(confirm).
  - Returns where each source is to be extracted so that M(wst.backup.files_swap) can put it in its place.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.sets
  - wst.backup.restore.authority
attributes:
  check_mode:
    support: full
    details: Proves everything, and returns the plan with its sizes.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  layer:
    description: The layer that the set is taken from.
    type: dict
    required: true
    suboptions:
      name:
        description: Which layer it is.
        type: str
        choices: [local, mirror]
        required: true
      path:
        description: Its directory.
        type: path
        required: true
  artifact:
    description:
      - V(newest), which passes suspect sets over, or the name of a set. That one may be suspect, or made for safety.
    type: str
    default: newest
  path:
    description: A ZIP on the host instead of a set, also one that others made.
    type: path
  trees:
    description: What is replaced.
    type: list
    elements: dict
    default: []
    suboptions:
      source:
        description: The source's name in the artifact.
        type: str
        required: true
      path:
        description: The directory that it replaces, or becomes.
        type: path
        required: true
  beside:
    description: A directory that is made for what is taken out by hand.
    type: path
  database:
    description: The database that is replaced, or with O(tables) the one that they were taken from.
    type: dict
    suboptions:
      host:
        description: Host name of the server.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 5432
      name:
        description: Name of the database.
        type: str
        required: true
  tables:
    description:
      - Tables whose rows are restored into a new database beside O(database), which takes nobody's place, see
        M(wst.backup.pg_restore). By themselves, without O(trees) and O(beside).
      - This needs L5, also beside production. One that the set's manifest does not have is the failure
        C(input_invalid).
    type: list
    elements: str
    default: []
  free_bytes:
    description:
      - How many bytes the database's server has free, as its provider or its disk tells. No server says it by itself.
    type: int
  reason:
    description: Why, for those who ask later. At least five characters.
    type: str
    required: true
  target:
    description:
      - What of production is replaced, typed to the letter. The directories in the order of their names, then the
        database as C(host:port/name), with a comma and a space between them. The failure says what it must be.
    type: str
  confirm:
    description: The same, typed again.
    type: str
seealso:
  - module: wst.backup.backup_extract
  - module: wst.backup.files_swap
"""

EXAMPLES = r"""
- name: Put the web tree back
  wst.backup.restore_begin:
    layer:
      name: local
      path: C:\wst-backups
    trees:
      - source: wst
        path: C:\wst\wst
    reason: a deployment has emptied it
    target: C:\wst\wst
    confirm: C:\wst\wst
"""

RETURN = r"""
artifact:
  description: Name of the set, or of the ZIP.
  returned: success
  type: str
file:
  description: Path of the ZIP.
  returned: success
  type: str
production:
  description: Whether a target is production.
  returned: success
  type: bool
level:
  description: The level that was proven.
  returned: success
  type: str
target:
  description: What is replaced, as it is typed.
  returned: success
  type: str
pairs:
  description: For each tree its C(source), its C(target), where it is to be extracted (C(extract)) and what is there
    then (C(new)).
  returned: success
  type: list
  elements: dict
database:
  description: The database that is replaced, or that tables were taken from, as C(host:port/name); null where none is.
  returned: success
  type: str
tables:
  description: For each of O(tables) its C(name), as it is written in SQL, and its C(rows); null where no manifest says
    how many.
  returned: success
  type: list
  elements: dict
tree:
  description: Where the dump is to be extracted to; empty in check mode, and where no database is restored.
  returned: success
  type: str
reason:
  description: The reason, as it is recorded.
  returned: success
  type: str
bytes:
  description: Bytes of all files in the set; null where it has no manifest of ours, as in what follows.
  returned: success
  type: int
files:
  description: How many files it has.
  returned: success
  type: int
dump_size:
  description: Size of its dump in bytes.
  returned: success
  type: int
rows:
  description: Rows in its dump.
  returned: success
  type: int
database_size:
  description: How large the database was on its server, in bytes.
  returned: success
  type: int
estimate:
  description:
    - How long the restore will take, judged by the last restore test that passed on this host. C(seconds) is null where
      that is not known, and C(basis) says what it rests on, or why it is not known. C(steps) has each C(step) with its
      C(seconds). The stop of services and the swap are not in it.
    - C(safety_seconds) is how long the last backup took, as a safety backup will; null where no log says it.
  returned: success
  type: dict
space:
  description:
    - What the restore needs, for each volume of the host and for the database's server. C(where) is the paths, or the
      database; C(needed) and C(free) are bytes, C(free) is null where nobody knows; with C(at_most), a part is restored
      whose size is not known. Too little is the failure C(no_space), before anything is made. Nothing is told of a set
      without a manifest of ours. The server's log, and a safety backup, come on top.
  returned: success
  type: list
  elements: dict
made_at:
  description: The moment that its dump shows, UTC.
  returned: success
  type: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _context, _edge
from ansible_collections.wst.backup.plugins.module_utils._drill.choice import NEWEST
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import check_prefix
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import parse_all
from ansible_collections.wst.backup.plugins.module_utils._restore.begin_step import Request, begin, trees_of
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.options import set_options


def argument_spec() -> Dict[str, Any]:
    """The module's options."""
    path = {"type": "path", "required": True}
    text = {"type": "str", "required": True}
    layer = {"name": {**text, "choices": [LOCAL, MIRROR]}, "path": path}
    database = {"host": text, "port": {"type": "int", "default": 5432}, "name": text}
    return {
        **set_options(),
        "layer": {"type": "dict", "required": True, "options": layer},
        "artifact": {"type": "str", "default": NEWEST},
        "path": {"type": "path"},
        "trees": {"type": "list", "elements": "dict", "default": [], "options": {"source": text, "path": path}},
        "beside": {"type": "path"},
        "database": {"type": "dict", "options": database},
        "tables": {"type": "list", "elements": "str", "default": []},
        "free_bytes": {"type": "int"},
        "reason": text,
        "target": {"type": "str"},
        "confirm": {"type": "str"},
    }


def work(params: Dict[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    """Choose and prove; returns the module's result."""
    database = params["database"]
    request = Request(
        layout=HostLayout(params["root"]),
        layer=Layer(params["layer"]["name"], params["layer"]["path"]),
        prefix=check_prefix(params["prefix"]),
        artifact=params["artifact"],
        reason=params["reason"],
        path=params["path"] or "",
        trees=trees_of(params["trees"]),
        beside=params["beside"] or "",
        database=(database["host"], database["port"], database["name"]) if database else None,
        tables=parse_all(params["tables"]),
        target=params["target"],
        confirm=params["confirm"],
        free_bytes=params["free_bytes"],
        suffix=f".restore-{_context.current().run_id or 'run'}",
    )
    return begin(request, dry_run=check_mode)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode))


if __name__ == "__main__":
    main()
