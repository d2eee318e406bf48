# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Level 2: every member is what the member list says, and nothing else is there.

The list and the central directory have the same order, so both are read as streams, side by side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Optional

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


def prove_listed(reader: ZipReader, found: ManifestFound) -> Totals:
    """Read every member; what the sources have is returned. Raises by name at the first contradiction."""
    digest = hashlib.sha256()
    listed = read_members(_watched(reader.content(found.members), digest.update))
    progress = _Progress(reader.bytes)
    lines = _Lines(listed, reader, found.body)
    for entry in reader.entries():
        if entry.offset == found.entry.offset or entry.offset == found.members.offset:
            continue  # proved when they were read; they cannot list themselves
        line = lines.next_stored()
        # The bytes of the name too: a program that knows no Unicode path field must not see another one.
        here = (entry.path, entry.is_directory)
        if line is None or (line.path, line.kind == DIRECTORY) != here or entry.is_renamed:
            raise _mismatch(reader, entry, line)
        _prove_member(reader, entry, line, progress)
    left = lines.next_stored()
    if left is not None:
        raise _missing(left)
    told = found.body["members"]
    is_list = (lines.count, found.members.size, digest.hexdigest())
    if (told.get("count"), told.get("size"), told.get("sha256")) != is_list:
        raise ArtifactDamaged("its members.jsonl is not the one that its manifest describes")
    return lines.prove_manifest()


def prove_unlisted(reader: ZipReader) -> Totals:
    """Read every member of an archive without a member list: all that can be proved is that it decodes."""
    progress = _Progress(reader.bytes)
    totals = Totals()
    for entry in reader.entries():
        for chunk in reader.content(entry):
            progress.tick(len(chunk), entry.path)
        if entry.is_directory:
            totals.directories += 1
        else:
            totals.files += 1
            totals.bytes += entry.size
    return totals


class _Progress:
    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total

    def tick(self, count: int, item: str) -> None:
        self._done += count
        _jobs.progress(self._done, self._total, item)


class _Lines:
    """The member list, counted while it is read, and then held against what the manifest counts."""

    def __init__(self, listed: Iterator[Member], reader: ZipReader, manifest: Mapping[str, Any]) -> None:
        self._listed = listed
        self._reader = reader
        self._manifest = manifest
        self._sources: Dict[str, Totals] = {source["name"]: Totals() for source in manifest["sources"]}
        self._dump: Optional[Member] = None
        self.count = 0

    def next_stored(self) -> Optional[Member]:
        """The next line that has a member in the ZIP; None after the last."""
        for line in self._listed:
            self.count += 1
            if self.count > MAX_MEMBERS:
                raise ArtifactUnsupported(f"its member list has more than {MAX_MEMBERS} lines")
            self._count(line)
            if line.kind != LINK:
                return line
            self._reader.add_link(line.path)
            _jobs.check()
        return None

    def _count(self, line: Member) -> None:
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


def _prove_member(reader: ZipReader, entry: ZipEntry, line: Member, progress: _Progress) -> None:
    _prove_times(entry, line)
    digest = hashlib.sha256()
    for chunk in reader.content(entry):
        digest.update(chunk)
        progress.tick(len(chunk), entry.path)
    if line.kind == FILE and (entry.size, entry.crc32, digest.hexdigest()) != (line.size, line.crc32, line.sha256):
        raise ArtifactDamaged(
            f"the member {printable(entry.path)} is not what the member list says",
            path=printable(entry.path),
            expected=line.sha256,
            found=digest.hexdigest(),
        )


def _prove_times(entry: ZipEntry, line: Member) -> None:
    """The directory's times are the list's; the local header's are compared with the directory's by the reader."""
    told = fmt.fields_of(fmt.extra_fields(entry.extra), fmt.EXTRA_TIMESTAMP)
    right = fmt.fields_of(fmt.extra_fields(fmt.timestamp_extra(line.mtime_ns)), fmt.EXTRA_TIMESTAMP)
    if (entry.time, entry.date) != fmt.dos_time(line.mtime_ns) or told != right:
        shown = printable(entry.path)
        raise ArtifactDamaged(f"the member {shown} has another time than the member list says", path=shown)


def _mismatch(reader: ZipReader, entry: ZipEntry, line: Optional[Member]) -> Exception:
    """Which of the two is wrong: is something missing, or is something there that nobody listed?"""
    if line is not None and not any(other.path == line.path for other in reader.entries()):
        return _missing(line)
    shown = printable(entry.path)
    return ArtifactDamaged(f"the member {shown} is not in the member list, or not at its place in it", path=shown)


def _missing(line: Member) -> ArtifactIncomplete:
    shown = printable(line.path)
    return ArtifactIncomplete(f"the member {shown} is in the member list but not in the archive", path=shown)


def _watched(chunks: Iterable[bytes], watch: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        watch(chunk)
        yield chunk
