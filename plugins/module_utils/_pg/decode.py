# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the text that ``pg_restore --section=data -f -`` makes of a dump, as a stream in bounded memory.

Text that looks like data is everywhere: in function bodies (left out by the section), in names with line ends, in rows.
So blocks are not searched for but met in order: the nth comment ``Data for Name ... TABLE DATA`` belongs to the nth
such entry of the table of contents, the statement after it must be that entry's own COPY, and its rows last until a
line that is exactly ``\\.``, which no row can be (a backslash in a row is doubled). An empty line is a row too.
"""

from __future__ import annotations

import binascii
import re
from typing import Protocol, Sequence, Union

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Entry

STATEMENT_KEPT = 1 << 20  # bytes; a COPY of 1,600 columns with the longest names has 0.3 MB

_Buffer = Union[bytes, bytearray, memoryview]
_NO_SPACE = re.compile(rb"[^ \t\r\n]")
_PLAIN = re.compile(rb"[;'\"]")
_OF_CONTENT = (b"SELECT pg_catalog.lo_open(", b"SELECT pg_catalog.lowrite(", b"SELECT pg_catalog.lo_close(")
# With standard_conforming_strings off the backslash is doubled
_LARGE_OBJECT = re.compile(
    rb"SELECT pg_catalog\.(?:lo_open\('(?P<oid>[0-9]{1,10})', [0-9]+\)"
    rb"|lowrite\(0, '\\{1,2}x(?P<piece>[0-9a-f]*)'\)|(?P<close>lo_close\(0\)));"
)
_COPY_START = b"COPY "
_COPY_END = b" FROM stdin;"


class ObjectConsumer(Protocol):
    """Who wants the large objects, in order."""

    def begin(self, oid: int) -> None:
        """The content of that object follows."""

    def data(self, data: bytes) -> None:
        """The next bytes of its content."""

    def end(self) -> None:
        """The object is complete."""


class RowConsumer(Protocol):
    """Who wants the rows of the blocks, in order, and the large objects."""

    @property
    def objects(self) -> ObjectConsumer:
        """Who wants the large objects."""

    def begin(self, index: int) -> None:
        """The rows of entry ``index`` follow."""

    def rows(self, data: bytes) -> None:
        """The next bytes of the block's lines: cut anywhere, each line with one line feed, the terminator left out."""

    def end(self) -> None:
        """The block is complete."""


