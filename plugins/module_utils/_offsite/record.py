# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host knows of each copy offsite: what it put there, when it last read it back, what protects it.

``offsite/<stem>.json`` below the host root is a record that outlives the set on the layers. It is a memory and no
proof: without it, a copy is read back once more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Dict, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record, translate_oserror, write_record
from ansible_collections.wst.backup.plugins.module_utils._names import ZIP, ArtifactName, parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, set_aside

SCHEMA_VERSION = 1
SUFFIX = ".json"
GONE = "it is no longer there"  # a problem, told once


@dataclass(frozen=True)
class Known:
    """A blob that was read back and was right."""

    blob: str
    size: int  # bytes
    sha256: str
    etag: str
    version_id: Optional[str] = None


@dataclass(frozen=True)
class Copy:
    """A set offsite.

    :ivar protection: what keeps others from changing it, in words; empty where nothing is known to.
    :ivar problem: what was found wrong with it; it counts for nothing then.
    """

    artifact: str  # the stem
    place: str  # ``Place.told``
    zip: Known
    sidecar: Known
    uploaded_at: datetime
    verified_at: datetime
    protection: str = ""
    immutable_until: Optional[datetime] = None
    problem: str = ""

    def with_problem(self, problem: str) -> Copy:
        """The same, found wrong."""
        return replace(self, problem=problem)


def copy_body(copy: Copy) -> Dict[str, Any]:
    """The record's body."""
    return {
        "schema_version": SCHEMA_VERSION,
        "artifact": copy.artifact,
        "place": copy.place,
        "zip": _known_body(copy.zip),
        "sidecar": _known_body(copy.sidecar),
        "uploaded_at": format_time(copy.uploaded_at),
        "verified_at": format_time(copy.verified_at),
        "protection": copy.protection,
        "immutable_until": None if copy.immutable_until is None else format_time(copy.immutable_until),
        "problem": copy.problem,
    }


def parse_copy(body: Mapping[str, Any], *, name: str) -> Copy:
    """The inverse; raises ``RecordDamaged``."""
    if body.get("schema_version") != SCHEMA_VERSION:
        raise RecordDamaged(f"{name} is of schema {body.get('schema_version')!r}, not {SCHEMA_VERSION}", path=name)
    try:
        until = body["immutable_until"]
        return Copy(
            artifact=str(body["artifact"]),
            place=str(body["place"]),
            zip=_known(body["zip"]),
            sidecar=_known(body["sidecar"]),
            uploaded_at=parse_time(body["uploaded_at"]),
            verified_at=parse_time(body["verified_at"]),
            protection=str(body["protection"]),
            immutable_until=None if until is None else parse_time(until),
            problem=str(body["problem"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{name} lacks what a record of an offsite copy must have", path=name) from error


class Memory:
    """The records of one host.

    :param place: only copies there are seen; None sees all. What is known of another place is replaced when the set
        goes to this one.
    """

    def __init__(self, directory: str, place: Optional[str], prefix: str) -> None:
        self._layer = Layer("offsite", directory)
        self._place = place
        self._prefix = prefix

    def all(self) -> Dict[ArtifactName, Copy]:
        """What is known; a damaged record is no knowledge. Raises PathPermissions, PathUnusable."""
        found = {}
        for artifact in self._artifacts():
            try:
                copy = self._read(artifact)
            except RecordDamaged:
                continue
            if copy is not None and copy.artifact == artifact.stem and self._place in (None, copy.place):
                found[artifact] = copy
        return found

    def write(self, artifact: ArtifactName, copy: Copy) -> None:
        """Replace what is known; a damaged record is kept beside. Raises as ``_fs.write_record``."""
        try:
            self._read(artifact)
        except RecordDamaged:
            set_aside(self._layer, artifact.stem + SUFFIX)
        write_record(self._path(artifact), copy_body(copy))

    def _read(self, artifact: ArtifactName) -> Optional[Copy]:
        path = self._path(artifact)
        body = read_record(path)
        return None if body is None else parse_copy(body, name=path)

    def _path(self, artifact: ArtifactName) -> str:
        return self._layer.file(artifact.stem + SUFFIX)

    def _artifacts(self) -> Dict[ArtifactName, None]:
        if not os.path.isdir(platform.long_path(self._layer.path)):
            return {}
        try:
            names = [entry.name for entry in platform.scan(self._layer.path)]
        except OSError as error:
            raise translate_oserror(error, self._layer.path) from error
        stems = (name[: -len(SUFFIX)] for name in names if name.endswith(SUFFIX))
        artifacts = (parse_artifact(stem + ZIP, self._prefix) for stem in stems)
        return {artifact: None for artifact in artifacts if artifact is not None}


def _known_body(known: Known) -> Dict[str, Any]:
    return {
        "blob": known.blob,
        "size": known.size,
        "sha256": known.sha256,
        "etag": known.etag,
        "version_id": known.version_id,
    }


def _known(body: Mapping[str, Any]) -> Known:
    version = body["version_id"]
    return Known(
        blob=str(body["blob"]),
        size=int(body["size"]),
        sha256=str(body["sha256"]),
        etag=str(body["etag"]),
        version_id=None if version is None else str(version),
    )
