# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a server whether it can take a dump with owners, before anything is restored. See ``needs`` for the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._pg import needs, occupants
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver, one_row
from ansible_collections.wst.backup.plugins.module_utils._pg.needs import Needs, Role, Server
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten
from ansible_collections.wst.backup.plugins.module_utils._platform import api

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

_MAX_ROLES_SQL = 64 << 20  # bytes
_ME = """
SELECT rolsuper, pg_catalog.current_setting('cron.database_name', true) FROM pg_catalog.pg_roles
 WHERE rolname = current_user
"""
_ROLES = (
    "SELECT rolname, pg_catalog.pg_has_role(oid, %s), pg_catalog.pg_has_role(oid, 'USAGE') FROM pg_catalog.pg_roles"
)
_CANNOT_LOG_IN = """
SELECT rolname FROM pg_catalog.pg_authid WHERE rolcanlogin AND rolpassword IS NULL AND oid <> 10 ORDER BY rolname
"""
_THERE = "SELECT FROM pg_catalog.pg_database WHERE datname = %s"
_SIZE = "SELECT pg_catalog.pg_database_size(datname) FROM pg_catalog.pg_database WHERE datname = %s"
_WAL = "SELECT setting::bigint * 1048576 FROM pg_catalog.pg_settings WHERE name = 'max_wal_size'"


def read_server(session: Session) -> Server:
    """What the decision needs to know; what the session raises."""
    superuser, cron = one_row(session, _ME)
    kind = "SET" if session.info.server_version >= 160000 else "MEMBER"
    roles = {name: Role(become, use) for name, become, use in session.execute(_ROLES, (kind,)).fetchall()}
    return Server(session.info.user, superuser, roles, cron or None)


def require(
    session: Session,
    needed: Needs,
    *,
    target: str,
    place: str,
    roles_sql: Optional[str] = None,
    size: Optional[int] = None,
    free: Optional[int] = None,
) -> Tuple[int, List[str]]:
    """Refuse what cannot come out well; returns about how many bytes the server needs for it, and remarks.

    :param target: the database whose place the new one shall take.
    :param place: the server in words.
    :param roles_sql: the script of the artifact, which says who logs in.
    :param size: of the dumped database in bytes, where a manifest tells it; ``free``: of the server, where somebody
        does.
    :raises DbRoleMissing, DbPermission, RestoreTargetRefused: see ``needs.problems``; NoSpace; what the session raises.
    """
    server = read_server(session)
    logins = needs.logins_of(_read(roles_sql)) if roles_sql else set()
    found = needs.problems(needed, server, place=place, logins=logins)
    if found:
        if len(found) > 1:
            found[0].facts["further"] = [each.as_problem() for each in found[1:]]
        raise found[0]
    (wal,) = one_row(session, _WAL)
    largest = max(size or 0, _size(session, target))
    room = needs.space(size=largest, wal=wal, free=free, place=place)
    remarks = [f"would keep {target} from being swapped now: {each}" for each in occupants.obstacles(session, target)]
    return room, [*remarks, *_passwords(session, server, target, logins)]


def _passwords(session: Session, server: Server, target: str, logins: Set[str]) -> List[str]:
    """Whose must be set. Only a superuser sees who has none; others are told who may, where the database is new."""
    if server.superuser:
        without = _cannot_log_in(session)
        return [f"roles that log in and have no password: {shorten(without)}"] if without else []
    if session.execute(_THERE, (target,)).fetchone() is not None:
        return []
    others = sorted((logins & set(server.roles)) - {server.user})
    told = "no backup holds passwords; set one for each of these roles that has none on this server yet"
    return [f"{told}: {shorten(others)}"] if others else []


def _size(session: Session, name: str) -> int:
    """0 where there is none, or we may not ask."""
    try:
        row = session.execute(_SIZE, (name,)).fetchone()
    except driver().errors.InsufficientPrivilege:
        return 0
    return 0 if row is None else int(row[0])


def _cannot_log_in(session: Session) -> List[str]:
    return [name for (name,) in session.execute(_CANNOT_LOG_IN).fetchall()]


def _read(path: str) -> str:
    try:
        with api.open_source(path) as file:
            return file.read(_MAX_ROLES_SQL).decode("utf-8", "replace")
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error
