# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a file into the container, whole or not at all, and proves it there.

What is on its way has no name that anybody would take for a file: blocks wait uncommitted, and Azure drops them after
a week. The name is given once, by a commit that writes over nothing. Then the blob is read back in full: a checksum
that the store keeps is only what an uploader said.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._ahead import ahead
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, OffsiteBlobDiffers
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._hashing import chunks_of, sha256_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.blocks import (
    SMALLEST,
    block_id,
    block_size,
    in_blocks,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob, Store
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Meter

READ_SIZE = 8 << 20  # bytes of one request for a part of a blob


@dataclass(frozen=True)
class Item:
    """A file that is to stand offsite."""

    path: str
    blob: str  # its name there
    size: int  # bytes
    sha256: str  # hexadecimal
    kind: str  # content type
    run_id: str  # of the run that made the set


@dataclass(frozen=True)
class Sent:
    """What an upload did."""

    blob: Blob  # as it stands now, proved
    uploaded: int  # bytes that were sent
    kept: int  # bytes that an earlier try had sent
    was_there: bool  # the blob was there, the same


def bring(store: Store, item: Item, *, meter: Meter, smallest_block: int = SMALLEST) -> Sent:
    """Afterwards the blob is that file, and was read back.

    Raises ``ArtifactDamaged`` (the file on this host is not what its sidecar says; nothing got the name),
    ``OffsiteBlobDiffers`` (what has the name there is something else; it is left alone), and as ``Store`` does.
    """
    uploaded = kept = 0
    there = store.look(item.blob)
    was_there = there is not None
    if there is None:
        ids, uploaded, kept = _stage(store, item, meter, block_size(item.size, smallest_block))
        notes = {"wst_sha256": item.sha256, "wst_run_id": item.run_id}
        store.commit(item.blob, ids, kind=item.kind, notes=notes)  # where that was too late, what is there is judged
        there = store.look(item.blob)
    else:
        meter(item.size)
    if there is None:
        raise OffsiteBlobDiffers(f"{item.blob} was there a moment ago and is gone", blob=item.blob)
    require_same(store, there, item.sha256, item.size, meter=meter)
    return Sent(there, uploaded, kept, was_there)


def require_same(store: Store, blob: Blob, sha256: str, size: int, *, meter: Optional[Meter] = None) -> None:
    """Read the blob in full; raises ``OffsiteBlobDiffers`` unless it has that SHA-256."""
    facts = {"blob": blob.name, "expected": sha256, "expected_size": size, "size": blob.size, "etag": blob.etag}
    if blob.size != size:
        raise OffsiteBlobDiffers(f"{blob.name} has {blob.size} bytes there instead of {size}", **facts)
    found, length = sha256_of(content_of(store, blob, meter=meter))
    if (found, length) != (sha256, size):
        raise OffsiteBlobDiffers(
            f"{blob.name} was read back as {length} bytes with SHA-256 {found} instead of {size} with {sha256}",
            found=found,
            **facts,
        )


def content_of(store: Store, blob: Blob, *, meter: Optional[Meter] = None) -> Iterator[bytes]:
    """The blob's bytes, part by part, all of the same version of it. Raises as ``Store.read``."""
    offset = 0
    while offset < blob.size:
        length = min(READ_SIZE, blob.size - offset)
        part = store.read(blob, offset, length)
        if len(part) != length:
            raise OffsiteBlobDiffers(
                f"{blob.name} gave {len(part)} bytes at {offset} where {length} were asked for", blob=blob.name
            )
        yield part
        offset += length
        if meter is not None:
            meter(length)


def _stage(store: Store, item: Item, meter: Meter, size: int) -> Tuple[List[str], int, int]:
    """Send the blocks that are not there; their ids in order, the bytes sent, and the bytes that were there."""
    waiting = store.staged(item.blob)
    ids: List[str] = []
    digest, uploaded, kept = hashlib.sha256(), 0, 0
    with closing(ahead(in_blocks(_chunks(item.path), size), depth=2)) as blocks:
        for number, content in enumerate(blocks):
            digest.update(content)
            name = block_id(number, content)
            if waiting.get(name) == len(content):
                kept += len(content)
            else:
                store.stage(item.blob, name, content)
                uploaded += len(content)
            ids.append(name)
            meter(len(content))
    _require_ours(item, digest.hexdigest(), uploaded + kept)
    return ids, uploaded, kept


def _require_ours(item: Item, found: str, length: int) -> None:
    if (found, length) != (item.sha256, item.size):
        raise ArtifactDamaged(
            f"{item.path} is not what its sidecar says: {length} bytes with SHA-256 {found} "
            f"instead of {item.size} bytes with {item.sha256}. Nothing got its name offsite",
            path=item.path,
            found=found,
            expected=item.sha256,
        )


def _chunks(path: str) -> Iterator[bytes]:
    """The file's chunks, its failures named."""
    try:
        with platform.open_source(path) as file:
            yield from chunks_of(file)
    except OSError as error:
        raise translate_oserror(error, path) from error
