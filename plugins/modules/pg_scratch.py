#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_scratch
short_description: Make and remove the database that a dump is restored into
version_added: 0.1.0
description:
  - Makes a new, empty database for the dump, with its encoding and locale. It stands on a server of the inventory's
    choice, or on a disposable one that this module makes on the host itself, which listens on the loopback and runs
    only while a later step of the run needs it.
  - With O(purpose=restore) it is made beside the database whose place it shall take, with M(wst.backup.pg_swap) in the
    end. Whether that one still exists does not matter.
  - With O(purpose=tables) it is made beside O(target) for single tables, takes nobody's place, and stays there after
    O(state=kept).
  - Everything it makes carries the run's id. Only what carries it is removed, also when the run that made it died.
  - Belongs to a run, see M(wst.backup.run_lock).
options:
  root:
    description: Directory of the backup's own files on the host.
    type: path
    default: C:\wst-control
  state:
    description:
      - V(present) makes the database.
      - V(absent) removes what this run has made, and what runs have left that died. What of an earlier run cannot be
        removed now is a warning, and the next run tries again.
      - V(absent) with O(database) removes that one database instead, which an earlier run has kept. One without the
        mark of V(kept) is left alone (C(restore_target_refused)).
      - V(kept) lets the run's database with single tables stay, when M(wst.backup.pg_compare) has found it as promised.
        It gets another mark, and no run removes it from then on unless told its name.
    type: str
    choices: [present, absent, kept]
    default: present
  purpose:
    description:
      - A V(drill) makes a database that is thrown away. Where the server lacks the locale of the dump, another one
        takes its place, which is remarked.
      - A V(restore) makes one that is to take the place of O(target) on O(server), with exactly the encoding, the
        collation and the locale provider of the dump. Nobody but its owner and superusers can connect to it before.
      - V(tables) makes one for single tables of O(target), see O(state=kept). M(wst.backup.pg_swap) never takes it.
        Nobody but its owner and superusers can connect to it. The locale may be another one, as with V(drill).
    type: str
    choices: [drill, restore, tables]
    default: drill
  target:
    description:
      - The database of O(server) whose place the new one shall take, or which it stands beside. Needed with
        O(purpose=restore) and O(purpose=tables).
      - The new one is called as that one with C(_restore_) or C(_tables_) and the run's time behind it, cut where the
        name gets too long.
    type: str
  database:
    description: With O(state=absent), the database with single tables to remove. Needs O(server) and O(reason).
    type: str
  reason:
    description: Why O(database) may go, for those who ask later.
    type: str
  dump:
    description: The dump on the host that the database is made for. Needed with O(state=present).
    type: path
  database_size:
    description:
      - Bytes that the dumped database had. A disposable server whose disk could not hold as much, with the server's
        log, is not made (C(no_space)).
      - Without it, nothing is compared.
    type: int
  server:
    description:
      - The server to make the database on, and its maintenance database. Its role must be allowed to create databases;
        that of the backup need not.
      - The server's major version must be that of the tools or newer.
      - Without it, a disposable server is made from the programs in O(tools_dir).
    type: dict
    suboptions:
      host:
        description: Host name of the server, as its certificate has it.
        type: str
        required: true
      port:
        description: Port of the server itself.
        type: int
        default: 5432
      name:
        description: Name of the database to log in to.
        type: str
        required: true
      user:
        description: Role to log in as.
        type: str
        required: true
      sslmode:
        description: How the server proves who it is; V(disable) is accepted for the loopback only.
        type: str
        choices: [verify-full, verify-ca, disable]
        default: verify-full
      sslrootcert:
        description: PEM file on the host with the roots that are trusted, or V(system).
        type: str
        default: system
      connect_timeout:
        description: Seconds to wait for a connection, 2 to 600.
        type: int
        default: 15
  key_file:
    description:
      - File on the host with the password for O(server).
      - By default C(restore.key) below O(root) where there is one, else C(db.key).
    type: path
  tools_dir:
    description: Directory on the host with C(pg_dump) and C(pg_restore), and with C(initdb) and C(pg_ctl) for a
      disposable server.
    type: path
    required: true
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
    details: Says what would be made, and touches no server.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: Removing is; a run makes its database once.
notes:
  - With O(purpose=restore), O(purpose=tables) and O(database) it needs proven authority, L5 or L6. The token comes from
    variable C(wst_backup_authority_token), which is best kept in a vault of its level, and never stands in a parameter.
    Every grant and refusal is in the audit log.
author:
  - wst.backup contributors (@wst-backup)
seealso:
  - module: wst.backup.pg_restore
  - module: wst.backup.pg_compare
"""

EXAMPLES = r"""
- name: Make a scratch database on a server of its own
  wst.backup.pg_scratch:
    dump: C:\wst-control\drills\20261130-101500-1f2e3d4c\set\wst_dev_database.backup
    tools_dir: C:\wst-control\runtime\pg17\bin

