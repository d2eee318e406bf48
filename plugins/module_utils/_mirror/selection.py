# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sets are to be copied to the mirror: a pure decision over both layers' catalogs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Dict, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import MirrorMismatch
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import KEEP, Candidate, Policy, plan
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import DAMAGED, UNFINISHED, BackupSet, Catalog


@dataclass
class Selection:
    """What the mirror lacks, each list in the order of work: this run's set first, then newest first."""

    copy: List[BackupSet] = field(default_factory=list)
    reread: List[BackupSet] = field(default_factory=list)  # there, the same by its sidecar, but not proved there
    present: List[BackupSet] = field(default_factory=list)  # there and sound
    skipped: Dict[str, str] = field(default_factory=dict)  # stem -> why it is not copied
    damaged: List[BackupSet] = field(default_factory=list)  # there, and known to be bad: said, not read every time
    conflicts: List[MirrorMismatch] = field(default_factory=list)  # names that something else has


def select(
    source: Catalog, target: Catalog, *, policy: Policy, now: datetime, first: Optional[ArtifactName]
) -> Selection:
    """Sort the source's sound sets.

    Of those that count only what the mirror's own retention would keep is copied: else mirror and retention would chase
    each other. Suspect ones are copied always: retention never removes them.

    :param first: this run's artifact.
    """
    chosen = Selection()
    missing = []
    sound = [item for item in source.sets if item.sound]
    for item in sorted(sound, key=lambda s: (s.artifact == first, s.artifact), reverse=True):
        there = target.find(item.artifact)
        taken = _taken(item, there, target)
        if taken is not None:
            chosen.conflicts.append(taken)
        elif there is None or there.status == UNFINISHED:
            missing.append(item)
        elif there.status == DAMAGED:
            chosen.damaged.append(item)
        elif there.sound:
            chosen.present.append(item)
        else:
            chosen.reread.append(item)
    future = [Candidate(s.artifact, True) for s in [*target.counting, *chosen.reread, *missing]]
    decisions = {d.artifact: d for d in plan(future, policy, now).decisions}
    for item in missing:
        decision = decisions[item.artifact]
        if decision.action == KEEP or not item.counts:
            chosen.copy.append(item)
        else:
            chosen.skipped[item.artifact.stem] = "the mirror would not keep it: " + decision.reason
    return chosen


def _taken(item: BackupSet, there: Optional[BackupSet], target: Catalog) -> Optional[MirrorMismatch]:
    """Something else that has the set's name on the mirror; it is named and left untouched."""
    name = item.artifact.zip
    foreign = next((f for f in target.foreign if f.name.lower() == name.lower()), None)
    if foreign is not None:
        return MirrorMismatch(f"the mirror has a {foreign.name} of another origin: {foreign.reason}", name=name)
    if there is None or (there.size is None and there.sidecar is None):
        return None  # nothing under a final name
    if there.status == UNFINISHED:
        return MirrorMismatch(f"the mirror's {name} is unfinished: {there.reason}", name=name)
    if there.sidecar is not None and there.sidecar != item.sidecar:
        return MirrorMismatch(f"the mirror's {name} is another one by its sidecar", name=name)
    return None
