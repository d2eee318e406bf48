# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the jobs of fleets start. Decides only.

All times are UTC. No start is between 01:00 and 03:00 of the hosts' local time, whatever their zones' rules say at any
time of the years ahead: that is when clocks are put on and back, so that a time of the day is missing or comes twice in
what the host logs, and when a night's other work of a host is done. Starts are kept apart as far as there is room.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ScheduleImpossible, ScheduleInvalid

DAY = 24 * 60
QUIET = (60, 180)  # minutes of the local day: from 01:00 on, until just before 03:00
PERIODS = {"hourly": 60, "every_4_hours": 240, "daily": DAY, "weekly": DAY}  # of the time of day; minutes
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_GRID = 5  # minutes: times that people can remember
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True)
class Wanted:
    """A job that is to have a time.

    ``zones`` has the names of the hosts' zones, each with all its offsets (minutes ahead of UTC); an empty one is for a
    job that may start at any hour. ``at`` is a time that somebody chose (``HH:MM``, UTC), or nothing.
    """

    fleet: str
    job: str
    every: str
    zones: tuple[tuple[str, frozenset[int]], ...] = ()
    at: str = ""
    weekday: str = ""

    @property
    def period(self) -> int:
        """Minutes after which its time of day comes again."""
        return PERIODS[self.every]


@dataclass(frozen=True)
class Start:
    """A job's time: the minute of its period (of the day, of four hours, of the hour) in UTC."""

    wanted: Wanted
    minute: int

    @property
    def minutes_of_day(self) -> tuple[int, ...]:
        """Every start of a day."""
        return tuple(range(self.minute, DAY, self.wanted.period))


def plan(wanted: Sequence[Wanted], *, delay: int, spacing: int) -> list[Start]:
    """The time of each job, in the order given. One at the end of the list moves none before it, unless it has ``at``.

    :param delay: seconds by which a start may come later; it keeps out of the quiet hours, too.
    :param spacing: minutes between two starts, where there is room for that.

    Raises ScheduleInvalid for a time that somebody chose and that cannot be, ScheduleImpossible where no time fits.
    """
    chosen = {number: Start(each, _given(each, delay)) for number, each in enumerate(wanted) if each.at}
    for number, each in enumerate(wanted):
        if number not in chosen:
            chosen[number] = Start(each, _free(each, chosen.values(), delay=delay, spacing=spacing))
    return [chosen[number] for number in range(len(wanted))]


def is_quiet(minute: int, offsets: Iterable[int], delay: int) -> bool:
    """Whether a start at that minute (UTC), or up to ``delay`` seconds later, can be in the quiet hours."""
    begin, end = QUIET[0] - math.ceil(delay / 60), QUIET[1]
    return any((minute + offset - begin) % DAY < end - begin for offset in offsets)


def _fits(each: Wanted, minute: int, delay: int) -> bool:
    offsets = {offset for _zone, found in each.zones for offset in found}
    return not any(is_quiet(time, offsets, delay) for time in range(minute, DAY, each.period))


def _given(each: Wanted, delay: int) -> int:
    match = _TIME.fullmatch(each.at)
    if match is None:
        raise ScheduleInvalid(f"{_told(each)}: {each.at!r} is no time of the day in the form HH:MM.", at=each.at)
    minute = (int(match[1]) * 60 + int(match[2])) % each.period
    if not _fits(each, minute, delay):
        raise ScheduleInvalid(
            f"{_told(each)}: a start at {each.at} UTC can be between 01:00 and 03:00 local time in "
            f"{', '.join(_trouble(each, minute, delay))}. Choose another time, or leave it to the role.",
            at=each.at,
        )
    return minute


def _trouble(each: Wanted, minute: int, delay: int) -> list[str]:
    times = range(minute, DAY, each.period)
    return [zone for zone, offsets in each.zones if any(is_quiet(time, offsets, delay) for time in times)]


def _free(each: Wanted, taken: Iterable[Start], *, delay: int, spacing: int) -> int:
    fitting = [minute for minute in range(each.period) if _fits(each, minute, delay)]
    if not fitting:
        zones = [zone for zone, _offsets in each.zones]
        raise ScheduleImpossible(
            f"{_told(each)} can start at no time that is always outside of 01:00 to 03:00 local time in "
            f"{', '.join(zones)}, with a random delay of up to {delay} seconds.",
            fleet=each.fleet,
            job=each.job,
            zones=zones,
        )
    round_ones = [minute for minute in fitting if minute % _GRID == 0]
    others = [start for start in taken if (start.wanted.period == 60) == (each.period == 60)]
    begin = _after_the_night(each)

    def merit(minute: int) -> tuple[int, int]:
        near = min((_apart(each.period, minute, other) for other in others), default=spacing)
        return min(near, spacing), -((minute - begin) % each.period)

    return max(round_ones or fitting, key=merit)


def _after_the_night(each: Wanted) -> int:
    """The end of the quiet hours in the first zone, at the latest that it can be: a night's backup, and not a day's."""
    return (QUIET[1] - min(each.zones[0][1])) % each.period if each.zones else 0


def _apart(period: int, minute: int, other: Start) -> int:
    """The least number of minutes that is ever between the starts of two jobs."""
    common = math.gcd(period, other.wanted.period)
    between = (minute - other.minute) % common
    return min(between, common - between)


def _told(each: Wanted) -> str:
    return f"job {each.job} of {each.fleet} ({each.every.replace('_', ' ')})"
