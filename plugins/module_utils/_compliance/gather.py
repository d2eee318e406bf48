# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the host for a verdict: its layers, its audit log, its authority record. Changes nothing.

What cannot be read is a fact too: it goes into the field ``problem`` of what it is about, and never hides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._audit.log import BROKEN
from ansible_collections.wst.backup.plugins.module_utils._audit.search import records_since
from ansible_collections.wst.backup.plugins.module_utils._authority.check import GRANTED, REFUSED
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L6
from ansible_collections.wst.backup.plugins.module_utils._authority.record import read_authority
from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.module_utils._compliance import heads, history
from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import (
    SLACK,
    AuditState,
    AuthorityState,
    Contents,
    Facts,
    LayerOf,
    Offsite,
    OffsiteCopy,
    Pitr,
    SetOn,
)
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.lease import HELD, judge_lease
from ansible_collections.wst.backup.plugins.module_utils._lock.pause import read_pause
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import STALE_AFTER, RunLock
from ansible_collections.wst.backup.plugins.module_utils._names import parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._offsite.record import Memory
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy as Keep
from ansible_collections.wst.backup.plugins.module_utils._retention.report import report_layers
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer

Record = Dict[str, Any]


@dataclass(frozen=True)
class Request:
    """Where to look, and what the control node knows besides."""

    layout: HostLayout
    layers: Sequence[Layer]
    prefix: str
    keep: Keep
    sources: Tuple[str, ...]
    window: timedelta  # of the policy
    history: timedelta  # how far back runs and drills are told
    problems: Optional[Tuple[Mapping[str, Any], ...]]
    pitr: Optional[Mapping[str, Any]]
    offsite_expected: bool = False


def gather(request: Request, *, now: datetime) -> Facts:
    """All facts; raises ``InputInvalid`` only, for a request that makes no sense."""
    reports = report_layers(request.layers, prefix=request.prefix, policy=request.keep, now=now)["layers"]
    layers = tuple(_layer(each) for each in reports)
    alive = _alive(request.layout, now)
    records, unread = _records(request.layout, now - request.history)
    alive |= _alive(request.layout, now)  # again: one may have begun while the log was read
    skew = _context.current().controller_time
    paused, pause_problem = _paused(request.layout, now)
    return Facts(
        now=now,
        layers=layers,
        runs=history.runs_of(records, alive=alive),
        drills=history.drills_of(records, now=now),
        contents=_contents(request, layers, now + SLACK),
        audit=_audit(request, records, unread),
        authority=_authority(request.layout, records, now - request.window),
        expected_sources=request.sources,
        problems=request.problems,
        pitr=pitr_from(request.pitr),
        offsite=offsite_of(request),
        keep_min=request.keep.keep_min,
        min_age_days=request.keep.min_age_days,
        clock_skew=None if skew is None else (now - skew).total_seconds(),
        paused=paused,
        pause_problem=pause_problem,
    )


def _paused(layout: HostLayout, now: datetime) -> Tuple[str, str]:
    """The pause that holds, in words, and why nothing is known of one."""
    try:
        found = read_pause(layout)
    except BackupError as error:
        return "", f"whether backups are paused is not known: {error.message}"
    return (found.in_words() if found is not None and found.holds(now) else ""), ""


def _layer(report: Dict[str, Any]) -> LayerOf:
    problem = report["problem"]
    return LayerOf(
        name=report["name"],
        path=report["path"],
        problem="" if problem is None else "{code}: {message}".format(**problem),
        sets=tuple(_set(each) for each in report["sets"]),
        free=report["free"],
        total=report["total"],
        days_until_full=report["days_until_full"],
    )


def _set(each: Dict[str, Any]) -> SetOn:
    return SetOn(
        stem=each["artifact"],
        time=parse_time(each["time"]),
        state=each["state"],
        counts=each["counts"],
        reason=each["reason"],
        level=each["level"],
        size=each["size"],
        verified_at=_time(each["verified_at"]),
        run_id=each["run_id"] or "",
    )


