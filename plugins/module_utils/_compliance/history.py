# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and drills out of the records of the audit log. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import AbstractSet, Any, Dict, Iterable, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import (
    FAILURE,
    INTERRUPTED,
    STILL_RUNNING,
    SUCCESS,
    SUSPECT,
    Drill,
    Run,
)

BACKUP_START = "backup_start"
BACKUP_END = "backup_end"
DRILL_START = "drill_start"
DRILL_END = "drill_end"
ANOMALY = "content_anomaly"
PAUSED = "host_paused"  # a run that was not to be
EVENTS = (BACKUP_START, BACKUP_END, DRILL_START, DRILL_END)


def runs_of(records: Iterable[Mapping[str, Any]], *, alive: AbstractSet[str] = frozenset()) -> Tuple[Run, ...]:
    """The backups, oldest first. One whose end is missing was interrupted; one that still runs is left out.

    :param alive: the runs that have the host's lease.
    """
    runs: Dict[str, Run] = {}
    for record in records:
        run_id, at = str(record.get("run_id") or ""), _time(record)
        if not run_id or at is None:
            continue
        if record.get("event") == BACKUP_START:
            runs.setdefault(run_id, Run(run_id, at, None, INTERRUPTED))
        elif record.get("event") == BACKUP_END and record.get("code") != PAUSED:
            began = runs[run_id].began if run_id in runs else at
            runs[run_id] = _ended(record, run_id, began, at)
    over = [run for run in runs.values() if run.ended is not None or run.run_id not in alive]
    return tuple(sorted(over, key=lambda run: (run.began, run.run_id)))


def drills_of(records: Iterable[Mapping[str, Any]], *, now: datetime) -> Tuple[Drill, ...]:
    """The restore tests that came to an end, and those that died before it, oldest first.

    One without an end is dead when another began after it, for they have one lock, or when it would have run for longer
    than ``STILL_RUNNING``. Else it may still be running, and is left out.

    :param records: in the log's order.
    """
    begun: Dict[str, datetime] = {}
    drills = []
    for record in records:
        run_id, at = str(record.get("run_id") or ""), _time(record)
        if at is None:
            continue
        if record.get("event") == DRILL_START and run_id:
            begun.setdefault(run_id, at)
        elif record.get("event") == DRILL_END:
            drills.append(_drill(record, at))
    ended = {drill.run_id for drill in drills}
    last = next(reversed(begun), "")
    drills += [
        Drill(at, run_id, FAILURE, INTERRUPTED)
        for run_id, at in begun.items()
        if run_id not in ended and (run_id != last or now - at > STILL_RUNNING)
    ]
    return tuple(sorted(drills, key=lambda drill: (drill.at, drill.run_id)))


def _drill(record: Mapping[str, Any], at: datetime) -> Drill:
    details = _details(record)
    return Drill(
        at=at,
        run_id=str(record.get("run_id") or details.get("run_id") or ""),
        result=SUCCESS if record.get("result") == SUCCESS else FAILURE,
        code=str(record.get("code") or ""),
        artifact=str(details.get("artifact") or ""),
        layer=str(details.get("layer") or ""),
        age=_number(details.get("age")),
        rto=_number(details.get("rto")) or None,
    )


def _ended(record: Mapping[str, Any], run_id: str, began: datetime, at: datetime) -> Run:
    details = _details(record)
    result, code = str(record.get("result") or FAILURE), str(record.get("code") or "")
    if result != SUCCESS:
        result = SUSPECT if code == ANOMALY else FAILURE
    return Run(
        run_id=run_id,
        began=began,
        ended=at,
        result=result,
        code=code,
        artifact=str(details.get("artifact") or ""),
        size=_number(details.get("size")),
        files=_number(details.get("files")),
        rows=_number(details.get("rows")),
    )


def _details(record: Mapping[str, Any]) -> Mapping[str, Any]:
    details = record.get("details")
    return details if isinstance(details, Mapping) else {}


def _number(value: Any) -> int:
    """A count as the log has it: Ansible writes some as text."""
    try:
        return max(0, int(float(value)))
    except (TypeError, ValueError, OverflowError):
        return 0


def _time(record: Mapping[str, Any]) -> Optional[datetime]:
    try:
        return parse_time(str(record.get("time")))
    except ValueError:
        return None
