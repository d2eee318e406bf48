# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When jobs start: held against the zones' own rules, moment by moment, and against what systemd makes of the text."""

from __future__ import annotations

import shutil
import subprocess
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ScheduleImpossible, ScheduleInvalid
from ansible_collections.wst.backup.plugins.plugin_utils._schedule import PERIODS, Start, Wanted, is_quiet, plan
from ansible_collections.wst.backup.plugins.plugin_utils._schedule_forms import calendar, crontab, rrule, words
from ansible_collections.wst.backup.plugins.plugin_utils._zones import offsets

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
# Both hemispheres, half and three quarter hours, a summer time of half an hour, a winter time, none, the date line.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
OFFSETS = {zone: offsets(zone, begin=BEGIN, years=6) for zone in ZONES}


def wanted(job: str = "backup", every: str = "daily", *zones: str, **fields: Any) -> Wanted:
    return Wanted("f", job, every, tuple((zone, OFFSETS[zone]) for zone in zones), **fields)


def moments(start: Start, days: int, step: int = 1) -> Iterator[datetime]:
    """Every start of every day, or of every ``step``-th one, whatever the weekday."""
    for day in range(0, days, step):
        for minute in start.minutes_of_day:
            yield BEGIN + timedelta(days=day, minutes=minute)


def in_quiet_hours(moment: datetime, zone: str) -> bool:
    return 1 <= moment.astimezone(zoneinfo.ZoneInfo(zone)).hour < 3


@given(
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    st.sampled_from(["daily", "every_4_hours", "weekly"]),
    st.sampled_from([0, 59, 300, 1800]),
)
def test_no_start_is_ever_in_the_quiet_hours_of_any_host(zones: list[str], every: str, delay: int) -> None:
    each = wanted("backup", every, *zones, weekday="Sun")
    try:
        (start,) = plan([each], delay=delay, spacing=20)
    except ScheduleImpossible:
        # Then there is truly none: each minute of the period is quiet some day.
        for minute in range(each.period):
            late = timedelta(seconds=delay)
            assert any(
                in_quiet_hours(moment + by, zone)
                for moment in moments(Start(each, minute), 366)
                for by in {timedelta(0), late, late / 2}
                for zone in zones
            )
        return
    for moment in moments(start, 6 * 365, step=5):
        for late in {0, delay}:
            for zone in zones:
                assert not in_quiet_hours(moment + timedelta(seconds=late), zone), (moment, zone)


@pytest.mark.parametrize("zone", ZONES)
def test_what_is_quiet_agrees_with_the_clock(zone: str) -> None:
    for day in range(0, 6 * 365, 7):
        for minute in range(0, 24 * 60, 15):
            moment = BEGIN + timedelta(days=day, minutes=minute)
            if in_quiet_hours(moment, zone):
                assert is_quiet(minute, OFFSETS[zone], 0), (moment, zone)


def test_a_night_s_backup_comes_after_the_quiet_hours_at_the_latest_that_they_end() -> None:
    berlin, kolkata = plan(
        [wanted("backup", "daily", "Europe/Berlin"), wanted("backup", "daily", "Asia/Kolkata")], delay=0, spacing=20
    )
    assert words(berlin) == "every day at 02:00 UTC"  # 03:00 in winter, 04:00 in summer
    assert words(kolkata) == "every day at 21:30 UTC"  # 03:00 all year


def test_no_offset_fits_every_four_hours_for_berlin_and_new_york() -> None:
    with pytest.raises(ScheduleImpossible, match=r"every 4 hours.*Europe/Berlin, America/New_York"):
        plan([wanted("backup", "every_4_hours", "Europe/Berlin", "America/New_York")], delay=0, spacing=20)
    assert plan([wanted("backup", "daily", "Europe/Berlin", "America/New_York")], delay=0, spacing=20)


def test_the_random_delay_is_kept_out_of_the_quiet_hours_too() -> None:
    assert not is_quiet(59, frozenset({0}), 0)
    assert is_quiet(59, frozenset({0}), 60)
    assert is_quiet(60, frozenset({0}), 0)
    assert is_quiet(179, frozenset({0}), 0)
    assert not is_quiet(180, frozenset({0}), 3600)
    with pytest.raises(ScheduleImpossible, match="3600 seconds"):
        plan([wanted("backup", "every_4_hours", "Europe/Berlin")], delay=3600, spacing=20)


@given(st.integers(1, 12), st.sampled_from(["daily", "every_4_hours", "weekly"]))
def test_starts_are_kept_apart_where_there_is_room(count: int, every: str) -> None:
    starts = plan([wanted("backup", every, "Asia/Tokyo", weekday="Sun")] * count, delay=0, spacing=10)
    times = [frozenset(start.minutes_of_day) for start in starts]
    for one, other in combinations(times, 2):
        assert min(abs(a - b) for a in one for b in other) >= 10


