# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight asks of key, tools and database: the dump's own checks, without a dump, and every problem at once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, DbLimits, DumpEmpty
from ansible_collections.wst.backup.plugins.module_utils._pg import facts as facts_of
from ansible_collections.wst.backup.plugins.module_utils._pg import key
from ansible_collections.wst.backup.plugins.module_utils._pg import tools as tools_of
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, driver, named
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import Table, list_tables, require_readable
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

ROW_LIMIT = 0x3FFFFFFF  # bytes: MaxAllocSize of PostgreSQL, the most that a row may have as COPY text
ROW_LARGE = 256 << 20  # bytes: from here on pg_dump needs three times as much memory on the host
TOAST_LOOKED_AT = 1 << 20  # bytes out of line; less can hold no such value, however well it was compressed
SCAN_BUDGET = 20_000  # milliseconds for a table
READ_TO_MEASURE = ("json", "xml")

# A domain is measured as what it is a domain over, however many stand between.
_WIDE_TABLES = """
WITH RECURSIVE plain(type, base) AS (
  SELECT t.oid, t.oid FROM pg_catalog.pg_type t
   WHERE t.oid = ANY(ARRAY['bytea', 'text', 'bpchar', 'varchar', 'json', 'xml']::pg_catalog.regtype[])
  UNION ALL
  SELECT d.oid, plain.base FROM pg_catalog.pg_type d JOIN plain ON d.typtype = 'd' AND d.typbasetype = plain.type
)
SELECT c.oid::bigint, n.nspname, c.relname,
       (SELECT pg_catalog.array_agg(ARRAY[a.attname::text, plain.base::pg_catalog.regtype::text])
          FROM pg_catalog.pg_attribute a JOIN plain ON plain.type = a.atttypid
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.reltoastrelid <> 0 AND c.oid = ANY(%s)
   AND pg_catalog.pg_relation_size(c.reltoastrelid) >= %s
"""


@dataclass
class DatabaseCheck:
    """What was found: facts, every problem, and warnings as sentences.

    ``facts`` has ``server_version``, ``server_version_num``, ``database_size`` (bytes), ``encoding``, ``tables``,
    ``tls`` (the protocol's version, None without TLS) and ``large_objects``.
    """

    facts: Dict[str, Any] = field(default_factory=dict)
    problems: List[BackupError] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)

    def attempt(self, check: Callable[[], None]) -> None:
        """Run a check and keep what it raises."""
        try:
            check()
        except BackupError as error:
            self.problems.append(error)


def check_key(path: str) -> str:
    """The password; raises ``KeyMissing``, ``KeyMalformed``, ``KeyPermissions`` (of reading only)."""
    return key.read_key(path)


def check_tools(directory: str) -> Tools:
    """The programs, each started once; raises ``ToolMissing`` or ``DbVersionMismatch``."""
    return tools_of.find_tools(directory)


def check_login(options: DatabaseOptions, password: str, tools: Optional[Tools]) -> DatabaseCheck:
    """Log in and look at everything that would stop a dump; changes nothing and locks nothing.

    :param tools: compared with the server's version when given.
    :raises BackupError: by name, when there is no login at all; all else is in the result.
    """
    found = DatabaseCheck()
    with contextlib.closing(connect(options, password)) as session:
        with named(options):
            server = facts_of.server_facts(session)
            tables = list_tables(session)
            tls = _tls(session)
        found.facts.update(
            server_version=server["server_version"],
            server_version_num=server["server_version_num"],
            database_size=server["size"],
            encoding=server["encoding"],
            tables=len(tables),
            tls=tls,
        )
        if tools is not None:
            found.attempt(lambda: tools_of.check_versions(server["server_version_num"], tools))
        found.attempt(lambda: _require_tables(tables, options))
        found.attempt(lambda: require_readable(tables, place=options.place))
        found.attempt(lambda: _readable_rest(session, options, found))
        _large_values(session, options, [table for table in tables if table.has_rows and table.readable], found)
    return found


def _tls(session: Session) -> Optional[str]:
    row = session.execute(
        "SELECT version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid() AND ssl"
    ).fetchone()
    return str(row[0]) if row else None


def _require_tables(tables: List[Table], options: DatabaseOptions) -> None:
    if not any(table.has_rows for table in tables):
        raise DumpEmpty(f"{options.place} has no tables", server=options.place)


def _readable_rest(session: Session, options: DatabaseOptions, found: DatabaseCheck) -> None:
    with named(options):
        found.facts["large_objects"] = facts_of.large_objects(session, place=options.place)
        facts_of.sequences(session, place=options.place)


def _large_values(session: Session, options: DatabaseOptions, tables: List[Table], found: DatabaseCheck) -> None:
    """Rows that COPY cannot send (a 600 MB bytea fails with "invalid memory alloc request size").

    ``octet_length`` of bytea and text is read from the pointer, without the value, so for these only the tables' own
    pages are read, and only of tables that have enough out of line. Values of json and xml are read for it, as long as
    ``SCAN_BUDGET`` lasts; those of other types (jsonb, which holds 256 MB at most; arrays) are not measured.
    """
    with named(options):
        wide = session.execute(_WIDE_TABLES, ([table.oid for table in tables], TOAST_LOOKED_AT)).fetchall()
    for _oid, schema, name, columns in wide:
        label = f"{schema}.{name}"
        if not columns:
            continue
        try:
            size = _largest_row(session, schema, name, columns)
        except driver().Error as error:
            if session.closed:
                raise
            found.warnings.append(f"the largest row of {label} was not measured: {error.sqlstate}")
            continue
        if size > ROW_LIMIT:
            message = "%s: a row of %s has %d bytes as text; the server can send %d at most"
            facts = {"server": options.place, "table": label, "bytes": size}
            found.problems.append(DbLimits(message % (options.place, label, size, ROW_LIMIT), **facts))
        elif size > ROW_LARGE:
            found.warnings.append(f"a row of {label} has {size} bytes as text; pg_dump needs three times as much")


def _largest_row(session: Session, schema: str, name: str, columns: List[List[str]]) -> int:
    """Bytes of the largest row as COPY text: a bytea has two digits a byte there."""
    sql = driver().sql
    terms = [
        sql.SQL("coalesce(pg_catalog.octet_length({}{})::bigint, 0) * {}").format(
            sql.Identifier(column),
            sql.SQL("::text" if kind in READ_TO_MEASURE else ""),
            sql.Literal(1 + (kind == "bytea")),
        )
        for column, kind in columns
    ]
    query = sql.SQL("SELECT coalesce(max({}), 0) FROM ONLY {}").format(
        sql.SQL(" + ").join(terms), sql.Identifier(schema, name)
    )
    session.execute("BEGIN READ ONLY")
    try:
        session.execute(f"SET LOCAL statement_timeout = {SCAN_BUDGET}")
        return int(max(size for (size,) in session.execute(query).fetchall()))
    finally:
        if not session.closed:
            session.execute("ROLLBACK")
