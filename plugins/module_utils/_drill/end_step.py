# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a drill that succeeded: the set's state file says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils import _context, _jobs
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, SetMissing
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._names import ZIP, parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import holding
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import read_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import Event, fresh_state, write_state
from ansible_collections.wst.backup.plugins.module_utils._sets.verify_set import recording

PATIENCE = 6 * 3600.0  # seconds; a backup that runs beside the drill may dump for hours, and nothing else is in a hurry


def record_drilled(
    layout: HostLayout,
    layer: Layer,
    stem: str,
    *,
    prefix: str,
    sha256: str,
    dry_run: bool,
    patience: float = PATIENCE,
) -> Dict[str, Any]:
    """Note that the set was restored from that layer and was all that it promised.

    :param sha256: of the ZIP that was restored.
    :param patience: seconds to wait for a step of a run beside the drill to end.
    :raises SetMissing: the set is gone, or is another by now. Locked: a run keeps the host for too long. NotProved,
        LeaseLost; what the file system has.
    """
    artifact = parse_artifact(stem + ZIP, prefix)
    if artifact is None:
        raise InputInvalid(f"{stem!r} is no set of prefix {prefix}", artifact=stem)
    if dry_run:
        return {"changed": True, "artifact": stem, "layer": layer.name}
    run_id = _context.require_run_id()
    lane = layout_of_run(layout, run_id)
    _jobs.step("wait for the step of a run that works on the host")
    with held(lane, run_id), holding(layout, stem), recording(layout, patience=patience):
        sidecar = read_sidecar(layer.file(artifact.sidecar))
        if sidecar is None or sidecar.sha256 != sha256:
            raise SetMissing(f"the set {stem} that was restored is not on layer {layer.name} any more", artifact=stem)
        state = fresh_state(layer, artifact)
        write_state(layer, artifact, replace(state, drilled=Event(at=utc_now(), run_id=run_id)))
    return {"changed": True, "artifact": stem, "layer": layer.name}
