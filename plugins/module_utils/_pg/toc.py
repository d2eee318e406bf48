# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The head of a custom-format dump: version, origin and table of contents, read from its own bytes.

``pg_restore --list`` prints names with spaces and line ends that cannot be told apart; the file has them exactly.
The format is that of PostgreSQL's ``src/bin/pg_dump/pg_backup_archiver.c`` (``ReadHead``, ``ReadToc``): archive 1.12
(PostgreSQL 9.0) to 1.16 (17 and newer).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import DbVersionMismatch, DumpDamaged, DumpEmpty

MAGIC = b"PGDMP"
CUSTOM = 1
OLDEST, NEWEST = (1, 12), (1, 16)
MAX_HEAD = 256 << 20  # bytes; 6,000 tables need about 10 MB
MAX_ENTRIES = 5_000_000
TABLE_DATA, EXTENSION = "TABLE DATA", "EXTENSION"
SEQUENCE_SET = "SEQUENCE SET"
DATABASE, DATABASE_PROPERTIES, POLICY = "DATABASE", "DATABASE PROPERTIES", "POLICY"
ACL, DEFAULT_ACL, COMMENT, SECURITY_LABEL = "ACL", "DEFAULT ACL", "COMMENT", "SECURITY LABEL"
PUBLICATION, SUBSCRIPTION, EVENT_TRIGGER, USER_MAPPING = "PUBLICATION", "SUBSCRIPTION", "EVENT TRIGGER", "USER MAPPING"
# Whose statements somebody reads.
_DEFINED = frozenset({DATABASE, DATABASE_PROPERTIES, POLICY, SEQUENCE_SET, ACL, DEFAULT_ACL, PUBLICATION, USER_MAPPING})
ON_DATABASE = "DATABASE "  # what the tags of a database's grants and comment begin with
TABLE, TABLE_ATTACH = "TABLE", "TABLE ATTACH"
RELATIONS = (TABLE, "FOREIGN TABLE", "MATERIALIZED VIEW")
INHERITS = b"\nINHERITS ("  # how pg_dump writes it, behind the columns
_ALGORITHMS = {0: "none", 1: "gzip", 2: "lz4", 3: "zstd"}


@dataclass(frozen=True)
class Entry:
    """An object in the dump. ``copy`` is the COPY statement of a table's data, empty for ``--inserts``.

    ``number`` is what pg_restore's lists name it by, and ``needs`` those of the entries that this one depends on.
    ``definition`` has the statements of a few kinds, and of tables that inherit; else nothing.
    """

    description: str
    schema: str
    tag: str
    owner: str
    copy: bytes
    has_data: bool
    number: int = 0
    definition: bytes = b""
    needs: Tuple[int, ...] = ()


@dataclass(frozen=True)
class Toc:
    """What the head says. ``format`` is the archive version, as ``1.16``."""

    format: str
    compression: str
    database: str
    server_version: str
    tool_version: str
    entries: List[Entry]

    def table_data(self) -> List[Entry]:
        """Tables whose rows are in the dump, in the order of their data."""
        return [entry for entry in self.entries if entry.description == TABLE_DATA and entry.has_data]


class Head:
    """The beginning of a stream, kept so that the whole stream can still be had afterwards."""

    def __init__(self, chunks: Iterable[bytes], *, name: str) -> None:
        self._chunks = iter(chunks)
        self._name = name
        self._data = bytearray()
        self._position = 0

    def whole(self) -> Iterator[bytes]:
        """Every byte of the stream, from the first on."""
        if self._data:
            yield bytes(self._data)
        yield from self._chunks

    def empty(self) -> bool:
        """Whether the stream has no bytes at all."""
        return not self._fill(1)

    def take(self, length: int) -> bytes:
        """The next bytes; raises ``DumpDamaged`` at the end of the stream and where the head grows beyond reason."""
        end = self._position + length
        if end > MAX_HEAD or not self._fill(end):
            raise self.damaged("it ends within its table of contents")
        piece = bytes(self._data[self._position : end])
        self._position = end
        return piece

    def damaged(self, reason: str) -> DumpDamaged:
        """The failure, to be raised."""
        return DumpDamaged(
            f"{self._name} is damaged at byte {self._position}: {reason}",
            dump=self._name,
            offset=self._position,
        )

    def _fill(self, end: int) -> bool:
        while len(self._data) < end:
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._data += chunk
        return True


