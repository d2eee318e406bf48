# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one source file into the archive, whole and of one moment, or says that this cannot be done.

A file is read up to the size that it had when it was opened. When its size and time are the same afterwards, it was
steady. When they are not, those same bytes are read once more: if they are unchanged, what was written is a true copy
(the file has only grown, or was only touched). Otherwise the file is read anew, up to three times. A small file is
judged before it is written; a large one streams, and its torn member is rolled back (see ``zipwriter``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, Callable, Iterator, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Entry, FileFacts

SMALL = 1 << 20  # bytes; up to here a file is read whole
READINGS = 4  # the first and three more
CHUNK = 1 << 20

STEADY = "steady"
GREW = "grew"
CHANGED = "changed"  # the copy is not of one moment
SECRET = "secret"  # nosec B105  # noqa: S105 - an outcome; nothing was written

# Content that deflate would only cost time on.
_PACKED = (
    "7z aac apk avi avif br bz2 docx epub flac gif gz heic jar jpeg jpg lz4 m4a m4v mkv mov mp3 mp4 mpeg mpg nupkg "
    "odp ods odt ogg opus png pptx rar tgz txz war webm webp whl wma wmv woff woff2 xlsx xz zip zst"
)
_PACKED_SUFFIXES = frozenset(_PACKED.split())

Tick = Callable[[int], None]  # told the bytes just read; may raise to cancel


@dataclass(frozen=True)
class Copied:
    """How the copying went. ``written`` is None where nothing was: a secret, or a torn file that is not allowed."""

    outcome: str
    mtime_ns: int
    written: Optional[Written]


class SourceReader:
    """Copies files into one archive; raises OSError for what cannot be read."""

    def __init__(self, writer: ZipWriter, *, guard: Guard, tick: Tick) -> None:
        self._writer = writer
        self._guard = guard
        self._tick = tick

    def copy(self, entry: Entry, path: str, *, keep_changed: bool) -> Copied:
        """Add the file as member ``path``; with ``keep_changed`` the last reading stays though it is torn.

        After outcome ``CHANGED`` without ``keep_changed``, and after an OSError, the archive is as it was before.
        """
        mark = self._writer.mark()
        try:
            for reading in range(READINGS):
                self._writer.roll_back(mark)
                last = reading == READINGS - 1
                copied = self._read(entry, path, keep=keep_changed and last)
                if copied.outcome != CHANGED or (keep_changed and last):
                    return copied
        except OSError:
            self._writer.roll_back(mark)
            raise
        self._writer.roll_back(mark)
        return Copied(outcome=CHANGED, mtime_ns=copied.mtime_ns, written=None)

    def _read(self, entry: Entry, path: str, *, keep: bool) -> Copied:
        with api.open_source(entry.path) as file:
            before = api.facts_of(file)
            if self._guard.knows_id(before.file_id):
                return Copied(outcome=SECRET, mtime_ns=before.mtime_ns, written=None)
            attributes = Attributes(mtime_ns=before.mtime_ns, dos=entry.attributes)
            compress = not is_packed(entry.name)
            if before.size <= SMALL:
                data = b"".join(self._chunks(file, before.size))
                outcome = _judge(file, before, size=len(data), sha256=hashlib.sha256(data).hexdigest())
                if outcome == CHANGED and not keep:
                    return Copied(outcome=outcome, mtime_ns=before.mtime_ns, written=None)
                written = self._writer.add_bytes(path, data, attributes=attributes, compress=compress)
            else:
                chunks = self._chunks(file, before.size)
                written = self._writer.add_stream(
                    path, chunks, attributes=attributes, limit=before.size, compress=compress
                )
                outcome = _judge(file, before, size=written.size, sha256=written.sha256)
            return Copied(outcome=outcome, mtime_ns=before.mtime_ns, written=written)

    def _chunks(self, file: BinaryIO, limit: int) -> Iterator[bytes]:
        for chunk in up_to(file, limit):
            self._tick(len(chunk))
            yield chunk


def is_packed(name: str) -> bool:
    """Whether the content of a file of that name is compressed already."""
    return name.rpartition(".")[2].lower() in _PACKED_SUFFIXES


def _judge(file: BinaryIO, before: FileFacts, *, size: int, sha256: str) -> str:
    after = api.facts_of(file)
    if size != before.size:
        return CHANGED
    if (after.size, after.mtime_ns) == (before.size, before.mtime_ns):
        return STEADY
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in up_to(file, size):
        digest.update(chunk)
    if digest.hexdigest() != sha256 or (after.size and not before.size):
        return CHANGED  # one that was seen empty is being written anew, not appended to
    return GREW if after.size > before.size else STEADY


def up_to(file: BinaryIO, limit: int) -> Iterator[bytes]:
    """The first ``limit`` bytes from here, fewer where the file ends before."""
    left = limit
    while left:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            return
        left -= len(chunk)
        yield chunk
