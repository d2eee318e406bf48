# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds an artifact: surveys the sources first, then streams them, the dump, the member list and the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import manifest as manifests
from ansible_collections.wst.backup.plugins.module_utils._archive import notes as remarks
from ansible_collections.wst.backup.plugins.module_utils._archive import sourcefile
from ansible_collections.wst.backup.plugins.module_utils._archive.beside import Beside
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.members import (
    DIRECTORY,
    FILE,
    LINK,
    Member,
    MemberWriter,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import StepFile
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import SMALL, SourceReader, up_to
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals, raise_complaint
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found, Walker
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, DumpDamaged, SourceChanged
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._platform import api


@dataclass(frozen=True)
class Description:
    """What the manifest says that the archive cannot know by itself."""

    artifact: str
    run_id: str
    prefix: str
    environment: str
    database: Mapping[str, Any]
    dump_name: str
    snapshot_at: Optional[str]
    audit_head: Optional[Mapping[str, Any]] = None


@dataclass
class Built:
    """The finished artifact. ``sha256`` is of the bytes as they were written, not yet read back."""

    manifest: Dict[str, Any]
    manifest_sha256: str
    sha256: str
    size: int
    totals: Totals = field(default_factory=Totals)


class Builder:
    """Writes one artifact.

    :param file: new and empty; flushing and closing it is the caller's.
    :param central: an empty spool for the central directory.
    :param spool: an empty spool for the member list.
    :param expected: bytes that will be read, for the progress.
    """

    def __init__(
        self, file: BinaryIO, *, central: BinaryIO, spool: BinaryIO, guard: Guard, level: int, expected: int
    ) -> None:
        self._writer = ZipWriter(file, central=central, level=level)
        self._members = MemberWriter(spool)
        self._guard = guard
        self._expected = expected
        self._done = 0
        self._item = ""
        self._notes = Notes()
        self._beside = Beside(self._notes)
        self._reader = SourceReader(self._writer, guard=guard, tick=self._tick)

    def build(self, sources: Sequence[Source], extras: Sequence[StepFile], description: Description) -> Built:
        """Everything, in order: sources, extras, member list, manifest. Raises by name; the file is then worthless."""
        started = format_time(utc_now())
        told: List[Dict[str, Any]] = []
        totals = Totals()
        for source in sources:
            counts, excluded = self._add_source(source)
            told.append(_source_body(source, counts, excluded))
            totals.add(counts)
        ended = format_time(utc_now())
        stored = {extra.name: self._add_extra(extra) for extra in extras}
        times = {"database_snapshot": description.snapshot_at, "files_started": started, "files_ended": ended}
        return self._finish(description, told, totals=totals, stored=stored, times=times)

    def _add_source(self, source: Source) -> Tuple[Totals, int]:
        totals = Totals()
        walker = Walker(source, guard=self._guard, notes=self._notes, complain=raise_complaint)
        self._beside.enter(source.path)
        for found in walker.walk():
            if found.entry.kind == api.FILE:
                self._add_file(source, walker, found, totals)
            elif found.entry.kind == api.DIRECTORY:
                self._add_directory(found)
                totals.directories += 1
            else:
                self._add_link(walker, found, totals)
        return totals, walker.excluded

    def _add_directory(self, found: Found) -> None:
        entry = found.entry
        attributes = Attributes(mtime_ns=entry.mtime_ns, mode=0o755, dos=entry.attributes)
        self._writer.add_directory(found.path, attributes=attributes)
        self._members.add(self._line(found, DIRECTORY, mtime_ns=entry.mtime_ns))

    def _add_link(self, walker: Walker, found: Found, totals: Totals) -> None:
        """Links are told in the member list only: no program that extracts the ZIP can be led anywhere by one."""
        try:
            target = found.entry.target()
        except FileNotFoundError:
            walker.vanished(found.relative)
            return
        except OSError as error:
            walker.unreadable(found.relative, error.strerror or type(error).__name__)
            return
        self._members.add(self._line(found, LINK, mtime_ns=found.entry.mtime_ns, target=target))
        totals.links += 1

    def _add_file(self, source: Source, walker: Walker, found: Found, totals: Totals) -> None:
        self._item = found.path
        keep = source.allow_changed.covers(found.relative, is_directory=False)
        try:
            copied = self._reader.copy(found.entry, found.path, keep_changed=keep)
        except FileNotFoundError:
            walker.vanished(found.relative)
            return
        except OSError as error:
            walker.unreadable(found.relative, error.strerror or type(error).__name__)
            return
        if copied.outcome == sourcefile.SECRET:
            self._notes.add(remarks.SECRET, found.path)
            return
        if copied.written is None:  # torn, and not allowed to be
            raise_complaint(SourceChanged, found.path, f"it kept changing through {sourcefile.READINGS} readings")
        note = None
        if copied.outcome in (sourcefile.GREW, sourcefile.CHANGED):
            note = copied.outcome
            self._notes.add(copied.outcome, found.path)
        self._members.add(self._line(found, FILE, mtime_ns=copied.mtime_ns, written=copied.written, note=note))
        totals.files += 1
        totals.bytes += copied.written.size

    def _line(
        self,
        found: Found,
        kind: str,
        *,
        mtime_ns: int,
        written: Optional[Written] = None,
        target: Optional[str] = None,
        note: Optional[str] = None,
    ) -> Member:
        return Member(
            path=found.path,
            kind=kind,
            mtime_ns=mtime_ns,
            size=written.size if written else 0,
            sha256=written.sha256 if written else None,
            crc32=written.crc32 if written else None,
            target=target,
            sddl=None if kind == LINK else self._beside.look(found),
            attributes=found.entry.attributes,
            note=note,
        )

    def _add_extra(self, extra: StepFile) -> Written:
        """A file that nobody else touches: whatever differs from what it must be is damage."""
        self._item = extra.name
        try:
            with api.open_source(extra.path) as file:
                mtime_ns = api.facts_of(file).mtime_ns
                written = self._copy_extra(extra, file, Attributes(mtime_ns=mtime_ns))
        except OSError as error:
            raise translate_oserror(error, extra.path) from error
        if (written.size, written.sha256) != (extra.size, extra.sha256):
            raise DumpDamaged(
                f"{extra.path} is not what the dump step left.",
                path=extra.path,
                expected=extra.sha256,
                found=written.sha256,
            )
        self._members.add(
            Member(
                path=extra.name,
                kind=FILE,
                mtime_ns=mtime_ns,
                size=written.size,
                sha256=written.sha256,
                crc32=written.crc32,
            )
        )
        return written

    def _copy_extra(self, extra: StepFile, file: BinaryIO, attributes: Attributes) -> Written:
        """The dump's CRC is known, so it can be stored as it is; it is compressed already."""
        if extra.crc32 is None:
            return self._add_own(extra.name, file, extra.size, attributes)
        chunks = self._ticking(up_to(file, extra.size))
        return self._writer.add_stored(extra.name, chunks, attributes=attributes, size=extra.size, crc32=extra.crc32)

    def _add_own(self, name: str, file: BinaryIO, size: int, attributes: Attributes) -> Written:
        if size <= SMALL:
            return self._writer.add_bytes(name, b"".join(self._ticking(up_to(file, size))), attributes=attributes)
        return self._writer.add_stream(name, self._ticking(up_to(file, size)), attributes=attributes, limit=size)

    def _finish(
        self,
        description: Description,
        sources: List[Dict[str, Any]],
        *,
        totals: Totals,
        stored: Mapping[str, Written],
        times: Mapping[str, Optional[str]],
    ) -> Built:
        now = Attributes(mtime_ns=int(utc_now().timestamp()) * 1_000_000_000)
        listed = self._add_own(manifests.MEMBERS, self._members.rewind(), self._members.size, now)
        if listed.sha256 != self._members.sha256:
            raise ArtifactDamaged("the member list was changed in its spool: check this disk")
        dump = stored[description.dump_name]
        body = manifests.build_manifest(
            artifact=description.artifact,
            run_id=description.run_id,
            prefix=description.prefix,
            environment=description.environment,
            times=times,
            database=description.database,
            dump={"path": description.dump_name, "size": dump.size, "sha256": dump.sha256},
            sources=sources,
            totals=totals.body(),
            members={"count": self._members.count, "size": self._members.size, "sha256": self._members.sha256},
            notes=self._notes.body(),
            audit_head=description.audit_head,
        )
        data = manifests.encode_manifest(body)
        self._writer.add_bytes(manifests.MANIFEST, data, attributes=now)
        sha256 = self._writer.finish()
        return Built(
            manifest=body,
            manifest_sha256=manifests.sha256_of_manifest(data),
            sha256=sha256,
            size=self._writer.position,
            totals=totals,
        )

    def _ticking(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._tick(len(chunk))
            yield chunk

    def _tick(self, count: int) -> None:
        self._done += count
        _jobs.progress(self._done, self._expected, self._item)


def _source_body(source: Source, totals: Totals, excluded: int) -> Dict[str, Any]:
    return {
        "name": source.name,
        "path": source.path,
        "exclude": list(source.exclude.texts),
        "allow_unreadable": list(source.allow_unreadable.texts),
        "allow_changed": list(source.allow_changed.texts),
        "excluded": excluded,
        **totals.body(),
    }
