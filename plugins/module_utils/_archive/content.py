# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Level 2: every member is what the member list says, and nothing else is there.

The list and the central directory have the same order, so both are read as streams, side by side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import (
    MANIFEST,
    MAX_MANIFEST,
    MEMBERS,
    decode_manifest,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import printable
from ansible_collections.wst.backup.plugins.module_utils._archive.members import (
    DIRECTORY,
    FILE,
    LINK,
    Member,
    read_members,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.proving import Item, Prover, another
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import MAX_MEMBERS, ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    ArtifactUnsupported,
)


@dataclass(frozen=True)
class ManifestFound:
    """The manifest of an artifact of ours, and the members that describe the others."""

    body: Mapping[str, Any]
    sha256: str  # of its bytes
    entry: ZipEntry
    members: ZipEntry


def find_manifest(reader: ZipReader) -> Optional[ManifestFound]:
    """The manifest, or None for an archive that others made. Raises by name where it is there and no good."""
    entry, members = reader.find(MANIFEST), reader.find(MEMBERS)
    if entry is None and members is None:
        return None
    if entry is None or members is None:
        raise ArtifactIncomplete(f"it lacks {(MANIFEST if entry is None else MEMBERS)}")
    if entry.size > MAX_MANIFEST:
        raise ArtifactUnsupported(f"its manifest.json has {entry.size} bytes", size=entry.size)
    data = b"".join(reader.content(entry))
    return ManifestFound(
        body=decode_manifest(data), sha256=hashlib.sha256(data).hexdigest(), entry=entry, members=members
    )


Watch = Callable[[bytes], None]
Listed = Tuple[Member, Optional[ZipEntry]]  # a link has no member in the ZIP


def listed(reader: ZipReader, found: ManifestFound, *, watch: Optional[Watch] = None) -> Iterator[Listed]:
    """Each line of the member list with its member, a link's without; both are read as streams, side by side.

    Raises by name where the two do not tell the same names, times, sizes and CRCs in the same order. Contents are not
    read.

    :param watch: is told the bytes of the list.
    """
    own = (found.entry.offset, found.members.offset)  # proved when they were read; they cannot list themselves
    entries = (entry for entry in reader.entries() if entry.offset not in own)
    chunks = reader.content(found.members)
    lines = read_members(chunks if watch is None else _watched(chunks, watch))
    for number, line in enumerate(lines, start=1):
        if number > MAX_MEMBERS:
            raise ArtifactUnsupported(f"its member list has more than {MAX_MEMBERS} lines")
        if line.kind == LINK:
            yield line, None
            continue
        entry = next(entries, None)
        if entry is None:
            raise _missing(line)
        # The bytes of the name too: a program that knows no Unicode path field must not see another one.
        if (line.path, line.kind == DIRECTORY) != (entry.path, entry.is_directory) or entry.is_renamed:
            raise _mismatch(reader, entry, line)
        _prove_line(entry, line)
        yield line, entry
    left = next(entries, None)
    if left is not None:
        raise _mismatch(reader, left, None)


def proved_lines(reader: ZipReader, found: ManifestFound, totals: Totals) -> Iterator[Listed]:
    """The same, once for a reader; at its end list and manifest are proved to be each other's, and links to be safe.

    :param totals: takes what the sources have, at the end.
    """
    digest = hashlib.sha256()
    counts = _Counts(found.body)
    for line, entry in listed(reader, found, watch=digest.update):
        counts.add(line)
        if entry is None:
            reader.add_link(line.path)
            _jobs.check()
        yield line, entry
    told = found.body["members"]
    is_list = (counts.lines, found.members.size, digest.hexdigest())
    if (told.get("count"), told.get("size"), told.get("sha256")) != is_list:
        raise ArtifactDamaged("its members.jsonl is not the one that its manifest describes")
    totals.add(counts.prove_manifest())


def prove_listed(reader: ZipReader, found: ManifestFound, prover: Prover) -> Totals:
    """Read every member; what the sources have is returned. Raises by name at the first contradiction."""
    totals = Totals()
    with prover.first():
        for line, entry in proved_lines(reader, found, totals):
            if entry is not None:
                prover.add(Item(entry, reader.end_of(entry), line.sha256))
        prover.finish()
    return totals


def prove_unlisted(reader: ZipReader, prover: Prover) -> Totals:
    """Read every member of an archive without a member list: all that can be proved is that it decodes."""
    with prover.first():
        for entry in reader.entries():
            prover.add(Item(entry, reader.end_of(entry), None))
        prover.finish()
    return Totals(files=reader.files, directories=reader.directories, bytes=reader.bytes)


class _Counts:
    """The member list, counted while it is read, and then held against what the manifest counts."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest
        self._sources: Dict[str, Totals] = {source["name"]: Totals() for source in manifest["sources"]}
        self._dump: Optional[Member] = None
        self.lines = 0

    def add(self, line: Member) -> None:
        """Count a line in."""
        self.lines += 1
        if line.path == self._manifest["dump"]["path"]:
            self._dump = line
        totals = self._sources.get(line.path.split("/", 1)[0])
        if totals is None:
            return
        totals.files += line.kind == FILE
        totals.directories += line.kind == DIRECTORY
        totals.links += line.kind == LINK
        totals.bytes += line.size

    def prove_manifest(self) -> Totals:
        """After the last line: raises where the manifest says something else; what all sources have is returned."""
        told = self._manifest["dump"]
        if self._dump is None or (told.get("size"), told.get("sha256")) != (self._dump.size, self._dump.sha256):
            raise ArtifactDamaged("its manifest describes another dump than its member list", path=told["path"])
        sums = Totals()
        for source in self._manifest["sources"]:
            totals = self._sources[source["name"]]
            sums.add(totals)
            if any(source.get(key) != value for key, value in totals.body().items()):
                shown = printable(source["name"])
                raise ArtifactDamaged(f"its manifest counts {shown} otherwise than its member list", path=shown)
        if self._manifest["totals"] != sums.body():
            raise ArtifactDamaged("its manifest counts other totals than its member list", counted=sums.body())
        return sums


def _prove_line(entry: ZipEntry, line: Member) -> None:
    """What both tell of a member, its content aside."""
    _prove_times(entry, line)
    if line.kind == FILE and (entry.size, entry.crc32) != (line.size, line.crc32):
        raise _another(line)


def _another(line: Member) -> ArtifactDamaged:
    return another(printable(line.path), expected=line.sha256)


def _prove_times(entry: ZipEntry, line: Member) -> None:
    """The directory's times are the list's; the local header's are compared with the directory's by the reader."""
    right = fmt.timestamp_extra(line.mtime_ns)
    same = entry.extra == right or _timestamps(entry.extra) == _timestamps(right)
    if not same or (entry.time, entry.date) != fmt.dos_time(line.mtime_ns):
        shown = printable(entry.path)
        raise ArtifactDamaged(f"the member {shown} has another time than the member list says", path=shown)


def _timestamps(extra: bytes) -> List[bytes]:
    return fmt.fields_of(fmt.extra_fields(extra), fmt.EXTRA_TIMESTAMP)


def _mismatch(reader: ZipReader, entry: ZipEntry, line: Optional[Member]) -> Exception:
    """Which of the two is wrong: is something missing, or is something there that nobody listed?"""
    if line is not None and not any(other.path == line.path for other in reader.entries()):
        return _missing(line)
    shown = printable(entry.path)
    return ArtifactDamaged(f"the member {shown} is not in the member list, or not at its place in it", path=shown)


def _missing(line: Member) -> ArtifactIncomplete:
    shown = printable(line.path)
    return ArtifactIncomplete(f"the member {shown} is in the member list but not in the archive", path=shown)


def _watched(chunks: Iterable[bytes], watch: Watch) -> Iterator[bytes]:
    for chunk in chunks:
        watch(chunk)
        yield chunk
