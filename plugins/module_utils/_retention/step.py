# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_retention``: plan, refuse or execute."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Callable, Collection, Dict, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import ClockSuspect
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName, artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._retention.execute import (
    Executed,
    LayerPlan,
    execute,
    refuse_unproved,
)
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Candidate, Policy, plan
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_stems
from ansible_collections.wst.backup.plugins.module_utils._sets.problems import gathered
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer

Warn = Callable[[str], None]


def retain(layout: HostLayout, layers: Sequence[Layer], *, prefix: str, policy: Policy, warn: Warn) -> Dict[str, Any]:
    """Remove what the plan says. Raises ``RetentionRefused``, ``ClockSuspect`` and what the file systems have."""
    run_id = _context.require_run_id()
    with held(layout, run_id) as lease:
        plans = plan_layers(layers, prefix=prefix, policy=policy, now=utc_now(), held=held_stems(layout))
        refuse_stopped(plans)
        refuse_unproved(plans, artifact_of_run(run_id, prefix), run_id=run_id)
        done = execute(plans, policy, run_id=run_id, check=lease.check, held=lambda: held_stems(layout))
    if done.problems:
        raise gathered(done.problems, removed=done.removed)
    return _result(plans, done, warn)


def preview(layout: HostLayout, layers: Sequence[Layer], *, prefix: str, policy: Policy, warn: Warn) -> Dict[str, Any]:
    """Check mode: the plan that run mode would execute now.

    In a run whose set is not there yet (its steps were in check mode too) the plan supposes that it is.
    """
    run_id = _context.current().run_id
    supposed = artifact_of_run(run_id, prefix) if run_id else None
    plans = plan_layers(layers, prefix=prefix, policy=policy, now=utc_now(), held=held_stems(layout), supposed=supposed)
    refuse_stopped(plans)
    done = Executed(removed={one.layer.name: [a.stem for a in one.plan.removals] for one in plans})
    return _result(plans, done, warn)


def plan_layers(
    layers: Sequence[Layer],
    *,
    prefix: str,
    policy: Policy,
    now: datetime,
    held: Collection[str] = (),
    supposed: Optional[ArtifactName] = None,
) -> List[LayerPlan]:
    """Read every layer and plan for it by itself. Changes nothing.

    :param held: the stems of sets that somebody reads.
    """
    plans = []
    for layer in layers:
        catalog = read_layer(layer, prefix=prefix)
        sets = [_candidate(item, held) for item in catalog.sets]
        if supposed is not None and catalog.find(supposed) is None:
            sets.append(Candidate(supposed, counts=True))
        plans.append(LayerPlan(layer, catalog, plan(sets, policy, now)))
    return plans


def _candidate(item: BackupSet, held: Collection[str]) -> Candidate:
    pin = item.state.pinned if item.state is not None else None
    return Candidate(
        item.artifact,
        item.counts,
        item.reason,
        pinned=pin.reason if pin is not None else "",
        held=item.artifact.stem in held,
        drilled=item.state is not None and item.state.drilled is not None,
    )


def refuse_stopped(plans: Sequence[LayerPlan]) -> None:
    """A time in the future on one layer stops all: the clock is the host's. Raises ``ClockSuspect``."""
    for one in plans:
        if one.plan.stopped is not None:
            raise ClockSuspect(
                f"retention removes nothing, for on layer {one.layer.name} {one.plan.stopped}",
                layer=one.layer.name,
                path=one.layer.path,
            )


def _result(plans: Sequence[LayerPlan], done: Executed, warn: Warn) -> Dict[str, Any]:
    for one in plans:
        for note in one.plan.notes:
            warn(f"layer {one.layer.name}: {note}")
    return {
        "changed": any(done.removed.values()),
        "plan": {one.layer.name: [decision.as_data() for decision in one.plan.decisions] for one in plans},
        "removed": {one.layer.name: done.removed.get(one.layer.name, []) for one in plans},
        "kept": {one.layer.name: [artifact.stem for artifact in one.plan.kept] for one in plans},
        "notes": {one.layer.name: list(one.plan.notes) for one in plans},
        "diff": [_diff(one) for one in plans],
    }


def _diff(one: LayerPlan) -> Dict[str, str]:
    """Before and after as lists of names, for ``--diff``."""
    name = f"{one.layer.path} ({one.layer.name})"
    return {
        "before_header": name,
        "after_header": name,
        "before": "".join(f"{decision.artifact.stem}\n" for decision in one.plan.decisions),
        "after": "".join(f"{artifact.stem}\n" for artifact in one.plan.kept),
    }
