# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a database that is to be renamed, and making them leave."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, List, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import DbPermission, RestoreTargetBusy
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

_PAUSE = 0.05  # seconds between two looks at who is still there

_SESSIONS = """
SELECT a.pid, u.rolname, coalesce(a.application_name, ''), u.rolsuper,
       me.rolsuper OR (NOT u.rolsuper AND (pg_catalog.pg_has_role(u.oid, 'USAGE')
                                           OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')))
  FROM pg_catalog.pg_stat_activity a
  JOIN pg_catalog.pg_roles u ON u.oid = a.usesysid
  JOIN pg_catalog.pg_roles me ON me.rolname = current_user
 WHERE a.datname = %s AND a.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.pid
"""
_PREPARED = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = %s ORDER BY prepared"
_MAY_RENAME = """
SELECT r.rolsuper, r.rolcreatedb,
       (SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') FROM pg_catalog.pg_database d WHERE d.datname = %s)
  FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""
_PIDS = """
SELECT pid FROM pg_catalog.pg_stat_activity
 WHERE datname = ANY(%s) AND usesysid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()
"""


@dataclass(frozen=True)
class Occupant:
    """A session of somebody's in the database."""

    pid: int
    role: str
    application: str
    superuser: bool
    removable: bool  # by us

    @property
    def text(self) -> str:
        """As a person reads it."""
        kind = "superuser " if self.superuser else ""
        return f"process {self.pid} of {kind}{self.role} ({self.application or 'it gives no name'})"


def occupants(session: Session, name: str) -> List[Occupant]:
    """Who has a session there; what the session raises."""
    return [Occupant(*row) for row in session.execute(_SESSIONS, (name,)).fetchall()]


def prepared(session: Session, name: str) -> List[str]:
    """Transactions that were prepared there and wait for their end; what the session raises."""
    return [gid for (gid,) in session.execute(_PREPARED, (name,)).fetchall()]


def slots(session: Session, name: str) -> List[str]:
    """The replication slots of that database, which a rename does not move to another; what the session raises."""
    query = "SELECT slot_name FROM pg_catalog.pg_replication_slots WHERE database = %s ORDER BY slot_name"
    return [slot for (slot,) in session.execute(query, (name,)).fetchall()]


def obstacles(session: Session, name: str) -> List[str]:
    """What would keep us from renaming that database, one sentence each."""
    found = [f"transaction {gid!r} is prepared there and waits for its end" for gid in prepared(session, name)]
    staying = [each.text for each in occupants(session, name) if not each.removable]
    return found + [f"{text} cannot be ended by this role" for text in staying]


def require_clear(session: Session, name: str, *, place: str) -> None:
    """Raises RestoreTargetBusy where something there keeps the database from being renamed."""
    found = obstacles(session, name)
    if found:
        raise RestoreTargetBusy(f"{place} cannot be swapped now: {shorten(found)}", server=place, obstacles=found)


def require_owner(session: Session, name: str, *, place: str) -> None:
    """Raises DbPermission where our role may not rename that database."""
    ((superuser, creates, owns),) = session.execute(_MAY_RENAME, (name,)).fetchall()
    if superuser:
        return
    user = session.info.user
    if not creates:
        raise DbPermission(f"{place}: role {user} may not rename databases: it lacks CREATEDB", server=place, role=user)
    if owns is False:
        raise DbPermission(f"{place}: role {user} is no member of the database's owner", server=place, role=user)


def send_away(session: Session, names: Sequence[str], *, patience: float, place: str) -> None:
    """End every session in these databases, which are closed, and wait until nobody is there.

    :raises RestoreTargetBusy: somebody cannot be ended, or does not go within ``patience`` seconds.
    """
    end = time.monotonic() + patience
    while True:
        staying = [pid for (pid,) in session.execute(_PIDS, (list(names),)).fetchall()]
        for pid in staying:
            _terminate(session, pid, place=place)
        if not staying:
            return
        if time.monotonic() >= end:
            message = f"{place}: {len(staying)} sessions are still there after {patience:.0f} seconds"
            raise RestoreTargetBusy(message, server=place, processes=staying)
        time.sleep(_PAUSE)


def _terminate(session: Session, pid: int, *, place: str) -> None:
    try:
        session.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))
    except driver().errors.InsufficientPrivilege as error:
        message = f"{place}: process {pid} is of a role whose sessions ours may not end"
        raise RestoreTargetBusy(message, server=place, processes=[pid]) from error
