# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R1, and when its verdict turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import List, Tuple

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import Facts, SetOn
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import (
    COMPLIANT,
    NON_COMPLIANT,
    UNKNOWN,
    Evidence,
    Finding,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import counted, hours

Gap = Tuple[datetime, datetime]


def sets_that_count(facts: Facts) -> List[SetOn]:
    """One for each name that counts on any layer, oldest first."""
    found = {each.stem: each for layer in facts.layers for each in layer.counting}
    return sorted(found.values(), key=lambda each: (each.time, each.stem))


def gaps(times: List[datetime], *, since: datetime, now: datetime) -> List[Gap]:
    """The spans without a set, from ``since`` to ``now``.

    :param times: of sets, oldest first. One from before ``since`` ends the first span's search for a beginning.
    """
    before = [time for time in times if time <= since]
    points = [before[-1] if before else since, *(time for time in times if since < time <= now), now]
    return list(zip(points, points[1:]))


def frequency(facts: Facts, policy: Policy) -> Finding:
    """R1: no gap between sets that count was longer than it may be, and backups are not paused."""
    found = _frequency(facts, policy)
    if facts.pause_problem:
        found = replace(found, warnings=(facts.pause_problem, *found.warnings))
    if not facts.paused:
        return found
    summary = f"backups are paused: {facts.paused}; {found.summary}"
    return replace(found, verdict=NON_COMPLIANT, summary=summary, turns_at=None, turns_why="", command="resume.yml")


def _frequency(facts: Facts, policy: Policy) -> Finding:
    limits, now = policy.thresholds, facts.now
    sets = sets_that_count(facts)
    if not sets:
        unread = [layer for layer in facts.layers if layer.problem]
        verdict = UNKNOWN if len(unread) == len(facts.layers) else NON_COMPLIANT
        return Finding("R1", verdict, "no set counts on any layer", command="backup.yml")
    times = [each.time for each in sets]
    spans = gaps(times, since=_since(facts, times[0], now - limits.window), now=now)
    longest = max(spans, key=_length)
    newest = sets[-1]
    evidence = (
        Evidence(f"newest set that counts: {newest.stem}", "list.yml", newest.time),
        Evidence(
            f"longest gap: {hours(_length(longest))}",
            f"{longest[0]:%Y-%m-%d %H:%M} to {longest[1]:%Y-%m-%d %H:%M}",
            longest[1],
        ),
    )
    too_long = [span for span in spans if _length(span) > limits.max_gap]
    if too_long:
        return _broken(too_long, newest.time, now, policy, evidence)
    warned = limits.warn_gap is not None and _length(longest) > limits.warn_gap
    warning = f"a gap of {hours(_length(longest))} is longer than what {policy.environment} is to have"
    return Finding(
        "R1",
        COMPLIANT,
        counted(len(sets), "set counts", "sets count")
        + f"; the longest gap of the last {limits.window.days} days is {hours(_length(longest))}",
        evidence,
        (warning,) if warned else (),
        turns_at=newest.time + limits.max_gap,
        turns_why="without a new backup by then",
        command="list.yml",
    )


def _broken(
    spans: List[Gap], newest: datetime, now: datetime, policy: Policy, evidence: Tuple[Evidence, ...]
) -> Finding:
    """The gaps are too long: an open one ends with a backup, a closed one when it is out of sight."""
    limits = policy.thresholds
    begin, end = spans[-1]
    open_now = end == now
    told = f"{hours(end - begin)} without a set that counts, from {begin:%Y-%m-%d %H:%M} to "
    return Finding(
        "R1",
        NON_COMPLIANT,
        told + ("now" if open_now else f"{end:%Y-%m-%d %H:%M}") + f"; {hours(limits.max_gap)} is the limit",
        evidence,
        turns_at=None if open_now else end + limits.window,
        turns_why="after a backup, when the gap is older than the window"
        if open_now
        else "the gap is then out of the window",
        command="backup.yml",
    )


def _since(facts: Facts, first_set: datetime, window: datetime) -> datetime:
    """Where the window begins; a host that is younger begins with its log, or with a set that is older than that."""
    begin = min(facts.audit.since, first_set) if facts.audit.since else window
    return max(window, begin)


def _length(span: Gap) -> timedelta:
    return span[1] - span[0]
