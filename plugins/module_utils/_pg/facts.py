# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the database is at the moment of the snapshot: the facts that a dump and a restore are compared with.

Everything is read by the session that holds the snapshot. ``record.py`` says how it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import DbPermission
from ansible_collections.wst.backup.plugins.module_utils._pg import tables as kinds
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver, named, one_row
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.snapshot import Snapshot
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import Table

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

BATCH = 50  # counts in one statement: a distant server answers 6,000 tables in 120 round trips

_SERVER = """
SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num')::int,
       d.oid::bigint, d.datname, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
       pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_database_size(d.oid)
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""
_LOCALE = """
SELECT d.datlocprovider::text, d.%s, d.datcollversion
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""
_SETTINGS = """
SELECT r.rolname, s.setconfig FROM pg_catalog.pg_db_role_setting s
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
 WHERE s.setdatabase = %s ORDER BY r.rolname COLLATE "C" NULLS FIRST
"""
_SEQUENCES = """
SELECT n.nspname, c.relname,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (
       SELECT 1 FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e')
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
# has_largeobject_privilege() came with 18. pg_largeobject itself is closed to ordinary roles, the metadata is not.
_LARGE_OBJECTS = """
SELECT count(*), count(*) FILTER (WHERE NOT (
       (SELECT u.rolsuper FROM pg_catalog.pg_roles u WHERE u.rolname = current_user)
       OR pg_catalog.current_setting('lo_compat_privileges')::bool
       OR pg_catalog.pg_has_role(m.lomowner, 'USAGE')
       OR EXISTS (SELECT 1 FROM pg_catalog.aclexplode(m.lomacl) a
                   WHERE a.privilege_type = 'SELECT'
                     AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))))
  FROM pg_catalog.pg_largeobject_metadata m
"""
_EXTENSIONS = """
SELECT e.extname, e.extversion, n.nspname FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace ORDER BY e.extname COLLATE "C"
"""


@dataclass(frozen=True)
class TableFacts:
    """A table and its rows; None where a dump has none under its name (foreign, materialized view)."""

    table: Table
    rows: Optional[int]


@dataclass(frozen=True)
class Survey:
    """The database in the snapshot, but for its rows."""

    server: Dict[str, Any]  # the ``database`` part of database.json
    sequences: List[Tuple[str, str]]
    large_objects: int
    extensions: List[Dict[str, str]]
    sizes: Dict[str, int]  # bytes on the server by "schema.name", for progress and estimates
    object_bytes: int  # that all large objects take on the server


@dataclass(frozen=True)
class DatabaseFacts:
    """The database in the snapshot."""

    survey: Survey
    tables: List[TableFacts]

    @property
    def rows_total(self) -> int:
        """Rows of all tables; a partitioned table's are those of its parts."""
        return sum(entry.rows or 0 for entry in self.tables if entry.table.has_rows)


def survey(snapshot: Snapshot, options: DatabaseOptions) -> Survey:
    """Read what is quick to read; raises ``DbPermission`` with what cannot be dumped, and what the session raises."""
    session = snapshot.session
    with named(options):
        server = server_facts(session)
        sequence_names = sequences(session, place=options.place)
        objects = large_objects(session, place=options.place)
        extensions = [
            {"name": name, "version": version, "schema": schema}
            for name, version, schema in session.execute(_EXTENSIONS).fetchall()
        ]
        sizes = _sizes(session, [table for table in snapshot.tables if table.has_rows])
        object_bytes = int(one_row(session, "SELECT pg_relation_size('pg_catalog.pg_largeobject')")[0])
    return Survey(server, sequence_names, objects, extensions, sizes, object_bytes)


def count(snapshot: Snapshot, options: DatabaseOptions, found: Survey) -> DatabaseFacts:
    """Count the rows of every table in the snapshot; raises what the session raises, and Cancelled."""
    with named(options):
        rows = _count(snapshot.session, [table for table in snapshot.tables if table.has_rows])
    return DatabaseFacts(survey=found, tables=_with_roots(snapshot.tables, rows))


