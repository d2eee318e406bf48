# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies one set to the mirror: adds, proves, and only then gives names. Never overwrites, never deletes a set."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO, Iterator, Tuple

from ansible_collections.wst.backup.plugins.module_utils._ahead import ahead, watched
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    MirrorMismatch,
    NoSpace,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import free_bytes, remove_file, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._hashing import chunks_of
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._records import decode_record
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, Meter, metered, reread
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import reverify
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Check, name_files, refuse_taken_names
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, parse_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import (
    Event,
    SetState,
    Verified,
    fresh_state,
    write_state,
)

SPACE_RESERVE = 16 << 20  # bytes that stay free on the mirror: sidecars, state files, the file system's own needs
READS_AND_WRITES = 2  # a set's bytes pass the meter twice: once copied, once read back


def copy_set(source: Layer, mirror: Layer, item: BackupSet, *, run_id: str, check: Check, meter: Meter) -> None:
    """Put a proved copy of a counting set on the mirror and record it on both layers.

    Raises ``NoSpace``, ``ArtifactDamaged`` (the source rotted; it does not count from then on), ``MirrorMismatch``
    (what was read back is not what was written), ``ArtifactExists``, ``LeaseLost``, ``Cancelled`` and what else the
    file systems have. The source's set is never touched, and nothing stays on the mirror but, after a lost lease or a
    full disk once the ZIP has its name, an unfinished set that the next run finishes.
    """
    artifact = item.artifact
    data, sidecar = read_sidecar_bytes(source, artifact)
    require_space(mirror, sidecar.size - _begun(mirror, artifact, run_id) + len(data))
    refuse_taken_names(mirror, artifact)
    partial = copy_partial(source, mirror, artifact, sidecar, run_id=run_id, meter=meter)
    done = Event(at=utc_now(), run_id=run_id)
    verified = Verified(at=done.at, run_id=run_id, level=sidecar.level, zip_sha256=sidecar.sha256)
    decided = fresh_state(source, artifact)
    state = SetState(
        artifact.stem,
        mirror.name,
        published=done,
        verified=verified,
        mirrored=done,
        accepted=decided.accepted,
        pinned=decided.pinned,
    )
    try:
        name_files(mirror, artifact, run_id=run_id, sidecar=data, state=state, check=check)
    except BaseException:
        remove_file(partial)
        raise
    mark_mirrored(source, artifact, run_id=run_id)  # last: the source's state claims what the mirror's proves


def copy_partial(
    source: Layer, target: Layer, artifact: ArtifactName, sidecar: Sidecar, *, run_id: str, meter: Meter
) -> str:
    """A proved copy of the ZIP under this run's partial name; returns its path. Raises as ``copy_set``.

    What this run has written of it already, while the archive was made, is gone on with: the disk's own bytes prove the
    whole. Where they are not the right ones, it is copied anew.
    """
    partial = target.file(artifact.zip_partial(run_id))
    try:
        if _begun(target, artifact, run_id):
            _go_on(source.file(artifact.zip), partial, meter)
            if reread(partial, meter=meter) == (sidecar.sha256, sidecar.size):
                return partial
            meter(-READS_AND_WRITES * sidecar.size)
        if _copy(source.file(artifact.zip), partial, meter) != sidecar.sha256:
            _blame_source(source, artifact, sidecar, run_id)
        found = reread(partial, meter=meter)
        if found != (sidecar.sha256, sidecar.size):
            raise MirrorMismatch(
                f"{partial} was read back as {found[1]} bytes with SHA-256 {found[0]} "
                f"instead of {sidecar.size} bytes with {sidecar.sha256}",
                path=partial,
            )
    except BaseException:
        remove_file(partial)
        raise
    return partial


def mark_mirrored(source: Layer, artifact: ArtifactName, *, run_id: str) -> bool:
    """Note on the source layer that the mirror has a proved copy; tells whether that was news."""
    state = fresh_state(source, artifact)
    if state.mirrored is not None:
        return False
    write_state(source, artifact, replace(state, mirrored=Event(at=utc_now(), run_id=run_id)))
    return True


