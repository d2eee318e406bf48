# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of numbers, as the paths of an SVG, which say the same in words. Decides only.

What is worse is taller, so that nothing depends on colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Optional

from ansible_collections.wst.backup.plugins.plugin_utils._report_series import BAD, DOUBTFUL, GOOD, NOTHING

_FLOOR = 16
_BARS = {GOOD: (4, "g"), DOUBTFUL: (9, "u"), BAD: (16, "b")}  # height and class
_DAYS = {
    BAD: "with a failed run",
    DOUBTFUL: "with a suspect run",
    GOOD: "with good runs only",
    NOTHING: "without a run",
}


@dataclass(frozen=True)
class Picture:
    """Paths with their classes (good, unsure, bad, line of the floor, curve), in units of their own.

    :param words: what it shows; empty where that stands beside it.
    """

    width: int
    height: int
    words: str
    paths: tuple[tuple[str, str], ...]


def strip(kinds: bytes, *, drills: Iterable[tuple[int, bool]] = ()) -> Picture:
    """A bar for each day; below, a triangle for each drill that succeeded and a cross for each that failed.

    :param kinds: of days, as ``_report_series`` has them.
    :param drills: the number of the day, and whether it succeeded.
    """
    marks = sorted(set(drills))
    paths = [_floor(len(kinds), _FLOOR)]
    paths += [(name, _boxes(kinds, kind, tall)) for kind, (tall, name) in _BARS.items()]
    wide = max(0.1, len(kinds) / 300)  # as wide on the screen whatever the number of days
    paths.append(("g", "".join(_triangle(day + 0.5, wide) for day, good in marks if good)))
    paths.append(("b", "".join(_cross(day + 0.5, wide) for day, good in marks if not good)))
    return _picture(len(kinds), _FLOOR + (10 if marks else 1), _words(kinds, marks), paths)


def _boxes(kinds: bytes, kind: int, tall: int) -> str:
    """A path of one box for each stretch of days of that kind."""
    path, day = [], 0
    for found, group in groupby(kinds):
        length = sum(1 for _each in group)
        if found == kind:
            path.append(f"M{day} {_FLOOR - tall}h{length}v{tall}h-{length}z")
        day += length
    return "".join(path)


def _triangle(x: float, wide: float) -> str:
    return f"M{x - 2 * wide:.1f} {_FLOOR + 8}h{4 * wide:.1f}l-{2 * wide:.1f}-5z"


def _cross(x: float, wide: float) -> str:
    """Two crossing bars."""
    left, right, thick = x - 2 * wide, x + 2 * wide, wide
    top, bottom = _FLOOR + 3, _FLOOR + 9
    down = f"M{left:.1f} {top}h{thick:.1f}L{right:.1f} {bottom}h-{thick:.1f}z"
    return f"{down}M{right:.1f} {top}h-{thick:.1f}L{left:.1f} {bottom}h{thick:.1f}z"


def _words(kinds: bytes, marks: Sequence[tuple[int, bool]]) -> str:
    counts = ", ".join(f"{kinds.count(kind)} {what}" for kind, what in _DAYS.items() if kinds.count(kind))
    good = sum(succeeded for _day, succeeded in marks)
    drills = f"; drills: {good} succeeded, {len(marks) - good} failed" if marks else ""
    return f"The last {len(kinds)} days: {counts or 'none'}{drills}"


def line(values: Sequence[Optional[float]], *, words: str) -> Picture:
    """A curve from zero up; it has a gap where a value is missing, and one value alone is a dash."""
    top = max((value for value in values if value is not None), default=0) or 1
    path = []
    for number, value in enumerate(values):
        if value is None:
            continue
        height = f"{30 - 28 * value / top:.1f}"
        goes_on = number > 0 and values[number - 1] is not None
        dash = "h-.3" if 0 < number == len(values) - 1 else "h.3"  # never over the edge
        path.append(f"L{number} {height}" if goes_on else f"M{number} {height}{dash}")
    width = max(1, len(values) - 1)
    return _picture(width, 32, words, [_floor(width, 31), ("c", "".join(path))])


def bars(values: Sequence[int], *, words: str) -> Picture:
    """A bar for each number."""
    top = max(values, default=0) or 1
    path = (f"M{number} {30 - 29 * value / top:.1f}h1V30h-1z" for number, value in enumerate(values) if value)
    width = max(1, len(values))
    return _picture(width, 31, words, [_floor(width, 30), ("b", "".join(path))])


def proportion(parts: Sequence[tuple[str, int]]) -> Picture:
    """One line divided by numbers, which stand beside it.

    :param parts: class and number; the first is the worst.
    """
    whole, left = sum(count for _name, count in parts) or 1, 0.0
    paths = []
    for place, (name, count) in enumerate(parts):
        width = 200 * count / whole
        top = 3 * place
        if count:
            paths.append((name, f"M{left:.2f} {top}h{max(0.5, width - 0.4):.2f}V10H{left:.2f}z"))
        left += width
    return _picture(200, 10, "", paths)


def _floor(width: int, at: int) -> tuple[str, str]:
    return "l", f"M0 {at}h{width}v.6h-{width}z"


def _picture(width: int, height: int, words: str, paths: Sequence[tuple[str, str]]) -> Picture:
    return Picture(width, height, words, tuple((name, path) for name, path in paths if path))
