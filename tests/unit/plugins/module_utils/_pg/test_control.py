# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One altered row, in tables of every kind: it is found, and nothing of it stays."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from unit.plugins.module_utils._pg.test_live import EVERYTHING, PARTITIONS

from ansible_collections.wst.backup.plugins.module_utils._errors import DrillControlFailed
from ansible_collections.wst.backup.plugins.module_utils._pg import compare, control
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import Fingerprint
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Toc

pytestmark = pytest.mark.posix

EMPTY = Toc("1.16", "gzip", "d", "17", "17", [])
HARD = {
    "a key of which every value is taken": (
        "CREATE TABLE t (a bool PRIMARY KEY); INSERT INTO t VALUES (true), (false)",
        None,
    ),
    "values that a check ties": (
        "CREATE TABLE t (a int NOT NULL CHECK (a BETWEEN 7 AND 8)); INSERT INTO t VALUES (7), (7)",
        "column a altered",
    ),
    "a domain of one value": (
        (
            "CREATE DOMAIN one AS int NOT NULL CHECK (VALUE = 1); CREATE TABLE t (a one, b date NOT NULL);"
            "INSERT INTO t VALUES (1, '2026-01-01')"
        ),
        "column b altered",
    ),
    "rows that only another one can replace": (
        (
            "CREATE TYPE kind AS ENUM ('a'); CREATE TABLE t (a kind NOT NULL, n xid8 NOT NULL);"
            "INSERT INTO t VALUES ('a', '1'), ('a', '2')"
        ),
        "replaced by a copy of another row",
    ),
    "a trigger that puts it right again": (
        (
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1);"
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';"
            "CREATE TRIGGER keep BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION keep()"
        ),
        "column a altered",
    ),
    "a column in a generated one": (
        "CREATE TABLE t (a int NOT NULL, b int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO t VALUES (1)",
        "column a altered",
    ),
}


def promise_of(found: compare.Found) -> compare.Promise:
    tables = {pair: (each.rows, each.text) for pair, each in found.tables.items()}
    return compare.Promise(tables, found.objects.fingerprint.rows, found.objects.fingerprint.text, None, {})


def require_found(session: Any, dice: random.Random, found: compare.Found | None = None) -> str:
    found = found or compare.read_database(session, EMPTY)
    session.execute("BEGIN")
    with contextlib.ExitStack() as stack:
        stack.callback(session.execute, "ROLLBACK")
        return control.require_found(session, promise_of(found), found, {}, dice=dice).text


@pytest.mark.parametrize("seed", range(12))
def test_any_row_of_a_database_with_everything(make_database: Any, seed: int) -> None:
    with make_database(17) as database:
        database.run(PARTITIONS, EVERYTHING)
        with database.session() as session:
            before = compare.read_database(session, EMPTY)
            assert "altered" in require_found(session, random.Random(seed)).replace("replaced", "altered")
            assert compare.read_database(session, EMPTY) == before


@pytest.mark.parametrize("case", HARD)
def test_hard_rows(database17: Any, case: str) -> None:
    statements, how = HARD[case]
    database17.run(statements)
    with database17.session() as session:
        if how is None:
            with pytest.raises(DrillControlFailed, match="could be altered"):
                require_found(session, random.Random(1))
        else:
            assert how in require_found(session, random.Random(1))


def test_a_role_that_may_not_switch_triggers_off(database17: Any) -> None:
    database17.run("CREATE ROLE plain LOGIN PASSWORD 'Super-Secret-0'", "GRANT ALL ON SCHEMA public TO plain")
    database17.run("SET ROLE plain; CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    try:
        with database17.session(user="plain") as session:
            assert "column a altered" in require_found(session, random.Random(1))
    finally:
        database17.run("DROP OWNED BY plain", "DROP ROLE plain")


def test_an_empty_database_proves_nothing(database17: Any) -> None:
    database17.run("CREATE TABLE t (a int)")
    with database17.session() as session, pytest.raises(DrillControlFailed, match="no row"):
        require_found(session, random.Random(1))


def test_a_comparison_that_sees_nothing_is_found_out(database17: Any, monkeypatch: Any) -> None:
    database17.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    with database17.session() as session:
        found = compare.read_database(session, EMPTY)
        monkeypatch.setattr(compare, "fingerprint", lambda *_arguments: found.tables["public", "t"])
        with pytest.raises(DrillControlFailed, match="was not found"):
            require_found(session, random.Random(1), found)
        monkeypatch.setattr(compare, "fingerprint", lambda *_arguments: Fingerprint(1, 7))
        require_found(session, random.Random(1), found)
