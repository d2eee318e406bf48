# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a layer is full."""

from __future__ import annotations

from datetime import timedelta
from typing import List

import pytest

from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._retention.forecast import forecast
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import NOW


def sets(count: int, *, hours: int = 24, size: int = 100) -> List[BackupSet]:
    """Sets at a steady rate, newest first."""
    made = []
    for number in range(count):
        time = NOW - timedelta(hours=hours) * number
        made.append(BackupSet(ArtifactName(time, "x-" + time.strftime("%Y%m%d")), "complete", True, "", size))
    return made


@pytest.mark.parametrize(
    ("layer", "free"), [(sets(10), None), ([], 10**9), (sets(1), 10**9), (sets(2, hours=0), 10**9)]
)
def test_unknown_is_said(layer: List[BackupSet], free: int) -> None:
    """No number is made up."""
    told = forecast(layer, Policy(), free)
    assert told.days is None
    assert told.reason.startswith("unknown")


def test_a_layer_that_retention_keeps_small_never_fills() -> None:
    """15 sets at most (one is made before an old one goes): 10 are there, 5 fit."""
    assert forecast(sets(10), Policy(), 500).reason.startswith("never at this rate")


def test_a_layer_that_is_too_small() -> None:
    """4 sets fit, one a day; and with six a day they last for 16 hours."""
    assert forecast(sets(10), Policy(), 499).days == 4.0
    assert forecast(sets(10, hours=4), Policy(), 499).days == 0.7


def test_the_age_floor_needs_more_room_above_two_runs_a_day() -> None:
    """Six a day for seven days are 42, and 30 more that thinning keeps."""
    assert "43 sets" in forecast(sets(42, hours=4), Policy(), 10**9).reason
    assert "73 sets" in forecast(sets(42, hours=4), Policy(keep_daily=30), 10**9).reason


def test_empty_zips_divide_nothing_by_zero() -> None:
    """Not that they would count."""
    assert forecast(sets(10, size=0), Policy(), 0).days == 0.0
