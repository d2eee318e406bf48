# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A young set with old data is found, by the columns that somebody named."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.module_utils._pg import drill_kit

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DrillMismatch,
    DumpDamaged,
    InputInvalid,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.freshness import Wanted, judge, moment_of, wanted_of

NOON = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
DAY = Wanted(("app", "orders"), "made at", timedelta(hours=24))
AGES = st.integers(-3600, 10**8).map(lambda seconds: timedelta(seconds=seconds))


def test_what_somebody_named() -> None:
    given_by = {"table": 'app."Or ders"', "column": "made at", "max_age_hours": 1.5}
    assert wanted_of([given_by]) == [Wanted(("app", "Or ders"), "made at", timedelta(minutes=90))]
    for wrong in ({"max_age_hours": 0.0}, {"max_age_hours": float("nan")}, {"table": "orders"}):
        with pytest.raises(InputInvalid):
            wanted_of([{**given_by, **wrong}])


@given(AGES, st.timedeltas(min_value=timedelta(hours=1), max_value=timedelta(days=3650)))
def test_what_is_older_than_allowed_is_told_and_nothing_else(age: timedelta, allowed: timedelta) -> None:
    wanted = Wanted(("app", "orders"), "made at", allowed)
    told, old = judge([(wanted, format_time(NOON - age))], NOON)
    assert bool(old) == (age > allowed)
    assert len(told) == 1
    assert "made at of app.orders: the newest was " in told[0]


def test_nothing_at_all_is_not_fresh() -> None:
    told, old = judge([(DAY, None), (DAY, format_time(NOON))], NOON)
    assert old == ["made at of app.orders: nothing until the dump was made, and may be 24.0 hours"]
    assert told[1] == "made at of app.orders: the newest was 0.0 hours old when the dump was made"


def test_the_moment_is_the_manifest_s() -> None:
    assert moment_of({"snapshot_at": "2026-11-30T12:00:00Z"}) == NOON
    for database, error in ((None, InputInvalid), ({}, DumpDamaged), ({"snapshot_at": "noon"}, DumpDamaged)):
        with pytest.raises(error):
            moment_of(database)


SHOP = """
CREATE SCHEMA app;
CREATE TABLE app.orders (id int PRIMARY KEY, "made % at" timestamptz, day date, plain timestamp, note text);
INSERT INTO app.orders VALUES (1, now() - interval '30 hours', current_date - 10, 'infinity', '2026-01-01'),
  (2, now() + interval '1 year', NULL, timezone('UTC', now()) - interval '2 hours', 'x');
CREATE TABLE app.nothing (id int, at timestamptz);
"""


@pytest.mark.posix
@pytest.mark.slow
def test_old_data_in_a_young_set_fails_the_drill(database17: Any, monkeypatch: Any, tmp_path: Any) -> None:
    drill = drill_kit.Drill(monkeypatch, tmp_path / "host")
    database17.run(SHOP)
    body = database17.produce()
    key = drill_kit.key_file(tmp_path, database17.password)
    drill.make(database17, server=drill_kit.server_of(database17), key=key)
    try:
        drill.restore(database17)

        def compare(table: str, column: str, hours: float, promised: Any = body) -> Any:
            named = [{"table": table, "column": column, "max_age_hours": hours}]
            return drill.compare(database17, promised, fresh=wanted_of(named))

        assert drill.compare(database17, body)["fresh"] == []
        for column, hours, age in (("made % at", 31, "30.0"), ("plain", 3, "2.0")):
            (told,) = compare("app.orders", column, hours)["fresh"]
            assert told == f"{column} of app.orders: the newest was {age} hours old when the dump was made"
            with pytest.raises(DrillMismatch, match=rf"{age} hours old when the dump was made, and may be 1\.5 hours"):
                compare("app.orders", column, 1.5)
        with pytest.raises(DrillMismatch) as caught:
            compare("app.orders", "day", 24 * 8)
        assert len(caught.value.facts["differences"]) == 1
        with pytest.raises(DrillMismatch, match=r"at of app\.nothing: nothing until the dump was made"):
            compare("app.nothing", "at", 1)
        for table, column in (("app.orders", "gone"), ("app.gone", "at"), ("app.orders", "id"), ("app.orders", "note")):
            with pytest.raises(InputInvalid, match=f"{column} of {table} is no column of times"):
                compare(table, column, 1)
        with pytest.raises(InputInvalid, match="there is no manifest"):
            compare("app.orders", "day", 1, None)
    finally:
        drill.remove(database17)
        drill.end()
