# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The snapshot that the dump and all facts are taken in, and the locks that make it true.

A snapshot alone does not protect: a TRUNCATE between its export and pg_dump's own locks gives a dump with no rows, exit
code 0, and ``count(*)`` in the snapshot agrees. So every table is locked (ACCESS SHARE, as pg_dump does, which blocks
neither readers nor writers) before anything takes the snapshot, and stays so until pg_dump has ended.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, DbLockTimeout
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver, named, one_row
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import Table, list_tables, require_readable, shorten

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

BATCH = 500  # tables in one LOCK statement: 6,000 tables are 12 round trips
ATTEMPTS = 5  # tables may come and go while we lock

_LOCKED = """
SELECT l.relation::bigint FROM pg_catalog.pg_locks l
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
"""
_HOLDERS = """
SELECT c.relname, l.mode, l.granted, a.pid, a.usename, a.application_name, a.state, a.xact_start::text
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_class c ON c.oid = l.relation
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.xact_start NULLS LAST LIMIT 20
"""


@dataclass(frozen=True)
class Snapshot:
    """A held snapshot: its name for ``pg_dump --snapshot``, its moment on the server's clock, its tables."""

    session: Session
    id: str
    taken_at: datetime
    tables: List[Table]


@contextlib.contextmanager
def hold(session: Session, options: DatabaseOptions, *, lock_timeout: int) -> Iterator[Snapshot]:
    """Hold a snapshot with all tables locked, for as long as the block lasts.

    :param lock_timeout: seconds to wait for a lock.
    :raises DbLockTimeout: with the sessions that hold the locks; DbPermission, DbRowSecurity, DbLost.
    """
    with named(options):
        session.execute(f"SET lock_timeout = {lock_timeout * 1000}")
    try:
        yield _take(session, options)
    finally:
        with contextlib.suppress(driver().Error):  # what failed is on its way, or the session is gone
            session.execute("ROLLBACK")


def _take(session: Session, options: DatabaseOptions) -> Snapshot:
    unlocked: List[str] = []
    for _attempt in range(ATTEMPTS):
        with named(options):
            tables = list_tables(session)
        require_readable(tables, place=options.place)
        with named(options):
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if _lock(session, options, [table for table in tables if table.lockable]):
            snapshot, unlocked = _export(session, options)
            if snapshot is not None:
                return snapshot
        with named(options):
            session.execute("ROLLBACK")
    raise DbLockTimeout(
        "{}: tables are made or dropped faster than they can be locked ({})".format(
            options.place, shorten(unlocked) or "they vanish"
        ),
        server=options.place,
        tables=unlocked,
    )


def _lock(session: Session, options: DatabaseOptions, tables: List[Table]) -> bool:
    """Lock them; False when one of them has gone in the meantime."""
    psycopg = driver()
    for start in range(0, len(tables), BATCH):
        try:
            with named(options):
                session.execute(_lock_statement(tables[start : start + BATCH]))
        except DbLockTimeout as error:
            raise _with_holders(session, error) from error
        except BackupError as error:
            if isinstance(error.__cause__, (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)):
                return False
            raise
    return True


def _lock_statement(tables: List[Table]) -> Any:
    """ONLY, because children and partitions are in the list themselves."""
    sql = driver().sql
    names = [sql.SQL("ONLY {}").format(sql.Identifier(table.schema, table.name)) for table in tables]
    return sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(names))


def _export(session: Session, options: DatabaseOptions) -> Tuple[Optional[Snapshot], List[str]]:
    """The snapshot and no names, or None and the tables in it that are not locked."""
    with named(options):
        row = one_row(session, "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.clock_timestamp()")
        tables = list_tables(session)
        locked: Set[int] = {relation for (relation,) in session.execute(_LOCKED).fetchall()}
    unlocked = [table.label for table in tables if table.lockable and table.oid not in locked]
    if unlocked:
        return None, unlocked
    require_readable(tables, place=options.place)
    return Snapshot(session=session, id=row[0], taken_at=row[1], tables=tables), []


def _with_holders(session: Session, error: DbLockTimeout) -> DbLockTimeout:
    """The same failure with who holds, or waits for, exclusive locks."""
    names = ("table", "mode", "granted", "pid", "user", "application", "state", "since")
    holders: List[Dict[str, Any]] = []
    try:
        session.execute("ROLLBACK")
        holders = [dict(zip(names, row)) for row in session.execute(_HOLDERS).fetchall()]
    except driver().Error:
        pass  # the lock timeout is what matters
    held = next((holder for holder in holders if holder["granted"]), None)
    text = _describe(held)
    return DbLockTimeout(error.message + text, **{**error.facts, "holders": holders})


def _describe(holder: Optional[Dict[str, Any]]) -> str:
    if holder is None:
        return ""
    return "; {table} is held by pid {pid} ({user}, {application}, {state}) since {since}".format(**holder)
