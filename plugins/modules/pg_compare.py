#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_compare
short_description: Compare a restored database with what its set promises
version_added: 0.1.0
description:
  - Compares the database of this run with the manifest of the set and with the dump. Rows and fingerprint of
    every table, the content of every large object, the value of every sequence, the extensions, and the schema as text,
    object by object.
  - Then alters one row, which comes by chance, in a transaction that is taken back, and compares again. A comparison
    that does not find it is worth nothing, and fails with C(drill_control_failed).
  - What was restored with owners is compared with owners and grants. That it was found equal goes on record, with the
    SHA-256 of the dump. M(wst.backup.pg_swap) takes nothing else.
  - Any difference fails with C(drill_mismatch) and is named.
  - Belongs to a run, see M(wst.backup.run_lock).
options:
  root:
    description: Directory of the backup's own files on the host.
    type: path
    default: C:\wst-control
  dump:
    description: The dump on the host that was restored.
    type: path
    required: true
  path:
    description:
      - The ZIP that the dump came from. Its manifest says what the database held.
      - Without it, or where it has no manifest of ours, the dump is decoded and held against the database by itself,
        which proves less. Whoever has damaged the dump has then changed both.
    type: path
  allow_missing_extensions:
    description: As it was given to M(wst.backup.pg_restore).
    type: list
    elements: str
    default: [azure, pgaadauth, pg_azure_storage, azure_ai, azure_storage]
  freshness:
    description:
      - Columns of times whose newest must not be too old at the moment of the dump, as O(path)'s manifest has it. It
        finds a good dump of a replica that had stopped, or of another database than the one that is in use.
      - Times later than that moment are passed over. Those without a zone are taken for UTC.
      - One that is too old is C(drill_mismatch); a column that is not there, or no time, is C(input_invalid).
    type: list
    elements: dict
    default: []
    suboptions:
      table:
        description: The table, as C(schema.table), quoted as in SQL.
        type: str
        required: true
      column:
        description: The column's name, as the server has it.
        type: str
        required: true
      max_age_hours:
        description: How old its newest time may be.
        type: float
        required: true
  tools_dir:
    description: Directory on the host with C(pg_dump) and C(pg_restore).
    type: path
    required: true
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
    details: Says that it would compare; there is no scratch database then that could be looked at.
  diff_mode:
    support: none
  idempotent:
    support: full
author:
  - wst.backup contributors (@wst-backup)
seealso:
  - module: wst.backup.pg_scratch
  - module: wst.backup.pg_restore
  - module: wst.backup.pg_swap
"""

EXAMPLES = r"""
- name: Compare the restored database
  wst.backup.pg_compare:
    dump: C:\wst-control\drills\20261130-101500-1f2e3d4c\set\wst_dev_database.backup
    path: C:\wst-backups\wst-backup-20261123-150000.zip
    tools_dir: C:\wst-control\runtime\pg17\bin
"""

RETURN = r"""
tables:
  description: Tables that were compared, partitioned ones as one.
  returned: success, not in check mode
  type: int
rows:
  description: Their rows.
  returned: success, not in check mode
  type: int
large_objects:
  description: Large objects that were compared.
  returned: success, not in check mode
  type: int
sequences:
  description: Sequences that were compared.
  returned: success, not in check mode
  type: int
extensions:
  description: Extensions that are there as promised.
  returned: success, not in check mode
  type: list
  elements: str
schema_objects:
  description: Objects whose definition was compared as text.
  returned: success, not in check mode
  type: int
control:
  description: The row that was altered and found, without its content.
  returned: success, not in check mode
  type: str
  sample: "row 17 of public.orders: column note altered"
fresh:
  description: For each column of O(freshness), how old its newest time was when the dump was made.
  returned: success, not in check mode
  type: list
  elements: str
remarks:
  description: What is otherwise than in the source and no failure, such as another version of an extension.
  returned: success, not in check mode
  type: list
  elements: str
duration:
  description: Seconds that the step took.
  returned: success, not in check mode
  type: float
"""

from typing import Any, Dict, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import compare_step
from ansible_collections.wst.backup.plugins.module_utils._pg.freshness import wanted_of
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import MANAGED
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import opened


def argument_spec() -> Dict[str, Any]:
    """The module's options."""
    text = {"type": "str", "required": True}
    fresh = {"table": text, "column": text, "max_age_hours": {"type": "float", "required": True}}
    return {
        "root": {"type": "path", "default": r"C:\wst-control"},
        "dump": {"type": "path", "required": True},
        "path": {"type": "path"},
        "allow_missing_extensions": {"type": "list", "elements": "str", "default": list(MANAGED)},
        "freshness": {"type": "list", "elements": "dict", "default": [], "options": fresh},
        "tools_dir": {"type": "path", "required": True},
    }


def work(params: Dict[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    """Compare; returns the module's result."""
    tools = find_tools(params["tools_dir"])
    if check_mode:
        return {"changed": False}
    request = compare_step.Request(
        layout=HostLayout(params["root"]),
        tools_dir=params["tools_dir"],
        dump=params["dump"],
        database=_promised(params["path"]),
        allow_missing=params["allow_missing_extensions"],
        fresh=wanted_of(params["freshness"]),
    )
    return compare_step.run(request, tools)


def _promised(path: Optional[str]) -> Optional[Dict[str, Any]]:
    """What the manifest says of the database; None where nothing does. Raises ArtifactDamaged and its like."""
    if not path:
        return None
    with opened(path) as artifact:
        return None if artifact.found is None else artifact.found.body["database"]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode))


if __name__ == "__main__":
    main()
