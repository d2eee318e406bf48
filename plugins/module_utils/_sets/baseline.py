# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The set that a new one is compared with: the newest that counts, on the first layer that has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._sets.anomaly import Content, content_of
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet, Catalog
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


@dataclass(frozen=True)
class Baseline:
    """The last accepted set, and what it holds."""

    artifact: ArtifactName
    content: Content


def find_baseline(layers: Sequence[Layer], *, prefix: str, before: ArtifactName) -> Optional[Baseline]:
    """The newest set that counts and is older than ``before``; None where no layer has one.

    A layer or a sidecar that cannot be used is passed over: what is wrong with it is for other steps to say, and must
    not keep a backup from being made.
    """
    for layer in layers:
        for item in _catalog(layer, prefix).counting:
            content = _content(layer, item) if item.artifact < before else None
            if content is not None:
                return Baseline(item.artifact, content)
    return None


def _catalog(layer: Layer, prefix: str) -> Catalog:
    try:
        return read_layer(layer, prefix=prefix)
    except BackupError:
        return Catalog((), ())


def _content(layer: Layer, item: BackupSet) -> Optional[Content]:
    try:
        body = read_record(layer.file(item.artifact.sidecar))
        return None if body is None else content_of(body["manifest"], item.proof.size)
    except (BackupError, KeyError):
        return None
