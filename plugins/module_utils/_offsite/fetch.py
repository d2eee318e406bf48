# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a set back from offsite into a directory of this host: proved before it gets its name, the sidecar last."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactExists,
    NoSpace,
    OffsiteBlobDiffers,
    OffsiteSetMissing,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import (
    MAX_RECORD,
    ensure_private_directory,
    free_bytes,
    remove_file,
    translate_oserror,
)
from ansible_collections.wst.backup.plugins.module_utils._hashing import sha256_of
from ansible_collections.wst.backup.plugins.module_utils._names import (
    PARTIAL,
    SIDECAR,
    ZIP,
    ArtifactName,
    parse_artifact,
    parse_layer_file,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import Place
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob, Store
from ansible_collections.wst.backup.plugins.module_utils._offsite.upload import content_of
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._records import decode_record
from ansible_collections.wst.backup.plugins.module_utils._sets.files import (
    Layer,
    Meter,
    metered,
    reread,
    take_name,
    write_new,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import prove
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, parse_sidecar

NEWEST = "newest"
SPACE_RESERVE = 16 << 20  # bytes that stay free
_OWNER = "fetch"


@dataclass(frozen=True)
class Found:
    """A set that is complete offsite."""

    artifact: ArtifactName
    zip: Blob
    sidecar: Blob


@dataclass(frozen=True)
class Fetched:
    """Where the set is now."""

    artifact: str
    path: str
    sidecar: Sidecar
    bytes: int  # that were fetched; 0 where it was there
    was_there: bool


def sets_there(store: Store, place: Place, prefix: str) -> List[Found]:
    """The complete sets under this host's prefix, newest first: a ZIP whose sidecar is there, too."""
    blobs = {blob.name: blob for blob in store.list(place.blob(""))}
    found = []
    for name, blob in blobs.items():
        parsed = parse_layer_file(name[len(place.blob("")) :], prefix)
        if parsed is None or parsed.part != SIDECAR or parsed.run_id is not None or parsed.damaged:
            continue
        archive = blobs.get(place.blob(parsed.artifact.zip))
        if archive is not None:
            found.append(Found(parsed.artifact, archive, blob))
    return sorted(found, key=lambda each: each.artifact, reverse=True)


def choose(found: List[Found], which: str, prefix: str, place: Place) -> Found:
    """The set of that name, or the newest; raises ``OffsiteSetMissing``."""
    if which == NEWEST:
        chosen: Optional[Found] = found[0] if found else None
    else:
        artifact = parse_artifact(which + ZIP, prefix)
        chosen = next((each for each in found if each.artifact == artifact), None)
    if chosen is None:
        there = [each.artifact.stem for each in found]
        what = "no complete set" if which == NEWEST else f"no complete set {which}"
        raise OffsiteSetMissing(f"there is {what} at {place.told}", place=place.told, there=there[:20])
    return chosen


def read_sidecar_there(store: Store, found: Found) -> Tuple[bytes, Sidecar]:
    """The sidecar offsite; raises ``OffsiteBlobDiffers`` where it is none, or one of another set."""
    if found.sidecar.size > MAX_RECORD:
        raise OffsiteBlobDiffers(f"{found.sidecar.name} is larger than any sidecar", blob=found.sidecar.name)
    data = b"".join(content_of(store, found.sidecar))
    try:
        sidecar = parse_sidecar(decode_record(data, name=found.sidecar.name), name=found.sidecar.name)
    except RecordDamaged as error:
        raise OffsiteBlobDiffers(error.message, blob=found.sidecar.name) from error
    if (sidecar.artifact, sidecar.size) != (found.artifact.zip, found.zip.size):
        raise OffsiteBlobDiffers(
            f"{found.sidecar.name} is that of a {sidecar.artifact} of {sidecar.size} bytes, and the ZIP there has "
            f"{found.zip.size}",
            blob=found.sidecar.name,
        )
    return data, sidecar


def fetch(store: Store, found: Found, directory: str, *, meter: Meter) -> Fetched:
    """Afterwards the set is in that directory, whole and read again from the disk, or nothing of it is.

    Raises ``OffsiteBlobDiffers`` (what came is not what its sidecar says), ``ArtifactExists``, ``ArtifactDamaged``
    (another ZIP of that name is there already), ``NoSpace``, ``PathPermissions``, ``PathUnusable``, ``Cancelled`` and
    as ``Store`` does. Nothing that is there is written over.
    """
    data, sidecar = read_sidecar_there(store, found)
    target = Layer("fetched", directory)
    ensure_private_directory(directory)
    path = target.file(found.artifact.zip)
    was_there = os.path.lexists(platform.long_path(path))
    if was_there:
        prove(target, found.artifact, sidecar, meter=meter)
    else:
        _require_space(directory, sidecar.size)
        partial = path + f".{_OWNER}{PARTIAL}"
        try:
            _bring_here(store, found, sidecar, partial, meter)
            take_name(partial, path)
        except BaseException:
            remove_file(partial)
            raise
    new = _put_sidecar(target, found.artifact, data)
    return Fetched(found.artifact.stem, path, sidecar, 0 if was_there else sidecar.size, was_there and not new)


def _bring_here(store: Store, found: Found, sidecar: Sidecar, partial: str, meter: Meter) -> None:
    remove_file(partial)  # of a fetch that died
    try:
        with platform.create_new(partial) as file:
            for part in metered(content_of(store, found.zip), meter):
                file.write(part)
            platform.flush_file(file)
    except OSError as error:
        raise translate_oserror(error, partial) from error
    digest, size = reread(partial, meter=meter)
    if (digest, size) != (sidecar.sha256, sidecar.size):
        raise OffsiteBlobDiffers(
            f"{found.zip.name} came as {size} bytes with SHA-256 {digest} instead of {sidecar.size} bytes with "
            f"{sidecar.sha256}",
            blob=found.zip.name,
            found=digest,
            expected=sidecar.sha256,
        )


def _put_sidecar(target: Layer, artifact: ArtifactName, data: bytes) -> bool:
    """Whether it was missing; raises ``ArtifactExists`` where another one is there."""
    path = target.file(artifact.sidecar)
    if os.path.lexists(platform.long_path(path)):
        if reread(path) != sha256_of([data]):
            raise ArtifactExists(f"{path} is there already, and is not the one that is offsite", path=path)
        return False
    partial = path + f".{_OWNER}{PARTIAL}"
    try:
        write_new(partial, data)
        take_name(partial, path)
    except BaseException:
        remove_file(partial)
        raise
    return True


def _require_space(directory: str, size: int) -> None:
    free = free_bytes(directory)
    if free < size + SPACE_RESERVE:
        raise NoSpace(
            f"{directory} has {free} bytes free and {size + SPACE_RESERVE} are needed",
            path=directory,
            free=free,
            needed=size + SPACE_RESERVE,
        )
