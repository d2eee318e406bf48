# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds an artifact: surveys the sources first, then streams them, the dump, the member list and the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import manifest as manifests
from ansible_collections.wst.backup.plugins.module_utils._archive.assemble import Assembler, Workshop
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import ZLIB, choose
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.members import FILE, Member, MemberWriter
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered, thread_count
from ansible_collections.wst.backup.plugins.module_utils._archive.previous import Previous
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import StepFile
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import CHUNK, up_to
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals
from ansible_collections.wst.backup.plugins.module_utils._archive.trust import Trust, trust_in
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipoutput import Watch
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, BackupError, DumpDamaged
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
    reused: Totals = field(default_factory=Totals)  # files whose compressed bytes were taken over
    unread: Totals = field(default_factory=Totals)  # files among them that were not read


class Builder:
    """Writes one artifact.

    :param file: new and empty; flushing and closing it is the caller's.
    :param central: an empty spool for the central directory.
    :param spool: an empty spool for the member list.
    :param level: of compression, 1 to 9.
    :param expected: bytes that will be read, for the progress.
    :param engine: the name of what compresses (``engine.choose``).
    :param threads: how many compress; 0 stands for a number that suits the host.
    :param previous: an artifact, of the same engine and level, whose compressed bytes may be taken over.
    :param trust_days: for so many, files that seem unchanged are not read (``trust``); 0: every file is.
    :param watch: told where the file ends, as it grows or is cut off.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        central: BinaryIO,
        spool: BinaryIO,
        guard: Guard,
        level: int,
        expected: int,
        engine: str = ZLIB,
        threads: int = 0,
        previous: Optional[BinaryIO] = None,
        trust_days: int = 0,
        watch: Optional[Watch] = None,
    ) -> None:
        self._engine = choose(engine, level)
        self._threads = thread_count(threads)
        self._writer = ZipWriter(file, central=central, engine=self._engine, watch=watch)
        self._members = MemberWriter(spool)
        self._guard = guard
        self._expected = expected
        self._done = 0
        self._notes = Notes()
        self._trust = Trust(trust_days, guard, {}) if trust_days else None
        self._previous = self._opened(previous) if previous is not None else None
        self._reused = Totals()

    def build(self, sources: Sequence[Source], extras: Sequence[StepFile], description: Description) -> Built:
        """Everything, in order: sources, extras, member list, manifest. Raises by name; the file is then worthless."""
        started = format_time(utc_now())
        totals, told = self._add_sources(sources)
        ended = format_time(utc_now())
        stored = {extra.name: self._add_extra(extra) for extra in extras}
        times = {"database_snapshot": description.snapshot_at, "files_started": started, "files_ended": ended}
        return self._finish(description, told, totals=totals, stored=stored, times=times)

    def _add_sources(self, sources: Sequence[Source]) -> Tuple[Totals, List[Dict[str, Any]]]:
        totals = Totals()
        told: List[Dict[str, Any]] = []
        with Ordered(threads=self._threads, idle=_jobs.check) as ordered:
            shop = Workshop(
                writer=self._writer,
                members=self._members,
                ordered=ordered,
                engine=self._engine,
                guard=self._guard,
                notes=self._notes,
                progress=self._progress,
                previous=self._previous,
                reused=self._reused,
                trust=self._trust,
            )
            for source in sources:
                counts, excluded = Assembler(source, shop).run()
                told.append(_source_body(source, counts, excluded))
                totals.add(counts)
        return totals, told

    def _add_extra(self, extra: StepFile) -> Written:
        """A file that nobody else touches: whatever differs from what it must be is damage."""
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
        chunks = self._told(extra.name, up_to(file, extra.size))
        return self._writer.add_stored(extra.name, chunks, attributes=attributes, size=extra.size, crc32=extra.crc32)

    def _add_own(self, name: str, file: BinaryIO, size: int, attributes: Attributes) -> Written:
        chunks = self._told(name, up_to(file, size))
        if size <= CHUNK:
            return self._writer.add_bytes(name, b"".join(chunks), attributes=attributes)
        return self._writer.add_stream(name, chunks, attributes=attributes, limit=size)

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
            compression=self._engine.body(),
            trust=self._trust.body(str(times["files_started"])) if self._trust is not None else None,
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
            reused=self._reused,
            unread=self._trust.taken if self._trust is not None else Totals(),
        )

    def _opened(self, file: BinaryIO) -> Optional[Previous]:
        """The artifact before; None where it cannot be used, for whatever reason: it saves time and proves nothing."""
        try:
            previous = Previous(file, size=api.facts_of(file).size, codec=self._engine.blocks)
            if self._trust is not None:
                self._trust = trust_in(file, previous, days=self._trust.days, guard=self._guard, now=utc_now())
            previous.index()
        except (OSError, BackupError):
            return None
        return previous

    def _told(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._progress(name, len(chunk))
            yield chunk

    def _progress(self, item: str, count: int) -> None:
        self._done += count
        _jobs.progress(self._done, self._expected, item)


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