def read_toc(head: Head, *, name: str) -> Toc:
    """Parse the head of a dump.

    :param name: what to call the dump in messages.
    :raises DumpEmpty: there is not a single byte; DumpDamaged: it is no custom-format dump or breaks off;
        DbVersionMismatch: an archive version that this code does not know.
    """
    if head.empty():
        raise DumpEmpty(f"{name} has 0 bytes", dump=name)
    if head.take(5) != MAGIC:
        raise head.damaged("it does not begin as a PostgreSQL dump in custom format")
    version = (head.take(1)[0], head.take(1)[0])
    head.take(1)  # revision
    if not OLDEST <= version <= NEWEST:
        raise DbVersionMismatch(f"{name} has archive version {_dotted(version)}", dump=name, format=_dotted(version))
    return _Reader(head, version).toc()


def _dotted(version: Tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _is_read(description: str, tag: str, definition: bytes) -> bool:
    return description in _DEFINED or tag.startswith(ON_DATABASE) or INHERITS in definition


class _Reader:
    """The encodings of the archive; integers have a sign byte and then the low byte first."""

    def __init__(self, head: Head, version: Tuple[int, int]) -> None:
        self._head = head
        self._version = version
        self._int_size = head.take(1)[0]
        self._offset_size = head.take(1)[0]
        if not 1 <= self._int_size <= 8 or not 1 <= self._offset_size <= 16:
            raise head.damaged("impossible sizes in its header")

    def toc(self) -> Toc:
        if self._head.take(1)[0] != CUSTOM:
            raise self._head.damaged("it is not in custom format")
        compression = self._compression()
        for _field in range(7):  # seconds to daylight saving, in the zone of who made it
            self._int()
        database, server, tool = self._text(), self._text(), self._text()
        count = self._int()
        if not 0 <= count <= MAX_ENTRIES:
            raise self._head.damaged("impossible number of entries")
        return Toc(
            format=_dotted(self._version),
            compression=compression,
            database=database,
            server_version=server,
            tool_version=tool,
            entries=[self._entry() for _entry in range(count)],
        )

    def _compression(self) -> str:
        if self._version >= (1, 15):
            number = self._head.take(1)[0]
            return _ALGORITHMS.get(number, f"unknown {number}")
        return "none" if self._int() == 0 else "gzip"

    def _entry(self) -> Entry:
        number = self._int()
        has_data = self._int() != 0
        self._string()  # catalog's OID
        self._string()  # object's OID
        tag, description = self._text(), self._text()
        self._int()  # section
        definition = self._string() or b""
        self._string()  # drop statement
        copy = self._string() or b""
        schema = self._text()
        self._string()  # tablespace
        if self._version >= (1, 14):
            self._string()  # table access method
        if self._version >= (1, 16):
            self._int()  # kind of relation
        owner = self._text()
        self._string()  # "with OIDs", a word of the past
        needs = self._needs()
        self._head.take(1 + self._offset_size)  # where its data lies
        return Entry(
            description=description,
            schema=schema,
            tag=tag,
            owner=owner,
            copy=copy,
            has_data=has_data,
            number=number,
            definition=definition if _is_read(description, tag, definition) else b"",
            needs=needs,
        )

    def _needs(self) -> Tuple[int, ...]:
        """The numbers of the entries that it depends on, which stand there as decimal texts."""
        texts = list(iter(self._string, None))
        if not all(text.isdigit() and len(text) < 20 for text in texts):
            raise self._head.damaged("an entry depends on what is no number")
        return tuple(int(text) for text in texts)

    def _int(self) -> int:
        data = self._head.take(1 + self._int_size)
        if data[0] > 1:
            raise self._head.damaged("a number without a sign")
        value = int.from_bytes(data[1:], "little")
        return -value if data[0] else value

    def _string(self) -> Optional[bytes]:
        length = self._int()
        return None if length < 0 else self._head.take(length)

    def _text(self) -> str:
        return (self._string() or b"").decode("utf-8", "surrogateescape")
