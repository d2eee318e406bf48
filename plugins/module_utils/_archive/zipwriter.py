# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A streaming ZIP writer: what it wrote it never touches again, and it holds nothing but one chunk.

Small members are written with their CRC and sizes known; members of unknown compressed size get a data descriptor. The
central directory grows in a spool file beside. Everything that leaves is hashed on its way. The one exception to "never
touches again" is ``roll_back``: a member that turned out to be torn (its source changed while it streamed) is cut off
the end of the file, which is ours alone until it is published, and written anew. So the finished file has no dead bytes
between members, and strict verifiers, ours first, need not tolerate any.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Iterable, NamedTuple, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import ZLIB, Engine, choose
from ansible_collections.wst.backup.plugins.module_utils._archive.packing import Packed, pack_block, pack_whole
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import (
    Attributes,
    Header,
    central_header,
    end_records,
    local_header,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.zipoutput import End, Output, Watch
from ansible_collections.wst.backup.plugins.module_utils._archive.zipstream import Stream
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged
from ansible_collections.wst.backup.plugins.module_utils._hashing import chunks_of


class Written(NamedTuple):
    """What went into a member."""

    size: int
    sha256: str
    crc32: int
    packed_crc32: Optional[int] = None  # of what stands in the archive, where it was wanted


@dataclass(frozen=True)
class Mark:
    """A point in the file to roll back to."""

    end: End
    central_position: int
    count: int


class ZipWriter:
    """Writes members in the order of the calls, from one thread. What cannot be written raises ``NoSpace`` and its
    like, by name.

    :param file: a new binary file, at its start; flushing and closing it is the caller's.
    :param central: an empty file for reading and writing that the central directory is spooled to.
    :param engine: compresses what comes uncompressed; without one, zlib.
    :param watch: told where the file ends.
    """

    def __init__(
        self, file: BinaryIO, *, central: BinaryIO, engine: Optional[Engine] = None, watch: Optional[Watch] = None
    ) -> None:
        self._output = Output(file, watch=watch)
        self._central = central
        self._engine = engine or choose(ZLIB, 6)
        self._central_position = 0
        self.count = 0

    @property
    def position(self) -> int:
        """The file's size so far."""
        return self._output.position

    def add_directory(self, path: str, *, attributes: Attributes) -> None:
        """An entry for a directory, so that empty ones and their times survive."""
        self._add_known(self._header(path + "/", attributes, is_directory=True), b"")

    def add_packed(self, path: str, packed: Packed, *, attributes: Attributes) -> None:
        """A small file that is ready to be written."""
        size, length = packed.size, len(packed.data)
        header = self._header(path, attributes, method=packed.method, size=size, packed=length, crc32=packed.crc32)
        self._add_known(header, packed.data)

    def add_bytes(self, path: str, data: bytes, *, attributes: Attributes, compress: bool = True) -> Written:
        """A small file, held whole; stored where deflate does not make it smaller."""
        packed = pack_whole(self._engine, data, compress=compress)
        self.add_packed(path, packed, attributes=attributes)
        return Written(size=packed.size, sha256=hashlib.sha256(data).hexdigest(), crc32=packed.crc32)

    def add_stored(
        self, path: str, chunks: Iterable[bytes], *, attributes: Attributes, size: int, crc32: int
    ) -> Written:
        """A file of any size whose size and CRC are known beforehand, stored as it is.

        Returned is what the chunks really had; the caller compares, and rolls back where it is something else.
        """
        header = self._header(path, attributes, size=size, packed=size, crc32=crc32)
        self._output.emit(local_header(header, zip64=size >= fmt.MAX32))
        digest = hashlib.sha256()
        found = crc = 0
        for chunk in chunks:
            found += len(chunk)
            if found > size:
                raise ValueError(f"more than the {size} bytes that were announced")
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
            self._output.emit(chunk)
        self._add_central(header)
        return Written(size=found, sha256=digest.hexdigest(), crc32=crc)

    def add_stream(
        self, path: str, chunks: Iterable[bytes], *, attributes: Attributes, limit: int, compress: bool = True
    ) -> Written:
        """A file of any size, deflated as it comes, its sizes in a data descriptor.

        :param limit: the most bytes that the chunks may have.
        :param compress: False for content that is compressed already: deflate's own stored blocks, because programs
            that stream could not find the end of a *stored* member of unknown size.
        """
        stream = self.begin(path, attributes=attributes, limit=limit)
        digest = hashlib.sha256()
        before = b""
        for chunk in chunks:
            digest.update(chunk)
            stream.add(pack_block(self._engine, chunk, before, compress=compress))
            before = codecs.window(before, chunk)
        size, crc32 = stream.end()
        return Written(size=size, sha256=digest.hexdigest(), crc32=crc32)

    def begin(self, path: str, *, attributes: Attributes, limit: int, stamped: bool = False) -> Stream:
        """A file of any size whose blocks were compressed elsewhere; ``Stream`` takes them."""
        header = self._header(path, attributes)
        return Stream(self._output, header, add_central=self._add_central, limit=limit, stamped=stamped)

    def mark(self) -> Mark:
        """Where the file ends now."""
        return Mark(self._output.end(), self._central_position, self.count)

    def roll_back(self, mark: Mark) -> None:
        """Cut off everything that was written since the mark."""
        if (self.position, self._central_position) == (mark.end.position, mark.central_position):
            return
        self._output.roll_back(mark.end)
        try:
            self._central.seek(mark.central_position)
            self._central.truncate()
        except OSError as error:
            raise self._output.failure(error) from error
        self._central_position, self.count = mark.central_position, mark.count

    def finish(self) -> str:
        """Write the central directory and the end; the hexadecimal SHA-256 of the whole file."""
        start = self.position
        try:
            self._central.seek(0)
            for chunk in chunks_of(self._central):
                self._output.emit(chunk)
        except OSError as error:
            raise self._output.failure(error) from error
        size = self.position - start
        if size != self._central_position:
            raise ArtifactDamaged(f"the directory's spool has {size} bytes of {self._central_position}")
        self._output.emit(end_records(count=self.count, start=start, size=size))
        return self._output.finish()

    def _header(
        self,
        path: str,
        attributes: Attributes,
        *,
        method: int = fmt.STORED,
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
            is_directory=is_directory,
            crc32=crc32,
            packed=packed,
            size=size,
        )

    def _add_known(self, header: Header, packed: bytes) -> None:
        self._output.emit(local_header(header, zip64=False))
        self._output.emit(packed)
        self._add_central(header)

    def _add_central(self, header: Header) -> None:
        record = central_header(header)
        try:
            self._central.write(record)
        except OSError as error:
            raise self._output.failure(error) from error
        self._central_position += len(record)
        self.count += 1
