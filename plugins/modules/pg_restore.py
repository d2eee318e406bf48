#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_restore
short_description: Restore a dump into the database of a run
version_added: 0.1.0
description:
  - Restores a dump with C(pg_restore) into the database that M(wst.backup.pg_scratch) made for this run, and into
    nothing else. There is no option that could name another one.
  - Stops at the first error, which becomes C(restore_failed) with the object's name and the server's words. No row of
    the data is quoted.
  - For a drill, owners, grants and tablespaces stay behind. So does what would act by itself (subscriptions,
    publications, event triggers, user mappings). Roles that row security policies name are made without a login where
    they are missing, and removed with the database.
  - With O(owners) all of that comes back, and the settings of the database and of roles in it. C(ANALYZE) follows. No
    role is made. Grants on the database itself, its connection limit and its comment come with M(wst.backup.pg_swap).
  - With O(owners) it is looked at first whether it can come out well, and nothing is restored where not. Roles that own
    something, have grants or are in a policy must exist (C(db_role_missing)). Our role must be a superuser, or be able
    to become the owners and inherit from them, with nothing in the dump that only a superuser can make
    (C(db_permission)). C(pg_cron) cannot be installed under another name than its own (C(restore_target_refused)).
  - With O(tables) the rows of these tables come back and of no others, with all of the schema. What cannot hold without
    the others stays behind, which RV(left_out) tells. That are foreign keys between them and others, the rows of
    materialized views, large objects, and row security, which would hide rows from the owner.
  - Comments on extensions stay behind always. Only their owner may write them, and the extension brings its own.
  - Belongs to a run, see M(wst.backup.run_lock).
