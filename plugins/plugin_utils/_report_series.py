# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A year of runs as a few hundred numbers: what each day was like, and how sizes and durations went. Decides only.

Days are UTC's. The last one is the day on which the report was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import (
    FAILURE,
    INTERRUPTED,
    SUCCESS,
    SUSPECT,
    Run,
)

NOTHING, GOOD, DOUBTFUL, BAD = 0, 1, 2, 3  # what a day was like: the worst of its runs; the larger the worse
_OF_RESULT = {SUCCESS: GOOD, SUSPECT: DOUBTFUL, FAILURE: BAD, INTERRUPTED: BAD}


@dataclass(frozen=True)
class Days:
    """A host's days, the oldest first. ``saved`` says on which of them a run succeeded."""

    kinds: bytes
    saved: bytes

    @property
    def first(self) -> Optional[int]:
        """The number of the first day that has a run."""
        return next((number for number, kind in enumerate(self.kinds) if kind != NOTHING), None)


def days_of(runs: Sequence[Run], *, made: datetime, period: int) -> Days:
    """What each of the last ``period`` days was like; runs of other days are passed over."""
    kinds, saved = bytearray(period), bytearray(period)
    last = made.toordinal()
    for run in runs:
        day = period - 1 - (last - run.at.toordinal())
        if 0 <= day < period:
            kinds[day] = max(kinds[day], _OF_RESULT[run.result])
            saved[day] |= run.result == SUCCESS
    return Days(bytes(kinds), bytes(saved))


def curve(
    points: Iterable[tuple[datetime, Optional[float]]], *, made: datetime, period: int, count: int
) -> list[Optional[float]]:
    """The largest value of each of ``count`` equal stretches of the period; None where there is none.

    :param period: in days.
    """
    found: list[Optional[float]] = [None] * count
    seconds = period * 86400
    for at, value in points:
        age = (made - at).total_seconds()
        if value is None or not 0 <= age < seconds:
            continue
        number = count - 1 - int(age * count / seconds)
        found[number] = max(value, found[number] or 0)
    return found


def without_backup(hosts: Sequence[Days], *, period: int) -> list[int]:
    """For each day but the last, which is not over, on how many hosts no run succeeded; from their first run on."""
    missing = [0] * max(0, period - 1)
    for days in hosts:
        first = days.first
        for number in range(period if first is None else first, period - 1):
            missing[number] += not days.saved[number]
    return missing
