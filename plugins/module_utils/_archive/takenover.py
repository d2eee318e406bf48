# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file on its way, with the compressed bytes of the artifact before."""

from __future__ import annotations

import zlib
from typing import Callable, Iterable, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import Engine
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered
from ansible_collections.wst.backup.plugins.module_utils._archive.packing import Block
from ansible_collections.wst.backup.plugins.module_utils._archive.previous import Differs, Unpacking
from ansible_collections.wst.backup.plugins.module_utils._archive.streamed import Streamed
from ansible_collections.wst.backup.plugins.module_utils._archive.trust import Known
from ansible_collections.wst.backup.plugins.module_utils._archive.zipstream import Stream
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._platform.api import FileFacts


class TakenOver(Streamed):
    """A target of ``SourceReader.stream``, as long as the bytes are those of what is read.

    ``feed`` and ``end`` raise ``Differs`` when they are not; whoever called them abandons this then.
    """

    def __init__(
        self,
        writer: ZipWriter,
        ordered: Ordered,
        engine: Engine,
        *,
        begin: Callable[[FileFacts], Stream],
        done: Callable[[Written], None],
        unpack: Callable[[], Unpacking],
    ) -> None:
        super().__init__(writer, ordered, engine, begin=begin, done=done, compress=True)
        self._unpack = unpack
        self._unpacking: Optional[Unpacking] = None
        self._size = self._crc32 = 0

    def begin(self, facts: FileFacts) -> None:
        """A reading begins."""
        super().begin(facts)
        self._unpacking = self._unpack()
        self._size = self._crc32 = 0

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        if self._unpacking is None:
            raise AssertionError("bytes before their file")
        self._take_over(self._unpacking.packed_of(chunk))
        self._size += len(chunk)
        self._crc32 = zlib.crc32(chunk, self._crc32)

    def end(self, sha256: str) -> None:
        """They were all, and may stay."""
        if self._unpacking is None:
            raise AssertionError("an end without a beginning")
        self._take_over(self._unpacking.rest())
        self._hand_on(Block(data=b"", size=self._size, crc32=self._crc32))  # of all that was taken over
        super().end(sha256)

    def _take_over(self, packed: bytes) -> None:
        self._hand_on(Block(data=packed, size=0, crc32=0))


class Unread(Streamed):
    """A large file as the artifact before has it, whose source is not read."""

    def take(self, packed: Iterable[bytes], known: Known, facts: FileFacts, *, alive: Callable[[], None]) -> None:
        """All of it. Raises ``Differs`` where the bytes are not what they were; the caller abandons it then.

        :param packed: what the artifact before has.
        """
        self.begin(facts)
        check, held = 0, b""
        try:
            for piece in packed:
                alive()
                check = zlib.crc32(piece, check)
                held += piece
                self._hand_on(Block(data=held[: -len(codecs.LAST)], size=0, crc32=0))
                held = held[-len(codecs.LAST) :]
        except (OSError, BackupError) as error:
            raise Differs from error
        if (check, held) != (known.packed_crc32, codecs.LAST):
            raise Differs
        self._hand_on(Block(data=b"", size=known.extent.size, crc32=known.crc32))
        self.end(known.sha256)
