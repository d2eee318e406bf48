# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets whose every digest is right and whose content is not: what only a drill can find."""

from __future__ import annotations

import contextlib
import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from integration.world import World

from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import encode_manifest
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._names import ZIP, parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._records import canonical
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, encode_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import Event, SetState, Verified, write_state

STEM = "wst-backup-20260101-010203"
RUN = "20260101-010203-0000f0f0"
DUMP = "wst_dev_database.backup"

Members = dict[str, bytes]


@contextlib.contextmanager
def forged(
    world: World, change: Callable[[Members], None], *, listed: bool = True, lie: Callable[[Any], None] | None = None
) -> Iterator[str]:
    """A set on the local layer that counts, made of the newest one; removed at the end.

    :param change: changes the members' contents.
    :param listed: whether the member list tells the change; else its digest is that of the old content.
    :param lie: changes the manifest.
    """
    source = world.local / (world.counting()[-1] + ZIP)
    target = world.local / (STEM + ZIP)
    manifest = _write(source, target, change, listed=listed, lie=lie)
    data = target.read_bytes()
    text = encode_manifest(manifest)
    sidecar = Sidecar(
        target.name, len(data), hashlib.sha256(data).hexdigest(), hashlib.sha256(text).hexdigest(), 3, RUN
    )
    (world.local / f"{STEM}.manifest.json").write_bytes(encode_sidecar(sidecar, manifest))
    artifact = parse_artifact(target.name, "wst-backup")
    assert artifact is not None
    verified = Verified(at=utc_now(), run_id=RUN, level=3, zip_sha256=sidecar.sha256)
    published = Event(at=utc_now(), run_id=RUN)
    state = SetState(artifact=STEM, layer=LOCAL, verified=verified, published=published)
    write_state(Layer(LOCAL, str(world.local)), artifact, state)
    try:
        yield STEM
    finally:
        for path in world.local.glob(STEM + ".*"):
            path.unlink()


def _write(
    source: Path, target: Path, change: Callable[[Members], None], *, listed: bool, lie: Callable[[Any], None] | None
) -> dict[str, Any]:
    with zipfile.ZipFile(source) as old:
        infos = {info.filename: info for info in old.infolist()}
        members = {name: old.read(name) for name in infos if not name.endswith("/")}
    before = dict(members)
    change(members)
    manifest: dict[str, Any] = json.loads(members["manifest.json"])
    if listed:
        lines = [_relisted(line, before, members) for line in members["members.jsonl"].splitlines()]
        members["members.jsonl"] = b"".join(line + b"\n" for line in lines)
    listing = members["members.jsonl"]
    manifest["members"].update(sha256=hashlib.sha256(listing).hexdigest(), size=len(listing))
    manifest["dump"].update(sha256=hashlib.sha256(members[DUMP]).hexdigest(), size=len(members[DUMP]))
    manifest.update(artifact=STEM, run_id=RUN)
    if lie is not None:
        lie(manifest)
    members["manifest.json"] = encode_manifest(manifest)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, info in infos.items():
            kept = zipfile.ZipInfo(info.filename, info.date_time)  # its time is held against the member list
            kept.extra, kept.external_attr, kept.create_system = info.extra, info.external_attr, info.create_system
            kind = zipfile.ZIP_STORED if name == DUMP or name.endswith("/") else zipfile.ZIP_DEFLATED
            new.writestr(kept, b"" if name.endswith("/") else members[name], compress_type=kind)
    return manifest


def _relisted(line: bytes, before: Members, after: Members) -> bytes:
    entry = json.loads(line)
    name = entry["path"]
    if name not in after or after[name] == before[name]:
        return line
    data = after[name]
    entry.update(sha256=hashlib.sha256(data).hexdigest(), size=len(data), crc32=f"{zlib.crc32(data):08x}")
    return canonical(entry)
