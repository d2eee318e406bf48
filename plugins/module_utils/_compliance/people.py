# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R7, roles, logging and the statement: what people do, and what is written down of it."""

from __future__ import annotations

from typing import List, Mapping, Tuple

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import (
    INTERRUPTED,
    STILL_RUNNING,
    SUCCESS,
    Facts,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import (
    COMPLIANT,
    EXEMPT,
    NON_COMPLIANT,
    UNKNOWN,
    Evidence,
    Finding,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import counted

STATEMENT = ("R1", "R5", "R7")


def recovery(facts: Facts, policy: Policy) -> Finding:
    """R7: a restore was tested within a week, and the newest test did not fail; one that died has failed."""
    every, now = policy.thresholds.drill_every, facts.now
    if not facts.drills:
        return Finding("R7", NON_COMPLIANT, "no restore was ever tested", command="restore_test.yml")
    newest = facts.drills[-1]
    where = "the audit log, and the drill's evidence on the control node"
    evidence = (Evidence(f"drill {newest.run_id} of {newest.artifact or 'no set'}: {newest.result}", where, newest.at),)
    if newest.result != SUCCESS:
        died = newest.code == INTERRUPTED
        summary = (
            "the newest restore test died before its end" if died else f"the newest restore test failed ({newest.code})"
        )
        return Finding("R7", NON_COMPLIANT, summary, evidence, command="restore_test.yml")
    if now - newest.at > every:
        old = (now - newest.at).total_seconds() / 86400
        summary = f"the last restore test is {old:.1f} days old; {every.days} is the limit"
        return Finding("R7", NON_COMPLIANT, summary, evidence, command="restore_test.yml")
    return Finding(
        "R7",
        COMPLIANT,
        f"{newest.artifact} was restored from the {newest.layer} layer and compared",
        evidence,
        turns_at=newest.at + every,
        turns_why="without another restore test by then",
        command="restore_test.yml",
    )


def roles(facts: Facts, policy: Policy) -> Finding:
    """Roles: who may restore is provisioned on the host, and uses of L6 are shown."""
    state = facts.authority
    if state.problem:
        return Finding("roles", NON_COMPLIANT, state.problem, command="authority_provision.yml")
    warnings = []
    if state.breakglass:
        warnings.append(
            f"L6 was used {counted(state.breakglass, 'time', 'times')} in the last {policy.thresholds.window.days} days"
        )
    if state.refused:
        refused = counted(state.refused, "request was", "requests were")
        warnings.append(f"{refused} refused in the last {policy.thresholds.window.days} days")
    evidence = (Evidence("the host's authority record", "authority.json", state.since),)
    summary = "L5 and L6 are provisioned; destructive restores need them"
    return Finding("roles", COMPLIANT, summary, evidence, tuple(warnings), command="authority_check.yml")


def logging(facts: Facts, policy: Policy) -> Finding:
    """Logging: the audit log's chain holds, to the record last seen elsewhere; runs without an end are warned of."""
    audit, now, window = facts.audit, facts.now, policy.thresholds.window
    evidence = (
        Evidence(f"the first of {counted(audit.records, 'record', 'records')}", "audit_verify.yml", audit.since),
    )
    if audit.problem:
        return Finding("logging", NON_COMPLIANT, audit.problem, evidence, command="audit_verify.yml")
    if audit.broken_at is not None and now - audit.broken_at <= window:
        return Finding(
            "logging",
            NON_COMPLIANT,
            f"the log's chain was found broken on {audit.broken_at:%Y-%m-%d %H:%M}",
            evidence,
            turns_at=audit.broken_at + window,
            turns_why="it is then older than the window",
            command="audit_verify.yml",
        )
    if not audit.records:
        return Finding("logging", NON_COMPLIANT, "there is no audit log", command="backup.yml")
    warnings = _warnings(facts, policy)
    anchored = ", to the head that the control node knows" if audit.anchored else ""
    summary = f"the chain of {audit.records} records holds{anchored}"
    return Finding("logging", COMPLIANT, summary, evidence, warnings, command="audit_verify.yml")


def _warnings(facts: Facts, policy: Policy) -> Tuple[str, ...]:
    now, window = facts.now, policy.thresholds.window
    cut = [run for run in facts.runs if run.result == INTERRUPTED and STILL_RUNNING < now - run.began < window]
    warnings: List[str] = []
    if cut:
        have = counted(len(cut), "run has", "runs have")
        warnings.append(f"{have} a start and no end, the last of {cut[-1].began:%Y-%m-%d %H:%M}")
    if not facts.audit.anchored:
        warnings.append("the control node knows no head of this log yet: a cut tail would not show")
    if facts.clock_skew is not None and abs(facts.clock_skew) > 120:
        warnings.append(f"the host's clock is {facts.clock_skew:+.0f} s from the control node's")
    if facts.ahead:
        warnings.append(f"of sets, runs and drills {facts.ahead} are dated in the future and count for nothing")
    return tuple(warnings)


def statement(found: Mapping[str, Finding], policy: Policy) -> Finding:
    """The statement: backups at the required frequency, validated, and a restore tested within a week."""
    parts = [found[name] for name in STATEMENT]
    failing = [each for each in parts if each.verdict not in (COMPLIANT, EXEMPT)]
    turns = sorted((each.turns_at, each.id, each.turns_why) for each in parts if each.turns_at is not None)
    if failing:
        verdict = NON_COMPLIANT if any(each.verdict == NON_COMPLIANT for each in failing) else UNKNOWN
        summary = "; ".join(f"{each.id}: {each.summary}" for each in failing)
        return Finding("statement", verdict, summary, command=failing[0].command)
    exempt = ", ".join(each.id for each in parts if each.verdict == EXEMPT)
    return Finding(
        "statement",
        COMPLIANT,
        "operationally compliant: frequency, validation and restore test hold"
        + (f" ({exempt} exempted)" if exempt else ""),
        turns_at=turns[0][0] if turns else None,
        turns_why=f"{turns[0][1]}: {turns[0][2]}" if turns else "",
        command="compliance.yml",
    )
