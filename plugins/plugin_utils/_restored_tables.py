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
_PLAIN = re.compile(r"[\w.:/= -]+")
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
    # Where a name needs quotes, each shell has others; a command for some of the tables would look like one for all.
    if 0 < len(tables) <= _SHOWN and _PLAIN.fullmatch(kept["conninfo"]) and all(map(_BARE.fullmatch, tables)):
        what = " ".join(f"--table={name}" for name in tables)
        how = "--data-only --column-inserts --on-conflict-do-nothing"
        lines.append("copy rows into a file, read it, and run it where they are missing:")
        lines.append(f'  pg_dump -d "{kept["conninfo"]}" {how} {what} -f rows.sql')
    elif tables:
        lines.append("copy rows with pg_dump --data-only, one --table for each: docs/recovery.md, a lost table")
    variables = f"restore_tables_state: absent and restore_tables_database: {database}"
    lines.append(f"it stays until restore.yml is run with {variables}")
    return lines


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
