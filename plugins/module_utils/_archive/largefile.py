# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a large file into the archive: with the compressed bytes of the artifact before, where they are still right,
else compressed anew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive.engine import Engine
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered
from ansible_collections.wst.backup.plugins.module_utils._archive.previous import Differs, Previous
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import (
    STEADY,
    Reading,
    SourceReader,
    Target,
    is_packed,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.streamed import Streamed
from ansible_collections.wst.backup.plugins.module_utils._archive.takenover import TakenOver, Unread
from ansible_collections.wst.backup.plugins.module_utils._archive.trust import Trust
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipstream import Stream
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import FileFacts, Stamp


@dataclass(frozen=True)
class Large:
    """A large file that was read; ``written`` has one element once its turn has come, where it is to be kept."""

    reading: Reading
    written: List[Written] = field(default_factory=list)
    reused: bool = False
    stamp: Optional[Stamp] = None  # from before it was read
    is_unread: bool = False


class LargeFiles:
    """What large files of one source are read with.

    :param reader: reads a file, and tells the progress.
    :param previous: the artifact before.
    :param alive: called now and then with the path of what is taken over unread; may raise to cancel.
    """

    def __init__(
        self,
        writer: ZipWriter,
        ordered: Ordered,
        engine: Engine,
        *,
        reader: Callable[[Found], SourceReader],
        previous: Optional[Previous],
        trust: Optional[Trust] = None,
        alive: Callable[[str], None] = lambda _path: None,
    ) -> None:
        self._writer = writer
        self._ordered = ordered
        self._engine = engine
        self._reader = reader
        self._previous = previous
        self._trust = trust
        self._alive = alive

    def read(self, found: Found, *, keep_changed: bool) -> Large:
        """Read it, all of it; it is in the archive when its turn comes. Raises OSError; then it will not be there.

        What is trusted to be unchanged is taken over unread.
        """
        if self._trust is None:
            return self._read(found, keep_changed=keep_changed)
        stamp = api.stamp(found.entry.path)
        unread = self._unread(found, stamp, self._trust)
        return unread or replace(self._read(found, keep_changed=keep_changed), stamp=stamp)

    def _unread(self, found: Found, stamp: Stamp, trust: Trust) -> Optional[Large]:
        known = trust.known(found.path, stamp)
        if known is None or not known.is_stream:
            return None
        written: List[Written] = []
        begin = partial(self._begin, found)
        target = Unread(self._writer, self._ordered, self._engine, begin=begin, done=written.append, compress=True)
        facts = FileFacts(stamp.size, stamp.mtime_ns, stamp.file_id)
        try:
            target.take(trust.blocks(known), known, facts, alive=partial(self._alive, found.path))
        except Differs:
            target.abandon()
            return None
        reading = Reading(STEADY, stamp.mtime_ns, stamp.size, known.sha256)
        return Large(reading, written, reused=True, stamp=stamp, is_unread=True)

    def _read(self, found: Found, *, keep_changed: bool) -> Large:
        written: List[Written] = []
        compress = not is_packed(found.entry.name)
        read = partial(self._reader(found).stream, found.entry, keep_changed=keep_changed)
        old = self._taken_over(found, written) if compress else None
        if old is not None:
            try:
                return Large(read(old), written, reused=True)
            except Differs:
                old.abandon()
        return Large(read(self._compressed(found, written, compress=compress)), written)

    def _taken_over(self, found: Found, written: List[Written]) -> Optional[TakenOver]:
        """The file as the artifact before may have it, or None."""
        previous = self._previous
        extent = previous.large(found.path, found.entry.size) if previous is not None else None
        if previous is None or extent is None:
            return None
        unpack = partial(previous.unpack, extent)
        begin = partial(self._begin, found)
        return TakenOver(self._writer, self._ordered, self._engine, begin=begin, done=written.append, unpack=unpack)

    def _compressed(self, found: Found, written: List[Written], *, compress: bool) -> Target:
        begin = partial(self._begin, found)
        return Streamed(self._writer, self._ordered, self._engine, begin=begin, done=written.append, compress=compress)

    def _begin(self, found: Found, facts: FileFacts) -> Stream:
        attributes = Attributes(mtime_ns=facts.mtime_ns, dos=found.entry.attributes)
        stamped = self._trust is not None
        return self._writer.begin(found.path, attributes=attributes, limit=facts.size, stamped=stamped)
