# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text tables for people: columns as wide as their content, numbers with units. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table; columns are separated by two spaces and columns without content are left out."""
    used = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [[head[i] for i in used], *([row[i] or "-" for i in used] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(used))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def size_text(size: object) -> str:
    """``1536`` as ``1.5 KiB``; empty where there is no number."""
    if isinstance(size, bool) or not isinstance(size, (int, float)):
        return ""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def duration_text(seconds: object) -> str:
    """``3725`` as ``1h02m05s``; empty where there is no number."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return ""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m{rest:02d}s"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def age_text(seconds: object) -> str:
    """``90000`` as ``1d 1h``; empty where there is no number."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return ""
    hours, rest = divmod(max(0, int(seconds)), 3600)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {rest // 60:02d}m" if hours else f"{rest // 60}m"


def count_text(number: object) -> str:
    """``12345`` as ``12,345``; empty where there is no number."""
    if isinstance(number, bool) or not isinstance(number, int):
        return ""
    return f"{number:,}"
