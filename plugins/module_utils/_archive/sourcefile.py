# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one source file, whole and of one moment, or says that this cannot be done.

A file is read up to the size that it had when it was opened. When its size and time are the same afterwards, it was
steady. When they are not, those same bytes are read once more: if they are unchanged, what was read is a true copy (the
file has only grown, or was only touched). Otherwise the file is read anew, up to three times. A small file is judged
before any of it goes on; a large one streams into a target, which takes back what turned out to be torn.
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Callable, Iterator, NamedTuple, Optional, Protocol

from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Entry, FileFacts

READINGS = 4  # the first and three more
CHUNK = 1 << 20

STEADY = "steady"
GREW = "grew"
CHANGED = "changed"  # the copy is not of one moment
SECRET = "secret"  # nosec B105  # noqa: S105 - an outcome; nothing was read
LARGE = "large"  # too large to be held; nothing was read

# Content that deflate would only cost time on.
_PACKED = (
    "7z aac apk avi avif br bz2 docx epub flac gif gz heic jar jpeg jpg lz4 m4a m4v mkv mov mp3 mp4 mpeg mpg nupkg "
    "odp ods odt ogg opus png pptx rar tgz txz war webm webp whl wma wmv woff woff2 xlsx xz zip zst"
)
_PACKED_SUFFIXES = frozenset(_PACKED.split())

Tick = Callable[[int], None]  # told the bytes just read; may raise to cancel


class Target(Protocol):
    """What a large file streams into. ``begin`` may come again after ``abandon``."""

    def begin(self, facts: FileFacts) -> None:
        """A reading begins, of at most the size in the facts."""

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""

    def end(self, sha256: str) -> None:
        """They were all, and may stay."""

    def abandon(self) -> None:
        """Nothing of this reading may stay."""


class Reading(NamedTuple):
    """How the reading went. ``sha256`` is None where nothing is to be kept: a secret, a torn or a large file."""

    outcome: str
    mtime_ns: int
    size: int = 0
    sha256: Optional[str] = None
    data: bytes = b""  # of a small file


class SourceReader:
    """Reads files; raises OSError for what cannot be read. Threads may share it.

    :param tick: told the bytes just read; may raise to cancel.
    """

    def __init__(self, *, guard: Guard, tick: Tick) -> None:
        self._guard = guard
        self._tick = tick

    def whole(self, entry: Entry, *, limit: int, keep_changed: bool) -> Reading:
        """All of a file of at most ``limit`` bytes; with ``keep_changed`` the last reading stays though it is torn."""
        return self._again(lambda keep: self._read_whole(entry, limit, keep=keep), keep_changed=keep_changed)

    def stream(self, entry: Entry, target: Target, *, keep_changed: bool) -> Reading:
        """A file of any size, into the target; the same. After an OSError, too, nothing of it is there."""
        return self._again(lambda keep: self._read_through(entry, target, keep=keep), keep_changed=keep_changed)

    @staticmethod
    def _again(read: Callable[[bool], Reading], *, keep_changed: bool) -> Reading:
        for _reading in range(READINGS - 1):
            reading = read(False)
            if reading.outcome != CHANGED:
                return reading
        return read(keep_changed)

    def _read_whole(self, entry: Entry, limit: int, *, keep: bool) -> Reading:
        with api.open_source(entry.path) as file:
            before = api.facts_of(file)
            if self._guard.knows_id(before.file_id):
                return Reading(outcome=SECRET, mtime_ns=before.mtime_ns)
            if before.size > limit:
                return Reading(outcome=LARGE, mtime_ns=before.mtime_ns)
            data = b"".join(self._chunks(file, before.size))
            sha256 = hashlib.sha256(data).hexdigest()
            outcome = _judge(file, before, size=len(data), sha256=sha256)
            if outcome == CHANGED and not keep:
                return Reading(outcome=outcome, mtime_ns=before.mtime_ns)
            return Reading(outcome=outcome, mtime_ns=before.mtime_ns, size=len(data), sha256=sha256, data=data)

    def _read_through(self, entry: Entry, target: Target, *, keep: bool) -> Reading:
        with api.open_source(entry.path) as file:
            before = api.facts_of(file)
            if self._guard.knows_id(before.file_id):
                return Reading(outcome=SECRET, mtime_ns=before.mtime_ns)
            target.begin(before)
            digest = hashlib.sha256()
            size = 0
            try:
                for chunk in self._chunks(file, before.size):
                    size += len(chunk)
                    digest.update(chunk)
                    target.feed(chunk)
                sha256 = digest.hexdigest()
                outcome = _judge(file, before, size=size, sha256=sha256)
            except OSError:
                target.abandon()
                raise
            if outcome == CHANGED and not keep:
                target.abandon()
                return Reading(outcome=outcome, mtime_ns=before.mtime_ns)
            target.end(sha256)
            return Reading(outcome=outcome, mtime_ns=before.mtime_ns, size=size, sha256=sha256)

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


def without_data(reading: Reading) -> Reading:
    """The same, without the bytes, which would stay in memory."""
    return reading._replace(data=b"")


def up_to(file: BinaryIO, limit: int) -> Iterator[bytes]:
    """The first ``limit`` bytes from here, fewer where the file ends before; each chunk but the last is full."""
    left = limit
    while left:
        chunk = _fill(file, min(CHUNK, left))
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def _fill(file: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer at the file's end only: where blocks begin must not depend on how a network disk reads."""
    data = file.read(size)
    while 0 < len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data
