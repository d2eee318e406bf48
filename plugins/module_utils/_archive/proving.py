# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members proved by threads, several at a time, in bounded memory: contents, headers, CRC-32 and SHA-256.

Whichever thread comes to its end first: the failure that is raised is that of the first member, in the order in which
they were given.
"""

from __future__ import annotations

import hashlib
from contextlib import closing, contextmanager
from functools import partial
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._ahead import ahead
from ansible_collections.wst.backup.plugins.module_utils._archive import codecs, zipcontent
from ansible_collections.wst.backup.plugins.module_utils._archive.extent import Buffer, Extent
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import printable
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, BackupError

BATCH = 1 << 20  # bytes of small members that a thread is given at once
LARGE = 4 << 20  # bytes in the file; a larger member is not held whole
_OUTPUT = 1 << 20  # bytes that a thread may have unpacked at a time

Pieces = Callable[[int, int], Iterator[Buffer]]
Tick = Callable[[int, str], None]


class Item(NamedTuple):
    """A member to be proved."""

    entry: ZipEntry
    end: int  # where in the file what follows it begins
    sha256: Optional[str]  # None where nobody says what it is


class Prover:
    """Proves the members that it is given.

    :param pieces: the bytes of the file from there to there; asked for by one thread at a time, in the order in which
        members are given.
    :param tick: told the bytes that were unpacked, and of which member.
    """

    def __init__(self, pieces: Pieces, ordered: Ordered, tick: Tick, codec: Optional[codecs.Zlib] = None) -> None:
        self._pieces = pieces
        self._ordered = ordered
        self._tick = tick
        self._codec = codec or codecs.inflating()
        self._batch: List[Item] = []

    def add(self, item: Item) -> None:
        """One more member. Raises ``ArtifactDamaged`` for this one or one before it, and OSError."""
        length = item.end - item.entry.offset
        if self._batch and not self._joins(item):
            self._submit()
        if length > LARGE:
            self._prove_large(item)
        else:
            self._batch.append(item)

    def finish(self) -> None:
        """Every member that was given is proved at the end; raises as ``add``."""
        if self._batch:
            self._submit()
        self._ordered.finish()

    @contextmanager
    def first(self) -> Iterator[None]:
        """A failure within this block comes after those of members that were given before, if they have one."""
        try:
            yield
        except OSError:
            self._ordered.finish()  # and no more is read from a disk that fails
            raise
        except BackupError:
            self.finish()
            raise

    def _joins(self, item: Item) -> bool:
        """Whether a thread may be given it together with those that wait: one piece of the file, not too long."""
        start, end = self._batch[0].entry.offset, self._batch[-1].end
        return item.entry.offset == end and item.end - start <= BATCH

    def _submit(self) -> None:
        batch, self._batch = self._batch, []
        start, end = batch[0].entry.offset, batch[-1].end
        data = b"".join(self._pieces(start, end))
        self._ordered.submit(
            partial(self._prove, data, start, batch),
            partial(self._done, batch),
            cost=len(data) + _OUTPUT,
        )

    def _prove(self, data: bytes, start: int, batch: Sequence[Item]) -> None:
        view = memoryview(data)
        for item in batch:
            piece = view[item.entry.offset - start : item.end - start]
            digest = hashlib.sha256()
            for part in zipcontent.content(Extent((piece,), item.end - item.entry.offset), item.entry, self._codec):
                self._ordered.check()
                digest.update(part)
            _require(item, digest.hexdigest())

    def _done(self, batch: Sequence[Item], _nothing: None) -> None:
        self._tick(sum(item.entry.size for item in batch), batch[-1].entry.path)

    def _prove_large(self, item: Item) -> None:
        """In its turn, by two threads: one unpacks, this one hashes."""
        entry = item.entry
        digest = hashlib.sha256()
        extent = Extent(self._pieces(entry.offset, item.end), item.end - entry.offset)
        with closing(ahead(zipcontent.content(extent, entry, self._codec))) as parts:
            for part in parts:
                digest.update(part)
                self._tick(len(part), entry.path)
        _require(item, digest.hexdigest())


def _require(item: Item, found: str) -> None:
    if item.sha256 is None or item.sha256 == found:
        return
    shown = printable(item.entry.path)
    raise another(shown, expected=item.sha256, found=found)


def another(shown: str, *, expected: Optional[str], found: Optional[str] = None) -> ArtifactDamaged:
    """The failure for a member that is not the one of the list."""
    return ArtifactDamaged(
        f"the member {shown} is not what the member list says", path=shown, expected=expected, found=found
    )
