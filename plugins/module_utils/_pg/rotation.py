# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tables a run compares with the source, so that each has its turn; pure functions of facts and a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import List, Mapping, Optional, Sequence, Tuple

Name = Tuple[str, str]  # schema and name

DUE_AFTER = timedelta(days=7)
RATE = 10 << 20  # bytes on the server a second, for a table that was never measured
EACH = 0.005  # seconds that any table takes


@dataclass(frozen=True)
class Candidate:
    """A table that can be compared, and its bytes on the server."""

    name: Name
    size: int


@dataclass(frozen=True)
class Past:
    """What is remembered of a table.

    ``seen`` is when it was first met, ``compared`` when it was last found equal to its source. ``seconds`` is what the
    last reading took at ``size`` bytes, or how long it had been going when its time was over; None before the first.
    """

    seen: datetime
    compared: Optional[datetime] = None
    seconds: Optional[float] = None
    size: int = 0


def estimate(table: Candidate, past: Optional[Past]) -> float:
    """Seconds that the comparison will take: as fast as last time."""
    if past is None or past.seconds is None:
        return EACH + table.size / RATE
    growth = table.size / past.size if past.size else 1.0
    return max(EACH, past.seconds * max(1.0, growth))


def choose(tables: Sequence[Candidate], history: Mapping[Name, Past], now: datetime, budget: float) -> List[Candidate]:
    """The tables whose turn it is: those compared longest ago first, as many as fit into ``budget`` seconds.

    Among equals the small ones go first, which leaves a large one as the oldest of the next run. A table that comes
    first and was never measured is tried even if it does not seem to fit: it may be faster than guessed, and if not,
    that is known from then on.
    """

    def turn(table: Candidate) -> Tuple[datetime, int, Name]:
        return (_compared(history.get(table.name), now), table.size, table.name)

    left = budget if budget > 0 else 0.0
    chosen: List[Candidate] = []
    for table in sorted(tables, key=turn) if left else []:
        past = history.get(table.name)
        seconds = estimate(table, past)
        if seconds <= left or (not chosen and (past is None or past.seconds is None)):
            chosen.append(table)
            left -= seconds
    return chosen


def overdue(tables: Sequence[Candidate], history: Mapping[Name, Past], now: datetime) -> List[Name]:
    """Tables that were not compared for a week, counted from when they were first seen where they never were."""
    late = []
    for table in tables:
        past = history.get(table.name)
        if past is not None and now - max(past.seen, _compared(past, now)) > DUE_AFTER:
            late.append(table.name)
    return sorted(late)


def _compared(past: Optional[Past], now: datetime) -> datetime:
    """When it was last compared; a time that has not come yet proves nothing."""
    never = datetime.min.replace(tzinfo=now.tzinfo)
    if past is None or past.compared is None or past.compared > now:
        return never
    return past.compared
