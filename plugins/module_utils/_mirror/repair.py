# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings damaged sets back from the other layer, where that one proves good. Deletes nothing: evidence is renamed.

The order makes a crash harmless: first the ZIP is right, then the sidecar, then the state file says so. In between the
set is damaged or unfinished and does not count, and both the next run and the next repair take it from there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import List, Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    Cancelled,
    LeaseLost,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import (
    copy_partial,
    read_sidecar_bytes,
    require_space,
)
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import DAMAGED, BackupSet, Catalog
from ansible_collections.wst.backup.plugins.module_utils._sets.files import (
    MIRROR,
    Layer,
    Meter,
    set_aside,
    take_name,
    write_new,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import prove, reverify
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Check
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, read_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import Event, fresh_state, write_state


@dataclass(frozen=True)
class Case:
    """A damaged set of ``target``. ``source`` has a sound one, or ``hopeless`` says why it cannot be repaired."""

    artifact: ArtifactName
    target: Layer
    damage: str
    source: Optional[Layer] = None
    size: int = 0
    hopeless: str = ""


@dataclass
class Repaired:
    """What was brought back, and what could not be."""

    done: List[Case] = field(default_factory=list)
    problems: List[BackupError] = field(default_factory=list)


def find_cases(target: Layer, found: Catalog, source: Layer, other: Catalog) -> List[Case]:
    """The damaged sets of ``target``, newest first, held against the other layer. A pure decision."""
    return [_case(target, item, source, other) for item in found.sets if item.status == DAMAGED]


def _case(target: Layer, item: BackupSet, source: Layer, other: Catalog) -> Case:
    good = other.find(item.artifact)
    case = Case(item.artifact, target, item.reason)
    if good is None:
        return replace(case, hopeless=f"layer {source.name} has no such set")
    if not good.sound:
        return replace(case, hopeless=f"on layer {source.name} it is not proved either: {good.reason or good.status}")
    if item.sidecar is not None and item.sidecar != good.sidecar:
        return replace(case, hopeless=f"layer {source.name} has another set of that name, by its sidecar")
    return replace(case, source=source, size=good.proof.size)


def repair(cases: List[Case], *, run_id: str, check: Check, meter: Meter) -> Repaired:
    """Repair what can be. Raises ``LeaseLost`` and ``Cancelled``; other failures are in the result, set by set."""
    result = Repaired()
    for case in cases:
        try:
            if case.source is None:
                raise ArtifactDamaged(
                    f"{case.artifact.stem} on layer {case.target.name} cannot be repaired: {case.hopeless}",
                    artifact=case.artifact.stem,
                    layer=case.target.name,
                )
            _repair(case.artifact, case.source, case.target, run_id=run_id, check=check, meter=meter)
            result.done.append(case)
        except (Cancelled, LeaseLost):
            raise
        except BackupError as error:
            result.problems.append(error)
    return result


def _repair(artifact: ArtifactName, source: Layer, target: Layer, *, run_id: str, check: Check, meter: Meter) -> None:
    data, sidecar = read_sidecar_bytes(source, artifact)
    reverify(source, artifact, sidecar, run_id=run_id, meter=meter)
    _mend_zip(artifact, source, target, sidecar, run_id=run_id, check=check, meter=meter)
    _mend_sidecar(artifact, target, sidecar, data, run_id=run_id, check=check)
    now = Event(at=utc_now(), run_id=run_id)
    state = fresh_state(target, artifact)
    state = state.with_reread(at=now.at, run_id=run_id, level=sidecar.level, zip_sha256=sidecar.sha256)
    mirrored = state.mirrored or now  # the other layer's copy was read a moment ago
    published = state.published or (now if target.name == MIRROR else None)
    write_state(target, artifact, replace(state, repaired=now, mirrored=mirrored, published=published))


def _mend_zip(
    artifact: ArtifactName,
    source: Layer,
    target: Layer,
    sidecar: Sidecar,
    *,
    run_id: str,
    check: Check,
    meter: Meter,
) -> None:
    """Afterwards the ZIP under the final name is what the sidecar says."""
    if os.path.lexists(platform.long_path(target.file(artifact.zip))):
        try:
            prove(target, artifact, sidecar)
            return  # only its sidecar or its state was bad, or an earlier repair came this far
        except ArtifactDamaged:
            check()
            set_aside(target, artifact.zip)
    require_space(target, sidecar.size)
    partial = copy_partial(source, target, artifact, sidecar, run_id=run_id, meter=meter)
    check()
    take_name(partial, target.file(artifact.zip))


def _mend_sidecar(
    artifact: ArtifactName, target: Layer, sidecar: Sidecar, data: bytes, *, run_id: str, check: Check
) -> None:
    """Afterwards the sidecar is that of the other layer, byte for byte."""
    final = target.file(artifact.sidecar)
    try:
        if read_sidecar(final) == sidecar:
            return
    except RecordDamaged:
        pass
    partial = target.file(artifact.sidecar_partial(run_id))
    write_new(partial, data)
    check()
    set_aside(target, artifact.sidecar)
    take_name(partial, final)
