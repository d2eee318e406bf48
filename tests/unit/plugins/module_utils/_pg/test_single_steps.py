# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tables come back beside production on real servers, and stay there until somebody has them removed."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.plugins.module_utils._authority import authority_kit
from unit.plugins.module_utils._pg.restore_kit import Restore

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DrillMismatch,
    InputInvalid,
    NotAuthorized,
    NotProved,
    PathUnusable,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import kept_step
from ansible_collections.wst.backup.plugins.plugin_utils._restored_tables import restored_tables

pytestmark = [pytest.mark.posix, pytest.mark.slow]

SHOP = r"""
CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO app.people (name) SELECT 'person ' || n FROM generate_series(1, 50) n;
CREATE TABLE app.orders (
    id serial PRIMARY KEY, person bigint REFERENCES app.people, state app.state DEFAULT 'new', picture oid, twin int
);
ALTER TABLE app.orders ADD CONSTRAINT own_twin FOREIGN KEY (twin) REFERENCES app.orders (id);
INSERT INTO app.orders (person, twin) SELECT n, 1 FROM generate_series(1, 40) n;
COMMENT ON CONSTRAINT orders_person_fkey ON app.orders IS 'who has ordered';
CREATE INDEX orders_by_state ON app.orders (state) WHERE state = 'new';
CREATE TABLE app.notes (of_order int REFERENCES app.orders, note text);
INSERT INTO app.notes SELECT n, 'note' FROM generate_series(1, 30) n;
CREATE VIEW app.busy AS
    SELECT p.id, p.name, count(*) FROM app.people p JOIN app.orders o ON o.person = p.id GROUP BY p.id;
CREATE MATERIALIZED VIEW app.totals AS SELECT person, count(*) FROM app.orders GROUP BY person;
CREATE UNIQUE INDEX totals_by_person ON app.totals (person);
CREATE FUNCTION app.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
CREATE TRIGGER refuse BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.refuse();
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON app.orders TO shop_stranger USING (false);
COMMENT ON POLICY nobody ON app.orders IS 'to nobody';
CREATE TABLE app.log (at date NOT NULL, text text) PARTITION BY RANGE (at);
CREATE TABLE app.log_2025 PARTITION OF app.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.log_2026 PARTITION OF app.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY RANGE (at);
CREATE TABLE app.log_2026_1 PARTITION OF app.log_2026 FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
INSERT INTO app.log SELECT date '2025-12-01' + n, 'line ' || n FROM generate_series(0, 99) n;
CREATE TABLE app.base (a int);
CREATE TABLE app.heir (b int) INHERITS (app.base);
CREATE TABLE app.typed (whole app.base);
INSERT INTO app.base VALUES (1); INSERT INTO app.heir VALUES (2, 2), (3, 3); INSERT INTO app.typed VALUES (ROW(1));
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."Odd.""Name" (a int);
INSERT INTO "Odd Schema"."Odd.""Name" VALUES (1), (1);
CREATE TABLE app.empty (a int);
SELECT lo_from_bytea(5001, 'one object');
COMMENT ON LARGE OBJECT 5001 IS 'a picture';
"""
ROLE = "shop_stranger"


