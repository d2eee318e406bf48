# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R3: where the sets stand."""

from __future__ import annotations

from datetime import timedelta
from typing import List

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import Facts
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import Draft, Evidence, Finding
from ansible_collections.wst.backup.plugins.module_utils._compliance.offsite import judge_offsite
from ansible_collections.wst.backup.plugins.module_utils._compliance.pitr import judge_pitr
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import days

LOCAL, MIRROR = "local", "mirror"
SOON_FULL = 14  # days


def storage(facts: Facts, policy: Policy) -> Finding:
    """R3: Azure's own backups, the sets on C:, the same on D:; each is there, fresh, and reaches back as it must.
    Copies offsite are told where there are some, and needed where the inventory says so."""
    draft = Draft()
    for name in (LOCAL, MIRROR):
        _judge_layer(name, facts, policy.thresholds.max_gap, draft)
    draft.wrong += _mirror_problems(facts)
    if facts.problems is None:
        draft.unknown.append("the mirror's disk could not be looked at")
    draft.warnings += _space_warnings(facts)
    judge_pitr(facts.pitr, facts.now, policy.thresholds.min_restorable, draft)
    judge_offsite(facts.offsite, facts.now, policy.thresholds.max_gap, draft)
    good = "Azure's backups, the local layer and the mirror are there and fresh"
    return draft.finding("R3", good, command="list.yml")


def _judge_layer(name: str, facts: Facts, max_gap: timedelta, draft: Draft) -> None:
    layer = facts.layer(name)
    if layer is None or layer.problem:
        draft.unknown.append(f"the {name} layer cannot be read" + (f" ({layer.problem})" if layer else ""))
        return
    if not layer.counting:
        draft.wrong.append(f"no set counts on the {name} layer")
        return
    newest = layer.counting[0]
    draft.evidence.append(Evidence(f"newest on the {name} layer: {newest.stem}", layer.path, newest.time))
    draft.turns.append((newest.time + max_gap, f"without a new set on the {name} layer by then"))
    if facts.now - newest.time > max_gap:
        draft.wrong.append(f"the newest set on the {name} layer is {days(facts.now - newest.time)} old")


def _mirror_problems(facts: Facts) -> List[str]:
    """What preflight says of the mirror's volume: a mirror on the same disk is no second layer."""
    found = facts.problems or ()
    return [str(each.get("message")) for each in found if str(each.get("code", "")).startswith("mirror_")]


def _space_warnings(facts: Facts) -> List[str]:
    return [
        f"the {layer.name} layer's disk is full in {layer.days_until_full:.0f} days"
        for layer in facts.layers
        if layer.days_until_full is not None and layer.days_until_full < SOON_FULL
    ]
