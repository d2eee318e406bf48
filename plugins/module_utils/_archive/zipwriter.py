# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A streaming ZIP writer: what it wrote it never touches again, and it holds nothing but one chunk.

Small members are written with their CRC and sizes known; members of unknown compressed size get a data descriptor.
The central directory grows in a spool file beside. Everything that leaves is hashed on its way. The one exception to
"never touches again" is ``roll_back``: a member that turned out to be torn (its source changed while it streamed) is
cut off the end of the file, which is ours alone until it is published, and written anew. So the finished file has no
dead bytes between members, and strict verifiers, ours first, need not tolerate any.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Callable, Iterable, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import (
    Attributes,
    Header,
    central_header,
    descriptor,
    end_records,
    local_header,
)
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._hashing import chunks_of

_DESCRIPTOR_LIMIT = fmt.MAX32 - (fmt.MAX32 >> 8)  # deflate's worst case adds less than 1/256 to what it is given


@dataclass(frozen=True)
class Written:
    """What went into a member."""

    size: int
    sha256: str
    crc32: int


@dataclass(frozen=True)
class Mark:
    """A point in the file to roll back to."""

    position: int
    central_position: int
    count: int
    digest: Any


class ZipWriter:
    """Writes members in the order of the calls. What cannot be written raises ``NoSpace`` and its like, by name.

    :param file: a new binary file, at its start; flushing and closing it is the caller's.
    :param central: an empty file for reading and writing that the central directory is spooled to.
    :param level: deflate level 1 to 9.
    """

    def __init__(self, file: BinaryIO, *, central: BinaryIO, level: int = 6) -> None:
        self._file = file
        self._central = central
        self._name = str(getattr(file, "name", "the archive"))
        self._level = level
        self._digest = hashlib.sha256()
        self._central_position = 0
        self.position = 0
        self.count = 0

    def add_directory(self, path: str, *, attributes: Attributes) -> None:
        """An entry for a directory, so that empty ones and their times survive."""
        self._add_known(self._header(path + "/", attributes, is_directory=True), b"")

    def add_bytes(self, path: str, data: bytes, *, attributes: Attributes, compress: bool = True) -> Written:
        """A small file, held whole; stored where deflate does not make it smaller."""
        packed, method = data, fmt.STORED
        if compress and data:
            deflated = _deflate(data, self._level)
            if len(deflated) < len(data):
                packed, method = deflated, fmt.DEFLATED
        crc = zlib.crc32(data)
        self._add_known(
            self._header(path, attributes, method=method, size=len(data), packed=len(packed), crc32=crc), packed
        )
        return Written(size=len(data), sha256=hashlib.sha256(data).hexdigest(), crc32=crc)

    def add_stored(
        self, path: str, chunks: Iterable[bytes], *, attributes: Attributes, size: int, crc32: int
    ) -> Written:
        """A file of any size whose size and CRC are known beforehand, stored as it is.

        Returned is what the chunks really had; the caller compares, and rolls back where it is something else.
        """
        header = self._header(path, attributes, size=size, packed=size, crc32=crc32)
        self._emit(local_header(header, zip64=size >= fmt.MAX32))
        written = self._copy(chunks, limit=size)
        self._add_central(header)
        return written

    def add_stream(
        self, path: str, chunks: Iterable[bytes], *, attributes: Attributes, limit: int, compress: bool = True
    ) -> Written:
        """A file of any size, deflated as it comes, its sizes in a data descriptor.

        :param limit: the most bytes that the chunks may have; decides whether the descriptor needs 64 bits.
        :param compress: False for content that is compressed already: level 0, because programs that stream could not
            find the end of a *stored* member of unknown size.
        """
        zip64 = limit >= _DESCRIPTOR_LIMIT
        header = self._header(path, attributes, method=fmt.DEFLATED, flags=fmt.FLAG_UTF8 | fmt.FLAG_DESCRIPTOR)
        self._emit(local_header(header, zip64=zip64))
        start = self.position
        deflater = zlib.compressobj(self._level if compress else 0, zlib.DEFLATED, -zlib.MAX_WBITS)
        written = self._copy(chunks, limit=limit, through=deflater.compress)
        self._emit(deflater.flush())
        header = replace(header, crc32=written.crc32, packed=self.position - start, size=written.size)
        self._emit(descriptor(crc32=header.crc32, packed=header.packed, size=header.size, zip64=zip64))
        self._add_central(header)
        return written

    def mark(self) -> Mark:
        """Where the file ends now."""
        return Mark(self.position, self._central_position, self.count, self._digest.copy())

    def roll_back(self, mark: Mark) -> None:
        """Cut off everything that was written since the mark."""
        if (self.position, self._central_position) == (mark.position, mark.central_position):
            return
        try:
            for file, position in ((self._file, mark.position), (self._central, mark.central_position)):
                file.seek(position)
                file.truncate()
        except OSError as error:
            raise self._cannot_write(error) from error
        self.position, self._central_position, self.count = mark.position, mark.central_position, mark.count
        self._digest = mark.digest.copy()

    def finish(self) -> str:
        """Write the central directory and the end; the hexadecimal SHA-256 of the whole file."""
        start = self.position
        try:
            self._central.seek(0)
            for chunk in chunks_of(self._central):
                self._emit(chunk)
        except OSError as error:
            raise self._cannot_write(error) from error
        size = self.position - start
        if size != self._central_position:
            raise ArtifactDamaged(f"the directory's spool has {size} bytes of {self._central_position}")
        self._emit(end_records(count=self.count, start=start, size=size))
        return self._digest.hexdigest()

    def _header(
        self,
        path: str,
        attributes: Attributes,
        *,
        method: int = fmt.STORED,
        flags: int = fmt.FLAG_UTF8,
        is_directory: bool = False,
        size: int = 0,
        packed: int = 0,
        crc32: int = 0,
    ) -> Header:
        return Header(
            name=path.encode("utf-8"),
            method=method,
            attributes=attributes,
            offset=self.position,
            flags=flags,
            is_directory=is_directory,
            crc32=crc32,
            packed=packed,
            size=size,
        )

    def _add_known(self, header: Header, packed: bytes) -> None:
        self._emit(local_header(header, zip64=False))
        self._emit(packed)
        self._add_central(header)

    def _add_central(self, header: Header) -> None:
        record = central_header(header)
        try:
            self._central.write(record)
        except OSError as error:
            raise self._cannot_write(error) from error
        self._central_position += len(record)
        self.count += 1

    def _copy(
        self, chunks: Iterable[bytes], *, limit: int, through: Optional[Callable[[bytes], bytes]] = None
    ) -> Written:
        digest = hashlib.sha256()
        crc = size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise ValueError(f"more than the {limit} bytes that were announced")
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
            self._emit(through(chunk) if through is not None else chunk)
        return Written(size=size, sha256=digest.hexdigest(), crc32=crc)

    def _emit(self, data: bytes) -> None:
        if not data:
            return
        try:
            self._file.write(data)
        except OSError as error:
            raise self._cannot_write(error) from error
        self._digest.update(data)
        self.position += len(data)

    def _cannot_write(self, error: OSError) -> BackupError:
        """By name at once, so that whoever reads a source can tell its OSError from ours."""
        return translate_oserror(error, self._name)


def _deflate(data: bytes, level: int) -> bytes:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()
