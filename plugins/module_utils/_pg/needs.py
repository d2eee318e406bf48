# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore with owners needs of a server, and why one cannot have it. Decides only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, Iterable, List, Mapping, Optional, Sequence, Set

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    DbPermission,
    DbRoleMissing,
    NoSpace,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import grants, selection
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties
from ansible_collections.wst.backup.plugins.module_utils._pg.sqltokens import Statement, begins, name_of, statements
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import (
    ACL,
    COMMENT,
    EXTENSION,
    PUBLICATION,
    SECURITY_LABEL,
    SUBSCRIPTION,
    USER_MAPPING,
    Entry,
)

PG_CRON = "pg_cron"
_OF_THE_OWNER = "pg_database_owner"  # whoever owns the database is it
_NOT_OWNED = (ACL, COMMENT, SECURITY_LABEL)
_PASSWORD = {"password", '"password"'}  # the option's name, in both ways to write it
# A publication of everything, and one of all tables of a schema, are a superuser's.
_WIDE = (("FOR", "ALL", "TABLES"), ("FOR", "TABLES", "IN", "SCHEMA"))


@dataclass(frozen=True)
class Needs:
    """``assumed``: roles that own something or grant in their own name; ``named``: all that must exist."""

    assumed: FrozenSet[str]
    named: FrozenSet[str]
    superuser_only: Sequence[str] = ()
    cron: bool = False


@dataclass(frozen=True)
class Role:
    """What our role may do with that one: become it, and use what it owns without becoming it."""

    may_become: bool
    may_use: bool


@dataclass(frozen=True)
class Server:
    """What is known of the server. ``cron_database`` is the only one that pg_cron installs in, where it does at all."""

    user: str
    superuser: bool
    roles: Mapping[str, Role]
    cron_database: Optional[str]


def needs_of(entries: Iterable[Entry], properties: Properties) -> Needs:
    """What these entries need, and the database itself; raises DumpDamaged."""
    listed = list(entries)
    owners = {entry.owner for entry in listed if entry.owner and entry.description not in _NOT_OWNED}
    assumed = (owners | {properties.owner} | grants.givers(listed)) - {_OF_THE_OWNER}
    named: Set[str] = assumed | grants.receivers(listed) | set(selection.policy_roles(listed)) | _mapped(listed)
    named |= {name_of(form[2]) for form in properties.settings if form[1] == "ROLE" and form[2] is not None}
    for form in properties.grants:
        named |= _of_database(form)
    wide = [f"{entry.description.lower()} {entry.tag}" for entry in listed if _needs_superuser(entry)]
    cron = any(entry.description == EXTENSION and entry.tag == PG_CRON for entry in listed)
    return Needs(frozenset(assumed), frozenset(named), wide, cron)


def _of_database(form: Sequence[Optional[str]]) -> Set[str]:
    """The roles of one of the database's own grants, ``SET ROLE`` among them."""
    words = [word for word in form if word is not None]
    if words[0] in ("SET", "RESET"):
        return {name_of(word) for word in words[2:]}
    place = max(place for place, word in enumerate(words) if word in ("TO", "FROM"))
    after = words[place + 1 :]
    end = after.index("WITH") if "WITH" in after else len(after)
    return {name_of(word) for word in after[:end] if word not in (",", "PUBLIC")}


def _mappings(entries: Iterable[Entry]) -> List[Statement]:
    """Each ``CREATE USER MAPPING FOR role SERVER server ...``; raises DumpDamaged."""
    return [grants.read(entry)[0] for entry in entries if entry.description == USER_MAPPING]


def _mapped(entries: Iterable[Entry]) -> Set[str]:
    return {name_of(statement[4]) for statement in _mappings(entries)} - {"public"}


def mute_mappings(entries: Iterable[Entry]) -> List[str]:
    """User mappings that the dump has no password of, in words; raises DumpDamaged.

    Nothing but a superuser, and the mapped role for itself, reads one: the dumps of others have the mapping alone.
    """
    return [
        f"{name_of(statement[4])} on {name_of(statement[6])}"
        for statement in _mappings(entries)
        if not _PASSWORD & set(statement[7:])
    ]


def _needs_superuser(entry: Entry) -> bool:
    if entry.description == PUBLICATION:
        first = grants.read(entry)[0]
        return any(begins(first[3:], *words) for words in _WIDE)
    return entry.description in (SUBSCRIPTION, "PUBLICATION TABLES IN SCHEMA")


def problems(needs: Needs, server: Server, *, place: str, logins: Iterable[str] = ()) -> List[BackupError]:
    """Every reason for which the server cannot take the dump as it is, the gravest first.

    :param place: the server in words.
    :param logins: roles that log in, as ``roles.sql`` has it: no backup holds their passwords.
    """
    found: List[BackupError] = []
    missing = sorted(role for role in needs.named if role not in server.roles)
    if missing:
        passwords = sorted(set(logins) & set(missing))
        hint = f"; of these log in, and need passwords: {shorten(passwords)}" if passwords else ""
        message = f"{place} lacks the roles {shorten(missing)}{hint}"
        found.append(DbRoleMissing(message, server=place, roles=missing, need_passwords=passwords))
    if not server.superuser:
        barred = [*_not_assumed(needs, server), *(f"only a superuser can make {each}" for each in needs.superuser_only)]
        if barred:
            message = f"{place}: role {server.user} cannot restore this: {shorten(barred)}"
            found.append(DbPermission(message, server=place, role=server.user, problems=barred))
    if needs.cron:
        where = "not there" if server.cron_database is None else f"for database {server.cron_database} only"
        found.append(
            RestoreTargetRefused(
                f"{place}: the dump has pg_cron, which cannot be installed in a database that takes another's name "
                f"later (it is {where}): list it in allow_missing_extensions, and create it after the swap",
                server=place,
                cron_database=server.cron_database,
            )
        )
    return found


def _not_assumed(needs: Needs, server: Server) -> List[str]:
    known = [(name, server.roles[name]) for name in sorted(needs.assumed) if name in server.roles]
    barred = [f"it may not become {name}" for name, role in known if not role.may_become]
    return barred + [f"it does not inherit from {name}" for name, role in known if role.may_become and not role.may_use]


def space(*, size: int, wal: int, free: Optional[int], place: str) -> int:
    """The bytes that a second database needs; raises NoSpace where there are known to be fewer.

    :param size: of the database in bytes, as far as it is known.
    :param wal: how far the server lets its log grow, in bytes.
    :param free: bytes, where somebody told: no server says it.
    """
    needed = size + wal
    if free is not None and free < needed:
        message = f"{place} has {free} bytes free; the new database needs about {size}, and the log up to {wal}"
        raise NoSpace(message, server=place, needed=needed, free=free)
    return needed


def logins_of(roles_sql: str) -> Set[str]:
    """The roles that log in, by a script of ``roles``; none where it is not one of ours."""
    try:
        listed = statements(roles_sql)
    except ValueError:
        return set()
    return {name_of(each[2]) for each in listed if begins(each, "ALTER", "ROLE") and "LOGIN" in each[4:]}
