# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that several rules use."""

from __future__ import annotations

from datetime import timedelta
from typing import Iterable, Sequence

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import LayerOf


def some(names: Sequence[str]) -> str:
    """The first three, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def counted(number: int, one: str, many: str) -> str:
    """``1 set counts``, ``2 sets count``."""
    return f"{number} {one if number == 1 else many}"


def hours(span: timedelta) -> str:
    """A span in hours."""
    return f"{span.total_seconds() / 3600:.1f} h"


def days(span: timedelta) -> str:
    """A span in days."""
    return f"{span.total_seconds() / 86400:.1f} days"


def unreadable(layers: Iterable[LayerOf]) -> str:
    """Which of the layers cannot be read, and why; empty when all can."""
    return "; ".join(f"the {layer.name} layer cannot be read ({layer.problem})" for layer in layers if layer.problem)
