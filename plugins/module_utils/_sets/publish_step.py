# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_publish``: this run's verified partial becomes a set on the local layer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import ContentAnomaly, NotProved
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._layout import ARCHIVE_FACTS, VERIFICATION, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName, artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._sets.anomaly import (
    Thresholds,
    anomalies,
    content_of,
    lacking,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.baseline import Baseline, find_baseline
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.checker import place_checker
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import (
    Manifest,
    Proof,
    check_proof,
    publish,
    refuse_taken_names,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


@dataclass(frozen=True)
class Request:
    """What the module was asked for.

    :ivar mirror_dir: where the set to compare with is looked for when the local layer has none; it is only read.
    :ivar required_tables: tables, as ``schema.name``, without which the content is suspect.
    :ivar warn: told what does not stop the step.
    :ivar safety: what the set is made before; then it never counts, and what its content is makes no difference.
    """

    layout: HostLayout
    local_dir: str
    mirror_dir: str
    prefix: str
    thresholds: Thresholds
    required_tables: Sequence[str] = ()
    safety: str = ""
    warn: Callable[[str], None] = lambda text: None

    @property
    def layer(self) -> Layer:
        """Where the set is published."""
        return Layer(LOCAL, self.local_dir)

    @property
    def layers(self) -> List[Layer]:
        """Where older sets are."""
        return [self.layer, Layer(MIRROR, self.mirror_dir)]


def publish_run(request: Request) -> Dict[str, Any]:
    """Publish; a set that this run has published already is left as it is. Raises as ``publish.publish``.

    Suspect content is published all the same: its ``problem`` is for the end of the run.
    """
    run_id = _context.require_run_id()
    layer, artifact = request.layer, artifact_of_run(run_id, request.prefix)
    with held(request.layout, run_id) as lease:
        placed = place_checker(layer, warn=request.warn)
        published = _published(layer, artifact, run_id=run_id, prefix=request.prefix)
        if published is not None:
            return _result(layer, artifact, changed=False, placed=placed, suspect=published.proof.suspect)
        made = _read_proof(request.layout.workspace(run_id), run_id)
        baseline = find_baseline(request.layers, prefix=request.prefix, before=artifact)
        suspect = _suspicions(request, made, baseline)
        publish(
            layer,
            artifact,
            run_id=run_id,
            proof=made.proof,
            manifest=made.manifest,
            check=lease.check,
            suspect=suspect,
            safety=request.safety,
        )
    return _result(layer, artifact, changed=True, placed=placed, suspect=suspect, baseline=baseline)


def preview(request: Request) -> Dict[str, Any]:
    """Check mode: what would be published. In a run whose steps were all in check mode there is nothing to look at."""
    run_id = _context.current().run_id
    layer = request.layer
    if run_id is None:
        return _result(layer, None, changed=True)
    artifact = artifact_of_run(run_id, request.prefix)
    workspace = request.layout.workspace(run_id)
    if read_record(os.path.join(workspace, VERIFICATION)) is None:
        return _result(layer, artifact, changed=True)
    published = _published(layer, artifact, run_id=run_id, prefix=request.prefix)
    if published is not None:
        return _result(layer, artifact, changed=False, suspect=published.proof.suspect)
    made = _read_proof(workspace, run_id)
    check_proof(layer.file(artifact.zip_partial(run_id)), made.proof)
    refuse_taken_names(layer, artifact)
    baseline = find_baseline(request.layers, prefix=request.prefix, before=artifact)
    return _result(layer, artifact, changed=True, suspect=_suspicions(request, made, baseline), baseline=baseline)


@dataclass(frozen=True)
class Made:
    """What the steps before this one left."""

    proof: Proof
    manifest: Manifest
    missing: Sequence[str]  # required paths


def _suspicions(request: Request, made: Made, baseline: Optional[Baseline]) -> List[str]:
    if request.safety:
        return []
    manifest = made.manifest.body
    lacks = lacking(manifest, paths=made.missing, tables=request.required_tables)
    if baseline is None:
        return lacks
    return [*anomalies(content_of(manifest, made.proof.size), baseline.content, request.thresholds), *lacks]


def _published(layer: Layer, artifact: ArtifactName, *, run_id: str, prefix: str) -> Optional[BackupSet]:
    found = read_layer(layer, prefix=prefix).find(artifact)
    return found if found is not None and found.sound and found.proof.run_id == run_id else None


def _read_proof(workspace: str, run_id: str) -> Made:
    """Raises ``NotProved`` where a step before this one did not finish in this run."""
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
        manifest = Manifest(body=dict(archive["manifest"]), sha256=str(archive["manifest_sha256"]))
        return Made(proof, manifest, missing=[str(path) for path in verification["missing"]])
    except (KeyError, TypeError, ValueError) as error:
        raise NotProved(f"the records in {workspace} lack {error}", path=workspace) from error


def _record(path: str, step: str) -> Mapping[str, Any]:
    body = read_record(path)
    if body is None:
        raise NotProved(f"there is no {path}: {step} did not finish in this run", path=path)
    return body


def _result(
    layer: Layer,
    artifact: Optional[ArtifactName],
    *,
    changed: bool,
    placed: bool = False,
    suspect: Sequence[str] = (),
    baseline: Optional[Baseline] = None,
) -> Dict[str, Any]:
    result: Dict[str, Any] = {
        "changed": changed or placed,
        "checker_placed": placed,
        "artifact": artifact.stem if artifact else None,
        "zip": layer.file(artifact.zip) if artifact else None,
        "sidecar": layer.file(artifact.sidecar) if artifact else None,
        "suspect": list(suspect),
        "baseline": baseline.artifact.stem if baseline else None,
    }
    if artifact is not None and suspect:
        compared = f", compared with {baseline.artifact.stem}" if baseline else ""
        error = ContentAnomaly(
            "{} is suspect{}: {}".format(artifact.stem, compared, "; ".join(suspect)),
            artifact=artifact.stem,
            baseline=result["baseline"],
            suspect=list(suspect),
        )
        result["problem"] = error.as_problem()
    return result
