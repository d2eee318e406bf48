# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table, three places: the dump, its source and a restored copy have one fingerprint, and only for equal rows."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from typing import Any, Iterator

import pytest
from unit import pgserver

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg import connect as connect_of
from ansible_collections.wst.backup.plugins.module_utils._pg import snapshot
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import Fingerprint
from ansible_collections.wst.backup.plugins.module_utils._pg.live import columns, fingerprint_table
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import Table, list_tables
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import DumpProof, verify_dump

PARTITIONS = r"""
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TABLE hashed (m mood, a int) PARTITION BY HASH (m);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT (ARRAY['sad', 'ok', 'glad']::mood[])[1 + g % 3], g FROM generate_series(1, 99) g;
CREATE TABLE ranged (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE ranged_low PARTITION OF ranged FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
CREATE TABLE ranged_low_1 PARTITION OF ranged_low FOR VALUES IN (1);
CREATE TABLE ranged_low_2 PARTITION OF ranged_low FOR VALUES IN (2);
CREATE TABLE ranged_rest (b int, x int, a int);
ALTER TABLE ranged_rest DROP x;
ALTER TABLE ranged ATTACH PARTITION ranged_rest DEFAULT;
INSERT INTO ranged VALUES (1, 1), (2, 2), (3, 2), (99, 7);
"""
EVERYTHING = r"""
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE texts (id serial PRIMARY KEY, t text, v varchar(9), c char(5), n name);
INSERT INTO texts (t, v, c, n) VALUES (NULL, NULL, NULL, NULL), ('', '', '', ''), (E'\\.', E'\\N', 'x', 'n'),
  (E'a\nb\tc\rd\\', E'\b\f\v', E'\n', 'COPY x'), ('日本 ü', 'ß', ' a', E'\x01');
CREATE TABLE numbers (a smallint, b bigint, c numeric, d real, e double precision, f money, g oid, h positive);
INSERT INTO numbers VALUES (-32768, 9223372036854775807, 'NaN', '-0', '-0', '-1234.56', 4294967295, 1), (1, 2,
  '1.10', 'NaN', 'NaN', 0, 0, 2), (1, 2, '1.1000', 'Infinity', '-Infinity', '1000000000', 1, 3), (0, 0, 1e40,
  0.1, 0.1, NULL, NULL, NULL), (0, 0, '-0.000', 1e-40, 5e-324, NULL, NULL, NULL);
CREATE TABLE times (a timestamptz, b timestamp, c date, d time, e timetz, f interval);
INSERT INTO times VALUES ('2026-03-29 02:30:00.000001+01', 'infinity', '4713-01-01 BC', '24:00', '23:59:59-07',
  '-1 year 2 months -3 days 04:05:06.789'), ('-infinity', '2026-01-01', 'infinity', '0:0', '0:0+14', 'P1Y');
CREATE TABLE documents (a json, b jsonb, d jsonpath, e tsvector, f tsquery);
INSERT INTO documents VALUES ('{"b" : 1,  "a":[1, 2.0 ,null], "b":2}', '{"b": 1, "a": "\\u00fc \n"}',
  '$.a[*] ? (@ > 1)', 'a:1 b:2A c', 'a & !b:*'), ('null', 'null', NULL, '', NULL);
CREATE TABLE composed (a int[], b text[][], c pair, d pair[], e mood, f mood[], g int4range, h tstzrange,
  i int4multirange, j positive[]);
INSERT INTO composed VALUES ('{1,NULL,3}', '{{"a,b",""},{NULL,"\\\\"}}', ROW(NULL, ''), ARRAY[ROW(1,
  E'x\n')::pair, NULL], 'glad', '{sad,ok}', '[1,5)', '[2026-01-01 00:00+01,)', '{[1,2),[5,9)}', '{1}'),
  ('[2:3]={7,8}', '{}', ROW(1, E'("'), '{}', NULL, NULL, 'empty', NULL, '{}', NULL);
CREATE TABLE rest (a bytea, b bool, c inet, d cidr, e macaddr, f bit(3), g varbit, h uuid, i point, j polygon,
  k pg_lsn, l regclass, m regtype, n box, o circle);
INSERT INTO rest VALUES ('\x005c2e0a0d', true, '10.0.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '101', '1',
  '00112233-4455-6677-8899-aabbccddeeff', '(0.1,-0)', '((0,0),(1,0.1))', '16/B374D848', 'texts', 'mood',
  '(1,1),(0,0)', '<(0,0),1e-7>'), ('', false, '::1', '::/0', NULL, '000', '', NULL, NULL, NULL, NULL, NULL,
  'int4', NULL, NULL);
CREATE TABLE generated (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c int GENERATED ALWAYS AS IDENTITY);
INSERT INTO generated (a) VALUES (1), (2);
CREATE TABLE only_generated (a int GENERATED ALWAYS AS (1) STORED);
INSERT INTO only_generated DEFAULT VALUES;
CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 3);
CREATE TABLE dropped (a int, b int, c int);
ALTER TABLE dropped DROP b;
INSERT INTO dropped VALUES (1, 3);
CREATE UNLOGGED TABLE unlogged AS SELECT generate_series(1, 9) AS a;
CREATE TABLE parent (a int);
CREATE TABLE child (b text) INHERITS (parent);
ALTER TABLE parent ADD c int DEFAULT 7; -- the child has a, b, c; restored it has a, c, b
INSERT INTO parent VALUES (1, 2);
INSERT INTO child VALUES (1, 'b', 3), (4, NULL, 5);
CREATE TABLE unparted (a int) PARTITION BY LIST (a);
CREATE TABLE "own" ("own" text, b int);
INSERT INTO own VALUES ('x', 1), ('x', 2);
CREATE SCHEMA "o""d.d (";
CREATE TABLE "o""d.d (" . ") FROM stdin;
" ("a) FROM stdin;
" int, "b""." text);
INSERT INTO "o""d.d (" . ") FROM stdin;
" VALUES (1, 'COPY public.t (a) FROM stdin;');
SELECT lo_from_bytea(4711, '\x0001'), lo_from_bytea(4712, convert_to(repeat('x', 100000), 'UTF8')),
  lo_create(4713);
"""
XML = r"""
CREATE TABLE markup (a xml);
INSERT INTO markup VALUES ('<a b="1">
</a>'), ('text only'), (NULL);
"""
ICU = r"""
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE folded (a text COLLATE blind);
INSERT INTO folded VALUES ('a'), ('A'), ('a'), ('B');
"""
HAS_XML, HAS_ICU = {15, 17}, {15}
WANTED = ((15, 15), (15, 17), (17, 17), (17, 18), (18, 18))
PAIRS = [(major, other) for major, other in WANTED if major in pgserver.MAJORS]


