# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dump against its source: what is found, and what does not stop a run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled, DumpDamaged, InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._pg import coverage, deep, live, produce, snapshot
from ansible_collections.wst.backup.plugins.module_utils._pg.rotation import Past

pytestmark = pytest.mark.posix  # needs a server of its own

TABLES = (
    "CREATE TABLE a (a int, b text)",
    "INSERT INTO a SELECT g, md5(g::text) FROM generate_series(1, 1000) g",
    "CREATE TABLE parent (a int)",
    "CREATE TABLE child (b int) INHERITS (parent)",
    "INSERT INTO parent VALUES (1)",
    "INSERT INTO child VALUES (2, 3)",
    "CREATE TABLE rooted (a int) PARTITION BY LIST (a)",
    "CREATE TABLE rooted_1 PARTITION OF rooted DEFAULT",
    "INSERT INTO rooted VALUES (1), (2)",
    "CREATE TABLE nothing ()",
    "INSERT INTO nothing SELECT FROM generate_series(1, 3)",
    "CREATE MATERIALIZED VIEW seen AS SELECT 1",
)


def made(database: Any, workspace: Path, *, budget: int = 60) -> dict[str, Any]:
    """A dump into a new workspace, with the memory of the test's host."""
    workspace.mkdir()
    database.workspace = workspace
    order = deep.DeepOrder(budget=budget, coverage_file=str(workspace.parent / "coverage.json"))
    return database.produce(deep=order)  # type: ignore[no-any-return]


def test_every_table_is_compared_and_remembered(database: Any, tmp_path: Path) -> None:
    database.run(*TABLES)
    body = made(database, tmp_path / "1")
    compared = {table["name"]: table["compared"] for table in body["tables"]}
    own = dict.fromkeys(("a", "child", "nothing", "parent", "rooted_1"), True)
    assert compared == {**own, "rooted": None, "seen": None}
    assert {table["name"] for table in body["tables"] if table["last_compared"]} == set(own)
    assert body["deep"] == {
        "budget": 60, "compared": 5, "large_objects": None, "overdue": [], "trouble": None, "remembered": True,
    }  # fmt: skip
    assert deep.warnings(body) == []
    history = coverage.load(str(tmp_path / "coverage.json"), database.options().place)
    assert {name for _schema, name in history} == set(own)
    assert all(past.compared == past.seen and past.seconds is not None for past in history.values())
    assert read_record(str(tmp_path / "1" / "database.json")) == body


def test_without_a_budget_nothing_is_compared(database17: Any, tmp_path: Path) -> None:
    database17.run(*TABLES)
    body = made(database17, tmp_path / "1", budget=0)
    assert body["deep"] == {
        "budget": 0, "compared": 0, "large_objects": None, "overdue": [], "trouble": None, "remembered": None,
    }  # fmt: skip
    assert {table["compared"] for table in body["tables"]} == {False, None}
    assert all(table["fingerprint"] is not None for table in body["tables"] if table["rows"] is not None)
    assert not (tmp_path / "coverage.json").exists()


