# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking and giving back the host for a run."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Dict, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs, _jobs
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, ClockSuspect, Locked, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.lease import (
    CLOCK_TOLERANCE,
    DEAD,
    HELD,
    OURS,
    Lease,
    Verdict,
    judge_lease,
    lease_of,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api

STALE_AFTER = 900  # seconds
PATIENCE = 10.0  # seconds for the last process of our own run to end
MOMENT = 1.0  # seconds that whoever only records what it found may keep the lock from a new run
_PAUSE = 0.1


@dataclass(frozen=True)
class Acquired:
    """How the lease was had. ``taken_over`` tells of the dead one that was in the way."""

    changed: bool
    lease: Lease
    taken_over: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Released:
    """Whether a lease of ours was given back, and why not."""

    changed: bool
    note: str


class RunLock:
    """The lock and the lease of one host.

    :param clock: the time in UTC.
    """

    def __init__(self, layout: HostLayout, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._layout = layout
        self._clock = clock
        self.lease_file = os.path.join(layout.lock_dir, "lease.json")
        self.os_lock = api.FileLock(os.path.join(layout.lock_dir, "run.lock"))

    def read(self) -> Optional[Lease]:
        """The lease that is there. Raises RecordDamaged, and PathPermissions or PathUnusable where it is unreadable."""
        body = _fs.read_record(self.lease_file)
        return None if body is None else lease_of(body, name=self.lease_file)

    def write(self, lease: Lease) -> None:
        """Put the lease in its file; by the holder of the lock only."""
        _fs.write_record(self.lease_file, lease.as_body())

    def take_os_lock(self, patience: float = 0) -> bool:
        """Wait for the system's lock for so many seconds; False when another process keeps it. Raises Cancelled."""
        end = time.monotonic() + patience
        try:
            while not self.os_lock.try_acquire():
                if time.monotonic() >= end:
                    return False
                _jobs.check()
                time.sleep(_PAUSE)
        except OSError as error:
            raise _fs.translate_oserror(error, self.os_lock.path) from error
        return True

    def judge(
        self, run_id: str, *, stale_after: int = STALE_AFTER, patience: float = 0
    ) -> Tuple[Verdict, Optional[Lease]]:
        """What the host's lease means for this run, and the lease. Holds the lock afterwards if that was free.

        Raises PathPermissions or PathUnusable.
        """
        free = self.take_os_lock(patience)
        lease, damaged = None, False
        try:
            lease = self.read()
        except RecordDamaged:
            damaged = True
        verdict = judge_lease(
            lease,
            now=self._clock(),
            boot_id=api.boot_id(),
            os_lock_free=free,
            run_id=run_id,
            stale_after=stale_after,
            damaged=damaged,
        )
        return verdict, lease

    def _was_used(self) -> bool:
        """Whether the lock's file is there: asking for the lock would make it."""
        return os.path.exists(api.long_path(self.os_lock.path))

    def acquire(
        self,
        run_id: str,
        *,
        purpose: str,
        controller: Optional[str] = None,
        stale_after: int = STALE_AFTER,
        dry_run: bool = False,
    ) -> Acquired:
        """Have the lease for that run: a new one, its own again, or a dead one's place.

        Nothing is written in a dry run. Raises Locked with the facts about who has it; ClockSuspect when its
        heartbeat is in the future; NoSpace, PathPermissions, PathUnusable.
        """
        if dry_run and not self._was_used():
            return Acquired(changed=True, lease=self._fresh(run_id, purpose=purpose, controller=controller))
        _fs.ensure_private_directory(self._layout.lock_dir)
        try:
            verdict, found = self.judge(run_id, stale_after=stale_after, patience=MOMENT)
            if verdict.state == HELD:
                raise self._refusal(verdict, found)
            if verdict.state == OURS and found is not None:
                return Acquired(changed=False, lease=found)
            lease = self._fresh(run_id, purpose=purpose, controller=controller)
            if not dry_run:
                self.write(lease)
            taken = _dead(verdict, found) if verdict.state == DEAD else None
            return Acquired(changed=True, lease=lease, taken_over=taken)
        finally:
            self.os_lock.release()

    def _fresh(self, run_id: str, *, purpose: str, controller: Optional[str]) -> Lease:
        now = self._clock()
        return Lease(
            run_id=run_id,
            boot_id=api.boot_id(),
            pid=os.getpid(),
            controller=controller,
            purpose=purpose,
            started=now,
            heartbeat=now,
        )

    def _refusal(self, verdict: Verdict, lease: Optional[Lease]) -> BackupError:
        if lease is None:
            return Locked(f"the host is taken: {verdict.reason}", reason=verdict.reason)
        facts = {**lease.as_body(), "reason": verdict.reason, "alive": api.process_started(lease.pid) is not None}
        ahead = (lease.heartbeat - self._clock()).total_seconds()
        if ahead > CLOCK_TOLERANCE:
            return ClockSuspect(
                f"the lease of run {lease.run_id} was last renewed at {format_time(lease.heartbeat)}, which is in the "
                f"future here; the host's clock says {format_time(self._clock())}",
                **facts,
            )
        return Locked(
            "run {} ({}, started {} by {}, process {}, last heartbeat {}) has the host: {}".format(
                lease.run_id,
                lease.purpose,
                format_time(lease.started),
                lease.controller or "an unknown controller",
                lease.pid,
                format_time(lease.heartbeat),
                verdict.reason,
            ),
            **facts,
        )

    def release(self, run_id: str, *, clean_up: Callable[[], None], dry_run: bool = False) -> Released:
        """Give the lease back, once; another's is left alone and noted.

        :param clean_up: called before, while nobody else can have the host, when the lease is ours.
        Raises Locked when a process still works under our lease; PathPermissions, PathUnusable; what ``clean_up`` does.
        """
        if not self._was_used():
            return Released(False, "nothing was ever locked here")
        try:
            verdict, found = self.judge(run_id, patience=PATIENCE)
            if verdict.state != OURS:
                owner = "nobody" if found is None else f"run {found.run_id}"
                return Released(False, f"the lease is not this run's: it belongs to {owner} ({verdict.reason})")
            if not self.take_os_lock():
                raise self._refusal(Verdict(HELD, "a process of this run still works"), found)
            clean_up()
            if not dry_run:
                _fs.remove_file(self.lease_file)
            return Released(True, "")
        finally:
            self.os_lock.release()


def _dead(verdict: Verdict, lease: Optional[Lease]) -> Dict[str, Any]:
    """What is told of the run whose place was taken; its id is unknown where its lease cannot be read."""
    return {
        "run_id": None if lease is None else lease.run_id,
        "reason": verdict.reason,
        "heartbeat": None if lease is None else format_time(lease.heartbeat),
        "controller": None if lease is None else lease.controller,
    }