def server_facts(session: Session) -> Dict[str, Any]:
    """Versions, encoding, locale and settings of the session's database."""
    version, number, oid, name, encoding, collate, ctype, owner, size = one_row(session, _SERVER)
    settings: Dict[str, List[str]] = {}
    for role, values in session.execute(_SETTINGS, (oid,)).fetchall():
        settings[role or ""] = list(values)
    return {
        "name": name,
        "owner": owner,
        "server_version": version,
        "server_version_num": number,
        "encoding": encoding,
        "collate": collate,
        "ctype": ctype,
        **_locale(session, number),
        "size": size,
        "settings": settings.pop("", []),
        "role_settings": settings,
    }


def _locale(session: Session, version: int) -> Dict[str, Any]:
    """The columns have changed their names: daticulocale came with 15 and became datlocale with 17."""
    if version < 150000:
        return {"locale_provider": "libc", "locale": None, "collation_version": None}
    column = "datlocale" if version >= 170000 else "daticulocale"
    letter, locale, collation_version = one_row(session, _LOCALE % column)
    provider = {"c": "libc", "i": "icu", "b": "builtin"}.get(letter, letter)
    return {"locale_provider": provider, "locale": locale, "collation_version": collation_version}


def sequences(session: Session, *, place: str) -> List[Tuple[str, str]]:
    """Every sequence that belongs into a dump; raises ``DbPermission`` with those that may not be read."""
    found = session.execute(_SEQUENCES).fetchall()
    closed = [f"{schema}.{name}" for schema, name, readable in found if not readable]
    if closed:
        raise DbPermission(f"{place}: no SELECT on sequences {kinds.shorten(closed)}", server=place, sequences=closed)
    return [(schema, name) for schema, name, _readable in found]


def large_objects(session: Session, *, place: str) -> int:
    """How many there are; raises ``DbPermission`` where some may not be read."""
    number, closed = one_row(session, _LARGE_OBJECTS)
    if closed:
        message = f"{place}: no SELECT on {closed} of {number} large objects"
        raise DbPermission(message, server=place, large_objects=closed)
    return int(number)


def _count(session: Session, tables: List[Table]) -> Dict[int, int]:
    """Rows by the table's OID.

    Planning a count locks the table's indexes too; the savepoint gives those back, else thousands of tables would
    fill the server's lock table.
    """
    rows: Dict[int, int] = {}
    _jobs.step("count rows", unit="tables")
    for start in range(0, len(tables), BATCH):
        batch = tables[start : start + BATCH]
        _jobs.progress(start, len(tables), batch[0].label)
        session.execute("SAVEPOINT counting")
        rows.update(session.execute(_count_statement(batch)).fetchall())
        session.execute("ROLLBACK TO SAVEPOINT counting")
    return rows


def _count_statement(tables: List[Table]) -> Any:
    """What pg_dump copies of each: a plain table ONLY, a configuration table under its extension's condition."""
    sql = driver().sql
    parts = []
    for table in tables:
        only = sql.SQL("") if table.kind == kinds.CONFIGURATION else sql.SQL("ONLY ")
        part = sql.SQL("SELECT {}::bigint, count(*) FROM {}{} {}").format(
            sql.Literal(table.oid), only, sql.Identifier(table.schema, table.name), sql.SQL(table.condition)
        )
        parts.append(part)
    return sql.SQL(" UNION ALL ").join(parts)


def _sizes(session: Session, tables: List[Table]) -> Dict[str, int]:
    oids = [table.oid for table in tables]
    query = "SELECT o, coalesce(pg_catalog.pg_table_size(o::oid), 0) FROM unnest(%s::bigint[]) o"
    sizes = dict(session.execute(query, (oids,)).fetchall())
    return {table.label: int(sizes[table.oid]) for table in tables}


def _with_roots(tables: List[Table], rows: Dict[int, int]) -> List[TableFacts]:
    """Partitioned tables get the sum of their parts: what a row routes to can change with a restore."""
    sums: Dict[Tuple[str, str], int] = {}
    for table in tables:
        if table.root is not None and table.oid in rows:
            sums[table.root] = sums.get(table.root, 0) + rows[table.oid]
    found = []
    for table in tables:
        number = rows.get(table.oid)
        if table.kind == kinds.PARTITIONED and table.root is None:
            number = sums.get((table.schema, table.name), 0)
        found.append(TableFacts(table=table, rows=number))
    return found
