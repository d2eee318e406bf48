# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is to be compared with the source, and what is remembered of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import write_record
from ansible_collections.wst.backup.plugins.module_utils._pg import coverage, rotation
from ansible_collections.wst.backup.plugins.module_utils._pg.rotation import Candidate, Name, Past, choose, overdue

NOW = datetime(2026, 11, 23, 15, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def table(name: str, size: int = 0) -> Candidate:
    return Candidate(("public", name), size)


def past(days: float | None, *, seconds: float | None = 1.0, size: int = 1, seen: float = 99) -> Past:
    compared = None if days is None else NOW - days * DAY
    return Past(seen=NOW - seen * DAY, compared=compared, seconds=seconds, size=size)


def names(tables: list[Candidate]) -> str:
    return " ".join(each.name[1] for each in tables)


def test_longest_ago_first_as_many_as_fit() -> None:
    tables = [table(name, 1) for name in "abcd"]
    history = {
        ("public", "a"): past(1),
        ("public", "b"): past(3),
        ("public", "c"): past(None),
        ("public", "d"): past(2),
    }
    assert names(choose(tables, history, NOW, 2.5)) == "c b"
    assert names(choose(tables, history, NOW, 100)) == "c b d a"
    assert choose(tables, history, NOW, 0) == choose(tables, history, NOW, -1) == []


def test_one_that_does_not_fit_leaves_room_for_others() -> None:
    tables = [table(name, 1) for name in "abc"]
    history = {("public", "a"): past(3, seconds=50), ("public", "b"): past(2), ("public", "c"): past(1, seconds=20)}
    assert names(choose(tables, history, NOW, 10)) == "b"


def test_a_table_grows() -> None:
    history = {("public", "a"): past(1, seconds=2, size=100)}
    assert names(choose([table("a", 400)], history, NOW, 8)) == "a"
    assert choose([table("a", 401)], history, NOW, 8) == []
    assert rotation.estimate(table("a", 50), history["public", "a"]) == 2  # one that shrank may still have its pages
    assert rotation.estimate(table("a", 50), past(1, seconds=2, size=0)) == 2
    assert rotation.estimate(table("a", 50), past(1, seconds=0, size=50)) == rotation.EACH


def test_the_oldest_is_tried_once_even_if_it_seems_too_large() -> None:
    large = table("a", 10**12)
    assert names(choose([large, table("b")], {("public", "b"): past(1)}, NOW, 10)) == "a"
    known = {("public", "a"): past(None, seconds=11, size=10**12), ("public", "b"): past(1)}
    assert names(choose([large, table("b")], known, NOW, 10)) == "b"
    assert names(choose([large, table("b")], known, NOW, 12)) == "a b"
    assert names(choose([large, table("b")], {}, NOW, 10)) == "b"  # small ones first; the large one is the next oldest


def test_a_time_to_come_proves_nothing() -> None:
    history = {("public", "a"): past(-1), ("public", "b"): past(1)}
    assert names(choose([table("a", 1), table("b", 1)], history, NOW, 1)) == "a"


def test_overdue() -> None:
    tables = [table(name) for name in "abcdef"]
    history = {
        ("public", "a"): past(6.9),
        ("public", "b"): past(7.1),
        ("public", "c"): past(None, seen=6.9),
        ("public", "d"): past(None, seen=7.1),
        ("public", "e"): past(-1, seen=8),
        ("public", "gone"): past(99),
    }
    assert overdue(tables, history, NOW) == [("public", "b"), ("public", "d"), ("public", "e")]


@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=30),
    lost=st.sets(st.integers(0, 3), max_size=2),
)
def test_every_table_has_its_turn_within_a_week_where_the_budget_allows_it(sizes: list[int], lost: set[int]) -> None:
    """Seconds are sizes; a seventh of all, and the largest once more for what does not fit at a day's end."""
    tables = [table(f"t{number}", size) for number, size in enumerate(sizes)]
    budget = sum(max(size, 0.1) for size in sizes) / 7 + max(*sizes, 0.1) + 1
    history: dict[Name, Past] = {}
    for day in range(7 + 7):
        now = NOW + day * DAY
        if day in lost:
            history = {}
        chosen = choose(tables, history, now, budget)
        left = budget
        for each in tables:
            history.setdefault(each.name, Past(seen=now))
        for each in chosen:
            seconds = max(each.size, 0.1)
            if seconds <= left:
                history[each.name] = replace(history[each.name], compared=now, seconds=seconds, size=each.size)
                left -= seconds
            else:
                history[each.name] = replace(history[each.name], seconds=left, size=each.size)
                break
    assert overdue(tables, history, NOW + 13 * DAY) == []
    assert all(kept.compared is not None for kept in history.values())


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = str(tmp_path / "coverage.json")
    assert coverage.load(path, "server/a") == {}
    history = {("public", "a"): past(1, seconds=1.5, size=9), ("x", 'q"\n'): past(None, seconds=None, size=0)}
    coverage.save(path, "server/a", history)
    coverage.save(path, "server/b", {})
    assert coverage.load(path, "server/a") == history
    assert coverage.load(path, "server/b") == coverage.load(path, "server/c") == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"schema_version": 2, "databases": {"s": []}},
        {"schema_version": 1, "databases": []},
        {"schema_version": 1, "databases": {"s": 1}},
        {"schema_version": 1, "databases": {"s": [1]}},
        {"schema_version": 1, "databases": {"s": [{"schema": "a"}]}},
        {
            "schema_version": 1,
            "databases": {
                "s": [{"schema": "a", "name": "b", "seen": "now", "compared": None, "seconds": 1, "size": 1}]
            },
        },
    ],
)
def test_a_record_that_makes_no_sense_is_none(tmp_path: Path, body: dict[str, Any]) -> None:
    path = str(tmp_path / "coverage.json")
    write_record(path, body)
    assert coverage.load(path, "s") == {}


def test_a_damaged_record_is_none_and_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    coverage.save(str(path), "s", {("a", "b"): past(1)})
    path.write_bytes(path.read_bytes().replace(b'"b"', b'"c"'))
    assert coverage.load(str(path), "s") == {}
    coverage.save(str(path), "s", {("a", "b"): past(2)})
    assert coverage.load(str(path), "s") == {("a", "b"): past(2)}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError):
        coverage.save(str(tmp_path / "none" / "coverage.json"), "s", {})
