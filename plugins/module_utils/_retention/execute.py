# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes sets as planned, one at a time, so that no crash leaves half a set that counts.

A set loses its sidecar's name first: from then on it does not count. Then its ZIP becomes a partial of this run, and
only then do files go. A run that dies in between leaves either a set that the next run's recovery makes whole again
(and a later retention removes), or partials that it sweeps.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Callable, Collection, Dict, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    Cancelled,
    LeaseLost,
    RetentionRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import remove_file
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Plan, Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet, Catalog
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, progress_meter, take_name
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import reverify
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import REQUIRED_LEVEL, Check


@dataclass(frozen=True)
class LayerPlan:
    """A layer as it was read, and what is planned for it."""

    layer: Layer
    catalog: Catalog
    plan: Plan


@dataclass
class Executed:
    """What was removed, by layer, and what stopped the work on a layer."""

    removed: Dict[str, List[str]] = field(default_factory=dict)
    problems: List[BackupError] = field(default_factory=list)


def refuse_unproved(plans: Sequence[LayerPlan], artifact: ArtifactName, *, run_id: str) -> None:
    """Raises ``RetentionRefused`` unless every layer has this run's set, verified in full and mirrored."""
    if not plans:
        raise RetentionRefused("no layer was given")
    for one in plans:
        lacks = _lacks(one.catalog.find(artifact), run_id)
        if lacks:
            raise RetentionRefused(
                f"layer {one.layer.name} has no proved set of this run: {lacks}",
                layer=one.layer.name,
                artifact=artifact.stem,
            )


def _lacks(item: Optional[BackupSet], run_id: str) -> str:
    """What this run's set on one layer does not have; empty when nothing."""
    if item is None:
        return "there is none"
    if not item.counts:
        return item.reason
    if item.sidecar is None or item.sidecar.run_id != run_id:
        return "the set of that name was made by another run"
    if item.level < REQUIRED_LEVEL:
        return f"it is verified to level {item.level} only"
    if item.state is None or item.state.mirrored is None:
        return "it is not mirrored"
    return ""


def execute(
    plans: Sequence[LayerPlan],
    policy: Policy,
    *,
    run_id: str,
    check: Check,
    held: Callable[[], Collection[str]] = frozenset,
) -> Executed:
    """Remove what the plans say, each layer by itself: what stops one does not stop the other.

    A set that somebody has begun to read since it was planned stays for now.

    :param held: the stems of sets that are read at that moment.

    Raises ``LeaseLost`` and ``Cancelled``; other failures are in the result.
    """
    done = Executed()
    for one in plans:
        removed = done.removed.setdefault(one.layer.name, [])
        if not one.plan.removals:
            continue
        try:
            prove_floor(one.layer, one.catalog, policy, run_id=run_id)
            for artifact in one.plan.removals:
                check()
                if artifact.stem in held():
                    continue
                remove_set(one.layer, artifact, run_id=run_id)
                removed.append(artifact.stem)
        except (Cancelled, LeaseLost):
            raise
        except BackupError as error:
            done.problems.append(error)
    return done


def prove_floor(layer: Layer, catalog: Catalog, policy: Policy, *, run_id: str) -> None:
    """Read the ``keep_min`` newest counting sets again, but those that this run has read already.

    Raises ``RetentionRefused`` when one is bad; it does not count from then on.
    """
    floor = [item for item in catalog.counting[: policy.keep_min] if not _read_by(item, run_id)]
    meter = progress_meter(sum(item.size or 0 for item in floor), layer.path)
    for item in floor:
        try:
            reverify(layer, item.artifact, item.proof, run_id=run_id, meter=meter)
        except ArtifactDamaged as error:
            raise RetentionRefused(
                f"nothing is removed on layer {layer.name}: {error.message}", layer=layer.name, **error.facts
            ) from error


def _read_by(item: BackupSet, run_id: str) -> bool:
    verified = item.state.verified if item.state is not None else None
    return verified is not None and verified.run_id == run_id


def remove_set(layer: Layer, artifact: ArtifactName, *, run_id: str) -> None:
    """Remove one set. Raises what the file system has; then the set is whole, or gone from the names that count."""
    sidecar, sidecar_partial = layer.file(artifact.sidecar), layer.file(artifact.sidecar_partial(run_id))
    final, zip_partial = layer.file(artifact.zip), layer.file(artifact.zip_partial(run_id))
    take_name(sidecar, sidecar_partial)
    try:
        take_name(final, zip_partial)
    except BackupError:
        if os.path.lexists(platform.long_path(final)):  # else it lost its name, and only the flush of that has failed
            take_name(sidecar_partial, sidecar)  # somebody holds the ZIP open: it stays what it was
        raise
    for path in (zip_partial, sidecar_partial, layer.file(artifact.state)):
        remove_file(path)
