# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log's files: ``audit.jsonl``, then ``audit-2.jsonl`` and so on. The last one is written.

A segment that does not hold is left as it is, and the next one begins with its name and digest. Nothing here ever
renames, shortens or removes a record; only a line that a crash has torn is cut off, into a file of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from typing import BinaryIO, Iterator, List

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._audit.chain import (
    LONGEST_LINE,
    NO_RECORD,
    Chain,
    Head,
    Link,
    hash_of_line,
    walk,
)
from ansible_collections.wst.backup.plugins.module_utils._hashing import chunks_of, sha256_of
from ansible_collections.wst.backup.plugins.module_utils._platform import api

FIRST = "audit.jsonl"
_NAME = re.compile(r"audit(?:-([1-9][0-9]*))?\.jsonl", re.ASCII)


class Segments:
    """The segments in one directory. Everything here may raise OSError."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def path(self, name: str) -> str:
        """Where that file is."""
        return os.path.join(self.directory, name)

    def names(self) -> List[str]:
        """All segments, in the order they were written; empty when there is no log yet."""
        try:
            found = [_NAME.fullmatch(entry.name) for entry in api.scan(self.directory) if entry.kind == api.FILE]
        except FileNotFoundError:
            return []
        return [match.group() for match in sorted((m for m in found if m), key=lambda m: int(m.group(1) or 1))]

    def current(self) -> str:
        """The name of the segment that is written."""
        return (self.names() or [FIRST])[-1]

    def next(self) -> str:
        """The name of the segment after the current one."""
        match = _NAME.fullmatch(self.current())
        return "audit-%s.jsonl" % (int(match.group(1) or 1) + 1 if match else 2)

    def check(self, name: str) -> Chain:
        """Check a segment's whole chain, and that the segment before it is still the one that it began after."""
        try:
            with api.open_source(self.path(name)) as raw, _buffered(raw) as file:
                chain = walk(file)
        except FileNotFoundError:
            return Chain(head=Head())
        if chain.broken:
            return chain
        if chain.link is None:
            return chain if name == FIRST else replace(chain, broken="line 1: it names no segment before it")
        return replace(chain, broken=self._wrong_link(chain.link))

    def _wrong_link(self, link: Link) -> str:
        if not _NAME.fullmatch(link.segment):
            return "line 1: it follows a file that is no segment"
        try:
            digest = self.digest(link.segment)
        except FileNotFoundError:
            return f"the segment before it, {link.segment}, is gone"
        return "" if digest == link.sha256 else f"the segment before it, {link.segment}, was changed"

    def size(self, name: str) -> int:
        """The bytes that a segment has; 0 where there is none."""
        try:
            return os.stat(api.long_path(self.path(name))).st_size
        except FileNotFoundError:
            return 0

    def digest(self, name: str) -> str:
        """The SHA-256 of all bytes of a segment."""
        with api.open_source(self.path(name)) as file:
            return sha256_of(chunks_of(file))[0]

    def check_end(self, name: str) -> Chain:
        """Check a segment's last record only, and find what a crash has torn."""
        try:
            with api.open_source(self.path(name)) as file:
                return _end_of(file)
        except FileNotFoundError:
            return Chain(head=Head())

    def holds(self, head: Head) -> bool:
        """Whether the log has that very record, in any of its segments."""
        mark = head.hash.encode("ascii", "replace")
        return any(self._has(name, head, mark) for name in reversed(self.names()))

    def _has(self, name: str, head: Head, mark: bytes) -> bool:
        return any(mark in line and _is_record(line, head) for line in self.lines(name))

    def lines(self, name: str) -> Iterator[bytes]:
        """A segment's lines with their ends; one that is longer than any record comes in pieces."""
        with api.open_source(self.path(name)) as raw, _buffered(raw) as file:
            yield from iter(lambda: file.readline(LONGEST_LINE), b"")

    def append(self, name: str, line: bytes) -> None:
        """Add a line, durably; a part of it that got there before a failure is taken back."""
        path = self.path(name)
        if not os.path.exists(api.long_path(path)):
            _fs.atomic_write(path, line)  # so that a crash leaves no segment without a beginning
            return
        with open(api.long_path(path), "r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                _write_all(file, line)
                api.flush_file(file)
            except OSError:
                _take_back(file, end)
                raise

    def cut(self, name: str, good: int) -> str:
        """Move what stands after the whole lines into a file beside; returns that file's name."""
        with open(api.long_path(self.path(name)), "r+b", buffering=0) as file:
            file.seek(good)
            torn = file.read()
            side = self._torn_name(torn)
            _fs.atomic_write(self.path(side), torn)
            file.truncate(good)
            api.flush_file(file)
        return side

    def _torn_name(self, torn: bytes) -> str:
        """Free, or with these very bytes (a crash came after it was written)."""
        number = 1
        while True:
            name = f"audit.torn-{number}"
            try:
                if self.digest(name) == hashlib.sha256(torn).hexdigest():
                    return name
            except FileNotFoundError:
                return name
            number += 1


def _is_record(line: bytes, head: Head) -> bool:
    try:
        return hash_of_line(line) == head
    except ValueError:
        return False


def _buffered(raw: BinaryIO) -> BinaryIO:
    """Lines are read from it."""
    return os.fdopen(os.dup(raw.fileno()), "rb", buffering=1 << 16)


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _take_back(file: BinaryIO, end: int) -> None:
    try:
        file.truncate(end)
    except OSError:
        pass  # then it is a torn line, which the next append heals


def _end_of(file: BinaryIO) -> Chain:
    """The chain's head by its last whole line."""
    size = file.seek(0, os.SEEK_END)
    begin = max(0, size - 2 * LONGEST_LINE)
    file.seek(begin)
    tail = b"".join(chunks_of(file))
    whole, newline, torn = tail.rpartition(b"\n")
    if not newline:
        if begin:
            return Chain(Head(), size, broken="its last line is longer than any record")
        return Chain(Head(), torn=len(torn), broken=NO_RECORD)
    good = size - len(torn)
    try:
        head = hash_of_line(whole.rpartition(b"\n")[2] + b"\n")
    except ValueError as error:
        return Chain(Head(), good, torn=len(torn), broken=f"its last line: {error}")
    return Chain(head=head, good=good, torn=len(torn))
