# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a large file into the archive: with the compressed bytes of the artifact before, where they are still right,
else compressed anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Callable, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive.engine import Engine
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered
from ansible_collections.wst.backup.plugins.module_utils._archive.previous import Differs, Previous
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import (
    Reading,
    SourceReader,
    Target,
    is_packed,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.streamed import Streamed
from ansible_collections.wst.backup.plugins.module_utils._archive.takenover import TakenOver
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipstream import Stream
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._platform.api import FileFacts


@dataclass(frozen=True)
class Large:
    """A large file that was read; ``written`` has one element once its turn has come, where it is to be kept."""

    reading: Reading
    written: List[Written] = field(default_factory=list)
    reused: bool = False


class LargeFiles:
    """What large files of one source are read with.

    :param reader: reads a file, and tells the progress.
    :param previous: the artifact before.
    """

    def __init__(
        self,
        writer: ZipWriter,
        ordered: Ordered,
        engine: Engine,
        *,
        reader: Callable[[Found], SourceReader],
        previous: Optional[Previous],
    ) -> None:
        self._writer = writer
        self._ordered = ordered
        self._engine = engine
        self._reader = reader
        self._previous = previous

    def read(self, found: Found, *, keep_changed: bool) -> Large:
        """Read it, all of it; it is in the archive when its turn comes. Raises OSError; then it will not be there."""
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
        return self._writer.begin(found.path, attributes=attributes, limit=facts.size)
