# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet's report is made of, and how it is read from its document (``docs/report.md``). Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ReportInvalid
from ansible_collections.wst.backup.plugins.plugin_utils._report_reader import Reader
from ansible_collections.wst.backup.plugins.plugin_utils._verdicts import EXEMPT, OF_HOSTS

SCHEMA = 1
SUCCESS, FAILURE, SUSPECT, INTERRUPTED = "success", "failure", "suspect", "interrupted"

_RESULTS = frozenset({SUCCESS, FAILURE})
_LAYERS = frozenset({"local", "mirror"})


@dataclass(frozen=True)
class Trouble:
    """Why a host could not be asked, or not wholly."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on, where it can be read, and how old it was in seconds when the report was made."""

    what: str
    where: str
    at: Optional[datetime]
    age_seconds: Optional[float]


@dataclass(frozen=True)
class Exemption:
    """A requirement that a host need not meet until a day, by whose word and why."""

    reason: str
    until: str
    by: str


@dataclass(frozen=True)
class Requirement:
    """A requirement and how a host meets it."""

    id: str
    title: str
    verdict: str
    warnings: tuple[str, ...]
    summary: str
    evidence: tuple[Evidence, ...]
    turns_at: Optional[datetime]
    turns_why: str
    exemption: Optional[Exemption]
    command: str


@dataclass(frozen=True)
class Run:
    """A backup: what came of it, its size in bytes and its duration in seconds."""

    at: datetime
    run_id: str
    artifact: Optional[str]
    result: str
    code: str
    bytes: Optional[int]
    seconds: Optional[float]


@dataclass(frozen=True)
class Drill:
    """A restore test; times in seconds."""

    at: datetime
    run_id: str
    artifact: str
    layer: str
    result: str
    code: str
    rto_seconds: Optional[float]
    rpo_seconds: Optional[float]
    evidence: str


@dataclass(frozen=True)
class Layer:
    """Where a host's sets are, and how much room is there; sizes in bytes."""

    layer: str
    path: str
    sets: int
    counting: int
    newest_at: Optional[datetime]
    oldest_at: Optional[datetime]
    bytes: int
    free_bytes: Optional[int]
    total_bytes: Optional[int]
    full_in_days: Optional[float]


@dataclass(frozen=True)
class Due:
    """What comes next, and when."""

    what: str
    due_at: datetime
    overdue: bool


@dataclass(frozen=True)
class Host:
    """All that is known of a host. ``known_at`` says when, where it could not be asked now."""

    name: str
    environment: Optional[str]
    verdict: str
    reached: bool
    known_at: Optional[datetime]
    turns_at: Optional[datetime]
    error: Optional[Trouble]
    requirements: tuple[Requirement, ...]
    runs: tuple[Run, ...]
    drills: tuple[Drill, ...]
    layers: tuple[Layer, ...]
    next: tuple[Due, ...]


@dataclass(frozen=True)
class Fleet:
    """The whole report. ``limit`` is what it was limited to, where it is not of the whole fleet."""

    made: datetime
    collection: str
    controller: str
    period_days: int
    limit: Optional[str]
    hosts: tuple[Host, ...]


def fleet_from(document: Any) -> Fleet:
    """Read a document. Raises ReportInvalid, which names the place."""
    read = Reader(document)
    if read.whole("schema") != SCHEMA:
        raise ReportInvalid(f"this document has schema {read.whole('schema')}, and {SCHEMA} is known", place="schema")
    return Fleet(
        made=read.time("made"),
        collection=read.text("collection"),
        controller=read.text("controller"),
        period_days=read.whole("period_days"),
        limit=read.maybe_text("limit"),
        hosts=tuple(_host(each) for each in read.each("hosts")),
    )


def _host(read: Reader) -> Host:
    error = read.maybe("error")
    return Host(
        name=read.text("name"),
        environment=read.maybe_text("environment"),
        verdict=read.one_of("verdict", OF_HOSTS),
        reached=read.flag("reached"),
        known_at=read.maybe_time("known_at"),
        turns_at=read.maybe_time("turns_at"),
        error=Trouble(error.text("code"), error.text("message"), error.text("remedy")) if error else None,
        requirements=tuple(_requirement(each) for each in read.each("requirements")),
        runs=tuple(_run(each) for each in read.each("runs")),
        drills=tuple(_drill(each) for each in read.each("drills")),
        layers=tuple(_layer(each) for each in read.each("layers")),
        next=tuple(Due(each.text("what"), each.time("due_at"), each.flag("overdue")) for each in read.each("next")),
    )


def _requirement(read: Reader) -> Requirement:
    exemption = read.maybe("exemption")
    return Requirement(
        id=read.text("id"),
        title=read.text("title"),
        verdict=read.one_of("verdict", OF_HOSTS | {EXEMPT}),
        warnings=read.texts("warnings"),
        summary=read.text("summary"),
        evidence=tuple(
            Evidence(each.text("what"), each.text("where"), each.maybe_time("at"), each.maybe_number("age_seconds"))
            for each in read.each("evidence")
        ),
        turns_at=read.maybe_time("turns_at"),
        turns_why=read.maybe_text("turns_why") or "",
        exemption=Exemption(exemption.text("reason"), exemption.text("until"), exemption.text("by"))
        if exemption
        else None,
        command=read.maybe_text("command") or "",
    )


def _run(read: Reader) -> Run:
    return Run(
        at=read.time("at"),
        run_id=read.text("run_id"),
        artifact=read.maybe_text("artifact"),
        result=read.one_of("result", _RESULTS | {SUSPECT, INTERRUPTED}),
        code=read.maybe_text("code") or "",
        bytes=read.maybe_whole("bytes"),
        seconds=read.maybe_number("seconds"),
    )


def _drill(read: Reader) -> Drill:
    return Drill(
        at=read.time("at"),
        run_id=read.text("run_id"),
        artifact=read.maybe_text("artifact") or "",
        layer=read.maybe_text("layer") or "",
        result=read.one_of("result", _RESULTS),
        code=read.maybe_text("code") or "",
        rto_seconds=read.maybe_number("rto_seconds"),
        rpo_seconds=read.maybe_number("rpo_seconds"),
        evidence=read.maybe_text("evidence") or "",
    )


def _layer(read: Reader) -> Layer:
    return Layer(
        layer=read.one_of("layer", _LAYERS),
        path=read.text("path"),
        sets=read.whole("sets"),
        counting=read.whole("counting"),
        newest_at=read.maybe_time("newest_at"),
        oldest_at=read.maybe_time("oldest_at"),
        bytes=read.whole("bytes"),
        free_bytes=read.maybe_whole("free_bytes"),
        total_bytes=read.maybe_whole("total_bytes"),
        full_in_days=read.maybe_number("full_in_days"),
    )