def test_a_value_that_changed_on_its_way_is_found(
    database17: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source is altered behind the snapshot's back: as many rows, another one among them."""
    database17.run(*TABLES)
    fingerprint = live.fingerprint_table

    def other(session: Any, table: Any, copy: bytes) -> Any:
        if table.name == "a":
            session.execute("ROLLBACK")
            database17.run("UPDATE a SET b = 'x' WHERE a = 500")
        return fingerprint(session, table, copy)

    monkeypatch.setattr(deep, "fingerprint_table", other)
    with pytest.raises(DumpDamaged, match=r"other rows of public\.a than") as caught:
        made(database17, tmp_path / "1")
    assert len(caught.value.facts["differences"]) == 1
    assert list((tmp_path / "1").iterdir()) == []
    assert not (tmp_path / "coverage.json").exists()


def test_the_source_is_read_in_the_dumps_own_snapshot(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.run(*TABLES)
    read = deep.read_source

    def later(*arguments: Any, **named: Any) -> Any:
        database.run("UPDATE a SET b = 'x' WHERE a = 500", "DELETE FROM parent")
        return read(*arguments, **named)

    monkeypatch.setattr(produce.deep, "read_source", later)
    assert made(database, tmp_path / "1")["deep"]["compared"] == 5


def test_a_reading_that_takes_too_long_is_stopped_and_told(
    database17: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small tables come first; of the large one's COPY the server sends a part, and the dump goes on."""
    database17.run(*TABLES, "CREATE TABLE slow AS SELECT g, repeat('x', 9000) AS t FROM generate_series(1, 3000) g")
    place, memory = database17.options().place, str(tmp_path / "coverage.json")
    long_ago = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=8)
    coverage.save(memory, place, {("public", "slow"): Past(seen=long_ago)})
    read = deep._read

    def hastily(snapshot: Any, work: Any, seconds: float) -> Any:
        _session, table, _copy = work.args
        return read(snapshot, work, 0.001 if table.name == "slow" else seconds)

    monkeypatch.setattr(deep, "_read", hastily)
    body = made(database17, tmp_path / "1")
    assert body["deep"]["overdue"] == [["public", "slow"]]
    assert (body["deep"]["compared"], body["deep"]["trouble"]) == (5, None)
    assert body["rows_total"] == body["proof"]["rows_total"]
    assert ["not compared" in warning and "public.slow" in warning for warning in deep.warnings(body)] == [True]
    kept = coverage.load(memory, place)["public", "slow"]
    assert (kept.seen, kept.compared, kept.size > 1) == (long_ago, None, True)
    monkeypatch.setattr(deep, "_read", read)
    assert made(database17, tmp_path / "2")["deep"] == {**body["deep"], "compared": 6, "overdue": []}


def test_what_a_stopped_reading_set_is_undone(database17: Any, tmp_path: Path) -> None:
    """The snapshot's session goes on after it, and without its time limit."""
    database17.run("CREATE TABLE t AS SELECT g AS t, repeat('x', 9000) AS b FROM generate_series(1, 3000) g")
    options = database17.options()
    with database17.session() as session, snapshot.hold(session, options, lock_timeout=5) as held:
        copy = b"COPY public.t (t, b) FROM stdin;\n"
        with pytest.raises(psycopg.errors.QueryCanceled):
            deep._read(held, partial(live.fingerprint_table, session, held.tables[0], copy), 0.001)
        assert session.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert deep._read(held, partial(live.fingerprint_table, session, held.tables[0], copy), 60).rows == 3000


def test_a_session_that_breaks_during_the_comparison_does_not_cost_the_dump(
    database17: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database17.run(*TABLES)

    def broken(session: Any, *_rest: Any) -> Any:
        database17.run(f"SELECT pg_terminate_backend({session.info.backend_pid})")
        return session.execute("SELECT 1")

    monkeypatch.setattr(deep, "fingerprint_table", broken)
    body = made(database17, tmp_path / "1")
    assert body["deep"]["compared"] == 0
    assert "terminat" in body["deep"]["trouble"]
    assert len(deep.warnings(body)) == 1


def test_what_cannot_be_remembered_is_a_warning(database17: Any, tmp_path: Path) -> None:
    database17.run(*TABLES)
    (tmp_path / "coverage.json").mkdir()
    body = made(database17, tmp_path / "1")
    assert (body["deep"]["compared"], body["deep"]["remembered"]) == (5, False)
    assert ["could not be remembered" in warning for warning in deep.warnings(body)] == [True]


def test_a_cancelled_reading_ends_at_once(database17: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database17.run("CREATE TABLE a AS SELECT g, repeat(md5(g::text), 100) AS t FROM generate_series(1, 20000) g")
    step, calls = deep._jobs.step, []

    def cancel(*_arguments: Any) -> None:
        raise Cancelled("the job was asked to stop")

    def comparing(name: str, **named: Any) -> None:
        step(name, **named)
        if name == "compare with the source":
            calls.append(name)
            monkeypatch.setattr(live._jobs, "progress", cancel)

    monkeypatch.setattr(deep._jobs, "step", comparing)
    with pytest.raises(Cancelled):
        made(database17, tmp_path / "1")
    assert calls == ["compare with the source"]
    assert list((tmp_path / "1").iterdir()) == []


def test_a_table_that_the_dump_lacks_is_left_to_the_proof(
    database17: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database17.run(*TABLES)
    monkeypatch.setattr(deep, "_copies", lambda _dump: {})
    assert made(database17, tmp_path / "1")["deep"]["compared"] == 0


@pytest.mark.parametrize("budget", [-1, 86401])
def test_budgets_that_make_no_sense(database17: Any, budget: int) -> None:
    with pytest.raises(InputInvalid, match="deep_budget"):
        produce.check_order(database17.order(deep=deep.DeepOrder(budget=budget)))


LARGEST = live.FIRST + 2 * live.FURTHER + 3  # bytes
OBJECTS = (
    "SELECT lo_from_bytea(0, '')",
    "SELECT lo_from_bytea(0, 'one')",
    f"SELECT lo_from_bytea(0, decode(repeat('ab', {live.FIRST}), 'hex'))",  # ends where a piece ends
    f"SELECT lo_from_bytea(0, decode(repeat('cd', {live.FIRST + live.FURTHER}), 'hex'))",
    f"SELECT lo_from_bytea(0, decode(repeat('01', {LARGEST - 3}), 'hex') || 'end')",
)


def test_large_objects_are_compared_and_remembered(database: Any, tmp_path: Path) -> None:
    database.run("CREATE TABLE t (a int)", *OBJECTS)
    body = made(database, tmp_path / "1")
    assert (body["deep"]["compared"], body["deep"]["large_objects"], body["deep"]["trouble"]) == (1, True, None)
    assert body["large_objects"]["count"] == len(OBJECTS)
    with database.session() as session, session.transaction():
        live_ones = live.read_large_objects(session)
    assert body["large_objects"]["fingerprint"] == live_ones.fingerprint.text
    assert body["large_objects"]["sha256"] == {str(oid): digest for oid, digest in (live_ones.digests or {}).items()}
    history = coverage.load(str(tmp_path / "coverage.json"), database.options().place)
    assert history[deep.OBJECTS].compared is not None


def test_a_large_object_that_changed_on_its_way_is_found(
    database17: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Altered behind the snapshot's back, at the end of its last piece; as many objects, as many bytes."""
    database17.run("CREATE TABLE t (a int)", *OBJECTS)
    ((oid,),) = database17.rows("SELECT max(oid) FROM pg_largeobject_metadata")
    read = live.read_large_objects

    def other(session: Any, pace: Any) -> Any:
        session.execute("ROLLBACK")
        database17.run(f"SELECT lo_put({oid}, {LARGEST - 1}, 'X')")
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        session.execute("SAVEPOINT comparing")
        return read(session, pace)

    monkeypatch.setattr(deep, "read_large_objects", other)
    with pytest.raises(DumpDamaged, match=rf"other content of large objects \({oid}\)"):
        made(database17, tmp_path / "1")


def test_large_objects_that_cannot_be_read_in_time_or_at_all_are_told(
    database17: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database17.run("CREATE TABLE t (a int)", *OBJECTS)

    def slow(session: Any, pace: Any) -> Any:
        session.execute("SET LOCAL statement_timeout = 50")
        session.execute("SELECT pg_sleep(60)")

    monkeypatch.setattr(deep, "read_large_objects", slow)
    body = made(database17, tmp_path / "1")
    assert (body["deep"]["large_objects"], body["deep"]["trouble"]) == (False, None)

    def denied(session: Any, pace: Any) -> Any:
        session.execute("SELECT lo_get(1)")

    monkeypatch.setattr(deep, "read_large_objects", denied)
    body = made(database17, tmp_path / "2")
    assert body["deep"]["large_objects"] is False
    assert any("large objects: large object 1 does not exist" in told for told in deep.warnings(body))


def test_large_objects_of_last_week_are_overdue_by_name() -> None:
    part = {"trouble": None, "overdue": [["", "large objects"]], "remembered": True, "budget": 1}
    (told,) = deep.warnings({"deep": part})
    assert told.endswith("a budget of 1 seconds is not enough: large objects")


def test_all_statements_for_large_objects_share_one_budget(database17: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a second here and alone would be in time: the fourth is not begun."""
    database17.run("CREATE TABLE t (a int)", *OBJECTS)
    ticks, limit, limits = iter(range(100)), deep._limit, []

    def watched(session: Any, seconds: float) -> None:
        limits.append(seconds)
        limit(session, seconds)

    monkeypatch.setattr(deep, "_limit", watched)
    found = deep.Comparison()
    with database17.session() as session, snapshot.hold(session, database17.options(), lock_timeout=5) as held:
        work = partial(deep._objects, held, found, 3.0, lambda: next(ticks))
        with pytest.raises(psycopg.errors.QueryCanceled):
            deep._read(held, work, 3.0)
        assert session.execute("SHOW statement_timeout").fetchone() == ("0",)
    assert limits == [3.0, 3.0, 2.0, 1.0]
    assert found.objects is None
