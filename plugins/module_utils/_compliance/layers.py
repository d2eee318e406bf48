# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R3: where the sets stand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import Facts, Pitr
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import (
    COMPLIANT,
    NON_COMPLIANT,
    UNKNOWN,
    Evidence,
    Finding,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import days

LOCAL, MIRROR = "local", "mirror"
SOON_FULL = 14  # days


def storage(facts: Facts, policy: Policy) -> Finding:
    """R3: Azure's own backups, the sets on C:, the same on D:."""
    wrong: List[str] = []
    unknown: List[str] = []
    evidence: List[Evidence] = []
    for name in (LOCAL, MIRROR):
        _judge_layer(name, facts, policy.thresholds.max_gap, wrong, unknown, evidence)
    wrong += _mirror_problems(facts)
    unknown += [] if facts.problems is not None else ["the mirror's disk could not be looked at"]
    _judge_pitr(facts.pitr, facts.now, policy.thresholds.min_restorable, wrong, unknown, evidence)
    verdict = NON_COMPLIANT if wrong else UNKNOWN if unknown else COMPLIANT
    summary = "; ".join(wrong + unknown) or "Azure's backups, the local layer and the mirror are there and fresh"
    warnings = tuple(_space_warnings(facts)) + _geo_warning(facts.pitr)
    return Finding("R3", verdict, summary, tuple(evidence), warnings, command="list.yml")


def _judge_layer(
    name: str, facts: Facts, max_gap: timedelta, wrong: List[str], unknown: List[str], evidence: List[Evidence]
) -> None:
    layer = facts.layer(name)
    if layer is None or layer.problem:
        unknown.append(f"the {name} layer cannot be read" + (f" ({layer.problem})" if layer else ""))
        return
    if not layer.counting:
        wrong.append(f"no set counts on the {name} layer")
        return
    newest = layer.counting[0]
    evidence.append(Evidence(f"newest on the {name} layer: {newest.stem}", layer.path, newest.time))
    if facts.now - newest.time > max_gap:
        wrong.append(f"the newest set on the {name} layer is {days(facts.now - newest.time)} old")


def _mirror_problems(facts: Facts) -> List[str]:
    """What preflight says of the mirror's volume: a mirror on the same disk is no second layer."""
    found = facts.problems or ()
    return [str(each.get("message")) for each in found if str(each.get("code", "")).startswith("mirror_")]


def _judge_pitr(
    pitr: Optional[Pitr],
    now: datetime,
    needed: timedelta,
    wrong: List[str],
    unknown: List[str],
    evidence: List[Evidence],
) -> None:
    if pitr is None:
        unknown.append("nobody has asked Azure for its backups (backup_compliance_pitr)")
    elif pitr.problem:
        unknown.append(f"Azure's backups are not known: {pitr.problem}")
    elif pitr.enabled is False:
        wrong.append("Azure's point-in-time restore is off")
    elif pitr.earliest is None:
        unknown.append("Azure has no restore point yet")
    else:
        evidence.append(Evidence("earliest restore point of Azure", "azure_pitr_info", pitr.earliest))
        evidence.append(Evidence("last automatic backup of Azure", "azure_pitr_info", pitr.last_backup))
        if timedelta(days=pitr.retention_days) < needed:
            wrong.append(f"Azure keeps {pitr.retention_days} days and {needed.days} are needed")


def _geo_warning(pitr: Optional[Pitr]) -> Tuple[str, ...]:
    if pitr is None or pitr.problem or pitr.geo_redundant is not False:
        return ()
    return ("Azure's backups are not geo-redundant",)


def _space_warnings(facts: Facts) -> List[str]:
    return [
        f"the {layer.name} layer's disk is full in {layer.days_until_full:.0f} days"
        for layer in facts.layers
        if layer.days_until_full is not None and layer.days_until_full < SOON_FULL
    ]
