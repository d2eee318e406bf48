# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``manifest.json`` and the sidecar: what an artifact says about itself. ``docs/manifest.md`` describes the fields."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
import zlib
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils import _json
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import path_problem
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, ArtifactUnsupported
from ansible_collections.wst.backup.plugins.module_utils._version import VERSION

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
MEMBERS = "members.jsonl"
MAX_MANIFEST = 64 << 20  # bytes; a hundred thousand tables fit
_NEEDED: Mapping[str, type] = {
    "artifact": str,
    "run_id": str,
    "members": dict,
    "sources": list,
    "dump": dict,
    "database": dict,
    "totals": dict,
}


def build_manifest(
    *,
    artifact: str,
    run_id: str,
    prefix: str,
    environment: str,
    times: Mapping[str, Optional[str]],
    database: Mapping[str, Any],
    dump: Mapping[str, Any],
    sources: List[Dict[str, Any]],
    totals: Mapping[str, int],
    members: Mapping[str, Any],
    notes: Mapping[str, Any],
    compression: Mapping[str, Any],
    audit_head: Optional[Mapping[str, Any]],
    trust: Optional[Mapping[str, Any]] = None,
) -> Dict[str, Any]:
    """The manifest's content; adds what is known of the host and the tools."""
    return {
        **({"trust": dict(trust)} if trust is not None else {}),
        "schema_version": SCHEMA_VERSION,
        "collection_version": VERSION,
        "artifact": artifact,
        "run_id": run_id,
        "prefix": prefix,
        "environment": environment,
        "host": socket.gethostname(),
        "times": dict(times),
        "tools": {
            **database.get("tools", {}),
            "python": ".".join(str(part) for part in sys.version_info[:3]),
            "zlib": zlib.ZLIB_RUNTIME_VERSION,
        },
        "database": dict(database),
        "dump": dict(dump),
        "sources": sources,
        "totals": dict(totals),
        "members": dict(members),
        "notes": dict(notes),
        "compression": dict(compression),
        "audit_head": dict(audit_head) if audit_head is not None else None,
    }


def encode_manifest(manifest: Mapping[str, Any]) -> bytes:
    """The bytes of ``manifest.json``: for people too, so indented; sorted, so that equal content is equal bytes."""
    return json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"


def decode_manifest(data: bytes) -> Dict[str, Any]:
    """The content of ``manifest.json``; raises ``ArtifactDamaged``, or ``ArtifactUnsupported`` for a newer schema."""
    try:
        manifest = _json.parse(data)
    except ValueError as error:
        raise ArtifactDamaged(f"its manifest.json is not JSON that we write ({error})") from error
    if not isinstance(manifest, dict):
        raise ArtifactDamaged("its manifest.json is not a manifest")
    version = manifest.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:  # True is an int, too
        raise ArtifactDamaged("its manifest.json has no schema version")
    if version > SCHEMA_VERSION:
        raise ArtifactUnsupported(
            f"its manifest has schema {version}; this collection knows {SCHEMA_VERSION}", schema=version
        )
    for key, kind in _NEEDED.items():
        if not isinstance(manifest.get(key), kind):
            raise ArtifactDamaged(f"its manifest.json lacks {key!r}", key=key)
    if not all(isinstance(source, dict) and _is_name(source.get("name")) for source in manifest["sources"]):
        raise ArtifactDamaged("its manifest.json has a source without a usable name", key="sources")
    if not _is_name(manifest["dump"].get("path")):
        raise ArtifactDamaged("its manifest.json has no usable path of the dump", key="dump")
    return manifest


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and path_problem(value) is None


def sha256_of_manifest(data: bytes) -> str:
    """What the sidecar says of the manifest's bytes."""
    return hashlib.sha256(data).hexdigest()


def sidecar_body(
    *, manifest: Mapping[str, Any], manifest_sha256: str, zip_name: str, zip_size: int, zip_sha256: str
) -> Dict[str, Any]:
    """The body of the sidecar record (see ``_records``): what proves the ZIP from outside of it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "manifest": dict(manifest),
        "manifest_sha256": manifest_sha256,
        "zip": {"name": zip_name, "size": zip_size, "sha256": zip_sha256},
    }