options:
  root:
    description: Directory of the backup's own files on the host.
    type: path
    default: C:\wst-control
  dump:
    description: The dump on the host.
    type: path
    required: true
  allow_missing_extensions:
    description:
      - Extensions that stay behind with the rows of their configuration tables, wherever the dump is restored. The
        default names those that a managed server of Azure has of its own.
      - Any other extension that the server cannot create is the failure C(db_extension_missing).
    type: list
    elements: str
    default: [azure, pgaadauth, pg_azure_storage, azure_ai, azure_storage]
  owners:
    description:
      - Restore for good, with owners, grants, default privileges, settings, and what acts by itself.
      - Subscriptions come back disabled, as C(pg_dump) writes them.
    type: bool
    default: false
  tables:
    description:
      - Tables whose rows are restored, each as C(schema.table). A name with other than small letters, digits and
        underscores stands in double quotes, as in SQL. Partitions, and tables that inherit, come with theirs.
      - One that the dump has no rows of is the failure C(input_invalid), before anything is restored.
      - Goes into what M(wst.backup.pg_scratch) made with O(wst.backup.pg_scratch#module:purpose=tables), and nowhere
        else. Not together with O(owners).
    type: list
    elements: str
  leave_out:
    description:
      - What stays behind although O(owners) is true. Each of these needs a right that a managed server may refuse to
        its administrators.
      - Of the V(settings) of the database, only those stay behind that the role may not make; they are among the
        RV(remarks), by their names.
    type: list
    elements: str
    choices: [event_triggers, publications, subscriptions, user_mappings, settings]
    default: []
  roles:
    description:
      - The artifact's C(roles.sql) on the host. With O(owners), it says which roles log in. Where some are missing, the
        failure C(db_role_missing) names those whose passwords must be set, which no backup holds.
    type: path
  expected_bytes:
    description:
      - With O(owners), how large the database was, as the manifest of the set has it. The database whose place it shall
        take is taken for it where that one is larger.
    type: int
  free_bytes:
    description:
      - With O(owners), how many bytes the server has free, as its provider or its disk tells. No server says it by
        itself. Less than the database and the log can need is the failure C(no_space).
      - Without it, RV(needed_bytes) tells how many that are.
    type: int
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
    details: Says that it would restore; there is no scratch database then that could be looked at.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: A database that has anything in it is refused.
author:
  - wst.backup contributors (@wst-backup)
seealso:
  - module: wst.backup.pg_scratch
  - module: wst.backup.pg_compare
  - module: wst.backup.pg_swap
"""

EXAMPLES = r"""
- name: Restore the dump
  wst.backup.pg_restore:
    dump: C:\wst-control\drills\20261130-101500-1f2e3d4c\set\wst_dev_database.backup
    tools_dir: C:\wst-control\runtime\pg17\bin

- name: Restore it for good, into the database that was made beside production
  wst.backup.pg_restore:
    dump: C:\wst-control\scratch\20261130-101500-1f2e3d4c\set\wst_dev_database.backup
    owners: true
    roles: C:\wst-control\scratch\20261130-101500-1f2e3d4c\set\roles.sql
    tools_dir: C:\wst-control\runtime\pg17\bin
- name: Restore one table with its rows, beside production
  wst.backup.pg_restore:
    dump: C:\wst-control\scratch\20261130-101500-1f2e3d4c\set\wst_dev_database.backup
    tables: [app.employees]
    tools_dir: C:\wst-control\runtime\pg17\bin
"""

RETURN = r"""
restored:
  description: Entries of the dump that were restored.
  returned: success, not in check mode
  type: int
left_out:
  description: What stayed behind, each with its reason.
  returned: success, not in check mode
  type: list
  elements: str
tables:
  description: With O(tables), every table whose rows came back, as it is written in SQL.
  returned: success, without O(owners), not in check mode
  type: list
  elements: str
roles:
  description: Roles that were made because a policy names them.
  returned: success, not in check mode
  type: list
  elements: str
remarks:
  description:
    - What C(pg_restore) warned of, and what of the database itself was not restored.
    - With O(owners), whose passwords are to be set, too. They are the roles that have none; to a role that is no
      superuser, which cannot see that, all that log in where the database is new there; and user mappings for
      other servers that the dump has no password of.
  returned: success, not in check mode
  type: list
  elements: str
needed_bytes:
  description: About how many bytes the server needs for the new database, and the log of writing it.
  returned: success, with O(owners), not in check mode
  type: int
dump_bytes:
  description: Size of the dump.
  returned: success, not in check mode
  type: int
seconds:
  description: How long C(pg_restore) took.
  returned: success, not in check mode
  type: float
"""

from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import restore_step
from ansible_collections.wst.backup.plugins.module_utils._pg.restore_owned import Owned
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import ACTING_GROUPS, MANAGED, SETTINGS
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import parse_all
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools


def argument_spec() -> Dict[str, Any]:
    """The module's options."""
    return {
        "root": {"type": "path", "default": r"C:\wst-control"},
        "dump": {"type": "path", "required": True},
        "allow_missing_extensions": {"type": "list", "elements": "str", "default": list(MANAGED)},
        "owners": {"type": "bool", "default": False},
        "tables": {"type": "list", "elements": "str"},
        "leave_out": {"type": "list", "elements": "str", "choices": [*ACTING_GROUPS, SETTINGS], "default": []},
        "roles": {"type": "path"},
        "expected_bytes": {"type": "int"},
        "free_bytes": {"type": "int"},
        "tools_dir": {"type": "path", "required": True},
    }


def work(params: Dict[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Dict[str, Any]:
    """Restore; returns the module's result."""
    tools = find_tools(params["tools_dir"])
    if check_mode:
        return {"changed": True}
    request = restore_step.Request(
        layout=HostLayout(params["root"]),
        tools_dir=params["tools_dir"],
        dump=params["dump"],
        allow_missing=params["allow_missing_extensions"],
        owned=_owned(params) if params["owners"] else None,
        tables=None if params["tables"] is None else parse_all(params["tables"]),
    )
    result = restore_step.run(request, tools)
    for remark in result["remarks"]:
        warn(remark)
    return result


def _owned(params: Dict[str, Any]) -> Owned:
    return Owned(
        leave_out=params["leave_out"],
        roles_sql=params["roles"],
        size=params["expected_bytes"],
        free=params["free_bytes"],
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        mutually_exclusive=[("tables", "roles")],
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
