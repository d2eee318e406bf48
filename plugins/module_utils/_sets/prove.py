# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a set's ZIP again and records what was found."""

from __future__ import annotations

from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, Meter, reread, set_aside
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import fresh_state, write_state


def prove(layer: Layer, artifact: ArtifactName, sidecar: Sidecar, *, meter: Optional[Meter] = None) -> str:
    """Read the whole ZIP, past the cache, and compare it with the sidecar; returns its SHA-256.

    Raises ``ArtifactDamaged`` (its fact ``found`` is the SHA-256 that was read), or what the file system has.
    """
    path = layer.file(artifact.zip)
    digest, size = reread(path, meter=meter)
    if sidecar.artifact != artifact.zip or (digest, size) != (sidecar.sha256, sidecar.size):
        raise ArtifactDamaged(
            f"{path} is not what its sidecar says: {size} bytes with SHA-256 {digest} "
            f"instead of {sidecar.size} bytes with {sidecar.sha256}",
            path=path,
            found=digest,
            expected=sidecar.sha256,
        )
    return digest


def reverify(
    layer: Layer, artifact: ArtifactName, sidecar: Sidecar, *, run_id: str, meter: Optional[Meter] = None
) -> None:
    """Prove the ZIP of a complete set and write the outcome, good or bad, into its state file.

    The same bytes passed the sidecar's level before, so that is the level that a good outcome stands for.
    Raises as ``prove``; a set that was found bad is quarantined.
    """
    try:
        digest = prove(layer, artifact, sidecar, meter=meter)
    except ArtifactDamaged as error:
        quarantine(layer, artifact, run_id=run_id, reason=error.message)
        raise
    record_good(layer, artifact, sidecar, run_id=run_id, zip_sha256=digest)


def record_good(layer: Layer, artifact: ArtifactName, sidecar: Sidecar, *, run_id: str, zip_sha256: str) -> None:
    """Note in the state file that the ZIP was read in full and is what its sidecar says."""
    state = fresh_state(layer, artifact)
    write_state(
        layer,
        artifact,
        state.with_reread(at=utc_now(), run_id=run_id, level=sidecar.level, zip_sha256=zip_sha256),
    )


def quarantine(layer: Layer, artifact: ArtifactName, *, run_id: str, reason: str) -> None:
    """Keep a ZIP that was found damaged as evidence, under a name that does not stand in the way of its repair.

    The state file says so first: from then on the set does not count, whatever becomes of the rename (a crash, or
    somebody who holds the file open). ``finish_quarantine`` makes up for it.
    """
    state = fresh_state(layer, artifact)
    write_state(layer, artifact, state.with_damage(at=utc_now(), run_id=run_id, reason=reason))
    set_aside(layer, artifact.zip)
