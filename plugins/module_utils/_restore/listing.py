# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An artifact, opened to be restored from, and its members as one stream, whether it has a member list or not."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Iterator, Optional, cast

from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.content import (
    Listed,
    ManifestFound,
    find_manifest,
    listed,
    proved_lines,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.members import DIRECTORY, FILE, Member
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import naming
from ansible_collections.wst.backup.plugins.module_utils._archive.verify_step import expected_of
from ansible_collections.wst.backup.plugins.module_utils._archive.wanted import (
    compare_outside,
    foreign_dump,
    missing_members,
    refuse_missing,
    require_dump,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged
from ansible_collections.wst.backup.plugins.module_utils._platform import api

_BUFFER = 1 << 16


@dataclass(frozen=True)
class Artifact:
    """An opened artifact whose structure is proved.

    :ivar found: its manifest; None for a ZIP that others made, whose contents rest on their CRC-32 alone.
    :ivar vouched: whether a sidecar says that it is the artifact of its set.
    """

    path: str
    reader: ZipReader
    found: Optional[ManifestFound]
    vouched: bool

    @property
    def name(self) -> Optional[str]:
        """The artifact's name as its manifest has it; None for a ZIP that others made."""
        return None if self.found is None else str(self.found.body["artifact"])

    def dump(self) -> str:
        """The dump's path; raises ``DumpMissing`` and its like for a foreign ZIP without one."""
        return foreign_dump(self.reader).path if self.found is None else str(self.found.body["dump"]["path"])

    def dump_to_restore(self) -> str:
        """The same, where there is something in it; raises ``DumpEmpty`` else."""
        return require_dump(self.reader, self.dump()).path

    def members(self) -> Iterator[Listed]:
        """Every member in the order of the list; contents are not read. Raises by name."""
        if self.found is not None:
            return listed(self.reader, self.found)
        return ((_member_of(entry), entry) for entry in self.reader.entries())

    def proved_members(self) -> Iterator[Listed]:
        """The same. At the end list and manifest are proved to be each other's, links to be safe, all sources to be
        there. Go through it once before anything is written by the list.
        """
        if self.found is None:
            yield from self.members()
            return
        missing = missing_members(self.reader, [source["name"] for source in self.found.body["sources"]])
        yield from proved_lines(self.reader, self.found, Totals())
        refuse_missing(missing)


@contextmanager
def opened(path: str, *, sidecar: Optional[str] = None) -> Iterator[Artifact]:
    """Open an artifact, or any ZIP, and prove its structure and what the sidecar says of it; failures name it.

    Raises ``ArtifactDamaged`` at the end too, where somebody wrote to it meanwhile.
    """
    expected = expected_of(path, sidecar)
    with naming(path), api.open_source(path) as raw:
        before = api.facts_of(raw)
        reader = ZipReader(_buffered(raw), size=before.size)
        found = find_manifest(reader)
        if expected is not None:
            compare_outside(reader, found, expected)
        yield Artifact(path, reader, found, vouched=expected is not None)
        after = api.facts_of(raw)
        if (after.size, after.mtime_ns) != (before.size, before.mtime_ns):
            raise ArtifactDamaged("somebody wrote to it while it was read")


def _buffered(raw: BinaryIO) -> BinaryIO:
    return io.BufferedReader(cast(io.RawIOBase, raw), _BUFFER)


def _member_of(entry: ZipEntry) -> Member:
    """What a ZIP tells of a member by itself."""
    kind = DIRECTORY if entry.is_directory else FILE
    return Member(path=entry.path, kind=kind, mtime_ns=entry_time(entry), size=entry.size, crc32=entry.crc32)


def entry_time(entry: ZipEntry) -> int:
    """When a member was last changed, in nanoseconds since 1970 UTC.

    DOS fields tell a local time, and this host's zone is taken for it, as other programs do.
    """
    stamps = fmt.fields_of(fmt.extra_fields(entry.extra), fmt.EXTRA_TIMESTAMP)
    for stamp in stamps:
        if stamp[0] & 1:  # the reader has seen that four bytes follow then
            return int.from_bytes(stamp[1:5], "little", signed=True) * fmt.NANOSECONDS
    date, clock = entry.date, entry.time
    moment = (1980 + (date >> 9), date >> 5 & 15, date & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2, 0, 0, -1)
    return int(time.mktime(moment)) * fmt.NANOSECONDS
