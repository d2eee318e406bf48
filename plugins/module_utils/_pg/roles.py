# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``roles.sql``: what ``pg_dumpall --globals-only --no-role-passwords`` writes, from catalog queries.

pg_dumpall finds its sibling programs by name and so does not run everywhere, and it wants tables that managed servers
close. The views read here are open to every role. Passwords are never read. One thing more than pg_dumpall gives:
``ALTER ROLE ALL SET``. Settings of roles in one database are part of that database's dump, in both.

The structure follows ``src/bin/pg_dump/pg_dumpall.c`` of PostgreSQL 15 to 18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import one_row

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

HEADER = (
    "--\n-- Roles, memberships, role settings, parameter privileges and tablespaces; no passwords\n--\n\n"
    "SET default_transaction_read_only = off;\n\n"
    "SET client_encoding = 'UTF8';\n"
    "SET standard_conforming_strings = on;\n\n"
)
# Lists whose elements are quoted one by one (variable_is_guc_list_quote() in src/bin/pg_dump/dumputils.c).
_LISTS = frozenset(
    (
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    )
)
_ROLES = """
SELECT r.oid::bigint, r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
       r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil::text,
       pg_catalog.shobj_description(r.oid, 'pg_authid')
  FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname COLLATE "C"
"""
_LABELS = """
SELECT l.provider, l.label, l.objname FROM pg_catalog.pg_seclabels l
 WHERE l.objtype = 'role' AND l.objname !~ '^"?pg_' ORDER BY l.objname COLLATE "C", l.provider COLLATE "C"
"""
_SETTINGS = """
SELECT r.rolname, u.setting FROM pg_catalog.pg_db_role_setting s
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, LATERAL unnest(s.setconfig) WITH ORDINALITY u(setting, position)
 WHERE s.setdatabase = 0 AND (s.setrole = 0 OR r.rolname !~ '^pg_')
 ORDER BY r.rolname COLLATE "C" NULLS FIRST, u.position
"""
_MEMBERS = """
SELECT g.rolname, m.rolname, b.rolname, a.admin_option, %s
  FROM pg_catalog.pg_auth_members a
  JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
  JOIN pg_catalog.pg_roles m ON m.oid = a.member
  LEFT JOIN pg_catalog.pg_roles b ON b.oid = a.grantor
 WHERE NOT (g.rolname ~ '^pg_' AND m.rolname ~ '^pg_')
 ORDER BY g.rolname COLLATE "C", m.rolname COLLATE "C", b.rolname COLLATE "C"
"""
_PARAMETERS = """
SELECT p.parname, r.rolname, a.is_grantable,
       CASE WHEN count(DISTINCT a.privilege_type) = 2 THEN 'ALL' ELSE min(a.privilege_type) END
  FROM pg_catalog.pg_parameter_acl p, LATERAL pg_catalog.aclexplode(p.paracl) a
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
 WHERE a.grantee <> 10
 GROUP BY p.parname, r.rolname, a.is_grantable
 ORDER BY p.parname COLLATE "C", r.rolname COLLATE "C" NULLS FIRST, a.is_grantable
"""
_TABLESPACES = """
SELECT t.oid::bigint, t.spcname, pg_catalog.pg_get_userbyid(t.spcowner), pg_catalog.pg_tablespace_location(t.oid),
       t.spcoptions, pg_catalog.shobj_description(t.oid, 'pg_tablespace')
  FROM pg_catalog.pg_tablespace t WHERE t.spcname !~ '^pg_' ORDER BY t.spcname COLLATE "C"
"""
_TABLESPACE_GRANTS = """
SELECT r.rolname, a.is_grantable FROM pg_catalog.pg_tablespace t, LATERAL pg_catalog.aclexplode(t.spcacl) a
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
 WHERE t.oid = %s::oid AND a.grantee <> t.spcowner ORDER BY r.rolname COLLATE "C" NULLS FIRST
"""


def roles_sql(session: Session) -> bytes:
    """The script, UTF-8, with ``\\n`` line ends; what the session raises."""
    version = session.info.server_version
    (bootstrap,) = one_row(session, "SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10")
    parts: List[Tuple[str, Iterator[str]]] = [
        ("Roles", _roles(session)),
        ("User Configurations", _settings(session)),
        ("Role memberships", _memberships(session, version, bootstrap)),
    ]
    if version >= 150000:
        parts.append(("Role privileges on configuration parameters", _parameters(session)))
    parts.append(("Tablespaces", _tablespaces(session)))
    text = HEADER
    for title, statements in parts:
        lines = list(statements)
        if lines:
            text += "--\n-- {}\n--\n\n{}\n\n".format(title, "\n".join(lines))
    return text.encode("utf-8")


def _roles(session: Session) -> Iterator[str]:
    labels: Dict[str, List[str]] = {}
    for provider, label, objname in session.execute(_LABELS).fetchall():
        statement = "SECURITY LABEL FOR %s ON ROLE %s IS %s;"
        line = statement % (quote.identifier(provider), objname, quote.literal(label))  # objname comes quoted
        labels.setdefault(objname, []).append(line)
    for row in session.execute(_ROLES).fetchall():
        name = quote.identifier(row[1])
        yield f"CREATE ROLE {name};"
        yield f"ALTER ROLE {name} WITH {_attributes(row)};"
        if row[11] is not None:
            yield f"COMMENT ON ROLE {name} IS {quote.literal(row[11])};"
    for lines in labels.values():
        yield from lines


