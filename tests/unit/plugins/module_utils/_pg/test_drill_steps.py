# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump is restored on real servers and compared; what is wrong with it, or with what became of it, is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unit.plugins.module_utils._pg import drill_kit
from unit.plugins.module_utils._pg.test_live import EVERYTHING, PARTITIONS, settings

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DbExtensionMissing,
    DrillMismatch,
    NoSpace,
    RestoreFailed,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import read_scratch
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools

pytestmark = [pytest.mark.posix, pytest.mark.slow]


@pytest.fixture
def drill(monkeypatch: Any, tmp_path: Path) -> drill_kit.Drill:
    return drill_kit.Drill(monkeypatch, tmp_path / "host")


def test_a_drill_on_a_server_of_its_own(database: Any, drill: drill_kit.Drill) -> None:
    database.run(PARTITIONS, EVERYTHING)
    settings(database.server, database.name)
    body = database.produce()
    with pytest.raises(NoSpace, match="the new database needs about"):
        drill.make(database, size=1 << 60)
    assert not (drill.workspace / "server").exists()
    made = drill.make(database, size=body["database"]["size"])
    assert made["disposable"]
    assert made["database"] == "wst_drill_20261130_101500_1f2e3d4c"
    restored = drill.restore(database)
    assert restored["restored"] > 50
    found = drill.compare(database, body)
    assert (found["rows"], found["large_objects"], found["sequences"]) == (
        body["rows_total"],
        3,
        len(body["sequences"]),
    )
    assert found["control"]
    removed = drill.remove(database)
    assert len(removed["removed"]) == 1
    assert not Path(removed["removed"][0]).exists()
    drill.end()
    assert not drill.workspace.exists()


@pytest.fixture
def given(database17: Any, drill: drill_kit.Drill, tmp_path: Path) -> Any:
    """A database with a few rows, dumped, and its copy on a server of somebody's, not compared yet."""
    database17.run(SHOP)
    body = database17.produce()
    key = drill_kit.key_file(tmp_path, database17.password)
    drill.make(database17, server=drill_kit.server_of(database17), key=key)
    yield database17, body
    drill.remove(database17)
    drill.end()


SHOP = """
CREATE SCHEMA app;
CREATE TABLE app.items (id int PRIMARY KEY, name text NOT NULL UNIQUE, price numeric CHECK (price > 0));
INSERT INTO app.items SELECT n, 'item ' || n, n FROM generate_series(1, 100) n;
CREATE TABLE app.parted (k int, v text) PARTITION BY LIST (k);
CREATE TABLE app.parted_1 PARTITION OF app.parted FOR VALUES IN (1);
CREATE TABLE app.parted_2 PARTITION OF app.parted FOR VALUES IN (2);
INSERT INTO app.parted SELECT 1 + n % 2, 'v' || n FROM generate_series(1, 10) n;
CREATE SEQUENCE app.numbers START 7;
SELECT nextval('app.numbers');
CREATE INDEX by_price ON app.items (price);
CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
SELECT lo_from_bytea(5001, 'one object');
"""
NAME = "wst_drill_20261130_101500_1f2e3d4c"
CHANGES = [
    ("UPDATE app.items SET name = 'other' WHERE id = 50", "other rows of app.items"),
    ("DELETE FROM app.items WHERE id = 50", "99 rows of app.items instead of 100"),
    ("UPDATE app.parted SET v = 'w' WHERE v = 'v3'", "other rows of app.parted "),
    ("DROP TABLE app.items", "table app.items is not there"),
    ("CREATE TABLE app.more (a int)", "table app.more was not promised"),
    ("ALTER SEQUENCE app.numbers RESTART 99", "sequence app.numbers stands at 99 instead of 7"),
    ("DROP SEQUENCE app.numbers", "sequence app.numbers is not there"),
    ("DROP INDEX app.by_price", "INDEX app.by_price is not there"),
    (
        "CREATE OR REPLACE FUNCTION app.twice(int) RETURNS int LANGUAGE sql AS 'SELECT 3 * $1'",
        "app.twice(integer) is not as",
    ),
    ("CREATE VIEW app.seen AS SELECT 1 AS one", "VIEW app.seen is not in the dump"),
    ("SELECT lo_put(5001, 0, 'ONE')", "other content of large objects (5001)"),
    ("SELECT lo_unlink(5001)", "0 large objects instead of 1"),
    ("ALTER TABLE app.items DISABLE TRIGGER ALL", ""),
]


@pytest.mark.parametrize(("change", "sentence"), CHANGES)
def test_what_is_not_as_promised_is_named(given: Any, drill: drill_kit.Drill, change: str, sentence: str) -> None:
    database, body = given
    drill.restore(database)
    database.server.run(change, database=NAME)
    if not sentence:  # pg_dump does not see it either
        assert drill.compare(database, body)["control"]
        return
    with pytest.raises(DrillMismatch) as caught:
        drill.compare(database, body)
    assert sentence in caught.value.message
    assert any(sentence in each for each in caught.value.facts["differences"])


