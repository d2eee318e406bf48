# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where single tables are after a restore, and how their rows go on from there, as a person reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._tables import count_text

_BARE = re.compile(r"[\w.]+")
_PLAIN = re.compile(r"[\w.:/=' \\-]+")
_INSERT = "insert into TABLE overriding system value select * from back on conflict do nothing"
_SHOWN = 10  # tables and left out entries; the task's own result has them all


def restored_tables(kept: Mapping[str, Any], restored: Mapping[str, Any], compared: Mapping[str, Any]) -> list[str]:
    """The results of ``pg_scratch`` with ``state=kept``, of ``pg_restore`` and of ``pg_compare``, as lines."""
    database, owner = kept["database"], kept["owner"]
    tables = list(restored["tables"])
    named = _some(tables) or "tables that are empty in the set"
    rows = f"{count_text(compared['rows'])} rows of {named}, equal to the set's"
    lines = [
        f"database {database} on {kept['server']} has {rows}",
        f"it belongs to {owner}; only that role and superusers can connect. Production was not touched",
    ]
    left = list(restored["left_out"])
    lines += [f"left out: {text}" for text in left[:_SHOWN]]
    lines += [f"left out: {len(left) - _SHOWN} more kinds, see the task's result"] if len(left) > _SHOWN else []
    lines += _way_back(kept, tables)
    variables = f"restore_tables_state: absent and restore_tables_database: {database}"
    lines.append(f"it stays until restore.yml is run with {variables}")
    return lines


def _way_back(kept: Mapping[str, Any], tables: list[str]) -> list[str]:
    """Commands for a shell on the host. They add rows that are missing, and touch no sequence, as pg_dump's would.

    Where a name needs quotes, each shell has others; commands for some of the tables would look like those for all.
    """
    here, there = kept["conninfo"], kept["target_conninfo"]
    if len(tables) > _SHOWN or not all(map(_BARE.fullmatch, tables)) or not all(map(_PLAIN.fullmatch, (here, there))):
        return ["copy rows table by table: docs/recovery.md, a lost table"]
    lines = []
    for table in tables:
        file = f"{table}.rows"
        lines.append(f"rows of {table} that are missing in production, once it is known that they are to come back:")
        lines.append("  " + _psql(here, [f"\\copy {table} to '{file}'"]))
        back = [f"create temp table back (like {table})", f"\\copy back from '{file}'", _INSERT.replace("TABLE", table)]
        lines.append("  " + _psql(there, back, "-v ON_ERROR_STOP=1 -1"))
    return lines


def _psql(conninfo: str, commands: list[str], options: str = "") -> str:
    """As PowerShell and a POSIX shell take it."""
    given = [f'-c "{command}"' for command in commands]
    return " ".join(["psql", f'"{conninfo}"', *([options] if options else []), *given])


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
