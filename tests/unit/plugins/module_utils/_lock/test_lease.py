# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose the host is: every case of the decision, and what must hold in all of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._lock.lease import (
    CLOCK_TOLERANCE,
    DEAD,
    FREE,
    HELD,
    OURS,
    Lease,
    judge_lease,
    lease_of,
)

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)
OURSELVES, ANOTHER = "20261123-150000-00000000", "20261123-140000-11111111"
STALE = 900


def lease(*, age: int = 10, run_id: str = ANOTHER, boot_id: str = "boot") -> Lease:
    beat = NOW - timedelta(seconds=age)
    return Lease(
        run_id=run_id,
        boot_id=boot_id,
        pid=4711,
        controller="cron@control",
        purpose="backup",
        started=beat - timedelta(hours=1),
        heartbeat=beat,
    )


@pytest.mark.parametrize(
    ("found", "lock_free", "damaged", "state", "reason"),
    [
        (None, True, False, FREE, "no lease"),
        (None, False, False, HELD, "living process"),
        (None, True, True, DEAD, "damaged"),
        (None, False, True, HELD, "living process"),
        (lease(run_id=OURSELVES), True, False, OURS, ""),
        (lease(run_id=OURSELVES), False, False, OURS, ""),
        (lease(run_id=OURSELVES, age=10**6, boot_id="other"), True, False, OURS, ""),
        (lease(age=STALE), True, False, HELD, "less than the 900 s"),
        (lease(age=STALE + 1), True, False, DEAD, "901 s old"),
        (lease(age=10**6), False, False, HELD, "living process"),
        (lease(age=0, boot_id="other"), True, False, DEAD, "started again"),
        (lease(age=0, boot_id="other"), False, False, HELD, "living process"),
        (lease(age=-CLOCK_TOLERANCE), True, False, HELD, "less than"),
        (lease(age=-CLOCK_TOLERANCE - 1), True, False, HELD, "301 s in the future"),
    ],
)
def test_cases(found: Optional[Lease], lock_free: bool, damaged: bool, state: str, reason: str) -> None:
    verdict = judge_lease(
        found,
        now=NOW,
        boot_id="boot",
        os_lock_free=lock_free,
        run_id=OURSELVES,
        stale_after=STALE,
        damaged=damaged,
    )
    assert verdict.state == state
    assert reason in verdict.reason


leases = st.one_of(
    st.none(),
    st.builds(
        lease,
        age=st.integers(-(10**7), 10**7),
        run_id=st.sampled_from([OURSELVES, ANOTHER]),
        boot_id=st.sampled_from(["boot", "other"]),
    ),
)


@given(found=leases, lock_free=st.booleans(), damaged=st.booleans(), stale=st.integers(1, 10**6))
def test_what_holds_in_all_cases(found: Optional[Lease], lock_free: bool, damaged: bool, stale: int) -> None:
    damaged = damaged and found is None  # a damaged file gives no lease
    verdict = judge_lease(
        found,
        now=NOW,
        boot_id="boot",
        os_lock_free=lock_free,
        run_id=OURSELVES,
        stale_after=stale,
        damaged=damaged,
    )
    if verdict.state in (FREE, DEAD):
        assert lock_free  # nothing is ever taken from a living process
        assert found is None or found.run_id != OURSELVES
    if verdict.state == DEAD:
        assert damaged or found is not None
        if found is not None and found.boot_id == "boot":
            assert (NOW - found.heartbeat).total_seconds() > stale
    assert (verdict.state == OURS) == (found is not None and found.run_id == OURSELVES)


@given(found=leases, stale=st.integers(1, 10**6), later=st.integers(0, 10**6))
def test_a_dead_lease_does_not_come_to_life_by_waiting(found: Optional[Lease], stale: int, later: int) -> None:
    def judge(now: datetime) -> str:
        return judge_lease(found, now=now, boot_id="boot", os_lock_free=True, run_id=OURSELVES, stale_after=stale).state

    if judge(NOW) == DEAD:
        assert judge(NOW + timedelta(seconds=later)) == DEAD


def test_a_lease_comes_back_from_its_file() -> None:
    found = lease()
    assert lease_of(found.as_body(), name="lease.json") == found
    assert found.beaten(NOW, 1, "next").heartbeat == NOW


@pytest.mark.parametrize(
    "change",
    [{"run_id": "../../x"}, {"heartbeat": "yesterday"}, {"pid": None}, {"started": 5}, {"purpose": ...}],
)
def test_what_is_no_lease_is_damaged(change: Dict[str, Any]) -> None:
    body = {**lease().as_body(), **change}
    if change.get("purpose") is ...:
        del body["purpose"]
    with pytest.raises(RecordDamaged):
        lease_of(body, name="lease.json")
