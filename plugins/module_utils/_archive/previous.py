# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact before this one, as a place to find compressed bytes again: hints, of which nothing is believed.

What is found is unpacked and compared with the bytes that were just read from the source, every one of them. Only what
unpacks to exactly these is taken over. So no damage of the old artifact can travel into the new one, wherever it is: in
its data, its headers or its directory. And because the same compressor makes the same bytes, the new artifact is
what it would be without the old one.
"""

from __future__ import annotations

import threading
import zlib
from array import array
from typing import Any, BinaryIO, Dict, Iterator, NamedTuple, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry, read_entries
from ansible_collections.wst.backup.plugins.module_utils._archive.zipend import Window, find_directory
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError

_CHUNK = 1 << 18


class Extent(NamedTuple):
    """Where the old artifact has a member."""

    offset: int  # of its local header
    packed: int  # bytes of its content there
    size: int  # unpacked


class Previous:
    """An old artifact. Small files are found by their content, large ones by their path. Threads may share it.

    :param file: the artifact, for reading at any place; closing it is the caller's.
    :param size: its size in bytes.
    :param codec: unpacks.
    """

    def __init__(self, file: BinaryIO, *, size: int, codec: codecs.Zlib) -> None:
        self._window = Window(file, size=size)
        self._codec = codec
        self._lock = threading.Lock()  # the file has one position
        self._rows: Dict[int, int] = {}  # by size and CRC
        self._offsets, self._packed = array("Q"), array("Q")
        self._large: Dict[str, Extent] = {}
        self.is_indexed = False

    def index(self) -> None:
        """Read its directory, unless somebody has done that and has had every entry remembered.

        Raises ``BackupError`` or OSError where it cannot be read.
        """
        if not self.is_indexed:
            for entry in read_entries(self._window, find_directory(self._window)):
                self.remember(entry)
            self.is_indexed = True

    def remember(self, entry: ZipEntry) -> None:
        """An entry of its directory."""
        if entry.method != fmt.DEFLATED:
            return  # the bytes of what is stored are the source's
        if entry.flags & fmt.FLAG_DESCRIPTOR:
            self._large[entry.path] = Extent(entry.offset, entry.packed, entry.size)
        else:
            self._rows[_key(entry.size, entry.crc32)] = len(self._offsets)
            self._offsets.append(entry.offset)
            self._packed.append(entry.packed)

    def small(self, data: bytes, crc32: int) -> Optional[bytes]:
        """Compressed bytes that were unpacked and found to be exactly ``data``, or None."""
        row = self._rows.get(_key(len(data), crc32))
        if row is None or self._packed[row] >= len(data):
            return None
        try:
            packed = self._read(self._content_at(self._offsets[row]), self._packed[row])
            inflater = self._codec.inflater()
            same = inflater.decompress(packed, len(data) + 1) == data
        except (OSError, BackupError, zlib.error, self._codec.error):
            return None
        return packed if same and inflater.eof and not inflater.unused_data else None

    def large(self, path: str, size: int) -> Optional[Extent]:
        """What may be a large file of that path, or None."""
        extent = self._large.get(path)
        return extent if extent is not None and extent.size == size else None

    def unpack(self, extent: Extent) -> Unpacking:
        """Begin to unpack it."""
        return Unpacking(self._codec, self.packed(extent))

    def packed(self, extent: Extent) -> Iterator[bytes]:
        """The content as it stands there. Raises ``ArtifactDamaged``, or OSError."""
        position = self._content_at(extent.offset)
        end = position + extent.packed
        while position < end:
            data = self._read(position, min(_CHUNK, end - position))
            position += len(data)
            yield data

    def _content_at(self, offset: int) -> int:
        header = fmt.LOCAL.unpack(self._read(offset, fmt.LOCAL.size))
        name, extra = header[-2:]
        return offset + fmt.LOCAL.size + int(name) + int(extra)

    def _read(self, offset: int, length: int) -> bytes:
        with self._lock:
            return self._window.read(offset, length)


class Differs(Exception):
    """The old artifact has something else there, or cannot tell."""


class Unpacking:
    """A large member of the old artifact, unpacked step by step."""

    def __init__(self, codec: codecs.Zlib, content: Iterator[bytes]) -> None:
        self._codec = codec
        self._content = content
        self._inflater: Any = codec.inflater()
        self._waiting = b""  # packed bytes that were read and not unpacked yet
        self._held = b""  # packed bytes that may be the last ones

    def packed_of(self, data: bytes) -> bytes:
        """The packed bytes that had to be read to unpack the next bytes, which are ``data``; raises ``Differs``."""
        packed, found = [], []
        missing = len(data)
        while missing:
            if not self._waiting:
                packed.append(self._next())
            piece = self._inflate(missing)
            found.append(piece)
            missing -= len(piece)
        if b"".join(found) != data:
            raise Differs
        return self._but_the_end(b"".join(packed))

    def rest(self) -> bytes:
        """The packed bytes that remain, but for the stream's end; raises ``Differs`` where it does not end here."""
        packed = []
        while not self._inflater.eof:
            if not self._waiting:
                packed.append(self._next())
            if self._inflate(1):
                raise Differs
        if self._inflater.unused_data or self._more():
            raise Differs
        rest = self._but_the_end(b"".join(packed))
        if self._held != codecs.LAST:
            raise Differs  # not as we end them
        return rest

    def _but_the_end(self, packed: bytes) -> bytes:
        """What is certain not to be the end of the stream, which whoever writes the member adds."""
        packed = self._held + packed
        self._held = packed[-len(codecs.LAST) :]
        return packed[: -len(codecs.LAST)]

    def _next(self) -> bytes:
        self._waiting = self._more()
        if not self._waiting:
            raise Differs  # it ends too early
        return self._waiting

    def _more(self) -> bytes:
        try:
            return next(self._content, b"")
        except (OSError, BackupError) as error:
            raise Differs from error

    def _inflate(self, limit: int) -> bytes:
        try:
            piece: bytes = self._inflater.decompress(self._waiting, limit)
        except (zlib.error, self._codec.error) as error:
            raise Differs from error
        self._waiting = b"" if self._inflater.eof else self._inflater.unconsumed_tail
        return piece


def _key(size: int, crc32: int) -> int:
    return size << 32 | crc32
