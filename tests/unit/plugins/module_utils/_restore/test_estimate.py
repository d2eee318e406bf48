# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a restore takes, judged by a drill; nothing is said where nothing is known."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._restore.estimate import (
    UNKNOWN,
    Measured,
    Planned,
    estimate,
    last_backup,
    newest,
    planned_of,
)

MANIFEST: dict[str, Any] = {
    "sources": [{"name": "wst", "bytes": 600}, {"name": "api", "bytes": 400}],
    "totals": {"bytes": 1000},
    "dump": {"size": 200},
}
SECONDS = {"extract": 12.0, "files": 6.0, "restore": 40.0, "compare": 20.0}
DRILL = Measured("2026-11-23T03:00:00Z", "b-1", SECONDS, 1200.0, 200.0)
RECORD: dict[str, Any] = {
    "event": "drill_end",
    "result": "success",
    "time": "2026-11-23T03:00:00Z",
    "details": {"artifact": "b-1", "seconds": SECONDS, "bytes": 1200, "dump_bytes": "200"},
}


def planned(**changes: Any) -> Planned | None:
    values = {"trees": [], "beside": False, "database": False, "tables": False, **changes}
    return planned_of(MANIFEST, **values)


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"trees": ["wst"]}, {"extraction": 6, "comparison of the files": 3}),
        (
            {"trees": ["wst", "api"], "database": True},
            {
                "extraction": 12,
                "comparison of the files": 5,
                "restore of the database": 40,
                "comparison of the database": 20,
            },
        ),
        ({"database": True}, {"extraction": 2, "restore of the database": 40, "comparison of the database": 20}),
        ({"beside": True}, {"extraction": 12, "comparison of the files": 6}),
    ],
)
def test_each_step_goes_by_the_bytes_that_it_works_on(changes: dict[str, Any], seconds: dict[str, int]) -> None:
    body = estimate(planned(**changes), DRILL).as_body()
    assert {each["step"]: each["seconds"] for each in body["steps"]} == seconds
    assert body["seconds"] == sum(seconds.values())
    assert "2026-11-23T03:00:00Z (b-1, 1.2 KiB)" in body["basis"]
    assert ("for the whole" in body["basis"]) == bool(changes.get("beside"))


def test_single_tables_take_no_longer_than_all_of_them() -> None:
    told = estimate(planned(database=True, tables=True), DRILL)
    assert told.seconds == estimate(planned(database=True), DRILL).seconds
    assert "for the whole" in told.basis


@given(st.floats(0, 1e15), st.floats(0, 1e15), st.floats(0.001, 1000))
def test_twice_as_large_takes_twice_as_long(extracted: float, restored: float, factor: float) -> None:
    once = estimate(Planned(extracted, extracted, restored), DRILL).seconds
    more = estimate(Planned(extracted * factor, extracted * factor, restored * factor), DRILL).seconds
    assert once is not None
    assert more is not None
    assert set(more) <= set(once)
    for step, seconds in more.items():
        assert seconds == pytest.approx(once[step] * factor)


@pytest.mark.parametrize("size", [0, 1023, 1024, 5 * 1024**2, 7 * 1024**3, 3 * 1024**4, 9 * 1024**5])
def test_sizes_are_read_by_people(size: int) -> None:
    basis = estimate(Planned(0, 0, 1), Measured("t", "b", SECONDS, size, 1)).basis
    units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    (unit,) = [unit for unit in units if f" {unit})" in basis]
    assert float(basis.rpartition(", ")[2].split()[0]) == size / 1024 ** units.index(unit)


@pytest.mark.parametrize("missing", ["sources", "totals", "dump"])
def test_a_set_of_unknown_size_takes_nobody_knows_how_long(missing: str) -> None:
    manifest = copy.deepcopy(MANIFEST)
    del manifest[missing]
    values: dict[str, Any] = {"trees": ["wst"], "beside": missing == "totals", "database": True, "tables": False}
    for each in (manifest, None, {**MANIFEST, missing: None}):
        told = estimate(planned_of(each, **values), DRILL)
        assert told.as_body() == {"seconds": None, "steps": [], "basis": "unknown: nothing says how large the set is"}


def test_without_a_drill_nothing_is_known() -> None:
    assert estimate(planned(database=True), None).as_body()["basis"] == UNKNOWN
    empty = estimate(planned(database=True), Measured("t", "b", SECONDS, 100, 0))
    assert empty.seconds is None
    assert "had nothing for the restore of the database" in empty.basis


def test_the_newest_drill_that_passed_and_was_measured_counts() -> None:
    assert newest([RECORD]) == DRILL
    old = {**RECORD, "time": "2026-11-16T03:00:00Z"}
    for passed_over in (
        {**RECORD, "result": "failure"},
        {**RECORD, "event": "backup_end"},
        {**RECORD, "details": None},
        {**RECORD, "details": {"rto": 52}},
        {**RECORD, "details": {**RECORD["details"], "seconds": {**SECONDS, "restore": None}}},
        {**RECORD, "details": {**RECORD["details"], "seconds": {"extract": 1}}},
        {**RECORD, "details": {**RECORD["details"], "bytes": "many"}},
        {**RECORD, "details": {**RECORD["details"], "bytes": -1}},
        {**RECORD, "details": {**RECORD["details"], "dump_bytes": "nan"}},
        {**RECORD, "details": {**RECORD["details"], "dump_bytes": "inf"}},
    ):
        found = newest([old, passed_over])
        assert found is not None
        assert found.at == old["time"]
        assert newest([passed_over]) is None
    assert newest([]) is None


def at(event: str, run_id: str, time: str, result: str = "success") -> dict[str, Any]:
    return {"event": event, "run_id": run_id, "time": f"2026-11-23T{time}Z", "result": result}


@pytest.mark.parametrize(
    ("records", "seconds"),
    [
        ([], None),
        ([at("backup_start", "a", "03:00:00")], None),
        ([at("backup_end", "a", "03:10:00")], None),
        ([at("backup_start", "a", "03:00:00"), at("backup_end", "a", "03:10:00", "failure")], None),
        ([at("backup_start", "a", "03:00:00"), at("backup_end", "b", "03:10:00")], None),
        ([at("backup_start", "a", "03:00:00"), at("backup_end", "a", "never")], None),
        (
            [at("backup_start", "a", "03:00:00"), at("drill_end", "a", "03:01:00"), at("backup_end", "a", "03:10:05")],
            605,
        ),
        ([at("backup_start", "a", "03:00:00"), at("backup_end", "a", "02:59:00")], 0),
        (
            [
                at("backup_start", "a", "03:00:00"),
                at("backup_end", "a", "03:10:00"),
                at("backup_start", "b", "04:00:00"),
                at("backup_end", "b", "04:00:07"),
                at("backup_start", "c", "05:00:00"),
                at("backup_end", "c", "05:20:00", "failure"),
            ],
            7,
        ),
    ],
)
def test_a_backup_took_what_lies_between_its_records(records: list[Any], seconds: int | None) -> None:
    assert last_backup(records) == seconds
