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
from typing import BinaryIO, Iterator, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import zipcontent
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import Directory, ZipEntry, read_entries
from ansible_collections.wst.backup.plugins.module_utils._archive.zipend import Window, find_directory
from ansible_collections.wst.backup.plugins.module_utils._archive.zipnames import NameRegister
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, ArtifactUnsupported

MAX_MEMBERS = 20_000_000  # keeps the name register below 4 GiB whatever the file announces


class ZipReader:
    """An opened archive whose structure is proved: its directory, names and extents; contents are not read yet.

    :param file: seekable; closing it is the caller's.
    :param size: the file's size in bytes.
    :param progress: called now and then during long work; may raise to cancel.
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
        self._prove_structure()

    @property
    def size(self) -> int:
        """The archive's size in bytes."""
        return self._window.size

    def entries(self) -> Iterator[ZipEntry]:
        """The members in the order of the central directory, read from the file as they are asked for."""
        return read_entries(self._window, self._directory)

    def find(self, path: str) -> Optional[ZipEntry]:
        """The file member of that path, or None. Reads through the directory."""
        return next((entry for entry in self.entries() if entry.path == path and not entry.is_directory), None)

    def add_link(self, path: str) -> None:
        """Take a link in that only the member list has: its name must be as safe as a member's and free, and nothing
        may lie below it, or what puts links back would write through it."""
        self._register.add(path, is_directory=False)

    def content(self, entry: ZipEntry) -> Iterator[bytes]:
        """The member's bytes in bounded chunks, proved: only a reader that reaches the end knows them to be good."""
        return zipcontent.content(self._window, entry, end=self._end_of(entry))

    def _end_of(self, entry: ZipEntry) -> int:
        """Where what follows the member begins."""
        position = bisect_right(self._offsets, entry.offset)
        return self._offsets[position] if position < len(self._offsets) else self._directory.start

    def _prove_structure(self) -> None:
        """Names, and extents that could tile the file; one pass over the directory."""
        ordered = True
        for entry in self.entries():
            self._register.add(entry.path, is_directory=entry.is_directory)
            ordered = ordered and (not self._offsets or self._offsets[-1] < entry.offset)
            self._offsets.append(entry.offset)
            if entry.is_directory:
                self.directories += 1
            else:
                self.files += 1
                self.bytes += entry.size
        if not ordered:
            self._offsets = array("Q", sorted(self._offsets))
            for first, second in zip(self._offsets, self._offsets[1:]):
                if first == second:
                    raise ArtifactDamaged("two members share the same bytes", offset=first)
        self._prove_extents()

    def _prove_extents(self) -> None:
        begin = self._offsets[0] if self._offsets else self._directory.start
        if begin != 0:
            raise ArtifactDamaged(f"there are {begin} bytes before the first member", bytes=begin)
        for entry in self.entries():
            zipcontent.check_extent(entry, end=self._end_of(entry))
