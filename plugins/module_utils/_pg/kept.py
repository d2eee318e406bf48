# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases with single tables, which stay beside production until a person has them removed.

While its run fills it, such a database carries the mark of every scratch database, and goes with the run. What stays
carries another one: no sweep drops it, and who has it removed by its name can have nothing else removed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import RestoreTargetRefused
from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.candidatename import is_tables_name

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

MARK = "wst.backup tables of run "
_WAY = "; playbook restore.yml removes it, with restore_tables_state: absent"
_MARKED = re.compile(re.escape(MARK) + r"([0-9]{8}-[0-9]{6}-[0-9a-f]{8})(;.*)?", re.DOTALL)
_FOUND = """
SELECT d.oid::bigint, pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.shobj_description(d.oid, 'pg_database')
  FROM pg_catalog.pg_database d WHERE d.datname = %s
"""


def run_of(comment: Optional[str]) -> Optional[str]:
    """The run that has kept the database with this comment; None where none has."""
    match = _MARKED.fullmatch(comment or "")
    return match[1] if match else None


def find(session: Session, name: str) -> Optional[Tuple[int, str, Optional[str]]]:
    """OID, owner and comment of that database; None where it is not there. What the session raises."""
    row: Optional[Tuple[int, str, Optional[str]]] = session.execute(_FOUND, (name,)).fetchone()
    return row


def keep(session: Session, name: str, *, run_id: str, oid: int, place: str) -> str:
    """Mark it as one that stays; its owner.

    :raises RestoreTargetRefused: it is not the run's, or another one has its name by now; what the session raises.
    """
    found = find(session, name)
    if found is None or found[0] != oid or not is_tables_name(name, run_id):
        message = f"{place}: {name} is not the database that run {run_id} has restored tables into"
        raise RestoreTargetRefused(message, server=place, database=name)
    text = quote.literal(MARK + run_id + _WAY)
    session.execute(f"COMMENT ON DATABASE {quote.identifier(name)} IS {text}".encode())
    return found[1]


def is_kept(session: Session, name: str, *, run_id: str) -> bool:
    """Whether it stays, because that run said so; what the session raises."""
    found = find(session, name)
    return found is not None and run_of(found[2]) == run_id


def require_removable(session: Session, name: str, *, place: str) -> bool:
    """Whether the database is there.

    :raises RestoreTargetRefused: neither its name nor its comment may be other than a run of ours gave them; what the
        session raises.
    """
    found = find(session, name)
    if found is None:
        return False
    run_id = run_of(found[2])
    if run_id is None or not is_tables_name(name, run_id):
        message = f"{place}: {name} is no database with single tables that a restore has kept: it is left alone"
        raise RestoreTargetRefused(message, server=place, database=name)
    return True