def test_a_bare_dump_is_held_against_itself(given: Any, drill: drill_kit.Drill) -> None:
    database, body = given
    drill.restore(database)
    assert drill.compare(database, None)["rows"] == body["rows_total"] == 110
    database.server.run("UPDATE app.parted SET v = 'w' WHERE v = 'v3'", database=NAME)
    with pytest.raises(DrillMismatch, match="other rows of app"):
        drill.compare(database, None)


def test_nothing_is_restored_into_what_is_not_this_runs_own_empty_database(given: Any, drill: drill_kit.Drill) -> None:
    database, _body = given
    database.server.run("CREATE TABLE somebodys (a int)", database=NAME)
    with pytest.raises(RestoreTargetRefused, match="1 objects already"):
        drill.restore(database)
    database.server.run(f"DROP TABLE somebodys; COMMENT ON DATABASE {NAME} IS 'production'", database=NAME)
    with pytest.raises(RestoreTargetRefused, match="not the scratch database of run"):
        drill.restore(database)
    with pytest.raises(RestoreTargetRefused, match="is not of run"):
        drill.remove(database)
    assert database.server.rows("SELECT 1", database=NAME) == [(1,)]
    assert drill.workspace.exists()
    assert not drill.end()["swept"]
    database.server.run(f"COMMENT ON DATABASE {NAME} IS '{drill_kit.MARK}'")
    drill_kit.retake(drill)


def test_a_name_that_is_taken_is_left_alone(database17: Any, drill: drill_kit.Drill, tmp_path: Path) -> None:
    database17.run(SHOP)
    database17.produce()
    database17.server.run(f"CREATE DATABASE {NAME}")
    try:
        key = drill_kit.key_file(tmp_path, database17.password)
        with pytest.raises(RestoreTargetRefused, match="already"):
            drill.make(database17, server=drill_kit.server_of(database17), key=key)
        assert drill.remove(database17)["removed"] == []
        assert database17.server.rows("SELECT 1", database=NAME) == [(1,)]
    finally:
        database17.server.run(f"DROP DATABASE {NAME}")


def test_a_dump_that_decodes_and_cannot_be_restored(database17: Any, drill: drill_kit.Drill) -> None:
    """What a check reads comes into the table after it."""
    database17.run(
        "CREATE TABLE z (a int); INSERT INTO z VALUES (1)",
        "CREATE FUNCTION known(int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.z WHERE z.a = $1)'",
        "CREATE TABLE a (a int CHECK (known(a))); INSERT INTO a VALUES (1)",
    )
    database17.produce()
    drill.make(database17)
    with pytest.raises(RestoreFailed) as caught:
        drill.restore(database17)
    assert "TABLE DATA a postgres" in caught.value.message
    assert "violates check constraint" in caught.value.message
    drill.remove(database17)


def test_no_row_of_the_data_is_in_the_message(database17: Any, drill: drill_kit.Drill) -> None:
    database17.run(
        "CREATE TABLE t (a text)",
        "CREATE FUNCTION fine(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT current_database() !~ ''drill'''",
        "ALTER TABLE t ADD CHECK (fine(a))",
        "INSERT INTO t VALUES ('4711-secret-of-a-customer')",
    )
    database17.produce()
    drill.make(database17)
    with pytest.raises(RestoreFailed) as caught:
        drill.restore(database17)
    assert "violates check constraint" in caught.value.message
    assert "4711" not in caught.value.message + str(caught.value.facts)
    server_log = Path(read_scratch(str(drill.workspace)).cluster, "server.log")
    assert "violates check constraint" in server_log.read_text()
    assert "4711" not in server_log.read_text()
    drill.remove(database17)


def test_what_acts_by_itself_stays_behind(database17: Any, drill: drill_kit.Drill) -> None:
    """And what no option of pg_restore takes away: roles of policies, comments on what others own."""
    database17.run(
        SHOP,
        "CREATE EXTENSION citext",
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "CREATE SUBSCRIPTION far CONNECTION 'host=198.51.100.1' PUBLICATION p WITH (connect = false, slot_name = NONE)",
        "CREATE FUNCTION app.no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
        "CREATE EVENT TRIGGER never ON ddl_command_start EXECUTE FUNCTION app.no()",
        "ALTER EVENT TRIGGER never DISABLE",
        'CREATE ROLE "wst ""reader"", of all" NOLOGIN',
        "ALTER TABLE app.items ENABLE ROW LEVEL SECURITY",
        'CREATE POLICY "ON x TO y" ON app.items AS RESTRICTIVE FOR SELECT TO "wst ""reader"", of all" USING (true)',
    )
    try:
        body = database17.produce()
        drill.make(database17)
        restored = drill.restore(database17)
        assert restored["roles"] == ['wst "reader", of all']
        told = "\n".join(restored["left_out"])
        for kind in ("PUBLICATION everything", "SUBSCRIPTION far", "EVENT TRIGGER never", "COMMENT EXTENSION citext"):
            assert kind in told
        assert drill.compare(database17, body)["extensions"] == ["citext", "plpgsql"]
        drill.remove(database17)
    finally:
        database17.run("DROP SUBSCRIPTION far", 'DROP OWNED BY "wst ""reader"", of all"')
        database17.server.run('DROP ROLE "wst ""reader"", of all"')


