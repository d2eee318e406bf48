# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints of tables and large objects on a server, source or restored copy; of tables by ``pg_dump``'s own COPY.

The columns are those of the dump's own statement: a restored child may have them in another order than its source, and
generated ones are not copied. Nothing is computed in SQL: ``t::text`` means a column where a table has one of its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, List

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import (
    Buffer,
    Fingerprint,
    LargeObjects,
    LineSum,
    ObjectSum,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import CONFIGURATION, Table

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

GATHERED = 1 << 16  # bytes; the server sends each row by itself
FIRST = 1 << 16  # bytes of each large object that come together with those of others: most have no more
AT_ONCE = 100  # large objects
FURTHER = 1 << 20  # bytes of one large object at a time after that

_NAME = rb'(?:"(?:[^"]|"")*"|[^\s".()]+)'
_COPY = re.compile(rb"COPY " + _NAME + rb"\." + _NAME + rb" (\(.*\))? FROM stdin;\s*", re.DOTALL)


def columns(copy: bytes) -> bytes:
    """The list of columns in a dump's COPY statement, in parentheses; empty for a table that has none to copy.

    :raises DumpDamaged: it is no such statement.
    """
    match = _COPY.fullmatch(copy)
    if match is None:
        raise DumpDamaged("the dump has a COPY statement that is none", statement=copy.decode("utf-8", "replace"))
    return match[1] or b""


def fingerprint_table(session: Session, table: Table, copy: bytes) -> Fingerprint:
    """Of the rows that the session sees in the table itself, children and partitions left out.

    libpq holds one row at a time, which for a large one means twice its length: less than pg_dump takes for it.

    :param session: one of ``connect``, which pins what shapes the text.
    :param copy: the dump's COPY statement for the table.
    :raises DumpDamaged: that is no COPY statement; what the session raises; Cancelled.
    """
    statement = _statement(session, table, columns(copy))
    lines = LineSum()
    size = 0
    with session.cursor() as cursor, cursor.copy(statement) as rows:
        for piece in _gathered(rows):
            lines.feed(piece)
            size += len(piece)
            _jobs.progress(size, None, table.label)
    return lines.fingerprint()


def _statement(session: Session, table: Table, listed: bytes) -> bytes:
    """As pg_dump writes it; COPY of a table's name never reads its children."""
    name: bytes = driver().sql.Identifier(table.schema, table.name).as_bytes(session)
    if table.kind != CONFIGURATION:
        return b"COPY " + name + b" " + listed + b" TO STDOUT"
    condition = table.condition.encode("utf-8")
    return b"COPY (SELECT " + (listed[1:-1] or b"*") + b" FROM " + name + b" " + condition + b") TO STDOUT"


def _gathered(rows: Iterable[Buffer]) -> Iterator[Buffer]:
    """The same bytes in larger pieces; a large row, which libpq holds whole, is not copied once more."""
    held: List[Buffer] = []
    size = 0
    for row in rows:
        if size + len(row) > GATHERED:
            yield b"".join(held)
            held.clear()
            size = 0
        if len(row) > GATHERED:
            yield row
        else:
            held.append(row)
            size += len(row)
    yield b"".join(held)


def read_large_objects(session: Session, pace: Callable[[], None] = lambda: None) -> LargeObjects:
    """Of every large object that the session's snapshot has; the session must be in a transaction.

    :param pace: called before each statement; may end the reading by what it raises.
    :raises Cancelled; what the session raises, such as for an object that its user may not read.
    """
    found = ObjectSum()
    done = 0
    first = b"SELECT oid, lo_get(oid, 0, %s::int) FROM pg_catalog.pg_largeobject_metadata ORDER BY oid"
    with session.cursor("objects", binary=True) as objects, session.cursor(binary=True) as rest:
        pace()
        objects.execute(first, (FIRST,))
        while True:
            pace()
            batch = objects.fetchmany(AT_ONCE)
            if not batch:
                return found.found()
            for oid, piece in batch:
                found.begin(oid)
                for each in _pieces(rest, oid, piece, pace):
                    found.data(each)
                    done += len(each)
                    _jobs.progress(done, None, f"large object {oid}")
                found.end()


def _pieces(cursor: Any, oid: int, first: bytes, pace: Callable[[], None]) -> Iterator[bytes]:
    """The content of one object, of which the first piece is there already; a short piece is its last."""
    piece, wanted, size = first, FIRST, 0
    while True:
        yield piece
        size += len(piece)
        if len(piece) < wanted:
            return
        wanted = FURTHER
        pace()
        cursor.execute(b"SELECT lo_get(%s::oid, %s::bigint, %s::int)", (oid, size, wanted))
        ((piece,),) = cursor.fetchall()
