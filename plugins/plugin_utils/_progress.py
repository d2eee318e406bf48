# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a job's progress reads on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

_UNITS = ("B", "KB", "MB", "GB", "TB")


def size(value: float) -> str:
    """Bytes for people: ``123.4 MB`` (decimal units, as disks are sold)."""
    for unit in _UNITS[:-1]:
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} {_UNITS[-1]}"


def _amount(value: float, unit: str) -> str:
    return size(value) if unit == "bytes" else f"{value:.0f}"


def line(host: str, step: str, progress: Mapping[str, Any]) -> Optional[str]:
    """One line such as ``  [web1] pg_dump: 123.4 MB of 300.0 MB, 45.0 MB/s, orders``; None for what is no progress."""
    done, total, rate = (_number(progress.get(name)) for name in ("done", "total", "rate"))
    if done is None:
        return None
    unit = str(progress.get("unit") or "bytes")
    words = _amount(done, unit)
    if total:
        words += f" of {_amount(total, unit)}"
    if unit != "bytes":
        words += f" {unit}"
    if rate:
        words += f", {_amount(rate, unit)}/s"
    item = str(progress.get("item") or "")
    if item:
        words += f", {item if len(item) <= 60 else '...' + item[-57:]}"
    return f"  [{host}] {progress.get('step') or step}: {words}"


def _number(value: Any) -> Optional[float]:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None