def test_what_a_drill_left_that_died_is_cleared_by_the_next(database17: Any, monkeypatch: Any, tmp_path: Path) -> None:
    """One had a server of its own, which still runs; one a database on somebody's server."""
    database17.run(SHOP)
    database17.produce()
    host = tmp_path / "host"
    first = drill_kit.Drill(monkeypatch, host)
    first.make(database17)
    home = read_scratch(str(first.workspace)).cluster
    pid = drill_kit.killed_while_its_server_runs(first, database17)
    assert drill_kit.lives(pid)
    first.end()
    second = drill_kit.Drill(monkeypatch, host, "20261130-111500-00000002")
    key = drill_kit.key_file(tmp_path, database17.password)
    second.make(database17, server=drill_kit.server_of(database17), key=key)
    second.end()
    third = drill_kit.Drill(monkeypatch, host, "20261130-121500-00000003")
    removed = third.remove(database17)["removed"]
    assert removed == [home, "wst_drill_20261130_111500_00000002"]
    assert not drill_kit.lives(pid)
    assert not Path(home).exists()
    assert database17.server.rows("SELECT datname FROM pg_database WHERE datname LIKE 'wst_drill%'") == []
    third.end()
    fourth = drill_kit.Drill(monkeypatch, host, "20261130-131500-00000004")  # sweeps the directories
    assert not first.workspace.exists()
    assert not second.workspace.exists()
    fourth.end()


def test_a_server_of_somebody_elses_run_is_left_alone(database17: Any, drill: drill_kit.Drill) -> None:
    database17.run(SHOP)
    database17.produce()
    drill.make(database17)
    home = Path(read_scratch(str(drill.workspace)).cluster)
    (home / "wst-drill").write_text("20200101-000000-00000000")
    with pytest.raises(RestoreTargetRefused, match="is not the scratch server of run"):
        drill.remove(database17)
    assert (home / "data" / "PG_VERSION").exists()
    (home / "wst-drill").write_text(drill.run_id)
    drill.remove(database17)


def test_a_dump_of_a_managed_server(database17: Any, drill: drill_kit.Drill, tmp_path: Path) -> None:
    """Its own extensions may be missing; who restores is no superuser."""
    with drill_kit.extensions(database17.server, "azure", "pgaadauth"):
        database17.run(SHOP, "CREATE EXTENSION azure", "CREATE EXTENSION pgaadauth", "CREATE EXTENSION citext")
        database17.run("INSERT INTO azure_settings VALUES ('ours', '1')")
        body = database17.produce()
        assert ("public", "azure_settings") in {(table["schema"], table["name"]) for table in body["tables"]}
        key = drill_kit.key_file(tmp_path, "Admin-Secret-1")
        database17.server.run("CREATE ROLE admin LOGIN CREATEDB CREATEROLE PASSWORD 'Admin-Secret-1'")
        try:
            drill.make(database17, server=drill_kit.server_of(database17, user="admin"), key=key)
            allowed = ("azure", "pgaadauth")
            told = drill.restore(database17, allow_missing=allowed)["left_out"]
            assert "EXTENSION azure: it may be missing" in told
            assert "TABLE DATA azure_settings: its extension is left out" in told
            found = drill.compare(database17, body, allow_missing=allowed)
            assert (found["extensions"], found["rows"]) == (["citext", "plpgsql"], 110)
        finally:
            drill.remove(database17)
            database17.server.run("DROP ROLE admin")


def test_an_extension_that_the_target_lacks(database17: Any, clusters: Any, drill: drill_kit.Drill) -> None:
    with drill_kit.extensions(database17.server, "ours"):
        database17.run(SHOP, "CREATE EXTENSION ours")
        database17.produce()
        newer = find_tools(str(clusters(18).bin))
        drill.make(database17, tools=newer)
        with pytest.raises(DbExtensionMissing, match="lacks the extensions ours"):
            drill.restore(database17, tools=newer)
        drill.remove(database17)


def test_6000_tables_and_30000_large_objects_with_the_locks_that_every_server_has(
    database17: Any, drill: drill_kit.Drill
) -> None:
    database17.run(
        "DO $$ BEGIN FOR n IN 1..6000 LOOP EXECUTE format('CREATE TABLE t%s (a int PRIMARY KEY, b text)', n); "
        "IF n % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$",
        "INSERT INTO t1 SELECT n, 'x' FROM generate_series(1, 1000) n",
        "DO $$ BEGIN FOR n IN 1..30000 LOOP PERFORM lo_from_bytea(n, 'object'::bytea); "
        "IF n % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$",
    )
    body = database17.produce(lock_timeout=60)
    assert (len(body["tables"]), body["rows_total"]) == (6000, 1000)
    drill.make(database17)
    drill.restore(database17)
    found = drill.compare(database17, body)
    assert (found["tables"], found["rows"], found["large_objects"]) == (6000, 1000, 30000)
    drill.remove(database17)