class DataReader:
    """Takes the text in chunks of any size. ``feed`` and ``finish`` raise ``DumpDamaged``."""

    def __init__(self, entries: Sequence[Entry], consumer: RowConsumer, *, name: str) -> None:
        self.sequences = 0
        self._entries = entries
        self._consumer = consumer
        self._name = name
        self._block = -1  # index of the last block that was announced
        self._awaited = False  # its COPY has not come yet
        self._complete = False
        self._object = False  # the content of a large object is being written
        self._scan = self._between
        self._text = bytearray()  # of the statement or comment that is being read
        self._quote = b""
        self._line_end = b"\n"
        self._carry = b""
        self._fresh = False

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the text."""
        position = 0
        while position < len(chunk):
            position = self._scan(chunk, position)

    def finish(self) -> None:
        """The text is over: everything that was announced must have come."""
        if self._scan != self._between or self._object or not self._complete:
            raise self._damaged("its text breaks off")
        if self._block + 1 != len(self._entries):
            raise self._damaged(f"data of {self._block + 1} tables instead of {len(self._entries)}")

    def _damaged(self, reason: str) -> DumpDamaged:
        return DumpDamaged(f"{self._name} does not decode: {reason}", dump=self._name)

    # Every scanner takes the chunk and where to go on, and returns where the next one goes on.

    def _between(self, chunk: bytes, position: int) -> int:
        match = _NO_SPACE.search(chunk, position)
        if match is None:
            return len(chunk)
        self._text.clear()
        # No statement begins with "-" (a comment) or "\" (\restrict, which pg_restore adds)
        self._scan = self._line if match[0] in (b"-", b"\\") else self._statement
        return match.start()

    def _line(self, chunk: bytes, position: int) -> int:
        end = chunk.find(b"\n", position)
        self._keep(chunk[position : end if end >= 0 else len(chunk)])
        if end < 0:
            return len(chunk)
        self._scan = self._between
        self._comment(bytes(self._text).rstrip(b"\r"))
        return end + 1

    def _statement(self, chunk: bytes, position: int) -> int:
        if self._quote:
            end = chunk.find(self._quote, position)
        else:
            match = _PLAIN.search(chunk, position)
            end = match.start() if match else -1
        self._keep(chunk[position : end + 1 if end >= 0 else len(chunk)])
        if end < 0:
            return len(chunk)
        mark = chunk[end : end + 1]
        if mark == b";" and not self._quote:
            self._ended()
        else:  # a doubled quote closes and opens again, which comes to the same
            self._quote = b"" if self._quote else mark
        return end + 1

    def _header_end(self, chunk: bytes, position: int) -> int:
        """What follows ``FROM stdin;`` tells how lines end in this text."""
        self._line_end += chunk[position : position + 1]
        if self._line_end in (b"\n", b"\r\n"):
            self._carry = b""
            self._fresh = True
            self._scan = self._rows
            self._consumer.begin(self._block)
        elif self._line_end != b"\r":
            raise self._damaged(f"the COPY of {self._label()} goes on after its end")
        return position + 1

    def _rows(self, chunk: bytes, position: int) -> int:
        terminator = b"\\." + self._line_end
        data = self._carry + chunk[position:]
        if self._fresh:
            if len(data) < len(terminator) and terminator.startswith(data):
                self._carry = data
                return len(chunk)
            self._fresh = False
            if data.startswith(terminator):
                return self._rows_end(len(chunk) - (len(data) - len(terminator)))
        found = data.find(b"\n" + terminator)
        if found >= 0:
            self._deliver(data[: found + 1])
            return self._rows_end(len(chunk) - (len(data) - found - 1 - len(terminator)))
        cut = max(0, len(data) - len(terminator))  # the longest beginning of "\n" + terminator
        if data[cut - 1 : cut] == b"\r":  # half a line end
            cut -= 1
        self._deliver(data[:cut])
        self._carry = data[cut:]
        return len(chunk)

    def _deliver(self, data: bytes) -> None:
        """A row has no carriage return of its own (COPY writes it as ``\\r``), so that of a line end can go."""
        self._consumer.rows(data.replace(b"\r\n", b"\n") if self._line_end == b"\r\n" else data)

    def _rows_end(self, position: int) -> int:
        self._consumer.end()
        self._carry = b""
        self._scan = self._between
        return position

    def _keep(self, piece: _Buffer) -> None:
        room = STATEMENT_KEPT - len(self._text)
        self._text += piece[:room] if room > 0 else b""

    def _comment(self, line: bytes) -> None:
        """A name in a comment has its line ends replaced, so that a comment is always one line."""
        if line == b"-- PostgreSQL database dump complete":
            self._complete = True
        elif line.startswith(b"-- Data for Name: ") and b"; Type: TABLE DATA; Schema: " in line:
            self._block += 1
            self._awaited = True
            if self._block >= len(self._entries):
                raise self._damaged("data of more tables than its table of contents has")

    def _ended(self) -> None:
        """A statement is complete."""
        self._scan = self._between
        text = bytes(self._text)
        if text.startswith(_COPY_START) and text.endswith(_COPY_END):
            self._expect(text)
            self._line_end = b""
            self._scan = self._header_end
        elif text.startswith(_OF_CONTENT):
            self._large_object(text)
        elif text.startswith(b"SELECT pg_catalog.setval("):
            self.sequences += 1

    def _large_object(self, statement: bytes) -> None:
        """``lo_open``, then ``lowrite`` for each piece, then ``lo_close``."""
        match = _LARGE_OBJECT.fullmatch(statement)
        if match is None or self._object != (match["oid"] is None):
            raise self._damaged("a statement about a large object that does not belong there")
        consumer = self._consumer.objects
        if match["oid"] is not None:
            self._object = True
            consumer.begin(int(match["oid"]))
        elif match["close"] is not None:
            self._object = False
            consumer.end()
        else:
            try:
                consumer.data(binascii.unhexlify(match["piece"]))
            except binascii.Error as error:
                raise self._damaged("half a byte in a large object") from error

    def _expect(self, statement: bytes) -> None:
        """With "load via partition root" the COPY names the parent, so the entry's own statement decides."""
        if not self._awaited:
            raise self._damaged("rows of a table that it does not announce")
        wanted = self._entries[self._block].copy.strip()
        if statement not in (wanted, wanted.replace(b"\n", b"\r\n")):  # how lines end is told after it
            raise self._damaged(f"rows of another table than {self._label()}")
        self._awaited = False

    def _label(self) -> str:
        entry = self._entries[self._block]
        return f"{entry.schema}.{entry.tag}"
