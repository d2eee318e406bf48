# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies a ZIP that may be a set of a layer: held while it is read, and with what was found on record."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, Iterator, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import CONTENT
from ansible_collections.wst.backup.plugins.module_utils._archive.verify_step import Request, verify_path
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    InputInvalid,
    Locked,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import ensure_private_directory
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName, parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_file
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import prove, quarantine, record_good
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, read_sidecar

RECORD_PATIENCE = 300.0  # seconds to wait for a step of a run to end
NO_RUN = "none"  # stands in state files where a set was verified outside of a run


def verify_held(request: Request, path: str) -> Dict[str, Any]:
    """Verify any ZIP, and let retention leave it alone meanwhile. Raises as ``verify_path``."""
    with held_file(request.layout, path):
        return verify_path(request, path)


def verify_set(request: Request, path: str, *, layer_name: str, prefix: str) -> Dict[str, Any]:
    """The same for a set of a layer, with the outcome in its state file.

    A ZIP whose bytes are not those that its sidecar names is quarantined. One that fails while its bytes are right
    (its dump cannot be decoded by these tools, say) is not: it is what was published.

    Raises as ``verify_path``; ``InputInvalid`` where the path is no set's; ``Locked`` where a step of a run keeps
    the host for so long that the outcome cannot be recorded.
    """
    layer, artifact = _set_of(path, layer_name, prefix)
    with held_file(request.layout, path):
        sidecar = read_sidecar(layer.file(artifact.sidecar))
        try:
            result = verify_path(request, path)
        except BackupError:
            if sidecar is not None:
                _quarantine_if_changed(request.layout, layer, artifact, sidecar)
            raise
        if sidecar is not None and result["level"] >= CONTENT:
            with recording(request.layout):
                record_good(layer, artifact, sidecar, run_id=_run_id(), zip_sha256=str(result["sha256"]))
    return result


def _set_of(path: str, layer_name: str, prefix: str) -> Tuple[Layer, ArtifactName]:
    directory, name = os.path.split(path)
    artifact = parse_artifact(name, prefix)
    if artifact is None:
        raise InputInvalid(f"{path} is no set of prefix {prefix}", path=path, prefix=prefix)
    return Layer(layer_name, directory), artifact


def _quarantine_if_changed(layout: HostLayout, layer: Layer, artifact: ArtifactName, sidecar: Sidecar) -> None:
    """Whatever a verification stumbled over: only a second full read that finds other bytes convicts the ZIP."""
    try:
        prove(layer, artifact, sidecar)
    except ArtifactDamaged as error:
        with recording(layout):
            quarantine(layer, artifact, run_id=_run_id(), reason=error.message)
    except BackupError:
        return  # it cannot be read now, and the failure on its way says so


def _run_id() -> str:
    return _context.current().run_id or NO_RUN


@contextlib.contextmanager
def recording(layout: HostLayout, *, patience: float = RECORD_PATIENCE) -> Iterator[None]:
    """While no step of a run works on the host: two writers would lose one's words in a state file.

    :param patience: seconds to wait for such a step to end.
    :raises Locked: it has not ended by then.
    """
    ensure_private_directory(layout.lock_dir)
    lock = RunLock(layout)
    if not lock.take_os_lock(patience):
        raise Locked("a step of a run works on this host, so that what was found could not be recorded")
    try:
        yield
    finally:
        lock.os_lock.release()
