# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict reader of any ZIP, ours or not, in memory bounded by the number of members (some 150 bytes each, twice the
least that a member takes in the file, and 150 MiB at most for directories that are none).

``zipfile`` forgives too much to be a judge: it passes members without an end of stream, bytes before, between and
after the members, and names that a careless extractor writes outside of its target. Here every byte of the file must
belong to exactly one member or record, and every name must be one that Windows can hold and no other member has.

Raised are ``ArtifactDamaged``, ``ArtifactUnsafePath`` and ``ArtifactUnsupported`` only, whatever the bytes are, plus
OSError from the disk.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import BinaryIO, Dict, Iterator, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import zipcontent
from ansible_collections.wst.backup.plugins.module_utils._archive.extent import Extent
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import Directory, ZipEntry, read_entries
from ansible_collections.wst.backup.plugins.module_utils._archive.zipend import Window, find_directory
from ansible_collections.wst.backup.plugins.module_utils._archive.zipnames import NameRegister
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, ArtifactUnsupported

_CHUNK = 1 << 18
_KEPT = 64  # entries of files at the top that are remembered; what is asked for by name lies there
MAX_MEMBERS = 20_000_000  # keeps the name register below 4 GiB whatever the file announces


class ZipReader:
    """An opened archive whose structure is proved: its directory, names and extents; contents are not read yet.

    :param file: seekable; closing it is the caller's.
    :param size: the file's size in bytes.
    :ivar is_ordered: whether the members lie in the file as the directory has them, one behind the other.
    """

    def __init__(self, file: BinaryIO, *, size: int) -> None:
        self._window = Window(file, size=size)
        self._directory: Directory = find_directory(self._window)
        if self._directory.count > MAX_MEMBERS:
            raise ArtifactUnsupported(f"it has {self._directory.count} members", members=self._directory.count)
        self._offsets = array("Q")
        self._register = NameRegister()
        self.files = 0
        self.directories = 0
        self.bytes = 0  # of all files, unpacked
        self.is_ordered = True
        self._top: Dict[str, ZipEntry] = {}
        self._prove_structure()

    @property
    def size(self) -> int:
        """The archive's size in bytes."""
        return self._window.size

    def entries(self) -> Iterator[ZipEntry]:
        """The members in the order of the central directory, read from the file as they are asked for."""
        return read_entries(self._window, self._directory)

    def find(self, path: str) -> Optional[ZipEntry]:
        """The file member of that path, or None. Reads through the directory where it is not one of those kept."""
        if path in self._top:
            return self._top[path]
        if "/" not in path and len(self._top) < _KEPT:
            return None
        return next((entry for entry in self.entries() if entry.path == path and not entry.is_directory), None)

    def has(self, path: str) -> bool:
        """Whether a member has that path for Windows, or lies below it. Links that were taken in count."""
        return self._register.has(path)

    def add_link(self, path: str) -> None:
        """Take a link in that only the member list has: its name must be as safe as a member's and free, and nothing
        may lie below it, or what puts links back would write through it."""
        self._register.add(path, is_directory=False)

    def content(self, entry: ZipEntry) -> Iterator[bytes]:
        """The member's bytes in bounded chunks, proved: only a reader that reaches the end knows them to be good."""
        start, end = entry.offset, self.end_of(entry)
        pieces = zipcontent.content(Extent(self.pieces(start, end), end - start), entry)
        return (piece if isinstance(piece, bytes) else bytes(piece) for piece in pieces)

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the file from there to there, in bounded pieces."""
        while start < end:
            piece = self._window.read(start, min(_CHUNK, end - start))
            start += len(piece)
            yield piece

    def end_of(self, entry: ZipEntry) -> int:
        """Where what follows the member begins."""
        position = bisect_right(self._offsets, entry.offset)
        return self._offsets[position] if position < len(self._offsets) else self._directory.start

    def _prove_structure(self) -> None:
        """Names, and extents that could tile the file; one pass over the directory."""
        tiled = True
        previous: Optional[ZipEntry] = None
        for entry in self.entries():
            self._register.add(entry.path, is_directory=entry.is_directory)
            if previous is not None:
                self.is_ordered = self.is_ordered and previous.offset < entry.offset
                tiled = tiled and zipcontent.fits(previous, end=entry.offset)
            self._offsets.append(entry.offset)
            self._count(entry)
            previous = entry
        if not self.is_ordered:
            self._offsets = array("Q", sorted(self._offsets))
            for first, second in zip(self._offsets, self._offsets[1:]):
                if first == second:
                    raise ArtifactDamaged("two members share the same bytes", offset=first)
        begin = self._offsets[0] if self._offsets else self._directory.start
        if begin != 0:
            raise ArtifactDamaged(f"there are {begin} bytes before the first member", bytes=begin)
        if not tiled or (previous is not None and not zipcontent.fits(previous, end=self._directory.start)):
            self._prove_extents()

    def _count(self, entry: ZipEntry) -> None:
        if entry.is_directory:
            self.directories += 1
            return
        self.files += 1
        self.bytes += entry.size
        if len(self._top) < _KEPT and "/" not in entry.path:
            self._top[entry.path] = entry

    def _prove_extents(self) -> None:
        """Another pass, where the members do not simply follow one another: which one reaches into which?"""
        for entry in self.entries():
            if not zipcontent.fits(entry, end=self.end_of(entry)):
                raise zipcontent.overlap(entry)
