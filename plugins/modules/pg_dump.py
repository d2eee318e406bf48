#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_dump
short_description: Dump a PostgreSQL database and prove the dump
version_added: 0.1.0
description:
  - Dumps a database in PostgreSQL's custom format into the workspace of the run, on the host, and decodes the dump in
    full before it gets its name.
  - All tables are locked against C(TRUNCATE) and C(ALTER TABLE), but neither against readers nor writers, before the
    snapshot is taken. The rows of every table are counted in that snapshot and compared with the rows in the dump.
  - Takes a fingerprint of each table's rows in the dump, and of the large objects. It stands in the manifest, and every
    later decoding of the dump is compared with it.
  - Writes C(roles.sql) beside it, with the roles, memberships and settings of the server and without passwords, and
    C(database.json) with the facts for the steps that follow.
  - C(pg_dump) can end well and warn. What it says is missing, may not restore as it was, or is unknown becomes a
    warning of this module; all of it is recorded in C(database.json) and so in the artifact's manifest. Only when it
    says that data is not in the dump, the module fails.
  - Belongs to a run, see M(wst.backup.run_lock).
options:
  root:
    description: Directory of the backup's own files on the host.
    type: path
    default: C:\wst-control
  dump_name:
    description: File name of the dump.
    type: str
    default: wst_dev_database.backup
  lock_timeout:
    description: Seconds to wait for the lock of a table that somebody else holds exclusively.
    type: int
    default: 60
  compress:
    description:
      - Compression level, 1 (quick) to 9 (small).
      - There is no 0, because the compression's checksum is the only one that a dump has.
    type: int
    choices: [1, 2, 3, 4, 5, 6, 7, 8, 9]
    default: 6
  deep_budget:
    description:
      - Seconds for which tables of the source are read a second time, in the dump's own snapshot, and compared with the
        dump by fingerprint. For as long the server is loaded, and the snapshot and the locks are held, which make
        C(TRUNCATE) and C(ALTER TABLE), and who comes after them, wait.
      - Those compared longest ago come first, so that a daily run whose budget is large enough compares each table
        within a week. A table that was not compared for a week is a warning.
      - V(0) means that the source is not read again; the rows of each table are counted all the same.
    type: int
    default: 120
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.database
attributes:
  check_mode:
    support: full
    details: Logs in and compares the versions of server and tools; makes nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: A run makes one dump; asking for a second one of the same name fails and leaves the first as it is.
author:
  - wst.backup contributors (@wst-backup)
seealso:
  - module: wst.backup.backup_archive
  - module: wst.backup.backup_verify
"""

EXAMPLES = r"""
- name: Dump the database
  wst.backup.pg_dump:
    database:
      host: wst.postgres.database.azure.com
      name: wst_dev
      user: wst_backup
      sslrootcert: C:\wst-control\azure-roots.pem
    tools_dir: C:\wst-control\runtime\pg17\bin
"""

RETURN = r"""
dump:
  description: The dump on the host.
  returned: success, not in check mode
  type: str
  sample: C:\wst-control\scratch\20261123-150000-1f2e3d4c\wst_dev_database.backup
size:
  description: Bytes of the dump.
  returned: success, not in check mode
  type: int
sha256:
  description: SHA-256 of the dump.
  returned: success, not in check mode
  type: str
tables:
  description: Tables in the database, parts of partitioned tables and materialized views included.
  returned: success, not in check mode
  type: int
rows:
  description: Rows in the dump, equal to those counted in the snapshot.
  returned: success, not in check mode
  type: int
large_objects:
  description: Large objects in the dump.
  returned: success, not in check mode
  type: int
compared:
  description: Tables whose rows in the source were found to be those in the dump, by fingerprint.
  returned: success, not in check mode
  type: int
overdue:
  description: Tables that no run has compared with the source for a week, as C(schema.name).
  returned: success, not in check mode
  type: list
  elements: str
server_version:
  description: The server's version.
  returned: success
  type: str
  sample: "17.10"
snapshot_at:
  description: The moment that the dump shows, on the server's clock.
  returned: success, not in check mode
  type: str
  sample: "2026-11-23T15:00:00Z"
pg_dump_warnings:
  description:
    - How often C(pg_dump) warned, by what it means.
    - C(harmless); C(missing), something other than data is not in the dump; C(restore), it is there but may not restore
      as it was; C(unknown).
  returned: success, not in check mode
  type: dict
  sample: {missing: 1}
duration:
  description: Seconds that the step took.
  returned: success, not in check mode
  type: float
"""

import os
import time
from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _context, _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._pg import deep
from ansible_collections.wst.backup.plugins.module_utils._pg import options as options_of
from ansible_collections.wst.backup.plugins.module_utils._pg.key import read_key
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import (
    Order,
    check_login,
    check_order,
    make_workspace,
    produce,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.record import all_sentences
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools


def argument_spec() -> Dict[str, Any]:
    """The module's options."""
    return {
        "root": {"type": "path", "default": r"C:\wst-control"},
        "database": options_of.argument_spec(),
        "key_file": {"type": "path", "no_log": False},
        "tools_dir": {"type": "path", "required": True},
        "dump_name": {"type": "str", "default": "wst_dev_database.backup"},
        "lock_timeout": {"type": "int", "default": 60},
        "deep_budget": {"type": "int", "default": deep.BUDGET},
        "compress": {"type": "int", "default": 6, "choices": list(range(1, 10))},
    }


def work(params: Dict[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Dict[str, Any]:
    """Dump, or in check mode log in; returns the module's result."""
    began = time.monotonic()
    layout = HostLayout(params["root"])
    order = Order(
        options=options_of.from_params(params["database"]),
        tools=find_tools(params["tools_dir"]),
        dump_name=params["dump_name"],
        lock_timeout=params["lock_timeout"],
        compress=params["compress"],
        deep=deep.DeepOrder(budget=params["deep_budget"], coverage_file=layout.coverage_file),
    )
    check_order(order)
    password = read_key(params["key_file"] or layout.key_file)
    if check_mode:
        server = check_login(order.options, password, order.tools)
        return {"changed": True, "server_version": server["server_version"]}
    run_id = _context.require_run_id()
    with held(layout, run_id):
        workspace = make_workspace(layout, run_id)
        body = produce(order, password, workspace)
    for sentence in (*all_sentences(body), *deep.warnings(body)):
        warn(sentence)
    return {**summary(body, workspace), "changed": True, "duration": round(time.monotonic() - began, 1)}


def summary(body: Dict[str, Any], workspace: str) -> Dict[str, Any]:
    """What of ``database.json`` goes back to the control node."""
    return {
        "dump": os.path.join(workspace, body["dump"]["name"]),
        "size": body["dump"]["size"],
        "sha256": body["dump"]["sha256"],
        "tables": len(body["tables"]),
        "rows": body["rows_total"],
        "large_objects": body["large_objects"]["count"],
        "compared": body["deep"]["compared"],
        "overdue": [f"{schema}.{name}" for schema, name in body["deep"]["overdue"]],
        "server_version": body["database"]["server_version"],
        "snapshot_at": body["snapshot_at"],
        "pg_dump_warnings": body["warnings"]["counts"],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
