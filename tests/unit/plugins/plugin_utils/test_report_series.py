# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs as days and curves, and their pictures."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils._report_pictures import bars, line, proportion, strip
from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import Run
from ansible_collections.wst.backup.plugins.plugin_utils._report_series import (
    BAD,
    DOUBTFUL,
    GOOD,
    NOTHING,
    Days,
    curve,
    days_of,
    without_backup,
)
from ansible_collections.wst.backup.plugins.plugin_utils._report_words import away, listing, short, stamp

MADE = datetime(2026, 11, 30, 14, 0, tzinfo=timezone.utc)


def run(at: datetime, result: str = "success") -> Run:
    return Run(at=at, run_id="r", artifact=None, result=result, code="", bytes=None, seconds=None)


def test_a_day_is_as_its_worst_run() -> None:
    midnight = MADE.replace(hour=0)
    runs = [
        *(
            run(MADE),
            run(midnight, "suspect"),
            run(midnight - timedelta(seconds=1), "failure"),
            run(midnight - timedelta(hours=3)),
        ),
        *(
            run(MADE - timedelta(days=3), "suspect"),
            run(MADE - timedelta(days=4)),
            run(MADE + timedelta(days=1), "failure"),
        ),
    ]
    days = days_of(runs, made=MADE, period=4)
    assert list(days.kinds) == [DOUBTFUL, NOTHING, BAD, DOUBTFUL]
    assert list(days.saved) == [0, 0, 1, 1]
    assert days.first == 0
    assert days_of([], made=MADE, period=2) == Days(b"\x00\x00", b"\x00\x00")
    assert days_of([], made=MADE, period=2).first is None


RESULTS = st.sampled_from(["success", "suspect", "failure"])


@given(st.lists(st.tuples(st.integers(0, 10 * 86400), RESULTS), max_size=30), st.integers(0, 9))
def test_every_run_of_the_period_is_seen_in_its_day(told: list[tuple[int, str]], period: int) -> None:
    runs = [run(MADE - timedelta(seconds=age), result) for age, result in told]
    days = days_of(runs, made=MADE, period=period)
    for number in range(period):
        date = (MADE - timedelta(days=period - 1 - number)).date()
        results = {each.result for each in runs if each.at.date() == date}
        worst = next(
            (kind for kind, name in ((BAD, "failure"), (DOUBTFUL, "suspect"), (GOOD, "success")) if name in results), 0
        )
        assert days.kinds[number] == worst
        assert days.saved[number] == ("success" in results)


def test_days_without_a_backup_begin_with_a_hosts_first_run_and_end_yesterday() -> None:
    old = Days(bytes([GOOD, BAD, GOOD, NOTHING]), bytes([1, 0, 1, 0]))
    new = Days(bytes([NOTHING, NOTHING, DOUBTFUL, GOOD]), bytes([0, 0, 0, 1]))
    never = Days(bytes(4), bytes(4))
    assert without_backup([old, new, never], period=4) == [0, 1, 1]
    assert without_backup([], period=0) == []


def test_a_curve_has_the_largest_of_each_stretch() -> None:
    points: list[tuple[datetime, Optional[float]]] = [
        (MADE, 5),
        (MADE - timedelta(hours=1), 7),
        (MADE - timedelta(days=1), 3),
        (MADE - timedelta(days=2), None),
        (MADE - timedelta(days=4), 9),
        (MADE + timedelta(seconds=1), 9),
    ]
    assert curve(points, made=MADE, period=4, count=4) == [None, None, 3, 7]
    assert curve(points, made=MADE, period=4, count=1) == [7]


def numbers(path: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", path)]


@given(st.binary(min_size=1, max_size=400).map(lambda raw: bytes(each % 4 for each in raw)))
def test_a_strip_draws_every_day_once(kinds: bytes) -> None:
    picture = strip(kinds)
    drawn = bytearray(len(kinds))
    for name, path in picture.paths[1:]:
        kind = {"g": GOOD, "u": DOUBTFUL, "b": BAD}[name]
        for start, length in re.findall(r"M(\d+) \d+h(\d+)", path):
            for day in range(int(start), int(start) + int(length)):
                assert drawn[day] == NOTHING
                drawn[day] = kind
    assert bytes(drawn) == kinds
    told = [int(each) for each in re.findall(r"(\d+) with", picture.words)]
    assert sum(told) == len(kinds)


def test_what_is_worse_is_taller() -> None:
    tall = {}
    for kind in (GOOD, DOUBTFUL, BAD):
        (_floor, (name, path)) = strip(bytes([kind])).paths
        tall[name] = int(re.findall(r"v(\d+)", path)[0])
    assert tall["g"] < tall["u"] < tall["b"]


def test_drills_have_shapes_of_their_own() -> None:
    picture = strip(bytes(365), drills=[(0, True), (364, False), (364, False)])
    (_floor, good, bad) = picture.paths
    assert (good[0], good[1].count("M")) == ("g", 1)
    assert (bad[0], bad[1].count("M")) == ("b", 2)  # two bars of one cross
    assert picture.words == "The last 365 days: 365 without a run; drills: 1 succeeded, 1 failed"
    assert strip(b"").words == "The last 0 days: none"


@given(st.lists(st.none() | st.floats(0, 1e15), max_size=60))
def test_a_line_stays_within_its_picture_and_shows_every_value(values: list[Optional[float]]) -> None:
    picture = line(values, words="w")
    path = dict(picture.paths).get("c", "")
    points = re.findall(r"[ML](\d+) (\d+\.\d)", path)
    assert [int(x) for x, _y in points] == [number for number, value in enumerate(values) if value is not None]
    assert all(0 <= float(y) <= 32 for _x, y in points)
    gaps = sum(value is not None and (number == 0 or values[number - 1] is None) for number, value in enumerate(values))
    assert path.count("M") == gaps


def test_bars_and_proportions() -> None:
    assert bars([], words="w").width == 1
    assert dict(bars([0, 2, 1], words="w").paths)["b"] == "M1 1.0h1V30h-1zM2 15.5h1V30h-1z"
    shares = proportion([("b", 1), ("u", 0), ("g", 3)])
    assert [name for name, _path in shares.paths] == ["b", "g"]
    assert [numbers(path)[1] for _name, path in shares.paths] == [0, 6]  # the worst begins highest
    assert proportion([("b", 0)]).paths == ()


@pytest.mark.parametrize(
    ("delta", "said"), [({"hours": -3}, "3h 00m ago"), ({"days": 2, "hours": 1}, "in 2d 1h"), ({}, "0m ago")]
)
def test_how_far_away(delta: dict[str, Any], said: str) -> None:
    assert away(MADE + timedelta(**delta), made=MADE) == said


def test_words() -> None:
    assert (away(None, made=MADE), stamp(None), stamp(MADE)) == ("never", "", "2026-11-30 14:00")
    assert short("x" * 160) == "x" * 160
    assert short("x" * 10_000) == "x" * 135 + "… (10,000 characters)"
    assert len(short("x" * 10_000, 60)) <= 60
    cut = listing("t", ("a",), [("1",), ("2",), ("3",)], limit=2)
    assert (list(cut.rows), cut.more) == ([("1",), ("2",)], 1)
