# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar: what stands beside a ZIP and makes it a complete set.

It holds the ZIP's manifest with the ZIP's own size and SHA-256, is written last and never changed. On every layer it
is the same file, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import SCHEMA_VERSION, sidecar_body
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._records import encode_record


@dataclass(frozen=True)
class Sidecar:
    """What a sidecar proves about its ZIP; the manifest itself is left on the disk (it can be large)."""

    artifact: str  # the ZIP's file name
    size: int  # bytes
    sha256: str  # hexadecimal
    manifest_sha256: str  # of the bytes of manifest.json in the ZIP
    level: int  # the verification level that the set had passed when it was published
    run_id: str  # of the run that made it
    suspect: Tuple[str, ...] = ()  # why its content was found suspect when it was published
    safety: str = ""  # what it was made before; such a set never counts


def encode_sidecar(sidecar: Sidecar, manifest: Mapping[str, Any]) -> bytes:
    """The file's bytes."""
    body = sidecar_body(
        manifest=manifest,
        manifest_sha256=sidecar.manifest_sha256,
        zip_name=sidecar.artifact,
        zip_size=sidecar.size,
        zip_sha256=sidecar.sha256,
    )
    suspect = {"suspect": list(sidecar.suspect)} if sidecar.suspect else {}
    safety = {"safety": sidecar.safety} if sidecar.safety else {}
    return encode_record({**body, "verified_level": sidecar.level, "run_id": sidecar.run_id, **suspect, **safety})


def parse_sidecar(body: Mapping[str, Any], *, name: str) -> Sidecar:
    """The inverse, of a record's body; raises ``RecordDamaged`` for anything but what ``encode_sidecar`` wrote."""
    if body.get("schema_version") != SCHEMA_VERSION:
        found = body.get("schema_version")
        raise RecordDamaged(f"{name} is of schema {found!r}, not {SCHEMA_VERSION}", path=name)
    try:
        return Sidecar(
            artifact=str(body["zip"]["name"]),
            size=int(body["zip"]["size"]),
            sha256=str(body["zip"]["sha256"]),
            manifest_sha256=str(body["manifest_sha256"]),
            level=int(body["verified_level"]),
            run_id=str(body["run_id"]),
            suspect=tuple(str(reason) for reason in body.get("suspect", ())),
            safety=str(body.get("safety", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{name} lacks what a sidecar must have", path=name) from error


def read_sidecar(path: str) -> Optional[Sidecar]:
    """The sidecar in that file, None where there is none; raises ``BackupError``."""
    body = read_record(path)
    return None if body is None else parse_sidecar(body, name=path)
