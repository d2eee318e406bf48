# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a host, from all that is known of it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._compliance import (
    access,
    frequency,
    layers,
    people,
    sets,
    verification,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import (
    SLACK,
    SUCCESS,
    Drill,
    Facts,
    LayerOf,
    Run,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import Finding, exempted, overall
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy
from ansible_collections.wst.backup.plugins.module_utils._version import VERSION

RULES = (
    frequency.frequency,
    sets.contents,
    layers.storage,
    sets.retention,
    verification.verification,
    access.security,
    people.recovery,
    access.database_login,
    access.source_paths,
    sets.no_partial_backup,
    people.roles,
    people.logging,
)


def evaluate(facts: Facts, policy: Policy) -> Tuple[Finding, ...]:
    """Every requirement's finding, in the doctrine's order, as the exemptions leave it."""
    facts = without_future(facts)
    found = [exempted(rule(facts, policy), policy, facts.now) for rule in RULES]
    by_id = {each.id: each for each in found}
    return (*found, people.statement(by_id, policy))


def without_future(facts: Facts) -> Facts:
    """The facts less what says that it is still to come: a clock that once was wrong must not keep a verdict good."""
    latest = facts.now + SLACK
    layers = tuple(replace(each, sets=tuple(one for one in each.sets if one.time <= latest)) for each in facts.layers)
    runs = tuple(each for each in facts.runs if each.began <= latest)
    drills = tuple(each for each in facts.drills if each.at <= latest)
    before = (facts.runs, facts.drills, *(each.sets for each in facts.layers))
    after = (runs, drills, *(each.sets for each in layers))
    ahead = sum(map(len, before)) - sum(map(len, after))
    return replace(facts, layers=layers, runs=runs, drills=drills, ahead=ahead)


def report(facts: Facts, policy: Policy) -> Dict[str, Any]:
    """The host's part of the report; ``docs/report.md`` documents it."""
    findings = evaluate(facts, policy)
    verdict = overall(findings)
    turns = [each.turns_at for each in findings if each.turns_at is not None]
    return {
        "collection": VERSION,
        "environment": policy.environment,
        "verdict": verdict,
        "known_at": format_time(facts.now),
        "turns_at": format_time(min(turns)) if turns else None,
        "requirements": [each.as_body(facts.now) for each in findings],
        "runs": [_run(each) for each in facts.runs],
        "drills": [_drill(each) for each in facts.drills],
        "layers": [_layer(each) for each in facts.layers],
        "next": _next(without_future(facts), policy),
    }


def _run(run: Run) -> Dict[str, Any]:
    """As the report has it. A clock that was set back meanwhile makes no time negative, which no report takes."""
    seconds = None if run.ended is None else max(0, int((run.ended - run.began).total_seconds()))
    return {
        "at": format_time(run.began),
        "run_id": run.run_id,
        "artifact": run.artifact or None,
        "result": run.result,
        "code": run.code,
        "bytes": run.size or None,
        "files": run.files or None,
        "rows": run.rows or None,
        "seconds": seconds,
    }


def _drill(drill: Drill) -> Dict[str, Any]:
    return {
        "at": format_time(drill.at),
        "run_id": drill.run_id,
        "artifact": drill.artifact,
        "layer": drill.layer,
        "result": drill.result,
        "code": drill.code,
        "rto_seconds": drill.rto,
        "rpo_seconds": drill.age or None,
    }


def _layer(layer: LayerOf) -> Dict[str, Any]:
    counting = layer.counting
    return {
        "layer": layer.name,
        "path": layer.path,
        "problem": layer.problem,
        "sets": len(layer.sets),
        "counting": len(counting),
        "newest_at": format_time(counting[0].time) if counting else None,
        "oldest_at": format_time(counting[-1].time) if counting else None,
        "bytes": sum(each.size or 0 for each in layer.sets),
        "free_bytes": layer.free,
        "total_bytes": layer.total,
        "full_in_days": layer.days_until_full,
    }


def _next(facts: Facts, policy: Policy) -> List[Dict[str, Any]]:
    """What is due when, by the thresholds; a thing that never was is due now."""
    counting = frequency.sets_that_count(facts)
    good = [drill for drill in facts.drills if drill.result == SUCCESS]
    backup = counting[-1].time + policy.thresholds.max_gap if counting else facts.now
    drill = good[-1].at + policy.thresholds.drill_every if good else facts.now
    return [
        {"what": what, "due_at": format_time(due), "overdue": due <= facts.now}
        for what, due in (("backup", backup), ("restore test", drill))
    ]
