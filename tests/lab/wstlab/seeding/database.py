# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: related tables, odd values, large objects; always the same rows."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

RANDOM_SEED = 20260102
SCHEMA = Path(__file__).with_name("schema.sql")
START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
CUSTOMERS, PRODUCTS, ORDERS, DOCUMENTS, EVENTS, EMPLOYEES, LARGE_OBJECTS = 15_000, 2_000, 30_000, 3_000, 60_000, 200, 25
NAMES = (
    "Anna Müller",
    "José Ñandú",
    "李小龍",
    "Борис Иванов",
    "Þórr O'Brien",
    "مريم",
    "Zoë \\N Tab\there",
    "line\nbreak",
)
WORDS = ("alpha", "Größe", "naïve", "東京", "tail\\", 'comma, quote"', "\\.", "🙂", "", "NULL")


def fill(connection: psycopg.Connection, *, version: int, scale: float) -> dict[str, int]:
    """Make the schemas and their rows unless this version and scale is there; rows per table."""
    mark = f"wst lab seed {version} scale {scale}"
    found = connection.execute("SELECT obj_description(to_regnamespace('history'), 'pg_namespace')").fetchone()
    if not found or found[0] != mark:
        with connection.transaction():
            connection.execute("DROP SCHEMA IF EXISTS app, history CASCADE")
            connection.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
            connection.execute(SCHEMA.read_text(encoding="utf-8"))
            _rows(connection, random.Random(RANDOM_SEED), scale)
            connection.execute(sql.SQL("COMMENT ON SCHEMA history IS {}").format(sql.Literal(mark)))
        connection.execute("ANALYZE")
    return _counts(connection)


def _rows(connection: psycopg.Connection, chance: random.Random, scale: float) -> None:
    def many(count: int) -> int:
        return max(3, int(count * scale))

    customers, products, orders = many(CUSTOMERS), many(PRODUCTS), many(ORDERS)
    _copy(
        connection, "app.customers (id, name, email, tags, profile, credit, created_at)", _customers(chance, customers)
    )
    _copy(connection, "app.products", _products(chance, products))
    _copy(connection, "app.orders (id, customer_id, state, placed_at, note)", _orders(chance, orders, customers))
    _copy(
        connection, "app.order_lines (order_id, line_no, product_id, quantity, price)", _lines(chance, orders, products)
    )
    objects = [_large_object(connection, chance) for _ in range(many(LARGE_OBJECTS))]
    _copy(connection, "app.documents", _documents(chance, many(DOCUMENTS), orders, objects))
    _copy(connection, "app.employees", _employees(many(EMPLOYEES)))
    _copy(connection, "history.audit_events", _events(chance, many(EVENTS)))
    connection.execute("SELECT setval(pg_get_serial_sequence('app.customers', 'id'), %s)", [customers])
    connection.execute("REFRESH MATERIALIZED VIEW app.customers_by_state")


def _copy(connection: psycopg.Connection, target: str, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words))


def _when(chance: random.Random) -> dt.datetime:
    return START + dt.timedelta(microseconds=chance.randrange(400 * 86_400 * 10**6))


def _customers(chance: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, count + 1):
        credit = None if number % 7 == 0 else chance.randrange(10**9) / 10_000
        profile = Jsonb({"level": number % 5, "näme": chance.choice(WORDS), "nested": {"list": [1, None, True, 1.5]}})
        yield (
            number,
            f"{chance.choice(NAMES)} {number}",
            f"customer{number}@example.com",
            [chance.choice(WORDS) for _ in range(number % 4)],
            profile,
            credit,
            _when(chance),
        )


def _products(chance: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    special = (float("nan"), float("inf"), -0.0, 1e-300)
    for number in range(1, count + 1):
        picture = chance.randbytes(chance.randrange(200, 4000)) if number % 3 else None
        available = f"[2026-01-{number % 28 + 1:02d},)" if number % 2 else None
        yield (
            number,
            f"SKU-{number:06d}",
            _text(chance, 4),
            chance.randrange(10**6) / 100,
            [chance.choice(special), chance.random()],
            available,
            picture,
        )


def _orders(chance: random.Random, count: int, customers: int) -> Iterator[tuple[Any, ...]]:
    states = ("draft", "placed", "paid", "shipped", "cancelled")
    for number in range(1, count + 1):
        yield (
            number,
            chance.randrange(customers) + 1,
            chance.choice(states),
            _when(chance),
            _text(chance, 6) if number % 5 else None,
        )


def _lines(chance: random.Random, orders: int, products: int) -> Iterator[tuple[Any, ...]]:
    for order in range(1, orders + 1):
        for line in range(1, order % 5 + 2):
            yield (order, line, chance.randrange(products) + 1, chance.randrange(1, 20), chance.randrange(10**6) / 100)


def _documents(
    chance: random.Random,
    count: int,
    orders: int,
    objects: Sequence[int],
) -> Iterator[tuple[Any, ...]]:
    for number in range(count):
        yield (
            uuid.UUID(int=chance.getrandbits(128)),
            chance.randrange(orders) + 1,
            _text(chance, 5),
            _text(chance, 200),
            chance.randbytes(chance.randrange(6000)),
            Jsonb({"pages": number % 90}),
            objects[number] if number < len(objects) else None,
        )


def _employees(count: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, count + 1):
        yield (number, number // 2 or None, f"{NAMES[number % len(NAMES)]} {number}", None if number % 2 else "x")


def _events(chance: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, count + 1):
        yield (
            number,
            _when(chance),
            chance.choice(NAMES),
            chance.choice(("login", "update", "delete")),
            Jsonb({"ip": f"10.0.{number % 256}.{chance.randrange(256)}", "text": _text(chance, 3)}),
        )


def _large_object(connection: psycopg.Connection, chance: random.Random) -> int:
    """Sizes from nothing to several pages; the object ids are the server's."""
    data = chance.randbytes(chance.choice((0, 1, 2048, 2049, 300_000)))
    row = connection.execute("SELECT lo_from_bytea(0, %s)", [data]).fetchone()
    assert row is not None
    return int(row[0])


def _counts(connection: psycopg.Connection) -> dict[str, int]:
    tables = connection.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace IN ('app'::regnamespace, 'history'::regnamespace) ORDER BY 1"
    ).fetchall()
    counts = {"tables": len(tables), "rows": 0}
    for (table,) in tables:
        row = connection.execute("SELECT count(*) FROM " + table).fetchone()  # quoted by the server
        counts["rows"] += int(row[0]) if row else 0
    row = connection.execute(
        "SELECT count(*), pg_database_size(current_database()) FROM pg_largeobject_metadata"
    ).fetchone()
    assert row is not None
    return {**counts, "large_objects": int(row[0]), "bytes": int(row[1])}
