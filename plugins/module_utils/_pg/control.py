# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The negative control of a comparison: one row of the restored database is altered, and must be found.

The alteration is never committed. Which row it is comes by chance, so that over the weeks no table is safe from it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import DrillControlFailed
from ansible_collections.wst.backup.plugins.module_utils._pg import compare
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import TABLE, Table

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

REACH = 10_000  # rows; which of the first ones it is
TABLES_TRIED = 200
_COLUMNS = """
SELECT a.attname, t.typname, t.typcategory::text FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
"""
_FIRST = "CASE WHEN pg_catalog.left({c}::text, 1) = 'x' THEN 'y' ELSE 'x' END || pg_catalog.substr({c}::text, 2)"
# By the type's name, then by its category; {c} is the column. Which one works is tried: a domain, a check or a key may
# refuse any of them.
_BY_TYPE = {
    "bytea": [r"coalesce({c}, '') || '\x00'::bytea"],
    "uuid": ["pg_catalog.gen_random_uuid()"],
    "json": ["""'{{"altered": true}}'"""],
    "jsonb": ["""'{{"altered": true}}'"""],
    "money": ["coalesce({c}, 0::money) + 1::money"],
}
_BY_CATEGORY = {
    "S": [_FIRST, "coalesce({c}, '') || 'x'"],
    "N": ["coalesce({c}, 0) + 1", "{c} - 1", "0", "1"],
    "B": ["NOT coalesce({c}, false)"],
    "D": ["{c} + interval '1 day'", "{c} - interval '1 day'", "{c} + interval '1 second'"],
}


@dataclass(frozen=True)
class Altered:
    """Which row it was, in words: nothing of its content."""

    table: str
    row: int  # of the table as the server reads it, from 0
    how: str

    @property
    def text(self) -> str:
        """As a person reads it."""
        return f"row {self.row} of {self.table}: {self.how}"


def require_found(
    session: Session,
    promise: compare.Promise,
    found: compare.Found,
    copies: Mapping[Tuple[str, str], bytes],
    *,
    dice: Optional[random.Random] = None,
) -> Altered:
    """Alter one row, compare its table again, and take it back.

    :param session: in a transaction that nobody commits.
    :raises DrillControlFailed: the comparison does not see it, or no row of the database can be altered.
    """
    _jobs.step("alter one row, which must be found")
    dice = dice or random.SystemRandom()
    tables = [(table, before) for table, before in found.own if table.kind == TABLE and before.rows]
    dice.shuffle(tables)
    _ignore_triggers(session)
    for table, before in tables[:TABLES_TRIED]:
        altered = _alter(session, table, before.rows, dice)
        if altered is None:
            continue
        after = compare.fingerprint(session, table, copies.get((table.schema, table.name)))
        seen = after is not None and compare.differences(promise, found.with_table(table, after))
        session.execute("ROLLBACK TO SAVEPOINT control")
        if not seen:
            raise DrillControlFailed(
                f"an altered row was not found ({altered.text})", table=table.label, row=altered.row
            )
        return altered
    raise DrillControlFailed("no row of the restored database could be altered, so that nothing proves the comparison")


def _ignore_triggers(session: Session) -> None:
    """Where the role may: a trigger could put the row right again. Else it fires, and the row may stand as it was."""
    session.execute("SAVEPOINT replica")
    try:
        session.execute("SET LOCAL session_replication_role = replica")
    except driver().errors.InsufficientPrivilege:
        session.execute("ROLLBACK TO SAVEPOINT replica")


def _alter(session: Session, table: Table, rows: int, dice: random.Random) -> Optional[Altered]:
    """Leaves the savepoint ``control`` above the alteration; None where nothing can be altered."""
    row = dice.randrange(min(rows, REACH))
    sql = driver().sql
    name = sql.Identifier(table.schema, table.name)
    picked = sql.SQL("SELECT ctid::text FROM ONLY {} OFFSET {} LIMIT 1").format(name, sql.Literal(row))
    ((place,),) = session.execute(picked).fetchall()
    session.execute("SAVEPOINT control")
    columns = session.execute(_COLUMNS, (table.oid,)).fetchall()
    dice.shuffle(columns)
    for column, type_name, category in columns:
        for expression in _expressions(type_name, category):
            if _try(session, table, place, column, expression):
                return Altered(table.label, row, f"column {column} altered")
    if rows > 1 and _replace_row(session, table, place, [name for name, _type, _category in columns]):
        return Altered(table.label, row, "replaced by a copy of another row")
    return None


def _expressions(type_name: str, category: str) -> Iterator[str]:
    yield from _BY_TYPE.get(type_name, _BY_CATEGORY.get(category, []))
    yield "NULL"


def _try(session: Session, table: Table, place: str, column: str, expression: str) -> bool:
    """Whether the value stands there now and is another one, as text."""
    sql = driver().sql
    name, field = sql.Identifier(table.schema, table.name), sql.Identifier(column)
    value = sql.SQL(expression.replace("{c}", "\0").replace("{{", "{").replace("}}", "}")).as_string(session)
    value = value.replace("\0", field.as_string(session))
    update = sql.SQL(
        "WITH was AS (SELECT {field}::text AS old FROM ONLY {name} WHERE ctid = {place}::tid) "
        "UPDATE ONLY {name} SET {field} = {value} WHERE ctid = {place}::tid "
        "RETURNING {field}::text IS DISTINCT FROM (SELECT old FROM was)"
    ).format(name=name, field=field, value=sql.SQL(value), place=sql.Literal(place))
    return _attempt(session, update)


def _replace_row(session: Session, table: Table, place: str, columns: List[str]) -> bool:
    """Put a copy of another row in its place: as many rows, but for what keys forbid."""
    if not columns:
        return False
    sql = driver().sql
    statement = sql.SQL(
        "WITH gone AS (DELETE FROM ONLY {name} WHERE ctid = {place}::tid RETURNING *), "
        "other AS (SELECT o.* FROM ONLY {name} o, gone g WHERE o.ctid <> {place}::tid "
        "AND o.*::text IS DISTINCT FROM g.*::text LIMIT 1) "
        "INSERT INTO {name} ({fields}) OVERRIDING SYSTEM VALUE SELECT {fields} FROM other RETURNING true"
    ).format(
        name=sql.Identifier(table.schema, table.name),
        place=sql.Literal(place),
        fields=sql.SQL(", ").join([sql.Identifier(column) for column in columns]),
    )
    return _attempt(session, statement)


def _attempt(session: Session, statement: Any) -> bool:
    """Execute it; when it fails or alters nothing, all is as before."""
    try:
        rows = session.execute(statement).fetchall()
    except driver().errors.DatabaseError as error:
        if error.sqlstate is None or error.sqlstate[:2] in ("08", "53", "57"):
            raise  # it is the server that fails
        rows = []
    if rows == [(True,)]:
        return True
    session.execute("ROLLBACK TO SAVEPOINT control")
    return False
