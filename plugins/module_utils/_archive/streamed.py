# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file on its way: read by one thread, compressed by others, written when its turn comes."""

from __future__ import annotations

from typing import Callable, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import Engine
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered
from ansible_collections.wst.backup.plugins.module_utils._archive.packing import Block, pack_block
from ansible_collections.wst.backup.plugins.module_utils._archive.zipstream import Stream
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Mark, Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._platform.api import FileFacts


class Streamed:
    """A target of ``SourceReader.stream``: one member of the archive.

    :param begin: begins the member, of a file with these facts.
    :param done: takes what was written, after the member's end.
    :param compress: False for content that is compressed already.
    """

    def __init__(
        self,
        writer: ZipWriter,
        ordered: Ordered,
        engine: Engine,
        *,
        begin: Callable[[FileFacts], Stream],
        done: Callable[[Written], None],
        compress: bool,
    ) -> None:
        self._writer = writer
        self._ordered = ordered
        self._engine = engine
        self._begin = begin
        self._done = done
        self._compress = compress
        self._before = b""
        self._mark: Optional[Mark] = None
        self._stream: Optional[Stream] = None

    def begin(self, facts: FileFacts) -> None:
        """A reading begins."""
        self._before = b""
        self._ordered.in_order(lambda: self._open(facts))

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        before, self._before = self._before, codecs.window(self._before, chunk)
        self._ordered.submit(
            lambda: pack_block(self._engine, chunk, before, compress=self._compress),
            self._add,
            cost=len(chunk),
        )

    def end(self, sha256: str) -> None:
        """They were all, and may stay."""
        self._ordered.in_order(lambda: self._close(sha256))

    def abandon(self) -> None:
        """Nothing of this reading may stay."""
        self._ordered.in_order(self._roll_back)

    def _hand_on(self, block: Block) -> None:
        """A block that needs no work."""
        self._ordered.submit(lambda: block, self._add, cost=len(block.data))

    def _open(self, facts: FileFacts) -> None:
        self._mark = self._writer.mark()
        self._stream = self._begin(facts)

    def _add(self, block: Block) -> None:
        self._opened().add(block)

    def _opened(self) -> Stream:
        if self._stream is None:
            raise AssertionError("a block before its member")
        return self._stream

    def _close(self, sha256: str) -> None:
        stream = self._opened()
        size, crc32 = stream.end()
        self._done(Written(size=size, sha256=sha256, crc32=crc32, packed_crc32=stream.packed_crc32))

    def _roll_back(self) -> None:
        if self._mark is not None:
            self._writer.roll_back(self._mark)
        self._mark = self._stream = None
