# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_publish``: this run's verified partial becomes a set on the local layer."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import NotProved
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._layout import ARCHIVE_FACTS, VERIFICATION, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName, artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import (
    Manifest,
    Proof,
    check_proof,
    publish,
    refuse_taken_names,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


def publish_run(layout: HostLayout, local_dir: str, *, prefix: str) -> Dict[str, Any]:
    """Publish; a set that this run has published already is left as it is. Raises as ``publish.publish``."""
    run_id = _context.require_run_id()
    layer, artifact = Layer(LOCAL, local_dir), artifact_of_run(run_id, prefix)
    with held(layout, run_id) as lease:
        if _is_published(layer, artifact, run_id=run_id, prefix=prefix):
            return _result(layer, artifact, changed=False)
        proof, manifest = _read_proof(layout.workspace(run_id), run_id)
        publish(layer, artifact, run_id=run_id, proof=proof, manifest=manifest, check=lease.check)
    return _result(layer, artifact, changed=True)


def preview(layout: HostLayout, local_dir: str, *, prefix: str) -> Dict[str, Any]:
    """Check mode: what would be published. In a run whose steps were all in check mode there is nothing to look at."""
    run_id = _context.current().run_id
    if run_id is None:
        return _result(Layer(LOCAL, local_dir), None, changed=True)
    layer, artifact = Layer(LOCAL, local_dir), artifact_of_run(run_id, prefix)
    workspace = layout.workspace(run_id)
    if read_record(os.path.join(workspace, VERIFICATION)) is None:
        return _result(layer, artifact, changed=True)
    if _is_published(layer, artifact, run_id=run_id, prefix=prefix):
        return _result(layer, artifact, changed=False)
    check_proof(layer.file(artifact.zip_partial(run_id)), _read_proof(workspace, run_id)[0])
    refuse_taken_names(layer, artifact)
    return _result(layer, artifact, changed=True)


def _is_published(layer: Layer, artifact: ArtifactName, *, run_id: str, prefix: str) -> bool:
    found: Optional[BackupSet] = read_layer(layer, prefix=prefix).find(artifact)
    return found is not None and found.counts and found.proof.run_id == run_id


def _read_proof(workspace: str, run_id: str) -> Tuple[Proof, Manifest]:
    """What the steps before this one left; raises ``NotProved``."""
    verification = _record(os.path.join(workspace, VERIFICATION), "backup_verify")
    archive = _record(os.path.join(workspace, ARCHIVE_FACTS), "backup_archive")
    try:
        if verification["run_id"] != run_id:
            raise NotProved("the verification is that of run {}".format(verification["run_id"]), path=workspace)
        facts = verification["zip"]
        proof = Proof(
            level=int(verification["level"]),
            size=int(facts["size"]),
            mtime_ns=int(facts["mtime_ns"]),
            file_id=str(facts["file_id"]),
            sha256=str(facts["sha256"]),
        )
        if archive["zip"]["sha256"] != proof.sha256:
            raise NotProved("what was verified is not what was archived", path=workspace)
        return proof, Manifest(body=dict(archive["manifest"]), sha256=str(archive["manifest_sha256"]))
    except (KeyError, TypeError, ValueError) as error:
        raise NotProved(f"the records in {workspace} lack {error}", path=workspace) from error


def _record(path: str, step: str) -> Mapping[str, Any]:
    body = read_record(path)
    if body is None:
        raise NotProved(f"there is no {path}: {step} did not finish in this run", path=path)
    return body


def _result(layer: Layer, artifact: Optional[ArtifactName], *, changed: bool) -> Dict[str, Any]:
    return {
        "changed": changed,
        "artifact": artifact.stem if artifact else None,
        "zip": layer.file(artifact.zip) if artifact else None,
        "sidecar": layer.file(artifact.sidecar) if artifact else None,
    }
