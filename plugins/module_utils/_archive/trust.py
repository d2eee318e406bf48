# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are taken over from the artifact before without being read.

That is a choice of whoever runs the backup, and off by default. A file is believed to be unchanged when size, time of
change, time of its content and identity are those of the run before, and all of that was long enough before that run's
reading: what is changed within the same tick of the clock as it is read has no other times afterwards. Nothing else of
the old artifact is believed: its member list is proved by its manifest, its directory by the list, and the bytes of a
file by their CRC-32 in the list; the verification of the new artifact then unpacks them and compares their SHA-256.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.content import find_manifest, proved_lines
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.members import Member, Stamped
from ansible_collections.wst.backup.plugins.module_utils._archive.packing import Packed
from ansible_collections.wst.backup.plugins.module_utils._archive.previous import Extent, Previous
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import STEADY, Reading
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Stamp

MARGIN_NS = 2_000_000_000  # the coarsest tick of a file system that we know (FAT's)
_NO_NUMBER = "-0"  # the end of an identity without a file number: some file systems have none


class Known(NamedTuple):
    """A file of the artifact before."""

    extent: Extent
    method: int  # of the ZIP format
    is_stream: bool  # a large file, in blocks
    crc32: int
    sha256: str
    packed_crc32: int


class _Row(NamedTuple):
    stamp: Stamp
    known: Known


class Trust:
    """What is believed in a run. Threads may share it.

    :param days: for so many nothing that is believed needs to have been read.
    :param guard: what must stay out, whatever the artifact before has.
    :param rows: the files of the artifact before, by their path; none where everything is to be read.
    :param packed: gives the bytes that it has of a file.
    :param since: when everything that it has was read last.
    """

    def __init__(
        self,
        days: int,
        guard: Guard,
        rows: Dict[str, _Row],
        packed: Callable[[Extent], Iterator[bytes]] = lambda _extent: iter(()),
        since: Optional[datetime] = None,
    ) -> None:
        self.days = days
        self._guard = guard
        self._rows = rows
        self._packed = packed
        self._since = since
        self.taken = Totals()  # files that were taken over unread

    def known(self, path: str, stamp: Stamp) -> Optional[Known]:
        """The file that the artifact before has of that path, where it is believed to be the same; else None."""
        row = self._rows.get(path)
        if row is None or row.stamp != stamp or self._guard.knows_id(stamp.file_id):
            return None
        return row.known

    def small(self, known: Known) -> Optional[Packed]:
        """A small file, ready to be written; None where the old artifact's bytes are not what they were."""
        try:
            data = b"".join(self._packed(known.extent))
        except (OSError, BackupError):
            return None
        if zlib.crc32(data) != known.packed_crc32:
            return None
        return Packed(method=known.method, data=data, size=known.extent.size, crc32=known.crc32, is_known=True)

    def blocks(self, known: Known) -> Iterator[bytes]:
        """What the old artifact has of a large file, to be compared with its checksum. Raises as a reading does."""
        return self._packed(known.extent)

    def body(self, started: str) -> Dict[str, Any]:
        """As the manifest tells it.

        :param started: when this run began to read.
        """
        since = started if self._since is None else format_time(self._since)
        return {"days": self.days, "read_in_full": since, "files": self.taken.files, "bytes": self.taken.bytes}


def trust_in(file: BinaryIO, previous: Previous, *, days: int, guard: Guard, now: datetime) -> Trust:
    """What may be believed of the artifact before; nothing where it is damaged or cannot be read.

    :param file: the artifact; nobody else may use it meanwhile.
    :param previous: the same; it remembers all entries where that was to be had on the way.
    """
    try:
        rows, since = _rows(file, previous, days=days, now=now)
    except (OSError, BackupError, KeyError, TypeError, ValueError):
        return Trust(days, guard, {})
    return Trust(days, guard, rows, previous.packed, since)


def stamp_of(reading: Reading, stamp: Stamp, packed_crc32: int) -> Optional[Stamped]:
    """What the member list keeps of a file that was read; None where a later run could not rely on it.

    :param stamp: from before the reading.
    """
    was_steady = reading.outcome == STEADY and (reading.size, reading.mtime_ns) == (stamp.size, stamp.mtime_ns)
    if not was_steady or not stamp.changed_ns or stamp.file_id.endswith(_NO_NUMBER):
        return None
    return Stamped(stamp.file_id, stamp.changed_ns, packed_crc32)


def is_over(since: datetime, now: datetime, *, days: int) -> bool:
    """Whether everything is to be read again: after so many days, and where a clock was turned back."""
    return not since <= now < since + timedelta(days=days)


def _rows(
    file: BinaryIO, previous: Previous, *, days: int, now: datetime
) -> Tuple[Dict[str, _Row], Optional[datetime]]:
    """The files of an artifact that may be believed, and when all that it has was read last."""
    reader = ZipReader(file, size=api.facts_of(file).size)
    manifest = find_manifest(reader)
    told: Mapping[str, Any] = manifest.body if manifest is not None else {}
    if manifest is None or told.get("trust") is None:
        return {}, None
    since = parse_time(told["trust"]["read_in_full"])
    if is_over(since, now, days=days):
        return {}, None
    latest = int(parse_time(told["times"]["files_started"]).timestamp()) * 1_000_000_000 - MARGIN_NS
    rows: Dict[str, _Row] = {}
    for line, entry in proved_lines(reader, manifest, Totals()):
        if entry is None:
            continue
        previous.remember(entry)
        row = _row(line, entry)
        if row is not None and max(row.stamp.mtime_ns, row.stamp.changed_ns) < latest:
            rows[line.path] = row
    previous.is_indexed = True
    return rows, since


def _row(line: Member, entry: ZipEntry) -> Optional[_Row]:
    if line.stamp is None or line.sha256 is None or line.crc32 is None:
        return None
    file_id, changed_ns, packed_crc32 = line.stamp
    known = Known(
        extent=Extent(entry.offset, entry.packed, entry.size),
        method=entry.method,
        is_stream=bool(entry.flags & fmt.FLAG_DESCRIPTOR),
        crc32=line.crc32,
        sha256=line.sha256,
        packed_crc32=packed_crc32,
    )
    return _Row(Stamp(line.size, line.mtime_ns, changed_ns, file_id), known)
