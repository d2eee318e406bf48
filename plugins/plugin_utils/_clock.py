# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time on the control node: aware UTC inside, ISO 8601 with a Z in every file and result, as on the host."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Optional

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def utc_now() -> datetime:
    """The wall clock, in UTC, to the second."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def format_time(moment: datetime) -> str:
    """``2026-11-23T15:00:00Z``; raises ValueError for a naive time."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(timezone.utc).strftime(FORMAT)


def parse_time(text: str) -> datetime:
    """The inverse of ``format_time``; raises ValueError."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=timezone.utc)


def age_of(text: Optional[str], now: datetime) -> Optional[float]:
    """Seconds from the time of that text to now; None where there is no time. Raises ValueError."""
    return (now - parse_time(text)).total_seconds() if text else None
