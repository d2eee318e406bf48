# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R2, R4 and F3: what the sets hold, and which are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import List

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import FULL_LEVEL, SUCCESS, Facts
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import (
    COMPLIANT,
    NON_COMPLIANT,
    UNKNOWN,
    Evidence,
    Finding,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import counted, some, unreadable


def contents(facts: Facts, policy: Policy) -> Finding:
    """R2: the newest set that counts has every source and the dump."""
    held = facts.contents
    if held is None:
        return Finding("R2", UNKNOWN, "there is no set that counts whose contents could be read", command="backup.yml")
    evidence = (Evidence(f"the sidecar of {held.stem}", "list.yml"),)
    lacking = [name for name in facts.expected_sources if not held.sources.get(name)]
    if not held.dump or held.dump_size <= 0:
        lacking.append("the dump")
    if lacking:
        summary = f"{held.stem} lacks {', '.join(lacking)}"
        return Finding("R2", NON_COMPLIANT, summary, evidence, command="backup.yml")
    told = ", ".join(f"{name} ({held.sources[name]} files)" for name in facts.expected_sources)
    return Finding("R2", COMPLIANT, f"{told} and {held.dump} ({held.dump_size} bytes)", evidence, command="verify.yml")


def retention(facts: Facts, policy: Policy) -> Finding:
    """R4: nothing of the last 7 days is gone from a layer, and the settings would remove nothing of it."""
    window = policy.thresholds.window
    wrong = [*_loose_settings(facts, policy), *_gone(facts, window)]
    evidence = tuple(
        Evidence(
            counted(len(layer.counting), "set counts", "sets count") + f" on the {layer.name} layer",
            layer.path,
            layer.counting[-1].time,
        )
        for layer in facts.layers
        if layer.counting
    )
    if wrong:
        return Finding("R4", NON_COMPLIANT, "; ".join(wrong), evidence, command="list.yml")
    unknown = unreadable(facts.layers) or ("" if evidence else "no layer has a set that counts")
    if unknown:
        return Finding("R4", UNKNOWN, unknown, evidence, command="list.yml")
    summary = (
        f"every set of the last {window.days} days is on every layer; {facts.keep_min} are kept whatever their age"
    )
    return Finding("R4", COMPLIANT, summary, evidence, command="list.yml")


def _loose_settings(facts: Facts, policy: Policy) -> List[str]:
    """Settings with which retention would remove what the doctrine keeps."""
    limits, wrong = policy.thresholds, []
    if facts.keep_min < limits.min_sets:
        wrong.append(f"backup_keep_min is {facts.keep_min} and {limits.min_sets} is the floor")
    if timedelta(days=facts.min_age_days) < limits.window:
        wrong.append(f"backup_min_age_days is {facts.min_age_days} and {limits.window.days} is the floor")
    return wrong


def _gone(facts: Facts, window: timedelta) -> List[str]:
    """Sets that the audit log has as made, and that do not count on a layer any more."""
    made = [run for run in facts.runs if run.result == SUCCESS and run.artifact and facts.now - run.began < window]
    wrong = []
    for layer in facts.layers:
        held = {each.stem for each in layer.counting}
        gone = [run.artifact for run in made if run.artifact not in held]
        if gone and not layer.problem:
            wrong.append(f"the {layer.name} layer lacks {some(gone)}, made in the last {window.days} days")
    return wrong


def no_partial_backup(facts: Facts, policy: Policy) -> Finding:
    """F3: the newest set that counts has a dump that was decoded to its end."""
    newest = [(layer, layer.counting[0]) for layer in facts.layers if layer.counting]
    if not newest or facts.contents is None:
        return Finding("F3", UNKNOWN, "there is no set that counts", command="backup.yml")
    evidence = tuple(
        Evidence(f"{each.stem} on the {layer.name} layer, level {each.level}", layer.path, each.verified_at)
        for layer, each in newest
    )
    if not facts.contents.dump or facts.contents.dump_size <= 0:
        return Finding("F3", NON_COMPLIANT, f"{facts.contents.stem} has no dump", evidence, command="backup.yml")
    level = max((each.level for _layer, each in newest if each.stem == facts.contents.stem), default=0)
    if level < FULL_LEVEL:  # on no layer, though one is enough: the copies are the same bytes
        summary = f"the dump of {facts.contents.stem} was not decoded to its end (verified at level {level})"
        return Finding("F3", NON_COMPLIANT, summary, evidence, command="verify.yml")
    return Finding(
        "F3",
        COMPLIANT,
        f"{facts.contents.stem} has its dump, decoded to its end; a set without one is never published",
        evidence,
        command="backup.yml",
    )