def carry_rulings(source: Layer, mirror: Layer, artifact: ArtifactName) -> bool:
    """What a person decided about the set while the mirror was away; tells whether that was news there.

    Only ever added: a state file that was lost on the source must not undo a pin on the mirror.
    """
    decided, known = fresh_state(source, artifact), fresh_state(mirror, artifact)
    merged = replace(known, accepted=known.accepted or decided.accepted, pinned=known.pinned or decided.pinned)
    if merged == known:
        return False
    write_state(mirror, artifact, merged)
    return True


def require_space(mirror: Layer, size: int) -> None:
    """Raises ``NoSpace`` before a byte is written."""
    free = free_bytes(mirror.path)
    if free < size + SPACE_RESERVE:
        raise NoSpace(
            f"{mirror.path} has {free} bytes free and {size + SPACE_RESERVE} are needed",
            path=mirror.path,
            free=free,
            needed=size + SPACE_RESERVE,
        )


def read_sidecar_bytes(source: Layer, artifact: ArtifactName) -> Tuple[bytes, Sidecar]:
    """The sidecar as it stands, to be the same on the mirror byte for byte."""
    path = source.file(artifact.sidecar)
    try:
        with platform.open_source(path) as file:
            data = b"".join(chunks_of(file))
    except FileNotFoundError as error:
        raise RecordDamaged(f"{path} is gone", path=path) from error
    except OSError as error:
        raise translate_oserror(error, path) from error
    return data, parse_sidecar(decode_record(data, name=path), name=path)


def forget_begun(target: Layer, artifact: ArtifactName, run_id: str) -> None:
    """Remove what this run has written of a set that is not copied after all. Raises ``BackupError``."""
    if _begun(target, artifact, run_id):
        remove_file(target.file(artifact.zip_partial(run_id)))


def _begun(target: Layer, artifact: ArtifactName, run_id: str) -> int:
    """The bytes that this run has written of it."""
    try:
        return os.stat(platform.long_path(target.file(artifact.zip_partial(run_id)))).st_size
    except OSError:
        return 0


def _go_on(source: str, target: str, meter: Meter) -> None:
    """Append what the target lacks, durable at the end. Raises ``BackupError``."""
    try:
        reader = platform.open_source(source)
    except OSError as error:
        raise translate_oserror(error, source) from error
    with reader:
        try:
            with platform.open_again(target) as writer:
                begun = writer.seek(0, os.SEEK_END)
                reader.seek(begun)
                meter(begun)
                with closing(ahead(_chunks(reader, source))) as chunks:
                    for chunk in metered(chunks, meter):
                        writer.write(chunk)
                platform.flush_file(writer)
        except OSError as error:
            raise translate_oserror(error, target) from error


def _copy(source: str, target: str, meter: Meter) -> str:
    """Copy to a new file, durable at the end; returns the SHA-256 of what was read.

    One thread reads, one hashes, this one writes: a copy takes as long as the slowest of the three.
    """
    digest = hashlib.sha256()
    remove_file(target)  # an earlier try of this very run
    try:
        reader = platform.open_source(source)
    except OSError as error:
        raise translate_oserror(error, source) from error
    with reader:
        try:
            with platform.create_new(target) as writer:
                with closing(ahead(watched(ahead(_chunks(reader, source)), digest.update))) as chunks:
                    for chunk in metered(chunks, meter):
                        writer.write(chunk)
                platform.flush_file(writer)
        except OSError as error:
            raise translate_oserror(error, target) from error
    return digest.hexdigest()


def _chunks(reader: BinaryIO, path: str) -> Iterator[bytes]:
    """The source's chunks, its failures named as the source's."""
    try:
        yield from chunks_of(reader)
    except OSError as error:
        raise translate_oserror(error, path) from error


def _blame_source(source: Layer, artifact: ArtifactName, sidecar: Sidecar, run_id: str) -> None:
    """What was read is not what the sidecar says: find out whether the source's disk holds it wrong, and say so."""
    reverify(source, artifact, sidecar, run_id=run_id)  # raises ArtifactDamaged and puts it on record
    raise MirrorMismatch(
        f"{source.file(artifact.zip)} was read wrong once, and right when it was read again: "
        "suspect memory, cable or controller",
        path=source.file(artifact.zip),
    )
