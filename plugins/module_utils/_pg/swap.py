# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts one database in the place of another, by two renames in one transaction.

The old one is closed first and everybody in it sent away; else the rename has to win a race against whoever connects
again. What opens the new one is in the same transaction, so that it is complete the moment it has its name.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Callable, Iterator, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import RestoreTargetBusy, RestoreTargetRefused
from ansible_collections.wst.backup.plugins.module_utils._pg import occupants, quote, scratch
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import UNLIMITED, grants_for, opening_for
from ansible_collections.wst.backup.plugins.module_utils._pg.subscriptions import subscriptions
from ansible_collections.wst.backup.plugins.module_utils._pg.swapjournal import Journal
from ansible_collections.wst.backup.plugins.module_utils._pg.swapplan import (
    UNTOUCHED,
    Database,
    Standing,
    obstacles,
    obstacles_back,
    stage,
    standing_of,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

PATIENCE = 30.0  # seconds for others to leave, while production is closed
LOCK_TIMEOUT = 10  # seconds that a statement waits for somebody's lock on a database

_DATABASES = """
SELECT oid::bigint, datname, datallowconn, datconnlimit, pg_catalog.shobj_description(oid, 'pg_database')
  FROM pg_catalog.pg_database
"""


def read_standing(session: Session) -> Standing:
    """What databases there are; what the session raises."""
    return standing_of([Database(*row) for row in session.execute(_DATABASES).fetchall()])


def rehearse(session: Session, journal: Journal) -> None:
    """All statements about the new database, taken back: what the server refuses, it refuses while production is open.

    :raises: what the session raises.
    """
    with _transaction(session, keep=False):
        _open(session, journal, journal.names.candidate)


def forward(session: Session, journal: Journal) -> None:
    """Swap them. The journal is on the disk. Whatever is raised, ``back`` is to be called then.

    :raises RestoreTargetBusy: somebody does not leave. RestoreTargetRefused: things do not stand as they did. What the
        session raises.
    """
    names = journal.names
    now = read_standing(session)
    problems = obstacles(names, now)
    if problems or stage(names, now) != UNTOUCHED:
        raise RestoreTargetRefused(f"{journal.place}: {'; '.join(problems)}", server=journal.place, obstacles=problems)
    session.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
    closing = [names.candidate] if names.target_oid is None else [names.target, names.candidate]
    _jobs.step("close the database")
    for name in closing:
        _close(session, name)
    _in_one_transaction(session, journal, closing, lambda: _rename_both(session, journal))


def undo(session: Session, journal: Journal) -> None:
    """Take a finished swap back. The restored database, which has what was written since, stays closed.

    :raises: as ``forward``; ``finish`` is to be called then.
    """
    names = journal.names
    problems = obstacles_back(names, read_standing(session))
    if problems:
        raise RestoreTargetRefused(f"{journal.place}: {'; '.join(problems)}", server=journal.place, obstacles=problems)
    occupants.require_owner(session, names.target, place=journal.place)
    occupants.require_clear(session, names.target, place=journal.place)
    session.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
    _jobs.step("close the database")
    _close(session, names.target)
    _in_one_transaction(session, journal, [names.target, names.before], lambda: _rename_back(session, journal))


def back(session: Session, journal: Journal, *, candidate: bool) -> None:
    """Where the old database has its name, open it, and the other too where it is wanted; what the session raises."""
    session.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
    now = read_standing(session)
    old, new = now.old(journal.names), now.candidate(journal.names)
    if old is not None:
        _reopen(session, old, allowed=journal.allowed, limit=journal.limit)
    if candidate and new is not None:
        _reopen(session, new, allowed=True, limit=UNLIMITED)


def finish(session: Session, journal: Journal) -> None:
    """After the renames: the new database must be open, and is, unless somebody closed it. What the session raises."""
    new = read_standing(session).candidate(journal.names)
    if new is not None:
        limit = journal.properties.limit if new.limit == 0 else new.limit  # how it was closed for being taken back
        _reopen(session, new, allowed=True, limit=limit)


def drop_old(session: Session, journal: Journal) -> bool:
    """Drop the database that stepped aside; whether it was there.

    :raises RestoreTargetRefused: the one of that name is another. RestoreTargetBusy: it has subscriptions. What the
        session raises.
    """
    return _drop(session, journal, journal.names.before, journal.names.target_oid, "that stepped aside for")


def drop_new(session: Session, journal: Journal) -> bool:
    """Drop the restored database of a swap that was taken back; whether it was there. Raises as ``drop_old``."""
    return _drop(session, journal, journal.names.candidate, journal.names.candidate_oid, "that was restored for")


def _drop(session: Session, journal: Journal, name: str, oid: Optional[int], what: str) -> bool:
    found = read_standing(session).named(name)
    if found is None:
        return False
    if found.oid != oid:
        message = f"{name} is not the database {what} {journal.place}"
        raise RestoreTargetRefused(message, server=journal.place, database=name)
    subscribed = subscriptions(session, name)
    if subscribed:
        message = f"{name} has subscriptions whose slots stand at their publishers: {shorten(subscribed)}"
        raise RestoreTargetBusy(f"{message}. Drop them there first", server=journal.place, subscriptions=subscribed)
    session.execute(f"DROP DATABASE {quote.identifier(name)} WITH (FORCE)".encode())
    return True


def _in_one_transaction(session: Session, journal: Journal, closed: List[str], work: Callable[[], None]) -> None:
    """The server looks for others once more: who was just about to come in makes it fail, and it is tried again."""
    _jobs.step("swap the databases")
    end = time.monotonic() + PATIENCE
    while True:
        left = end - time.monotonic()
        for name in closed:
            occupants.require_clear(session, name, place=journal.place)
        occupants.send_away(session, closed, patience=max(0.0, left), place=journal.place)
        try:
            with _transaction(session, keep=True):
                work()
            return
        except driver().errors.ObjectInUse as error:
            if time.monotonic() >= end:
                message = f"{journal.place}: somebody was there again and again for {PATIENCE:.0f} seconds"
                raise RestoreTargetBusy(message, server=journal.place) from error


def _rename_both(session: Session, journal: Journal) -> None:
    names = journal.names
    if names.target_oid is not None:
        _alter(session, names.target, f"RENAME TO {quote.identifier(names.before)}")
    _alter(session, names.candidate, f"RENAME TO {quote.identifier(names.target)}")
    _open(session, journal, names.target)
    _allow_again(session, names.target)


def _rename_back(session: Session, journal: Journal) -> None:
    """The restored database gets the run's mark again, without which nobody could drop it."""
    names = journal.names
    _alter(session, names.target, f"RENAME TO {quote.identifier(names.candidate)}")
    _alter(session, names.before, f"RENAME TO {quote.identifier(names.target)}")
    scratch.mark(session, names.candidate, run_id=journal.run_id)
    old = read_standing(session).old(names)
    if old is not None:
        _reopen(session, old, allowed=journal.allowed, limit=journal.limit)


def _open(session: Session, journal: Journal, name: str) -> None:
    """Grants, connection limit, comment."""
    for statement in [*grants_for(journal.properties, name), *opening_for(journal.properties, name)]:
        session.execute(statement)


def _close(session: Session, name: str) -> None:
    """Nobody can connect from now on. A managed server may keep the one way for itself; then there is the other."""
    errors = driver().errors
    try:
        _allow(session, name, allowed=False)
    except (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.InvalidParameterValue):
        _alter(session, name, "CONNECTION LIMIT 0")


def _reopen(session: Session, database: Database, *, allowed: bool, limit: int) -> None:
    if database.limit != limit:
        _alter(session, database.name, f"CONNECTION LIMIT {limit}")
    if database.allows != allowed:
        _allow(session, database.name, allowed=allowed)


def _allow_again(session: Session, name: str) -> None:
    """Where that is how it was closed: else a managed server might refuse to hear of it."""
    found = read_standing(session).named(name)
    if found is not None and not found.allows:
        _allow(session, name, allowed=True)


def _allow(session: Session, name: str, *, allowed: bool) -> None:
    _alter(session, name, f"ALLOW_CONNECTIONS {'true' if allowed else 'false'}")


def _alter(session: Session, name: str, what: str) -> None:
    session.execute(f"ALTER DATABASE {quote.identifier(name)} {what}".encode())


@contextlib.contextmanager
def _transaction(session: Session, *, keep: bool) -> Iterator[None]:
    """Statements like all others, so that a test can stop at each of them."""
    session.execute("BEGIN")
    try:
        yield
    except driver().errors.Error:
        with contextlib.suppress(driver().errors.Error):  # the first one says what failed
            session.execute("ROLLBACK")
        raise
    session.execute("COMMIT" if keep else "ROLLBACK")
