# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a layer will be full, at the rate at which its sets come: a pure estimate for people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet

SECONDS_A_DAY = 86400


@dataclass(frozen=True)
class Forecast:
    """``days`` is None when nobody knows, and when retention keeps the layer from filling; ``reason`` says which."""

    days: Optional[float]
    reason: str


def forecast(sets: Sequence[BackupSet], policy: Policy, free: Optional[int]) -> Forecast:
    """How many days the free space lasts.

    :param sets: the layer's counting sets, newest first; the ``keep_max`` newest tell rate and size.
    :param free: bytes.
    """
    if free is None:
        return Forecast(None, "unknown: the free space is")
    recent = sets[: policy.keep_max]
    span = (recent[0].artifact.time - recent[-1].artifact.time).total_seconds() if recent else 0
    if not span:
        return Forecast(None, "unknown: it takes two sets to tell a rate")
    per_day = (len(recent) - 1) * SECONDS_A_DAY / span
    size = max(1, sum(item.size or 0 for item in recent) // len(recent))
    # What retention lets a layer grow to; one more, because a set is made before an old one goes.
    most = max(policy.keep_max, math.ceil(policy.min_age_days * per_day)) + policy.keep_daily + 1
    room = free // size
    if len(sets) + room >= most:
        return Forecast(None, f"never at this rate: retention keeps {most} sets of about {size} bytes at most")
    return Forecast(round(room / per_day, 1), f"{per_day:.1f} sets a day of about {size} bytes")
