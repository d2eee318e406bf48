# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``run_lock`` does."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import ClockSuspect, InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.jobs import cancel_jobs, live_jobs
from ansible_collections.wst.backup.plugins.module_utils._lock.lease import CLOCK_TOLERANCE
from ansible_collections.wst.backup.plugins.module_utils._lock.leavings import Swept, remove_workspace, sweep
from ansible_collections.wst.backup.plugins.module_utils._lock.pause import refuse_paused
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock

BACKUP = "backup"  # the purpose that a pause keeps away


def take(layout: HostLayout, *, purpose: str, stale_after: int, dry_run: bool) -> Dict[str, Any]:
    """Take the host for the current run, and sweep what nobody needs any more.

    Raises NotProved outside of a run, ClockSuspect, InputInvalid, HostPaused for a backup, and as ``RunLock.acquire``.
    """
    context = _context.current()
    run_id = _context.require_run_id()
    now = utc_now()
    compare_clocks(now, context.controller_time)
    if purpose == BACKUP:
        refuse_paused(layout, now)
    if stale_after < 1:
        raise InputInvalid(f"stale_after is {stale_after}; it must be at least 1 second", stale_after=stale_after)
    acquired = RunLock(layout).acquire(
        run_id, purpose=purpose, controller=context.controller, stale_after=stale_after, dry_run=dry_run
    )
    swept = sweep(layout, own=run_id, now=now, dry_run=dry_run) if acquired.changed else Swept([], [])
    return {
        "changed": acquired.changed,
        "run_id": run_id,
        "taken_over": acquired.taken_over,
        "cancelled_jobs": [],
        "swept": swept.removed,
        "not_swept": swept.kept,
        "note": "",
    }


def compare_clocks(host: datetime, controller: Optional[datetime]) -> None:
    """Raises ClockSuspect when the two are too far apart for anything to be judged by age."""
    if controller is None:
        return
    apart = int(abs((host - controller).total_seconds()))
    if apart > CLOCK_TOLERANCE:
        raise ClockSuspect(
            f"the host's clock says {format_time(host)}, the control node's {format_time(controller)}: {apart} s apart",
            host=format_time(host),
            controller=format_time(controller),
            apart=apart,
        )


def give_back(layout: HostLayout, *, dry_run: bool) -> Dict[str, Any]:
    """End the current run's jobs, remove its workspace, release its lease; nothing of another run is touched.

    The workspace goes also when the lease is another's by now: otherwise it would lie there until the next run.

    Raises Locked when a process of the run cannot be ended; NoSpace, PathPermissions, PathUnusable.
    """
    run_id = _context.current().run_id
    if run_id is None:
        return _given_back("", changed=False, note="no run was started here")
    cancelled = live_jobs(layout, run_id) if dry_run else cancel_jobs(layout, run_id)
    removed: List[str] = []

    def clean_up() -> None:
        if remove_workspace(layout, run_id, dry_run=dry_run):
            removed.append(layout.workspace(run_id))

    released = RunLock(layout).release(run_id, clean_up=clean_up, dry_run=dry_run)
    if not released.changed:
        clean_up()
    changed = bool(cancelled or released.changed or removed)
    return _given_back(run_id, changed=changed, note=released.note, cancelled_jobs=cancelled, swept=removed)


def _given_back(run_id: str, *, changed: bool, note: str, **more: Any) -> Dict[str, Any]:
    return {
        "changed": changed,
        "run_id": run_id,
        "taken_over": None,
        "cancelled_jobs": [],
        "swept": [],
        "not_swept": [],
        "note": note,
        **more,
    }
