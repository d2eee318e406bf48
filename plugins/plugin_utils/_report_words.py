# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times and texts of a fleet's report, as a person reads them. Decides nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional, Union

from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text

LIMIT = 160  # characters of a text that somebody else chose, where it stands among others


@dataclass(frozen=True)
class Listing:
    """A table: its title, the names of its columns, its first rows, and how many were left out."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    more: int = 0


@dataclass(frozen=True)
class Link:
    """A cell that leads to another of our pages; ``href`` is relative and made of harmless characters."""

    href: str
    text: str


_DRILL = re.compile(
    r"\.\./hosts/[A-Za-z0-9_][A-Za-z0-9_.-]*/drills/(drill-[0-9]{8}-[0-9]{6}-[0-9a-f]+\.html)", re.ASCII
)


def drill_page(path: str) -> Union[Link, str]:
    """A link where the path is that of a drill's page on the control node, and else the text that it is."""
    match = _DRILL.fullmatch(path)
    return Link(path, match.group(1)) if match else path or "none"


def in_days(days: Optional[float]) -> str:
    """``in 12 days``, whole ones. Without a known rate, and where the disk never fills, nobody foresees a day."""
    if days is None:
        return "not foreseen"
    if days < 1:
        return "within a day"
    return "in 1 day" if round(days) == 1 else f"in {days:,.0f} days"


def listing(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]], *, limit: int) -> Listing:
    """A table of at most so many rows."""
    return Listing(title, head, rows[:limit], max(0, len(rows) - limit))


def short(value: object, limit: int = LIMIT) -> str:
    """The text, cut to so many characters, which it then says."""
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 25]}… ({len(text):,} characters)"


def stamp(time: Optional[datetime]) -> str:
    """``2026-11-30 14:00``; empty without a time."""
    return time.strftime("%Y-%m-%d %H:%M") if time else ""


def away(time: Optional[datetime], *, made: datetime) -> str:
    """How far from the report's time: ``3h 20m ago``, ``in 2d 1h``, ``never`` without a time."""
    if time is None:
        return "never"
    seconds = (made - time).total_seconds()
    return f"{age_text(seconds)} ago" if seconds >= 0 else f"in {age_text(-seconds)}"
