# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deflated member that is written block by block, its sizes in a data descriptor behind it."""

from __future__ import annotations

import zlib
from typing import Callable, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs, crc
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.packing import Block
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Header, descriptor, local_header
from ansible_collections.wst.backup.plugins.module_utils._archive.zipoutput import Output

_DESCRIPTOR_LIMIT = fmt.MAX32 - (fmt.MAX32 >> 8)  # deflate's worst case adds less than 1/256 to what it is given


class Stream:
    """Begins the member at the end of the output.

    :param header: without CRC and sizes.
    :param add_central: takes the whole header in the end.
    :param limit: the most bytes that the member may have; decides whether the descriptor needs 64 bits.
    :param stamped: whether ``packed_crc32`` is wanted.
    :ivar packed_crc32: CRC-32 of the content as it stands in the archive, after ``end``; None where it is not wanted.
    """

    def __init__(
        self,
        output: Output,
        header: Header,
        *,
        add_central: Callable[[Header], None],
        limit: int,
        stamped: bool = False,
    ) -> None:
        self._output = output
        self._header = header._replace(method=fmt.DEFLATED, flags=header.flags | fmt.FLAG_DESCRIPTOR)
        self._add_central = add_central
        self._limit = limit
        self._zip64 = limit >= _DESCRIPTOR_LIMIT
        self._size = self._crc32 = 0
        self.packed_crc32: Optional[int] = 0 if stamped else None
        output.emit(local_header(self._header, zip64=self._zip64))
        self._start = output.position

    def add(self, block: Block) -> None:
        """The next part of the content."""
        self._size += block.size
        if self._size > self._limit:
            raise ValueError(f"more than the {self._limit} bytes that were announced")
        self._crc32 = crc.combine(self._crc32, block.crc32, block.size)
        self._emit(block.data)

    def end(self) -> Tuple[int, int]:
        """The member is whole; its size in bytes and its CRC-32."""
        self._emit(codecs.LAST)
        packed = self._output.position - self._start
        header = self._header._replace(crc32=self._crc32, packed=packed, size=self._size)
        self._output.emit(descriptor(crc32=self._crc32, packed=packed, size=self._size, zip64=self._zip64))
        self._add_central(header)
        return self._size, self._crc32

    def _emit(self, data: bytes) -> None:
        if self.packed_crc32 is not None:
            self.packed_crc32 = zlib.crc32(data, self.packed_crc32)
        self._output.emit(data)