def _contents(request: Request, layers: Tuple[LayerOf, ...], latest: datetime) -> Optional[Contents]:
    """What the newest set that counts says it holds, from the first layer that has it."""
    found = [(each.time, layer.path, each.stem) for layer in layers for each in layer.counting if each.time <= latest]
    if not found:
        return None
    newest = max(time for time, _path, _stem in found)
    path, stem = next((path, stem) for time, path, stem in found if time == newest)
    artifact = parse_artifact(stem + ".zip", request.prefix)
    layer = next(each for each in request.layers if each.path == path)
    try:
        body = read_record(layer.file(artifact.sidecar)) if artifact else None
    except BackupError:
        return None  # it is told as a damaged set the next time
    manifest = (body or {}).get("manifest") or {}
    return Contents(
        stem=stem,
        sources={str(each.get("name")): int(each.get("files") or 0) for each in manifest.get("sources") or ()},
        dump=str((manifest.get("dump") or {}).get("path") or ""),
        dump_size=int((manifest.get("dump") or {}).get("size") or 0),
    )


def _alive(layout: HostLayout, now: datetime) -> Set[str]:
    """The run that has the host, by its lease; none where that is dead or says nothing. Takes no lock."""
    try:
        lease = RunLock(layout).read()
    except BackupError:
        return set()
    if lease is None:
        return set()
    verdict = judge_lease(lease, now=now, boot_id=api.boot_id(), os_lock_free=True, run_id="", stale_after=STALE_AFTER)
    return {lease.run_id} if verdict.state == HELD else set()


def offsite_of(request: Request) -> Offsite:
    """What is on record of the copies offsite. Nobody is asked: that took the container's key and the network."""
    try:
        known = Memory(request.layout.offsite_dir, None, request.prefix).all()
    except BackupError as error:
        return Offsite(expected=request.offsite_expected, unread=f"{error.code}: {error.message}")
    copies = tuple(
        OffsiteCopy(
            stem=artifact.stem,
            time=artifact.time,
            place=copy.place,
            verified_at=copy.verified_at,
            protection=copy.protection,
            immutable_until=copy.immutable_until,
            problem=copy.problem,
        )
        for artifact, copy in sorted(known.items(), reverse=True)
    )
    return Offsite(copies, expected=request.offsite_expected)


def _records(layout: HostLayout, since: datetime) -> Tuple[List[Record], str]:
    try:
        return records_since(layout.audit_dir, since), ""
    except BackupError as error:
        return [], f"{error.code}: {error.message}"


def _audit(request: Request, records: List[Record], unread: str) -> AuditState:
    """The chain from its first record to its last, and to what is known of it elsewhere."""
    if unread:
        return AuditState(problem=unread)
    try:
        found = heads.held_against_all(request.layout, request.layers, request.prefix)
    except BackupError as error:
        return AuditState(records=len(records), problem=f"{error.code}: {error.message}")
    broken = [parse_time(str(each["time"])) for each in records if each.get("event") == BROKEN]
    return AuditState(
        since=_time(found.since),
        records=found.records,
        problem=heads.told(found) if found.flaws else "",
        broken_at=max(broken) if broken else None,
        anchored=_context.current().audit_anchor is not None,
    )


def _authority(layout: HostLayout, records: List[Record], since: datetime) -> AuthorityState:
    recent = [each for each in records if (_time(each.get("time")) or since) >= since]
    used = [each for each in recent if each.get("event") == GRANTED and (each.get("details") or {}).get("needed") == L6]
    refused = sum(each.get("event") == REFUSED for each in recent)
    try:
        authority = read_authority(layout)
    except BackupError as error:
        return AuthorityState(problem=f"{error.code}: {error.message}", refused=refused, breakglass=len(used))
    return AuthorityState(since=authority.since, refused=refused, breakglass=len(used))


def pitr_from(told: Optional[Mapping[str, Any]]) -> Optional[Pitr]:
    """What module ``azure_pitr_info`` returned, as a fact; a failure of it is one too.

    An answer is known by its ``pitr``: where a task may fail (``failed_when: false``), ``failed`` is false.
    """
    if not told:
        return None
    facts = told.get("pitr")
    if not facts or told.get("code"):
        return Pitr(problem=str(told.get("msg") or told.get("code") or "Azure was asked and there is no answer"))
    return Pitr(
        enabled=facts.get("enabled"),
        retention_days=None if facts.get("retention_days") is None else int(facts["retention_days"]),
        earliest=_time(facts.get("earliest_restore_point")),
        last_backup=_time((facts.get("last_backup") or {}).get("completed_at")),
        created=_time((facts.get("server") or {}).get("created_at")),
        geo_redundant=facts.get("geo_redundant"),
    )


def _time(text: Optional[str]) -> Optional[datetime]:
    return parse_time(text) if text else None
