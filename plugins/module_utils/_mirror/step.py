# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror step: everything that the mirror lacks and would keep, this run's set first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Dict, List

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    Cancelled,
    LeaseLost,
    MirrorMismatch,
)
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import (
    READS_AND_WRITES,
    carry_rulings,
    copy_set,
    mark_mirrored,
)
from ansible_collections.wst.backup.plugins.module_utils._mirror.selection import Selection, select
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, Meter, progress_meter
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import reverify
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Check
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


@dataclass
class Mirrored:
    """What the step did. ``problems`` are those of older sets: the others were mirrored all the same."""

    mirrored: List[str] = field(default_factory=list)  # stems that have a new proved copy
    reread: List[str] = field(default_factory=list)  # stems whose copy was there and is proved now
    present: List[str] = field(default_factory=list)
    skipped: Dict[str, str] = field(default_factory=dict)
    damaged: List[str] = field(default_factory=list)  # stems whose copy is bad, as an earlier run found out
    marked: List[str] = field(default_factory=list)  # stems whose copy was there, noted on the source only now
    bytes: int = 0  # copied
    problems: List[BackupError] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether a file changed on either layer."""
        return bool(self.mirrored or self.reread or self.marked)


def choose(source: Layer, mirror: Layer, *, prefix: str, policy: Policy, now: datetime, run_id: str) -> Selection:
    """What there is to do, by the catalogs as they stand."""
    return select(
        read_layer(source, prefix=prefix),
        read_layer(mirror, prefix=prefix),
        policy=policy,
        now=now,
        first=artifact_of_run(run_id, prefix),
    )


def mirror_sets(
    source: Layer, mirror: Layer, selection: Selection, *, run_id: str, prefix: str, check: Check
) -> Mirrored:
    """Do it. Raises the failure of this run's own set at once; those of older sets are in the result.

    Raises also ``LeaseLost`` and ``Cancelled``.
    """
    result = Mirrored(
        present=[s.artifact.stem for s in selection.present],
        skipped=dict(selection.skipped),
        damaged=[s.artifact.stem for s in selection.damaged],
        problems=list(selection.conflicts),
    )
    own = artifact_of_run(run_id, prefix)
    conflict = next((c for c in selection.conflicts if c.facts.get("name") == own.zip), None)
    if conflict is not None:
        raise conflict
    total = sum(_size(s) * READS_AND_WRITES for s in selection.copy) + sum(_size(s) for s in selection.reread)
    meter = progress_meter(total, mirror.path)
    work = [*selection.copy, *selection.reread]
    for item in sorted(work, key=lambda s: (s.artifact == own, s.artifact), reverse=True):
        try:
            _treat(source, mirror, item, result, copy=item in selection.copy, run_id=run_id, check=check, meter=meter)
        except (Cancelled, LeaseLost):
            raise
        except BackupError as error:
            if item.artifact == own:
                raise
            result.problems.append(error)
    for item in selection.present:
        news = mark_mirrored(source, item.artifact, run_id=run_id)
        if carry_rulings(source, mirror, item.artifact) or news:
            result.marked.append(item.artifact.stem)
    return result


def _treat(
    source: Layer,
    mirror: Layer,
    item: BackupSet,
    result: Mirrored,
    *,
    copy: bool,
    run_id: str,
    check: Check,
    meter: Meter,
) -> None:
    """One set that the mirror lacks, or has without proof."""
    if copy:
        copy_set(source, mirror, item, run_id=run_id, check=check, meter=meter)
        result.mirrored.append(item.artifact.stem)
        result.bytes += _size(item)
        return
    try:
        reverify(mirror, item.artifact, item.proof, run_id=run_id, meter=meter)
    except ArtifactDamaged as error:
        raise MirrorMismatch(f"the mirror's copy is damaged: {error.message}", **error.facts) from error
    mark_mirrored(source, item.artifact, run_id=run_id)
    result.reread.append(item.artifact.stem)


def _size(item: BackupSet) -> int:
    return item.size or 0
