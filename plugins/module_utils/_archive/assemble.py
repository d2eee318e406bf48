# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a source's entries into the archive, in the order of the walk: members, lines of the member list, remarks.

The walk runs ahead. Small files are prepared by threads in batches, large ones are read here and compressed by threads
block by block; whatever has an effect that others see happens here, when its turn comes. So an archive, and the failure
of one, are the same whatever number of threads there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Callable, List, Optional, Sequence, Tuple, Type

from ansible_collections.wst.backup.plugins.module_utils._archive import notes as remarks
from ansible_collections.wst.backup.plugins.module_utils._archive import sourcefile
from ansible_collections.wst.backup.plugins.module_utils._archive.beside import Beside, Remark
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import Engine
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.largefile import Large, LargeFiles
from ansible_collections.wst.backup.plugins.module_utils._archive.members import (
    DIRECTORY,
    FILE,
    LINK,
    Member,
    MemberWriter,
    Stamped,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered
from ansible_collections.wst.backup.plugins.module_utils._archive.prepare import Prepared, Preparer
from ansible_collections.wst.backup.plugins.module_utils._archive.previous import Previous
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import Reading, SourceReader
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals, raise_complaint
from ansible_collections.wst.backup.plugins.module_utils._archive.trust import Trust, stamp_of
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found, Walker
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, SourceChanged
from ansible_collections.wst.backup.plugins.module_utils._platform import api

_BATCH_BYTES = 1 << 20  # of files; enough work for a thread to be worth the handing over
_BATCH_ENTRIES = 128
_ENTRY_COST = 1 << 10  # bytes that an entry takes beside its content


@dataclass(frozen=True)
class Workshop:
    """What all sources of an artifact share."""

    writer: ZipWriter
    members: MemberWriter
    ordered: Ordered
    engine: Engine
    guard: Guard
    notes: Notes
    progress: Callable[[str, int], None]  # told a member's path and bytes of it; may raise to cancel
    previous: Optional[Previous] = None  # where compressed bytes may be found again
    reused: Totals = field(default_factory=Totals)  # files whose compressed bytes were
    trust: Optional[Trust] = None  # files that may be taken over unread


class Assembler:
    """Archives one source. Raises by name; the archive is then worthless."""

    def __init__(self, source: Source, shop: Workshop) -> None:
        self._shop = shop
        self._beside = Beside(source.path)
        self._preparer = Preparer(
            SourceReader(guard=shop.guard, tick=lambda _count: shop.ordered.check()),
            shop.engine,
            beside=self._beside,
            allow_changed=source.allow_changed,
            known=shop.previous.small if shop.previous else None,
            trust=shop.trust,
        )
        self._large = LargeFiles(
            shop.writer,
            shop.ordered,
            shop.engine,
            reader=lambda found: SourceReader(guard=shop.guard, tick=partial(shop.progress, found.path)),
            previous=shop.previous,
            trust=shop.trust,
            alive=lambda path: shop.progress(path, 0),
        )
        # Both tell what the walk meets ahead of its turn.
        notes = _InTurn(shop.notes, self._in_turn)
        self._walker = Walker(source, guard=shop.guard, notes=notes, complain=self._complain)
        self._batch: List[Found] = []
        self._cost = 0
        self._totals = Totals()

    def run(self) -> Tuple[Totals, int]:
        """Everything; what was archived, and the number of excluded entries."""
        for found in self._walker.walk():
            if found.entry.kind == api.FILE and found.entry.size > self._shop.engine.whole_limit:
                self._hand_over()
                self._stream(found)
                continue
            self._batch.append(found)
            self._cost += found.entry.size + _ENTRY_COST
            if self._cost >= _BATCH_BYTES or len(self._batch) >= _BATCH_ENTRIES:
                self._hand_over()
        self._hand_over()
        self._shop.ordered.finish()
        return self._totals, self._walker.excluded

    def _hand_over(self) -> None:
        """Give the batch to the threads."""
        if self._batch:
            batch, cost = self._batch, self._cost
            self._batch, self._cost = [], 0
            self._shop.ordered.submit(partial(self._preparer.prepare, batch), self._take_all, cost=cost)

    def _in_turn(self, call: Callable[[], None]) -> None:
        """Now, where something is being taken whose turn it is; else after everything that the walk met before."""
        if not self._shop.ordered.delivering:
            self._hand_over()
        self._shop.ordered.in_order(call)

    def _complain(self, failure: Type[BackupError], path: str, reason: str) -> None:
        self._in_turn(lambda: raise_complaint(failure, path, reason))

    def _take_all(self, prepared: Sequence[Prepared]) -> None:
        for one in prepared:
            self._take(one)

    def _take(self, one: Prepared) -> None:
        found, reading = one.found, one.reading
        if one.error is not None:
            self._failed(found, one.error)
        elif found.entry.kind == api.LINK:
            self._add_link(found, one.target)
        elif reading is None:
            self._add_directory(one)
        elif reading.outcome == sourcefile.LARGE:
            self._stream(found)
        elif one.packed is None or reading.sha256 is None:
            self._leave_out(found, reading)
        else:
            packed = one.packed
            self._shop.progress(found.path, packed.size)
            if packed.is_known:
                self._count_reused(packed.size, is_unread=one.is_unread)
            attributes = Attributes(mtime_ns=reading.mtime_ns, dos=found.entry.attributes)
            self._shop.writer.add_packed(found.path, packed, attributes=attributes)
            written = Written(size=packed.size, sha256=reading.sha256, crc32=packed.crc32)
            self._add_file(found, reading, written, sddl=one.sddl, remarked=one.remarks, stamp=one.stamp)

    def _failed(self, found: Found, error: OSError) -> None:
        if isinstance(error, FileNotFoundError):
            self._walker.vanished(found.relative)
        else:
            self._walker.unreadable(found.relative, error.strerror or type(error).__name__)

    def _add_directory(self, one: Prepared) -> None:
        entry = one.found.entry
        attributes = Attributes(mtime_ns=entry.mtime_ns, mode=0o755, dos=entry.attributes)
        self._shop.writer.add_directory(one.found.path, attributes=attributes)
        self._remark(one.found, one.remarks)
        self._line(one.found, DIRECTORY, mtime_ns=entry.mtime_ns, sddl=one.sddl)
        self._totals.directories += 1

    def _add_link(self, found: Found, target: Optional[str]) -> None:
        """Links are told in the member list only: no program that extracts the ZIP can be led anywhere by one."""
        self._line(found, LINK, mtime_ns=found.entry.mtime_ns, target=target)
        self._totals.links += 1

    def _leave_out(self, found: Found, reading: Reading) -> None:
        if reading.outcome == sourcefile.SECRET:
            self._shop.notes.add(remarks.SECRET, found.path)
        else:  # torn, and not allowed to be
            raise_complaint(SourceChanged, found.path, f"it kept changing through {sourcefile.READINGS} readings")

    def _stream(self, found: Found) -> None:
        """A large file: read now, in the archive when its turn comes."""
        try:
            large = self._large.read(found, keep_changed=self._preparer.keeps_changed(found))
        except OSError as error:
            failure = error
            self._in_turn(lambda: self._failed(found, failure))
            return
        self._in_turn(lambda: self._streamed(found, large))

    def _streamed(self, found: Found, large: Large) -> None:
        if large.reading.sha256 is None:
            self._leave_out(found, large.reading)
            return
        if large.is_unread:
            self._shop.progress(found.path, large.reading.size)
        if large.reused:
            self._count_reused(large.reading.size, is_unread=large.is_unread)
        sddl, remarked = self._beside.look(found)
        written = large.written[0]
        stamp = stamp_of(large.reading, large.stamp, written.packed_crc32 or 0) if large.stamp is not None else None
        self._add_file(found, large.reading, written, sddl=sddl, remarked=remarked, stamp=stamp)

    def _add_file(
        self,
        found: Found,
        reading: Reading,
        written: Written,
        *,
        sddl: Optional[str],
        remarked: Sequence[Remark],
        stamp: Optional[Stamped],
    ) -> None:
        """What goes with a member that was written."""
        note = None
        if reading.outcome in (sourcefile.GREW, sourcefile.CHANGED):
            note = reading.outcome
            self._shop.notes.add(note, found.path)
        self._remark(found, remarked)
        self._line(found, FILE, mtime_ns=reading.mtime_ns, written=written, sddl=sddl, note=note, stamp=stamp)
        self._totals.files += 1
        self._totals.bytes += written.size

    def _count_reused(self, size: int, *, is_unread: bool) -> None:
        one = Totals(files=1, bytes=size)
        self._shop.reused.add(one)
        if is_unread and self._shop.trust is not None:
            self._shop.trust.taken.add(one)

    def _remark(self, found: Found, remarked: Sequence[Remark]) -> None:
        for remark in remarked:
            self._shop.notes.add(remark.kind, found.path, remark.reason)

    def _line(
        self,
        found: Found,
        kind: str,
        *,
        mtime_ns: int,
        written: Optional[Written] = None,
        target: Optional[str] = None,
        sddl: Optional[str] = None,
        note: Optional[str] = None,
        stamp: Optional[Stamped] = None,
    ) -> None:
        self._shop.members.add(
            Member(
                path=found.path,
                kind=kind,
                mtime_ns=mtime_ns,
                size=written.size if written else 0,
                sha256=written.sha256 if written else None,
                crc32=written.crc32 if written else None,
                target=target,
                sddl=sddl,
                attributes=found.entry.attributes,
                note=note,
                stamp=stamp,
            )
        )


class _InTurn(Notes):
    """Remarks that wait for their turn."""

    def __init__(self, notes: Notes, in_turn: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._notes = notes
        self._in_turn = in_turn

    def add(self, kind: str, path: str, reason: str = "") -> None:
        """One more remark on a member path."""
        self._in_turn(lambda: self._notes.add(kind, path, reason))