@pytest.fixture
def restore(database: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    yield from shop(database, monkeypatch, tmp_path)


@pytest.fixture
def restore17(database17: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    yield from shop(database17, monkeypatch, tmp_path)


def shop(database: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    """A run beside the shop, which is production."""
    database.server.run(f"CREATE ROLE {ROLE} NOLOGIN")
    made = None
    try:
        database.run(SHOP)
        body = database.produce()
        made = Restore(monkeypatch, tmp_path / "host", database)
        made.end()
        made.begin(made.run_id, "L5")
        yield made, body
    finally:
        if made is not None:
            made.clean()
        quoted = '"' + database.name + '"'
        database.server.run(f"DROP DATABASE {quoted} WITH (FORCE)", f"CREATE DATABASE {quoted}", f"DROP ROLE {ROLE}")


def beside(run: Restore, query: str) -> list[tuple[Any, ...]]:
    """What the new database answers."""
    return run.database.server.rows(query, database=run.beside)  # type: ignore[no-any-return]


def filled(run: Restore) -> dict[str, int]:
    """Every table of the new database that has rows of its own, and how many."""
    query = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    names = beside(run, query + " WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)'")
    counts = {name: beside(run, f"SELECT count(*) FROM ONLY {name}")[0][0] for (name,) in names}
    return {name: rows for name, rows in counts.items() if rows}


def everything(run: Restore) -> list[Any]:
    """All of production that a restore could change."""
    database = run.database
    return [
        database.server.rows("SELECT oid, datname FROM pg_database WHERE datname = '" + database.name + "'"),
        *[
            database.rows(f"SELECT count(*), sum(hashtext(t::text)) FROM {name} t")
            for name in ("app.orders", "app.log")
        ],
        database.rows("SELECT count(*) FROM pg_class"),
    ]


def test_tables_come_back_beside_production_and_stay(restore: Any) -> None:
    """On every major: with their keys and indexes, without what would need the others, and for L5."""
    run, body = restore
    before = everything(run)
    assert run.make_for_tables()["database"] == run.beside
    told = run.restore_tables("app.orders", "APP.Log", '"Odd Schema"."Odd.""Name"')
    assert told["tables"] == ['"Odd Schema"."Odd.""Name"', "app.log_2025", "app.log_2026_1", "app.orders"]
    rows = {'"Odd Schema"."Odd.""Name"': 2, "app.log_2025": 31, "app.log_2026_1": 69, "app.orders": 40}
    assert filled(run) == rows
    left = "\n".join(told["left_out"])
    for words in (
        "TABLE DATA people: it was not asked for",
        "FK CONSTRAINT orders orders_person_fkey: it binds tables",
        "COMMENT CONSTRAINT orders_person_fkey ON orders: it belongs to what stays behind",
        "FK CONSTRAINT notes notes_of_order_fkey: it binds tables",
        "POLICY orders nobody: nobody but the owner",
        "ROW SECURITY orders: nobody but the owner",
        "MATERIALIZED VIEW DATA totals: its query",
        "large objects are no table's",
    ):
        assert words in left
    assert "own_twin" not in left
    compared = run.compare(body)
    assert (compared["rows"], compared["large_objects"]) == (142, 0)
    assert compared["control"]
    keys = {
        name for (name,) in beside(run, "SELECT conname FROM pg_constraint WHERE conrelid = 'app.orders'::regclass")
    }
    assert {"orders_pkey", "own_twin"} <= keys
    assert "orders_person_fkey" not in keys
    assert beside(run, "SELECT 1 FROM pg_class WHERE relname = 'orders_by_state'") == [(1,)]
    assert beside(run, "SELECT nextval('app.orders_id_seq')") == [(41,)]
    kept = run.keep()
    assert (kept["database"], kept["owner"]) == (run.beside, "postgres")
    assert kept["tables"] == ["app.orders", "app.log", '"Odd Schema"."Odd.""Name"']
    assert run.remove()["removed"] == []
    run.end()
    run.begin("20261130-111500-1f2e3d4c", "L5")
    assert run.remove()["removed"] == [], "no later run sweeps it either"
    assert filled(run) == rows
    assert everything(run) == before
    connect = beside(run, "SELECT has_database_privilege('public', current_database(), 'CONNECT')")
    assert connect == [(False,)]

    with pytest.raises(InputInvalid, match="reason"):
        run.remove_kept(run.beside, reason=" ")
    authority_kit.carry(run._monkeypatch, authority_kit.TOKENS.get("operator", "wrong"))
    with pytest.raises(NotAuthorized):
        run.remove_kept(run.beside)
    authority_kit.carry(run._monkeypatch, authority_kit.TOKENS["L5"])
    assert run.remove_kept(run.beside, dry_run=True)["removed"] == [run.beside]
    assert run.beside in run.named()
    assert run.remove_kept(run.beside)["removed"] == [run.beside]
    assert run.remove_kept(run.beside)["changed"] is False
    assert run.named() == {run.database.name}


def test_the_commands_that_are_shown_bring_rows_back(restore: Any, tmp_path: Path) -> None:
    """Those that are missing; what is there stays as it is, and so do sequences."""
    run, body = restore
    database = run.database
    before = database.rows("SELECT * FROM app.people ORDER BY id")
    run.make_for_tables()
    restored = run.restore_tables("app.people", "app.empty")
    compared = run.compare(body)
    kept = run.keep()
    database.run(
        "INSERT INTO app.people (name) VALUES ('new')",
        "UPDATE app.people SET name = 'changed' WHERE id = 50",
        "DELETE FROM app.people WHERE id = 45",
    )
    lines = [line for line in restored_tables(kept, restored, compared) if line.startswith("  psql ")]
    assert len(lines) == 4
    for line in lines:
        subprocess.run(
            line,
            shell=True,
            cwd=tmp_path,
            env={
                **database.server.environment(),
                "PATH": f"{database.server.bin}:/usr/bin:/bin",
                "PGPASSWORD": database.password,
            },
            check=True,
        )
    wanted = [*before[:49], (50, "changed"), (51, "new")]
    assert database.rows("SELECT * FROM app.people ORDER BY id") == wanted
    database.run("INSERT INTO app.people (name) VALUES ('next')")
    assert database.rows("SELECT max(id) FROM app.people") == [(52,)]


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        (["app.log"], {"app.log_2025": 31, "app.log_2026_1": 69}),
        (["app.log_2026"], {"app.log_2026_1": 69}),
        (["app.log_2025"], {"app.log_2025": 31}),
        (["app.base"], {"app.base": 1, "app.heir": 2}),
        (["app.heir"], {"app.heir": 2}),
        (["app.people", "app.orders"], {"app.people": 50, "app.orders": 40}),
        (["app.empty"], {}),
    ],
)
@pytest.mark.parametrize("bare", [False, True])
def test_what_belongs_to_a_table_comes_with_it(restore17: Any, asked: Any, parts: Any, bare: bool) -> None:
    """A manifest, or the dump alone, promises the rows of just these tables."""
    run, body = restore17
    run.make_for_tables()
    told = run.restore_tables(*asked)
    assert filled(run) == parts
    assert set(parts) <= set(told["tables"])
    assert "orders_person_fkey" not in str(told["left_out"]), "both of its tables have all rows, or none has any"
    compared = run.compare(None if bare else body)
    assert compared["rows"] == sum(parts.values())
    assert (compared["control"] is None) == (not parts)


def test_what_is_not_what_was_asked_for_is_found(restore17: Any) -> None:
    """One row more, one less, one in another table: it does not stay, and goes with the run."""
    run, body = restore17
    run.make_for_tables()
    run.restore_tables("app.log")
    for change, back, words in (
        ("INSERT INTO app.people (name) VALUES ('x')", "DELETE FROM app.people", "1 rows of app.people instead of 0"),
        (
            "UPDATE app.log SET text = 'other' WHERE text = 'line 1'",
            "UPDATE app.log SET text = 'line 1' WHERE text = 'other'",
            "other rows of app.log",
        ),
        ("SELECT lo_from_bytea(1, 'x')", "SELECT lo_unlink(1)", "1 large objects instead of 0"),
        ("DROP INDEX app.orders_by_state", "", "INDEX app.orders_by_state is not there"),
    ):
        run.database.server.run(change, database=run.beside)
        with pytest.raises(DrillMismatch, match=words):
            run.compare(body)
        with pytest.raises(NotProved):
            run.keep()
        if back:
            run.database.server.run(back, database=run.beside)
    assert run.remove()["removed"] == [run.beside]
    assert run.named() == {run.database.name}


def test_a_manifest_of_another_dump_promises_nothing(restore17: Any) -> None:
    run, body = restore17
    run.make_for_tables()
    run.restore_tables("app.people")
    other = copy.deepcopy(body)
    (row,) = [each for each in other["tables"] if each["name"] == "people"]
    row["fingerprint"] = "0" * 64
    with pytest.raises(DrillMismatch, match=r"other rows of app\.people"):
        run.compare(other)
    assert run.compare(body)["rows"] == 50


def test_it_can_take_nobodys_place(restore17: Any) -> None:
    """Neither by the swap, nor with owners, nor by restoring all into it; and no name of an existing one is taken."""
    run, body = restore17
    run.make_for_tables()
    for attempt in (run.restore, lambda: run.restore(owners=False)):
        with pytest.raises(InputInvalid):
            attempt()
    assert filled(run) == {}
    run.restore_tables("app.people")
    run.compare(body)
    with pytest.raises(NotProved, match="single tables only"):
        run.swap()
    run.keep()
    with pytest.raises(NotProved):
        run.swap()
    run.end()
    run.begin(run.run_id, "L5")
    with pytest.raises(RestoreTargetRefused, match="already"):
        run.make_for_tables()
    assert filled(run) == {"app.people": 50}
    assert run.database.rows("SELECT count(*) FROM app.people") == [(50,)]


def test_single_tables_go_nowhere_but_there(restore17: Any) -> None:
    run, _body = restore17
    run.make()
    with pytest.raises(InputInvalid, match="purpose=tables"):
        run.restore_tables("app.people")
    run.remove()


@pytest.mark.parametrize("name", ["app.busy", "app.totals", "app.log_2027", "app.peopl", "public.people", 'app."Log"'])
def test_what_the_dump_has_no_rows_of_is_refused(restore17: Any, name: str) -> None:
    run, _body = restore17
    run.make_for_tables()
    with pytest.raises(InputInvalid, match="the dump has no rows of") as caught:
        run.restore_tables("app.orders", name)
    assert filled(run) == {}
    if name == "app.peopl":
        assert caught.value.facts["alike"][0] == "app.people"


def test_only_what_carries_the_mark_is_removed(restore17: Any) -> None:
    """Not production, not a scratch database, not one that somebody has named or commented like ours."""
    run, body = restore17
    run.make_for_tables()
    run.restore_tables("app.people")
    run.compare(body)
    for name in (run.database.name, "postgres", run.beside):
        with pytest.raises(RestoreTargetRefused, match="left alone"):
            run.remove_kept(name)
    run.keep()
    other = run.database.name + "_other"
    run.database.server.run(f'ALTER DATABASE "{run.beside}" RENAME TO "{other}"')
    with pytest.raises(RestoreTargetRefused, match="left alone"):
        run.remove_kept(other)
    assert run.named() == {run.database.name, other}


def test_a_run_that_dies_while_it_keeps_the_database_has_kept_it_or_not(restore17: Any, monkeypatch: Any) -> None:
    """Behind the mark it stays, whatever else failed; before it, it goes with the run."""
    run, body = restore17
    run.make_for_tables()
    run.restore_tables("app.people")
    run.compare(body)
    with monkeypatch.context() as broken:

        def fails(*_arguments: Any) -> None:
            raise PathUnusable("the disk is gone", path="x")

        broken.setattr(kept_step, "remove_scratch", fails)
        with pytest.raises(PathUnusable):
            run.keep()
    record = run.workspace / "scratch.json"
    assert record.exists()
    run.end()
    run.begin("20261130-111500-1f2e3d4c", "L5")
    done = run.remove()
    assert (done["removed"], done["problems"]) == ([], [])
    assert not record.exists()
    assert filled(run) == {"app.people": 50}


def test_a_run_that_dies_before_takes_it_along(restore17: Any, monkeypatch: Any) -> None:
    run, body = restore17
    run.make_for_tables()
    run.restore_tables("app.people")
    run.compare(body)
    with monkeypatch.context() as broken:

        def fails(*_arguments: Any, **_named: Any) -> str:
            raise PathUnusable("the host is gone", path="x")

        broken.setattr(kept_step.kept, "keep", fails)
        with pytest.raises(PathUnusable):
            run.keep()
    run.end()
    run.begin("20261130-111500-1f2e3d4c", "L5")
    assert run.remove()["removed"] == [run.beside]
    assert run.named() == {run.database.name}


def test_it_needs_l5(restore17: Any) -> None:
    run, _body = restore17
    authority_kit.carry(run._monkeypatch, "no-such-token")
    with pytest.raises(NotAuthorized):
        run.make_for_tables()
    assert run.named() == {run.database.name}
