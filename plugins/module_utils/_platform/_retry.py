# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting out those who hold a file for a moment."""

from __future__ import annotations

import time
from typing import Callable, FrozenSet, TypeVar

T = TypeVar("T")

# Access denied, sharing violation, lock violation: what antivirus and indexers cause on fresh files. A real denial
# looks the same and is raised at the end.
BUSY = frozenset((5, 32, 33))
PATIENCE = 120.0  # seconds; antivirus may hold a fresh ZIP of many GB for minutes
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


def while_busy(
    action: Callable[[], T],
    *,
    patience: float = PATIENCE,
    also: FrozenSet[int] = frozenset(),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Do it again, with growing pauses, while Windows says that somebody else has the file.

    Raises the last OSError when ``patience`` (seconds) has run out, and any other one at once.

    :param also: more Windows error codes to wait out.
    """
    end = clock() + patience
    pause = _FIRST_PAUSE
    while True:
        try:
            return action()
        except OSError as error:
            left = end - clock()
            if getattr(error, "winerror", None) not in BUSY | also or left <= 0:
                raise
        sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