def _attributes(row: Tuple[Any, ...]) -> str:
    names = ("SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS")
    words = [name if value else "NO" + name for name, value in zip(names, row[2:9])]
    limit, until = row[9], row[10]
    if limit != -1:
        words.append(f"CONNECTION LIMIT {limit}")
    if until is not None:
        words.append(f"VALID UNTIL {quote.literal(until)}")
    return " ".join(words)


def _settings(session: Session) -> Iterator[str]:
    for role, setting in session.execute(_SETTINGS).fetchall():
        name, _equals, value = setting.partition("=")
        target = "ALL" if role is None else quote.identifier(role)
        yield f"ALTER ROLE {target} SET {quote.identifier(name)} TO {_value(name, value)};"


def _value(name: str, value: str) -> str:
    if name.lower() not in _LISTS:
        return quote.literal(value)
    return ", ".join(quote.literal(element) for element in split_list(value)) or "''"


def split_list(value: str) -> List[str]:
    """The elements of a list setting as the catalog stores it: comma separated, quoted where needed."""
    elements: List[str] = []
    position = 0
    while position < len(value):
        if value[position] in ", \t\n":
            position += 1
        elif value[position] == '"':
            end = position + 1
            while value[end : end + 1] != '"' or value[end + 1 : end + 2] == '"':
                end += 2 if value[end : end + 1] == '"' else 1
                if end >= len(value):
                    break
            elements.append(value[position + 1 : end].replace('""', '"'))
            position = end + 1
        else:
            end = value.find(",", position)
            end = len(value) if end < 0 else end
            elements.append(value[position:end].strip())
            position = end
    return elements


def _memberships(session: Session, version: int, bootstrap: str) -> Iterator[str]:
    """In an order that replays: from 16 on, who grants must hold the admin option by then."""
    columns = "a.inherit_option, a.set_option" if version >= 160000 else "NULL::bool, NULL::bool"
    rows = session.execute(_MEMBERS % columns).fetchall()
    for row in in_grantable_order(rows, bootstrap=bootstrap, checked=version >= 160000):
        yield _membership(*row)


def in_grantable_order(rows: List[Tuple[Any, ...]], *, bootstrap: str, checked: bool) -> Iterator[Tuple[Any, ...]]:
    """Grants of a role, those first whose grantor the server will accept; rows are (role, member, grantor, admin ...).

    What can never be granted (the grantor's own grant is gone) comes last, as it is.
    """
    waiting = list(rows)
    admins: Dict[str, List[str]] = {}

    def allowed(row: Tuple[Any, ...]) -> bool:
        return not checked or row[2] in (None, bootstrap) or row[2] in admins.get(row[0], [])

    while waiting:
        ready = next((row for row in waiting if allowed(row)), waiting[0])
        waiting.remove(ready)
        if ready[3]:
            admins.setdefault(ready[0], []).append(ready[1])
        yield ready


def _membership(
    role: str, member: str, grantor: Optional[str], admin: bool, inherit: Optional[bool], set_: Optional[bool]
) -> str:
    options = ["ADMIN OPTION"] if admin else []
    if inherit is not None:
        options.append("INHERIT %s" % ("TRUE" if inherit else "FALSE"))
    if set_ is False:
        options.append("SET FALSE")
    text = f"GRANT {quote.identifier(role)} TO {quote.identifier(member)}"
    if options:
        text += " WITH " + ", ".join(options)
    if grantor is not None:
        text += f" GRANTED BY {quote.identifier(grantor)}"
    return text + ";"


def _parameters(session: Session) -> Iterator[str]:
    for name, role, grantable, privilege in session.execute(_PARAMETERS).fetchall():
        grantee = "PUBLIC" if role is None else quote.identifier(role)
        option = " WITH GRANT OPTION" if grantable else ""
        yield f"GRANT {privilege} ON PARAMETER {quote.parameter(name)} TO {grantee}{option};"


def _tablespaces(session: Session) -> Iterator[str]:
    for oid, name, owner, location, options, comment in session.execute(_TABLESPACES).fetchall():
        label = quote.identifier(name)
        yield f"CREATE TABLESPACE {label} OWNER {quote.identifier(owner)} LOCATION {quote.literal(location)};"
        if options:
            yield "ALTER TABLESPACE {} SET ({});".format(label, ", ".join(options))  # they are all name=number
        for role, grantable in session.execute(_TABLESPACE_GRANTS, (oid,)).fetchall():
            grantee = "PUBLIC" if role is None else quote.identifier(role)
            option = " WITH GRANT OPTION" if grantable else ""
            yield f"GRANT ALL ON TABLESPACE {label} TO {grantee}{option};"
        if comment is not None:
            yield f"COMMENT ON TABLESPACE {label} IS {quote.literal(comment)};"
