# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints: the same for the same rows, whether they are read from a dump, its source or a restored copy.

A table's is the number of its rows and the sum, modulo 2^256, of the SHA-256 of every line of its COPY text, without
the line's end and as a big-endian number. A sum knows no order, adds up over the parts of a partitioned table, and,
unlike XOR, does not let two equal rows cancel each other. It is taken on our side: the server pays for the COPY alone.
It finds accidents; who can choose the rows can make two tables with one sum.

The fingerprint of all large objects is that of the lines ``<oid> TAB <SHA-256 of its content in hexadecimal>``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, List, Optional, Union

if TYPE_CHECKING:
    from hashlib import _Hash

Buffer = Union[bytes, bytearray, memoryview]

MODULUS = 1 << 256
OBJECTS_LISTED = 1000  # with more large objects their digests are not kept one by one
_PIECE = 1 << 16  # bytes that are split at once; larger ones gain nothing and cost memory where rows are short


@dataclass(frozen=True)
class Fingerprint:
    """Of rows, or of lines for what is no table."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint(self.rows + other.rows, (self.total + other.total) % MODULUS)

    @property
    def text(self) -> str:
        """The sum as 64 hexadecimal digits."""
        return f"{self.total:064x}"


class LineSum:
    """Takes COPY text whose lines end with a line feed, cut anywhere; holds no line, however long it is."""

    def __init__(self) -> None:
        self._rows = 0
        self._total = 0
        self._line: Optional[_Hash] = None  # of the line that has not ended yet

    def feed(self, data: Buffer) -> None:
        """The next bytes."""
        for start in range(0, len(data), _PIECE):
            self._split(bytes(data[start : start + _PIECE]))

    def fingerprint(self) -> Fingerprint:
        """Of everything; raises ValueError when the last line has not ended."""
        if self._line is not None:
            raise ValueError("the last row does not end")
        return Fingerprint(self._rows, self._total)

    def _split(self, piece: bytes) -> None:
        lines = piece.split(b"\n")
        rest = lines.pop()
        total = self._total
        self._rows += len(lines)
        if lines and self._line is not None:
            self._line.update(lines.pop(0))
            total += int.from_bytes(self._line.digest(), "big")
            self._line = None
        total += sum([int.from_bytes(hashlib.sha256(line).digest(), "big") for line in lines])
        self._total = total % MODULUS
        if rest:
            self._line = self._line or hashlib.sha256()
            self._line.update(rest)


@dataclass(frozen=True)
class LargeObjects:
    """All large objects: ``digests`` by OID, None where there are more than are listed."""

    fingerprint: Fingerprint
    digests: Optional[Dict[int, str]]


class ObjectSum:
    """Takes large objects one after the other, in pieces."""

    def __init__(self) -> None:
        self._lines = LineSum()
        self._digests: Optional[Dict[int, str]] = {}
        self._oid = 0
        self._digest = hashlib.sha256()

    def begin(self, oid: int) -> None:
        """The content of that object follows."""
        self._oid = oid
        self._digest = hashlib.sha256()

    def data(self, data: bytes) -> None:
        """The next bytes of its content."""
        self._digest.update(data)

    def end(self) -> None:
        """It is complete."""
        digest = self._digest.hexdigest()
        self._lines.feed(f"{self._oid}\t{digest}\n".encode("ascii"))
        if self._digests is not None:
            self._digests[self._oid] = digest
            if len(self._digests) > OBJECTS_LISTED:
                self._digests = None

    def found(self) -> LargeObjects:
        """All of them."""
        return LargeObjects(self._lines.fingerprint(), self._digests)


class DumpFingerprints:
    """What a decoded dump holds; a table's is None where its data came as INSERT statements."""

    def __init__(self, blocks: int) -> None:
        self.tables: List[Optional[Fingerprint]] = [None] * blocks
        self.objects = ObjectSum()
        self._index = 0
        self._lines = LineSum()

    def begin(self, index: int) -> None:
        """The rows of that block follow."""
        self._index = index
        self._lines = LineSum()

    def rows(self, data: bytes) -> None:
        """The next bytes of its lines."""
        self._lines.feed(data)

    def end(self) -> None:
        """The block is complete."""
        self.tables[self._index] = self._lines.fingerprint()
