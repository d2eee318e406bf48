# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease: who has the host between two modules, and when that is over. Decides only; touches nothing.

A module holds the system's lock for its life. Between the modules of a run nobody holds it, so a lease says whose
the host is. It is dead when the lock is free and its heartbeat is too old or from before the host's last start.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._names import check_run_id

FREE = "free"  # nobody has it
OURS = "ours"  # this very run has it
DEAD = "dead"  # its run is over without having said so: may be taken
HELD = "held"  # another run has it

CLOCK_TOLERANCE = 300  # seconds by which clocks may differ before nothing can be judged by them


@dataclass(frozen=True)
class Lease:
    """Who has the host. Times are UTC; ``pid`` is the process that wrote it last."""

    run_id: str
    boot_id: str
    pid: int
    controller: Optional[str]
    purpose: str
    started: datetime
    heartbeat: datetime

    def beaten(self, now: datetime, pid: int, boot_id: str) -> Lease:
        """The same lease, alive at that time in that process."""
        return replace(self, heartbeat=now, pid=pid, boot_id=boot_id)

    def as_body(self) -> Dict[str, Any]:
        """As it stands in its file, and in facts."""
        body = asdict(self)
        body["started"], body["heartbeat"] = format_time(self.started), format_time(self.heartbeat)
        return body


@dataclass(frozen=True)
class Verdict:
    """What a lease means for this run; ``reason`` is for people."""

    state: str
    reason: str


def lease_of(body: Dict[str, Any], *, name: str) -> Lease:
    """The lease in a record's body; raises RecordDamaged for anything else.

    :param name: the file, for the message.
    """
    try:
        return Lease(
            run_id=check_run_id(body["run_id"]),
            boot_id=str(body["boot_id"]),
            pid=int(body["pid"]),
            controller=None if body["controller"] is None else str(body["controller"]),
            purpose=str(body["purpose"]),
            started=parse_time(body["started"]),
            heartbeat=parse_time(body["heartbeat"]),
        )
    except Exception as error:  # whatever is wrong with it, it is no lease
        raise RecordDamaged(f"{name} holds no lease", path=name) from error


def judge_lease(
    lease: Optional[Lease],
    *,
    now: datetime,
    boot_id: str,
    os_lock_free: bool,
    run_id: str,
    stale_after: int,
    damaged: bool = False,
) -> Verdict:
    """What to make of the lease that is there (or of its absence).

    :param os_lock_free: whether no living process holds the system's lock.
    :param stale_after: seconds without a heartbeat after which a lease is dead.
    :param damaged: there is a lease file, and it cannot be read.
    """
    if lease is not None and lease.run_id == run_id:
        return Verdict(OURS, "this run has the lease")
    if not os_lock_free:
        return Verdict(HELD, "a living process holds the lock")
    if damaged:
        return Verdict(DEAD, "the lease file is damaged and no process holds the lock")
    if lease is None:
        return Verdict(FREE, "there is no lease")
    if lease.boot_id != boot_id:
        return Verdict(DEAD, "the host was started again since, and no process holds the lock")
    age = int((now - lease.heartbeat).total_seconds())
    if age > stale_after:
        return Verdict(DEAD, f"its last heartbeat is {age} s old, and no process holds the lock")
    if age < -CLOCK_TOLERANCE:
        return Verdict(HELD, "its last heartbeat is %s s in the future" % -age)
    return Verdict(HELD, f"its last heartbeat is {age} s old, less than the {stale_after} s after which it is dead")
