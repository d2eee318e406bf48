# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R5: every set was verified when it was made, and is read again on every layer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import List

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import FULL_LEVEL, Facts, SetOn
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import (
    COMPLIANT,
    NON_COMPLIANT,
    UNKNOWN,
    Evidence,
    Finding,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import some, unreadable

DAMAGED = "damaged"
COMMAND = "verify.yml -e backup_verify_sets=all"


def verification(facts: Facts, policy: Policy) -> Finding:
    """R5: nothing is damaged, the newest sets were verified in full, and every copy was read within a week."""
    every = policy.thresholds.reread_every
    copies = [(layer, each) for layer in facts.layers for each in layer.counting]
    wrong = [*_damaged(facts), *_shallow(facts), *_stale([each for _layer, each in copies], facts.now, every)]
    if wrong:
        return Finding("R5", NON_COMPLIANT, "; ".join(wrong), command=COMMAND)
    unknown = unreadable(facts.layers) or ("" if copies else "there is no set that counts")
    if unknown:
        return Finding("R5", UNKNOWN, unknown, command="list.yml")
    at, layer, oldest = min((each.verified_at, layer.name, each.stem) for layer, each in copies if each.verified_at)
    return Finding(
        "R5",
        COMPLIANT,
        f"{len(copies)} copies of sets, verified when made and read in full within {every.days} days",
        (Evidence(f"read longest ago: {oldest} on the {layer} layer", "list.yml", at),),
        turns_at=at + every,
        turns_why="unless it is read again by then, as compliance.yml does",
        command=COMMAND,
    )


def _damaged(facts: Facts) -> List[str]:
    return [
        f"{each.stem} on the {layer.name} layer is damaged ({each.reason})"
        for layer in facts.layers
        for each in layer.sets
        if each.state == DAMAGED
    ]


def _shallow(facts: Facts) -> List[str]:
    newest = [(layer, layer.counting[0]) for layer in facts.layers if layer.counting]
    return [
        f"{each.stem} on the {layer.name} layer was verified at level {each.level} only"
        for layer, each in newest
        if each.level < FULL_LEVEL
    ]


def _stale(copies: List[SetOn], now: datetime, every: timedelta) -> List[str]:
    old = [each.stem for each in copies if each.verified_at is None or now - each.verified_at > every]
    return [f"{len(old)} copies were not read for {every.days} days: {some(old)}"] if old else []
