# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a proved set its final names, and records it.

The order is what makes a crash harmless: the sidecar is whole under a partial name before the ZIP gets its final one,
and gets its own final name last, after the state file. At every moment the set is either building, unfinished
(``recover`` finishes it) or complete; no name of another file is ever taken.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, NotProved
from ansible_collections.wst.backup.plugins.module_utils._fs import remove_file, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, name_taken, take_name, write_new
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import list_files
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, encode_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import (
    Event,
    Ruling,
    SetState,
    Verified,
    write_state,
)

REQUIRED_LEVEL = 3

Check = Callable[[], None]  # raises LeaseLost when the run does not hold the host any more


@dataclass(frozen=True)
class Proof:
    """What this run's verification found, of which file."""

    level: int
    size: int
    mtime_ns: int
    file_id: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What the ZIP's ``manifest.json`` says, and the SHA-256 of its bytes."""

    body: Mapping[str, Any]
    sha256: str


def check_proof(path: str, proof: Proof) -> None:
    """Raises ``NotProved`` unless the file at ``path`` is the one that was verified, and untouched since."""
    if proof.level < REQUIRED_LEVEL:
        raise NotProved(
            f"{path} was verified to level {proof.level}, and {REQUIRED_LEVEL} is needed",
            path=path,
            level=proof.level,
        )
    try:
        with platform.open_source(path) as file:
            facts = platform.facts_of(file)
    except FileNotFoundError as error:
        raise NotProved(f"there is no {path} to publish", path=path) from error
    except OSError as error:
        raise translate_oserror(error, path) from error
    changed = [name for name in ("size", "mtime_ns", "file_id") if getattr(facts, name) != getattr(proof, name)]
    if changed:
        message = "{} changed after it was verified ({})".format(path, ", ".join(changed))
        raise NotProved(message, path=path, changed=changed)


def publish(
    layer: Layer,
    artifact: ArtifactName,
    *,
    run_id: str,
    proof: Proof,
    manifest: Manifest,
    check: Check,
    suspect: Sequence[str] = (),
    safety: str = "",
) -> Sidecar:
    """Publish this run's verified partial; returns its sidecar.

    :param suspect: why its content does not count before somebody accepts it. It stands in the sidecar, which is
        never changed, and so goes with the set wherever that goes.
    :param safety: what the set is made before. It is pinned, and never counts.

    Raises ``NotProved``, ``ArtifactExists``, ``LeaseLost``, ``NoSpace`` and what else the file system has; then no
    name but the run's own partials has changed, or the set is unfinished and the next run finishes it.
    """
    check_proof(layer.file(artifact.zip_partial(run_id)), proof)
    sidecar = Sidecar(
        artifact.zip,
        proof.size,
        proof.sha256,
        manifest.sha256,
        level=proof.level,
        run_id=run_id,
        suspect=tuple(suspect),
        safety=safety,
    )
    done = Event(at=utc_now(), run_id=run_id)
    verified = Verified(at=done.at, run_id=run_id, level=proof.level, zip_sha256=proof.sha256)
    state = SetState(artifact.stem, layer.name, published=done, verified=verified, pinned=_pin(safety, done))
    data = encode_sidecar(sidecar, manifest.body)
    name_files(layer, artifact, run_id=run_id, sidecar=data, state=state, check=check)
    return sidecar


def _pin(safety: str, done: Event) -> Optional[Ruling]:
    if not safety:
        return None
    by = _context.current().controller or ""
    return Ruling(at=done.at, run_id=done.run_id, by=by, reason=f"made for safety before {safety}")


def name_files(
    layer: Layer, artifact: ArtifactName, *, run_id: str, sidecar: bytes, state: SetState, check: Check
) -> None:
    """Turn the run's ZIP partial into a complete set in that state. Raises as ``publish``."""
    refuse_taken_names(layer, artifact)
    sidecar_partial = layer.file(artifact.sidecar_partial(run_id))
    write_new(sidecar_partial, sidecar)
    zip_partial = layer.file(artifact.zip_partial(run_id))
    try:
        check()
        take_name(zip_partial, layer.file(artifact.zip))
    except BackupError:
        if os.path.lexists(platform.long_path(zip_partial)):  # else it has its name, and the next run finishes it
            remove_file(sidecar_partial)  # beside a ZIP that is not ours it would claim that one
        raise
    write_state(layer, artifact, state)
    check()
    take_name(sidecar_partial, layer.file(artifact.sidecar))
    try:
        platform.flush_directory(layer.path)
    except OSError as error:
        raise translate_oserror(error, layer.path) from error


def refuse_taken_names(layer: Layer, artifact: ArtifactName) -> None:
    """Raises ``ArtifactExists`` where a final name of the set is taken, in whatever case (Windows has one)."""
    finals = {name.lower() for name in (artifact.zip, artifact.sidecar, artifact.state)}
    taken = next((fact.name for fact in list_files(layer) if fact.name.lower() in finals), None)
    if taken is not None:
        raise name_taken(layer.file(taken))