def settings(server: Any, name: str) -> None:
    """What must not matter: a restored database has none, or others."""
    for setting in (
        "TimeZone = 'Asia/Tokyo'",
        "bytea_output = 'escape'",
        "DateStyle = 'SQL, DMY'",
        "xmloption = 'document'",
    ):
        server.run(f'ALTER DATABASE "{name}" SET {setting}')
    server.run(
        f"ALTER DATABASE \"{name}\" SET IntervalStyle = 'iso_8601'",
        f'ALTER DATABASE "{name}" SET extra_float_digits = -10',
    )


@contextlib.contextmanager
def restored(server: Any, dump: Any) -> Iterator[str]:
    """A copy in a fresh database, made by that server's own pg_restore."""
    name = "restored copy"
    server.run(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        server.tool("pg_restore", "--exit-on-error", "--no-owner", f"--dbname=dbname='{name}'", str(dump))
        yield name
    finally:
        server.run(f'DROP DATABASE "{name}" WITH (FORCE)')


def options(server: Any, name: str) -> DatabaseOptions:
    tls = {"sslrootcert": str(server.authority.certificate)} if server.tls else {"sslmode": "disable"}
    return DatabaseOptions(host="127.0.0.1", port=server.port, name=name, user="postgres", **tls)


def read_all(session: Any, tables: list[Table], proof: DumpProof) -> dict[tuple[str, str], Fingerprint]:
    """Every table by its root."""
    copies = {(entry.schema, entry.tag): entry.copy for entry in proof.toc.table_data()}
    live = {
        (table.schema, table.name): fingerprint_table(session, table, copies[table.schema, table.name])
        for table in tables
        if table.has_rows
    }
    return by_root(live, tables)


def by_root(found: dict[tuple[str, str], Fingerprint], tables: list[Table]) -> dict[tuple[str, str], Fingerprint]:
    roots = {(table.schema, table.name): table.root or (table.schema, table.name) for table in tables}
    sums: dict[tuple[str, str], Fingerprint] = {}
    for pair, fingerprint in found.items():
        sums[roots[pair]] = sums.get(roots[pair], Fingerprint()) + fingerprint
    return sums


def of_dump(proof: DumpProof) -> dict[tuple[str, str], Fingerprint]:
    return {(schema, name): fingerprint for schema, name, fingerprint in proof.tables if fingerprint is not None}


@pytest.mark.posix  # makes servers of its own
@pytest.mark.slow
@pytest.mark.parametrize(("major", "target"), PAIRS)
def test_dump_source_and_restored_copy_are_equal(make_database: Any, clusters: Any, major: int, target: int) -> None:
    with make_database(major) as database:
        xml = [XML] if {major, target} <= HAS_XML else []
        icu = [ICU] if {major, target} <= HAS_ICU else []
        database.run(PARTITIONS, EVERYTHING, *xml, *icu)
        settings(database.server, database.name)
        body = database.produce()
        proof = verify_dump(str(database.dump), tools=database.tools, name="d", expected=body)
        with database.session() as session, snapshot.hold(session, database.options(), lock_timeout=5) as held:
            dumped = by_root(of_dump(proof), held.tables)
            source = read_all(session, held.tables, proof)
        with (
            restored(clusters(target), database.dump) as name,
            contextlib.closing(connect_of.connect(options(clusters(target), name), database.password)) as session,
        ):
            copied = read_all(session, list_tables(session), proof)
            objects = session.execute("SELECT oid FROM pg_largeobject_metadata ORDER BY oid").fetchall()
    assert source == dumped
    assert copied == dumped
    recorded = {(t["schema"], t["name"]): t["fingerprint"] for t in body["tables"] if t["root"] is None}
    assert recorded == {**{pair: found.text for pair, found in dumped.items()}, ("public", "unparted"): "0" * 64}
    assert sorted(body["large_objects"]["sha256"]) == ["4711", "4712", "4713"] == [str(oid) for (oid,) in objects]


@pytest.mark.posix
def test_load_via_partition_root_changes_nothing(database17: Any) -> None:
    """The COPY names the root then, of each part; what is copied is the same."""
    database17.run(PARTITIONS)
    found = [
        of_dump(verify_dump(iter([database17.dumped("-Fc", *flags)]), tools=database17.tools, name="d"))
        for flags in ((), ("--load-via-partition-root",))
    ]
    assert found[0] == found[1]
    assert sum(fingerprint.rows for (_schema, name), fingerprint in found[0].items() if "hashed" in name) == 99


def live(database: Any, name: str) -> Fingerprint:
    """Of a table of two columns, as it is now."""
    with database.session() as session:
        table = next(table for table in list_tables(session) if table.name == name)
        return fingerprint_table(session, table, f"COPY public.{name} ({name}, b) FROM stdin;\n".encode())


@pytest.mark.posix
@pytest.mark.slow
def test_one_changed_value_in_a_million_rows(database17: Any) -> None:
    database17.run("CREATE TABLE t AS SELECT g AS t, g % 1000 AS b FROM generate_series(1, 1000000) g")
    before = live(database17, "t")
    assert before.rows == 1_000_000
    database17.run("UPDATE t SET b = b + 1 WHERE t = 500000")
    after = live(database17, "t")
    assert (after.rows, after == before) == (1_000_000, False)


MEASURE = """
import json, pathlib, re, sys
from ansible_collections.wst.backup.plugins.module_utils._pg import connect, live, options, tables
given = json.load(sys.stdin)
session = connect.connect(options.DatabaseOptions(**given["options"]), given["password"])
table = next(table for table in tables.list_tables(session) if table.name == "t")
found = live.fingerprint_table(session, table, b"COPY public.t (b) FROM stdin;\\n")
status = pathlib.Path("/proc/self/status").read_text()  # getrusage() begins with what the parent had
print(found.text, re.search("VmHWM:[^0-9]*([0-9]+) kB", status)[1])
"""


@pytest.mark.posix
@pytest.mark.slow
def test_a_row_of_300_megabytes_is_held_twice_at_most(database17: Any) -> None:
    """libpq takes a row as a whole, unlike the decoder of a dump: measured as the memory of a process of its own."""
    database17.run("CREATE TABLE t AS SELECT convert_to(repeat('x', 150000000), 'UTF8') AS b")
    with database17.session() as session:
        table = next(table for table in list_tables(session) if table.name == "t")
        here = fingerprint_table(session, table, b"COPY public.t (b) FROM stdin;\n")
    given = {"options": dataclasses.asdict(database17.options()), "password": database17.password}
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", MEASURE]
    done = subprocess.run(argv, env=env, input=json.dumps(given).encode(), capture_output=True, check=True)
    digest, kilobytes = done.stdout.split()
    assert (digest.decode(), here.rows) == (here.text, 1)
    assert 300_000 < int(kilobytes) < 2 * 300_000 + 60_000


@pytest.mark.posix
def test_duplicates_that_change_places_are_equal(database17: Any) -> None:
    database17.run("CREATE TABLE t (t int, b text)", "INSERT INTO t VALUES (1, 'x'), (1, 'x'), (2, 'y')")
    before = live(database17, "t")
    database17.run("UPDATE t SET b = b", "VACUUM FULL t", "INSERT INTO t VALUES (1, 'x')")
    assert live(database17, "t") != before
    database17.run("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)", "UPDATE t SET b = b WHERE t = 1")
    assert live(database17, "t") == before


@pytest.mark.posix
def test_minus_zero_is_not_zero_and_a_scale_is_a_value(database17: Any) -> None:
    database17.run("CREATE TABLE t (t float8, b numeric)", "INSERT INTO t VALUES ('-0', 1.10)")
    found = [live(database17, "t")]
    for change in ("t = 0", "t = '-0', b = 1.1", "b = 1.100"):
        database17.run(f"UPDATE t SET {change}")
        found.append(live(database17, "t"))
    assert len(set(found)) == 4
    database17.run("UPDATE t SET b = 1.10")
    assert live(database17, "t") == found[0]


@pytest.mark.posix
def test_a_column_of_the_tables_own_name_is_not_the_table(database17: Any) -> None:
    database17.run("CREATE TABLE t (t text, b int)", "INSERT INTO t VALUES ('x', 1)")
    before = live(database17, "t")
    database17.run("UPDATE t SET b = 2")
    assert live(database17, "t") != before


@pytest.mark.parametrize(
    ("statement", "listed"),
    [
        (b"COPY public.t (a, b) FROM stdin;\n", b"(a, b)"),
        (b"COPY public.t  FROM stdin;\n", b""),
        (b'COPY "a""b ("."x) FROM stdin;\n" ("c) FROM stdin;\n", d) FROM stdin;\n', b'("c) FROM stdin;\n", d)'),
    ],
)
def test_the_columns_of_a_statement(statement: bytes, listed: bytes) -> None:
    assert columns(statement) == listed


@pytest.mark.parametrize("statement", [b"", b"COPY t (a) FROM stdin;", b"COPY public.t (a) FROM stdin; x"])
def test_what_is_no_copy_statement(statement: bytes) -> None:
    with pytest.raises(DumpDamaged):
        columns(statement)
