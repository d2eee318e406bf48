# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a ZIP ends, and where that says its central directory is.

Strict on purpose: the end record must be the file's last bytes and the directory must end exactly where the end
records begin, so that no two readers can see two different archives in one file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, ArtifactUnsupported

_MAX_COMMENT = fmt.MAX16
_ZIP64_FIXED = fmt.END64.size - 12


@dataclass(frozen=True)
class Directory:
    """The central directory's place, and how many members it says it has."""

    start: int
    size: int
    count: int


class Window:
    """A file of known size, read at given places; reading past its end is ``ArtifactDamaged``."""

    def __init__(self, file: BinaryIO, *, size: int) -> None:
        self._file = file
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise ArtifactDamaged("it refers to bytes outside of itself", offset=offset, length=length)
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise ArtifactDamaged("it ends before its end: somebody is cutting it short", offset=offset, length=length)
        return data


def find_directory(window: Window) -> Directory:
    """The central directory; raises ``ArtifactDamaged`` or ``ArtifactUnsupported``."""
    end_at, end = _find_end(window)
    disk, first_disk, here, count, size, start = end[1:-1]
    zip64 = end_at >= fmt.LOCATOR64.size and (window.read(end_at - fmt.LOCATOR64.size, 4) == fmt.LOCATOR64_SIGNATURE)
    saturated = count == fmt.MAX16 or size == fmt.MAX32 or start == fmt.MAX32
    if not zip64 and (disk or first_disk or here != count):
        raise ArtifactUnsupported("it is a part of a split archive", disk=disk)
    records_at = end_at
    if zip64:
        records_at, directory = _read_end64(window, end_at - fmt.LOCATOR64.size, end)
    elif saturated and (size == fmt.MAX32 or start == fmt.MAX32):
        raise ArtifactDamaged("its end record announces 64-bit records that are not there")
    else:
        directory = Directory(start=start, size=size, count=count)
    if directory.start + directory.size != records_at:
        raise ArtifactDamaged(
            "its central directory does not end where its end record begins",
            directory_end=directory.start + directory.size,
            end_record=records_at,
        )
    if directory.count > directory.size // fmt.CENTRAL.size:
        raise ArtifactDamaged("it announces more members than its directory can hold", count=directory.count)
    return directory


def _find_end(window: Window) -> Tuple[int, Tuple[bytes, int, int, int, int, int, int, int]]:
    """The end record's offset and fields."""
    reach = min(window.size, fmt.END.size + _MAX_COMMENT)
    if reach < fmt.END.size:
        raise ArtifactDamaged("it is too short for a ZIP", size=window.size)
    base = window.size - reach
    tail = window.read(base, reach)
    at = tail.rfind(fmt.END_SIGNATURE)
    fitting = []
    behind = 0  # others that lie behind one that fits: many programs take the last, wherever its comment ends
    while at >= 0:
        if at + fmt.END.size <= len(tail):
            end = fmt.END.unpack_from(tail, at)
            if at + fmt.END.size + end[7] == len(tail):
                fitting.append((base + at, end))
            elif not fitting:
                behind += 1
        at = tail.rfind(fmt.END_SIGNATURE, 0, at)
    if not fitting:
        raise ArtifactDamaged("it has no end record at its end: it is cut short, has bytes appended, or is no ZIP")
    if len(fitting) > 1 or behind:
        raise ArtifactUnsupported("it has a second end record in its comment: programs would read different archives")
    return fitting[0]


def _read_end64(
    window: Window, locator_at: int, end: Tuple[bytes, int, int, int, int, int, int, int]
) -> Tuple[int, Directory]:
    """Where the 64-bit records begin, and the directory they announce."""
    locator_disk, end64_at, disks = fmt.LOCATOR64.unpack(window.read(locator_at, fmt.LOCATOR64.size))[1:]
    if locator_disk or disks != 1:  # unzip takes 0 for no locator at all
        raise ArtifactUnsupported("it is a part of a split archive", disks=disks)
    if end64_at + fmt.END64.size != locator_at:
        raise ArtifactDamaged("its 64-bit end record is not where its locator says", offset=end64_at)
    record = fmt.END64.unpack(window.read(end64_at, fmt.END64.size))
    signature, length = record[:2]
    disk, first_disk, here, count, size, start = record[4:]  # after the versions of its maker and reader
    if signature != fmt.END64_SIGNATURE or length != _ZIP64_FIXED:
        raise ArtifactDamaged("its 64-bit end record is malformed", offset=end64_at)
    if disk or first_disk or here != count:
        raise ArtifactUnsupported("it is a part of a split archive", disk=disk)
    for short, full, limit in (
        (end[1], disk, fmt.MAX16),
        (end[2], first_disk, fmt.MAX16),
        (end[3], end[4], end[4]),
        (end[4], count, fmt.MAX16),
        (end[5], size, fmt.MAX32),
        (end[6], start, fmt.MAX32),
    ):
        if short not in (full, limit):
            raise ArtifactDamaged("its two end records contradict each other", short=short, full=full)
    return end64_at, Directory(start=start, size=size, count=count)
