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
_SHOWN = 10  # tables and left out entries; the task's own result has them all


def restored_tables(kept: Mapping[str, Any], restored: Mapping[str, Any], compared: Mapping[str, Any]) -> list[str]:
    """The results of ``pg_scratch`` with ``state=kept``, of ``pg_restore`` and of ``pg_compare``, as lines."""
    database, owner, where = kept["database"], kept["owner"], f"-h {kept['host']} -p {kept['port']} -U {kept['owner']}"
    tables = list(restored["tables"])
    lines = [
        f"database {database} on {kept['server']} has {count_text(compared['rows'])} rows of "
        f"{_some(tables) or 'tables that are empty in the set'}, equal to the set's",
        f"it belongs to {owner}; only that role and superusers can connect. Production was not touched",
    ]
    left = list(restored["left_out"])
    lines += [f"left out: {text}" for text in left[:_SHOWN]]
    lines += [f"left out: {len(left) - _SHOWN} more kinds, see the task's result"] if len(left) > _SHOWN else []
    plain = [name for name in kept["tables"] if _BARE.fullmatch(name)]
    if plain and _BARE.fullmatch(database):
        options = " ".join(f"--table={name}" for name in plain)
        lines += [
            "copy rows into a file, read it, and run it where they are missing:",
            f"  pg_dump {where} -d {database} --data-only --column-inserts --on-conflict-do-nothing {options} "
            "-f rows.sql",
        ]
    lines.append(
        "it stays until restore.yml is run with restore_tables_state: absent and "
        f"restore_tables_database: {database}"
    )
    return lines


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
