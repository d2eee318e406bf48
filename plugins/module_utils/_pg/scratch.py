# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making and dropping the database that a dump is restored into.

It is always a new one. Its name has the run's time, and its comment says whose it is: nothing without both is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DbVersionMismatch,
    DumpDamaged,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import kept, quote
from ansible_collections.wst.backup.plugins.module_utils._pg.candidatename import database_name
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver, named
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.subscriptions import subscriptions
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import DATABASE, Toc

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

MARK = "wst.backup scratch of run "
_OPTION = re.compile(r" ([A-Z_]+) = ('(?:[^']|'')*'|[a-z]+)")
_KNOWN = (
    "ENCODING",
    "LOCALE_PROVIDER",
    "LOCALE",
    "LC_COLLATE",
    "LC_CTYPE",
    "ICU_LOCALE",
    "BUILTIN_LOCALE",
    "ICU_RULES",
)

_FOUND = """
SELECT pg_catalog.shobj_description(d.oid, 'pg_database') FROM pg_catalog.pg_database d WHERE d.datname = %s
"""
# What a fresh database of template0 has none of.
_CONTENT = """
SELECT (SELECT count(*) FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'm', 'f', 'S', 'v'))
     + (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata)
     + (SELECT count(*) FROM pg_catalog.pg_proc WHERE oid >= 16384)
     + (SELECT count(*) FROM pg_catalog.pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_')
"""


def mark_of(run_id: str) -> str:
    """The comment on the databases and roles that the run makes."""
    return MARK + run_id


@dataclass(frozen=True)
class Locale:
    """What CREATE DATABASE is told of encoding and locale, by its own words."""

    options: Dict[str, str]

    @property
    def text(self) -> str:
        """As clauses of the statement."""
        return "".join(f" {name} = {value}" for name, value in self.options.items())


def locale_of(toc: Toc) -> Locale:
    """Encoding and locale of the dumped database; raises DumpDamaged where the dump does not say."""
    for entry in toc.entries:
        if entry.description == DATABASE:
            statement = entry.definition.decode("utf-8", "surrogateescape")
            _before, _template, options = statement.partition(" WITH TEMPLATE = template0")
            found = {name: value for name, value in _OPTION.findall(options) if name in _KNOWN}
            if "ENCODING" in found:
                return Locale(found)
    raise DumpDamaged("the dump does not say how its database was made", database=toc.database)


def require_free(session: Session, name: str, *, place: str) -> None:
    """Raises RestoreTargetRefused where the server has a database of that name."""
    if session.execute(_FOUND, (name,)).fetchone() is not None:
        raise RestoreTargetRefused(f"{place} has a database {name} already", server=place, database=name)


def create(session: Session, name: str, locale: Locale, *, run_id: str, place: str, exact: bool) -> List[str]:
    """Make the database and mark it; returns remarks.

    :param session: of the maintenance database, in autocommit.
    The caller has seen that the name is free (``require_free``), and has put on record that it will be taken.

    :param exact: refuse a server that lacks the locale. Else its place is taken by C, which is remarked: a drill may
        happen on another system than the one that was dumped.
    :raises RestoreTargetRefused: the locale is not there; what the session raises.
    """
    remarks: List[str] = []
    try:
        _create(session, name, locale)
    except driver().errors.Error as error:
        if error.sqlstate not in ("22023", "42809", "0A000", "22021", "42704"):
            raise
        if exact:
            message = f"{place} has no locale as{locale.text}"
            raise RestoreTargetRefused(message, server=place, locale=locale.options) from error
        plain = Locale({"ENCODING": locale.options["ENCODING"], "LOCALE": "'C'", "LOCALE_PROVIDER": "libc"})
        _create(session, name, plain)
        remarks.append(f"the server has no locale as{locale.text}; the scratch database sorts by bytes")
    mark(session, name, run_id=run_id)
    return remarks


def mark(session: Session, name: str, *, run_id: str) -> None:
    """Say in its comment whose it is; what the session raises."""
    text = quote.literal(mark_of(run_id))
    session.execute(f"COMMENT ON DATABASE {quote.identifier(name)} IS {text}".encode())


def close_to_others(session: Session, name: str) -> None:
    """Only its owner, and superusers, can connect from now on. What the session raises.

    A connection limit would do the same to us where we are no superuser.
    """
    session.execute(f"REVOKE CONNECT ON DATABASE {quote.identifier(name)} FROM PUBLIC".encode())


def _create(session: Session, name: str, locale: Locale) -> None:
    statement = f"CREATE DATABASE {quote.identifier(name)} TEMPLATE = template0{locale.text}"
    session.execute(statement.encode("utf-8", "surrogateescape"))