@given(st.lists(st.sampled_from(["daily", "every_4_hours", "weekly"]), min_size=2, max_size=7))
def test_jobs_that_come_more_often_are_kept_apart_from_others_at_each_of_their_starts(every: list[str]) -> None:
    starts = plan([wanted("backup", each, "Asia/Tokyo", weekday="Sun") for each in every], delay=0, spacing=15)
    for one, other in combinations([start.minutes_of_day for start in starts], 2):
        assert min(abs(a - b) for a in one for b in other) >= 15


@given(st.lists(st.sampled_from(ZONES), min_size=1, max_size=40))
def test_one_more_at_the_end_moves_no_other(zones: list[str]) -> None:
    whole = plan([wanted("backup", "daily", zone) for zone in zones], delay=300, spacing=20)
    assert whole[:-1] == plan([wanted("backup", "daily", zone) for zone in zones[:-1]], delay=300, spacing=20)


def test_a_full_day_is_shared_as_far_as_it_goes() -> None:
    starts = plan([wanted("backup", "every_4_hours", "UTC")] * 120, delay=0, spacing=20)
    assert all(not is_quiet(minute, {0}, 0) for start in starts for minute in start.minutes_of_day)


def test_hours_of_compliance_are_kept_apart_from_each_other_alone() -> None:
    backup, first, second = plan(
        [wanted("backup", "daily", "UTC"), wanted("a", "hourly"), wanted("b", "hourly")], delay=0, spacing=20
    )
    assert (backup.minute, first.minute, second.minute) == (180, 0, 20)


def test_a_time_of_one_s_own_is_taken_or_refused_by_name() -> None:
    (start,) = plan([wanted("backup", "every_4_hours", "UTC", at="19:45")], delay=0, spacing=20)
    assert [minute // 60 for minute in start.minutes_of_day] == [3, 7, 11, 15, 19, 23]
    for at in ("24:00", "7:00", "0700", "nonsense", "07:60"):
        with pytest.raises(ScheduleInvalid, match="form HH:MM"):
            plan([wanted(at=at)], delay=0, spacing=20)
    with pytest.raises(ScheduleInvalid, match=r"00:30 UTC can be .* in Europe/Berlin\."):
        plan([wanted("backup", "daily", "Europe/Berlin", "Asia/Tokyo", at="00:30")], delay=0, spacing=20)


def test_a_zone_that_nobody_knows_is_named() -> None:
    for zone in ("Europe/Atlantis", "../etc/passwd", "/etc/localtime", ""):
        with pytest.raises(ScheduleInvalid, match="knows no time zone"):
            offsets(zone, begin=BEGIN, years=1)


def test_each_form_says_the_same() -> None:
    weekly = Start(wanted("restore_test", "weekly", "UTC", weekday="Sat"), 22 * 60 + 5)
    assert (calendar(weekly), crontab(weekly)) == ("Sat *-*-* 22:05:00 UTC", "5 22 * * 6")
    assert rrule(weekly) == "DTSTART:20260101T220500Z RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=SA"
    sunday = Start(wanted("restore_test", "weekly", "UTC", weekday="Sun"), 5)
    assert crontab(sunday) == "5 0 * * 0"
    assert words(sunday) == "Sun at 00:05 UTC"
    four = Start(wanted("backup", "every_4_hours", "UTC"), 185)
    assert calendar(four) == "*-*-* 03,07,11,15,19,23:05:00 UTC"
    assert crontab(four) == "5 3,7,11,15,19,23 * * *"
    assert rrule(four) == "DTSTART:20260101T030500Z RRULE:FREQ=HOURLY;INTERVAL=4"
    daily = Start(wanted(), 65)
    assert (calendar(daily), crontab(daily)) == ("*-*-* 01:05:00 UTC", "5 1 * * *")
    assert rrule(daily) == "DTSTART:20260101T010500Z RRULE:FREQ=DAILY;INTERVAL=1"
    hourly = Start(wanted("compliance", "hourly"), 7)
    assert (calendar(hourly), crontab(hourly)) == ("*-*-* *:07:00 UTC", "7 * * * *")
    assert rrule(hourly) == "DTSTART:20260101T000700Z RRULE:FREQ=HOURLY;INTERVAL=1"
    assert words(hourly) == "every hour at 7 minutes past"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT EXERCISED: needs Debian's package systemd")
@pytest.mark.parametrize("every", PERIODS)
def test_systemd_reads_the_calendar_as_it_was_meant(every: str) -> None:
    start = Start(wanted("job", every, "UTC", weekday="Tue"), 47)
    argv = ["systemd-analyze", "calendar", "--iterations=8", "--base-time=2026-03-28 22:00:00 UTC", calendar(start)]
    done = subprocess.run(argv, env={"TZ": "Europe/Berlin"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = [line.rpartition("(in UTC): ")[2] for line in done.stdout.splitlines() if "(in UTC)" in line]
    told = [datetime.strptime(line, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=timezone.utc) for line in told]
    base = datetime(2026, 3, 28, 22, tzinfo=timezone.utc)
    own = (
        base.replace(hour=0) + timedelta(days=day, minutes=minute)
        for day in range(60)
        for minute in start.minutes_of_day
    )
    due = [moment for moment in own if moment > base and (every != "weekly" or moment.weekday() == 1)]
    assert told == due[: len(told)]
    assert len(told) == 8