- name: Make one that shall take the place of production
  wst.backup.pg_scratch:
    purpose: restore
    target: wst_dev_database
    dump: C:\wst-control\scratch\20261130-101500-1f2e3d4c\set\wst_dev_database.backup
    server:
      host: wst-dev.postgres.database.azure.com
      name: postgres
      user: wst_admin
    tools_dir: C:\wst-control\runtime\pg17\bin

- name: Let the database with single tables stay
  wst.backup.pg_scratch:
    state: kept
    tools_dir: C:\wst-control\runtime\pg17\bin

- name: Remove it when nobody needs it any more
  wst.backup.pg_scratch:
    state: absent
    database: wst_dev_database_tables_20261130_101500
    reason: the rows are back
    server:
      host: wst-dev.postgres.database.azure.com
      name: postgres
      user: wst_admin
    tools_dir: C:\wst-control\runtime\pg17\bin

- name: Remove what this run has made, and what earlier drills left
  wst.backup.pg_scratch:
    state: absent
    tools_dir: C:\wst-control\runtime\pg17\bin
"""

RETURN = r"""
database:
  description: The database that was made, or that stays.
  returned: success, with O(state=present), or with O(state=kept) and not in check mode
  type: str
  sample: wst_drill_20261130_101500_1f2e3d4c
server:
  description: Where it is, in words.
  returned: success, with O(state=present), or with O(state=kept) and not in check mode
  type: str
server_version:
  description: The server's version.
  returned: success, with O(state=present), not in check mode
  type: str
  sample: "17.10"
conninfo:
  description: How C(pg_dump) and C(psql) reach the database that stays, but for the password.
  returned: success, with O(state=kept), not in check mode
  type: str
  sample: host=wst-dev.postgres.database.azure.com port=5432 dbname=wst_dev_tables_20261130_101500 user=wst_admin
owner:
  description: The role that the database that stays belongs to. It can connect, and superusers can.
  returned: success, with O(state=kept), not in check mode
  type: str
tables:
  description: The tables that were asked for, as they are written in SQL.
  returned: success, with O(state=kept), not in check mode
  type: list
  elements: str
target_conninfo:
  description: How they reach the database that the tables were taken from.
  returned: success, with O(state=kept), not in check mode
  type: str
disposable:
  description: Whether the server was made for this run.
  returned: success, with O(state=present)
  type: bool
remarks:
  description: What is otherwise than in the source and no failure, such as a locale that this system does not have.
  returned: success, with O(state=present), not in check mode
  type: list
  elements: str
removed:
  description: Databases and directories that were removed.
  returned: success, with O(state=absent)
  type: list
  elements: str
left:
  description: Roles that the run had made and that somebody else uses by now.
  returned: success, with O(state=absent)
  type: list
  elements: str
problems:
  description: What of earlier runs could not be removed, with code, message and remedy.
  returned: success, with O(state=absent)
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import options as options_of
from ansible_collections.wst.backup.plugins.module_utils._pg import kept_step, scratch_step
from ansible_collections.wst.backup.plugins.module_utils._pg.key import restore_key_file
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools


def argument_spec() -> Dict[str, Any]:
    """The module's options."""
    return {
        "root": {"type": "path", "default": r"C:\wst-control"},
        "state": {"type": "str", "choices": ["present", "absent", "kept"], "default": "present"},
        "purpose": {"type": "str", "choices": ["drill", "restore", "tables"], "default": "drill"},
        "target": {"type": "str"},
        "database": {"type": "str"},
        "reason": {"type": "str"},
        "dump": {"type": "path"},
        "database_size": {"type": "int"},
        "server": {**options_of.argument_spec(), "required": False},
        "key_file": {"type": "path", "no_log": False},
        "tools_dir": {"type": "path", "required": True},
    }


def work(params: Dict[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Dict[str, Any]:
    """Make or remove; returns the module's result."""
    layout = HostLayout(params["root"])
    key_file = params["key_file"] or restore_key_file(layout)
    if params["database"] is not None:
        if params["state"] != "absent" or not params["database"]:
            raise InputInvalid("database names the one that state=absent removes", database=params["database"])
        server = options_of.from_params(params["server"])
        removal = kept_step.Removal(layout, server, key_file, params["database"], params["reason"])
        return kept_step.remove(removal, dry_run=check_mode)
    if params["state"] == "kept":
        return kept_step.keep(layout, params["tools_dir"], dry_run=check_mode)
    if params["state"] == "absent":
        result = scratch_step.remove(layout, params["tools_dir"], dry_run=check_mode)
        for problem in result["problems"]:
            warn("an earlier run's scratch database is still there: {message}".format(**problem))
        return result
    request = scratch_step.Request(
        layout=layout,
        tools_dir=params["tools_dir"],
        server=options_of.from_params(params["server"]) if params["server"] else None,
        key_file=key_file,
        target=params["target"] if params["purpose"] != "drill" else "",
        stays=params["purpose"] == "tables",
        size=params["database_size"],
    )
    return scratch_step.make(request, params["dump"], find_tools(params["tools_dir"]), dry_run=check_mode)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[
            ("state", "present", ["dump"]),
            ("purpose", "restore", ["target", "server"]),
            ("purpose", "tables", ["target", "server"]),
        ],
        required_by={"database": ["server", "reason"]},
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