def require_scratch(session: Session, *, run_id: str, place: str) -> None:
    """The session's database must be this run's own, and empty; raises RestoreTargetRefused."""
    _require_marked(session, run_id=run_id, place=place)
    ((content,),) = session.execute(_CONTENT).fetchall()
    if content:
        message = f"{place} has {content} objects already, so nothing is restored into it"
        raise RestoreTargetRefused(message, server=place, objects=content)


def _require_marked(session: Session, *, run_id: str, place: str) -> None:
    row = session.execute(_FOUND, (session.info.dbname,)).fetchone()
    if row is None or row[0] != mark_of(run_id):
        raise RestoreTargetRefused(f"{place} is not the scratch database of run {run_id}", server=place, run_id=run_id)


def require_version(session: Session, *, client_major: int, place: str) -> None:
    """The target must be as new as the tools, whose output has settings that an older one does not know.

    Raises DbVersionMismatch.
    """
    major = session.info.server_version // 10000
    if major < client_major:
        raise DbVersionMismatch(
            f"{place} is PostgreSQL {major}, older than the tools ({client_major})",
            server_major=major,
            tools=client_major,
        )


def missing_roles(session: Session, names: List[str]) -> List[str]:
    """Those of the roles that the server does not have; what the session raises."""
    had = {name for (name,) in session.execute("SELECT rolname FROM pg_catalog.pg_roles").fetchall()}
    return [name for name in names if name not in had]


def make_roles(session: Session, names: List[str], *, run_id: str) -> None:
    """Make the roles, without a login and marked; all or none. What the session raises."""
    mark = quote.literal(mark_of(run_id))
    with session.transaction():
        for name in names:
            session.execute(f"CREATE ROLE {quote.identifier(name)} NOLOGIN".encode())
            session.execute(f"COMMENT ON ROLE {quote.identifier(name)} IS {mark}".encode())


def drop(
    session: Session,
    name: str,
    roles: List[str],
    *,
    run_id: str,
    options: DatabaseOptions,
    target: str = "",
    stays: bool = False,
    release: Callable[[], None] = lambda: None,
) -> Tuple[bool, List[str]]:
    """Drop the run's database and the roles that it made; whether the database was there, and what was left alone.

    A database without a comment is one whose run died before it could mark it: the name alone, which has the run's
    time and was free when the run said that it would take it, makes it ours.

    :param target: whose place it was to take, for a restore.
    :param stays: it was to stay beside that one, and does so from when the run has marked it as ``kept`` does.
    :param release: takes away what the server drops no database with.
    :raises RestoreTargetRefused: the name is not that of the run's database, or the comment is somebody else's.
    """
    if name != database_name(run_id, target, stays=stays):
        raise RestoreTargetRefused(f"{name} is not the database of run {run_id}", database=name, run_id=run_id)
    left: List[str] = []
    with named(options):
        row: Optional[Tuple[Optional[str]]] = session.execute(_FOUND, (name,)).fetchone()
        if row is not None and stays and kept.run_of(row[0]) == run_id:
            return False, left
        if row is not None:
            if row[0] is not None and row[0] != mark_of(run_id):
                message = f"{options.place}: database {name} is not of run {run_id}"
                raise RestoreTargetRefused(message, database=name, run_id=run_id)
            if subscriptions(session, name):
                release()
            session.execute(f"DROP DATABASE {quote.identifier(name)} WITH (FORCE)".encode())
        for role in roles:
            if not _drop_role(session, role, run_id=run_id):
                left.append(role)
    return row is not None, left


def _drop_role(session: Session, name: str, *, run_id: str) -> bool:
    query = "SELECT pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles WHERE rolname = %s"
    row = session.execute(query, (name,)).fetchone()
    if row is None:
        return True
    if row[0] != mark_of(run_id):
        return False
    try:
        session.execute(f"DROP ROLE {quote.identifier(name)}".encode())
    except driver().errors.DependentObjectsStillExist:
        return False  # somebody has begun to use it
    return True


def available_extensions(session: Session) -> List[str]:
    """What the server can create; what the session raises."""
    query = "SELECT name FROM pg_catalog.pg_available_extensions"
    return [name for (name,) in session.execute(query).fetchall()]


def configured(session: Session, extensions: Iterable[str] = ()) -> List[Tuple[str, str]]:
    """Schema and name of what the database's extensions call their configuration.

    :param extensions: more of them, created for this answer and taken back.
    :raises: what the session raises.
    """
    query = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_extension e, LATERAL unnest(e.extconfig) k
  JOIN pg_catalog.pg_class c ON c.oid = k JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
"""
    with session.transaction(force_rollback=True):
        session.execute("SET LOCAL search_path = public")
        for name in extensions:
            session.execute(f"CREATE EXTENSION IF NOT EXISTS {quote.identifier(name)} CASCADE".encode())
        return list(session.execute(query).fetchall())
