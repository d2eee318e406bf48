# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds real layers in a directory: sets that were published through the library's own code."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timezone
from typing import Dict, Sequence

from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName, artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Manifest, Proof, publish

PREFIX = "wst-backup"
MANIFEST = Manifest(
    {
        "run_id": "20261123-120000-0000aaaa",
        "totals": {"files": 1000, "bytes": 10_000_000},
        "database": {"tables": [{"schema": "app", "name": f"t{n}"} for n in range(10)], "rows_total": 5000},
        "dump": {"size": 1000},
    },
    "ab" * 32,
)
RUN = "20261123-120000-0000aaaa"
NEXT_RUN = "20261123-160000-0000bbbb"
NOW = datetime(2026, 11, 23, 12, 30, 0, tzinfo=timezone.utc)


def no_check() -> None:
    """A lease that holds."""


def content(artifact: ArtifactName, size: int = 5000) -> bytes:
    """Bytes that differ from set to set."""
    seed = hashlib.sha256(artifact.stem.encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


def write_partial(layer: Layer, run_id: str, size: int = 5000) -> ArtifactName:
    """What backup_archive leaves."""
    artifact = artifact_of_run(run_id, PREFIX)
    with open(platform.long_path(layer.file(artifact.zip_partial(run_id))), "wb") as file:
        file.write(content(artifact, size))
    return artifact


def prove_partial(layer: Layer, run_id: str, level: int = 3) -> Proof:
    """What backup_verify finds out."""
    artifact = artifact_of_run(run_id, PREFIX)
    with platform.open_source(layer.file(artifact.zip_partial(run_id))) as file:
        facts = platform.facts_of(file)
        digest = hashlib.sha256(file.read()).hexdigest()
    return Proof(level=level, size=facts.size, mtime_ns=facts.mtime_ns, file_id=facts.file_id, sha256=digest)


def publish_set(
    layer: Layer,
    run_id: str,
    size: int = 5000,
    suspect: Sequence[str] = (),
    safety: str = "",
    manifest: Manifest = MANIFEST,
) -> ArtifactName:
    """A complete set that counts, unless it is suspect or made for safety."""
    artifact = write_partial(layer, run_id, size)
    proof = prove_partial(layer, run_id)
    publish(
        layer, artifact, run_id=run_id, proof=proof, manifest=manifest, check=no_check, suspect=suspect, safety=safety
    )
    return artifact


def snapshot(layer: Layer) -> Dict[str, bytes]:
    """Every file of a layer with its bytes."""
    found = {}
    for name in sorted(os.listdir(layer.path)):
        if os.path.isfile(layer.file(name)):
            with open(layer.file(name), "rb") as file:
                found[name] = file.read()
    return found
