# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``members.jsonl``: one line of JSON per entry of the artifact, written and read as a stream.

``docs/manifest.md`` describes the fields.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, BinaryIO, Dict, Iterable, Iterator, NamedTuple, Optional, Pattern

from ansible_collections.wst.backup.plugins.module_utils import _json
from ansible_collections.wst.backup.plugins.module_utils._archive.zipformat import NANOSECONDS
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror

FILE = "file"
DIRECTORY = "directory"
LINK = "link"
KINDS = (FILE, DIRECTORY, LINK)
_SHA256, _CRC32 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{8}")
MAX_LINE = 1 << 20  # bytes; a path has at most 64 KiB, an SDDL as much

_DAY = 24 * 3600
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc) - _EPOCH).total_seconds())
_EARLIEST = int((datetime(1601, 1, 1, tzinfo=timezone.utc) - _EPOCH).total_seconds())


class Stamped(NamedTuple):
    """What a later run may know the file again by, without reading it, and the archive's bytes of it."""

    file_id: str
    changed_ns: int
    packed_crc32: int  # of the content as it stands in the ZIP


class Member(NamedTuple):
    """One entry: a file, a directory, or a link (which has no ZIP member, only this line)."""

    path: str
    kind: str
    mtime_ns: int
    size: int = 0
    sha256: Optional[str] = None  # files
    crc32: Optional[int] = None  # files
    target: Optional[str] = None  # links
    sddl: Optional[str] = None  # where the entry has explicit ACEs
    attributes: int = 0  # Windows' file attributes
    note: Optional[str] = None  # grew, changed
    stamp: Optional[Stamped] = None  # files, where later runs may trust it


class MemberWriter:
    """Writes lines to a spool file and knows their number, length and SHA-256."""

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self._digest = hashlib.sha256()
        self.count = 0
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of all lines so far, in hexadecimal."""
        return self._digest.hexdigest()

    def add(self, member: Member) -> None:
        """Append a line; raises ``NoSpace`` and its like."""
        line = _line(member)
        try:
            self._spool.write(line)
        except OSError as error:
            raise self._cannot_write(error) from error
        self._digest.update(line)
        self.size += len(line)
        self.count += 1

    def rewind(self) -> BinaryIO:
        """The spool at its beginning, to be read; raises ``NoSpace`` and its like."""
        try:
            self._spool.seek(0)
        except OSError as error:
            raise self._cannot_write(error) from error
        return self._spool

    def _cannot_write(self, error: OSError) -> BackupError:
        return translate_oserror(error, str(getattr(self._spool, "name", "the member list")))


def read_members(chunks: Iterable[bytes]) -> Iterator[Member]:
    """The members in a stream of bytes; raises ``ArtifactDamaged`` for a line that is not one."""
    number = 0
    for number, line in enumerate(_lines(chunks), start=1):
        try:
            yield _from_json(_json.parse(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactDamaged(f"line {number} of members.jsonl is not a member", line=number) from error


def mtime_text(mtime_ns: int) -> str:
    """The moment to the second, clamped to 1601..9999 (where NTFS begins, and where ours ends)."""
    day, second = divmod(min(max(mtime_ns // NANOSECONDS, _EARLIEST), _LATEST), _DAY)
    return f"{_date_text(day)}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@lru_cache(maxsize=1024)  # the files of a tree are of few days
def _date_text(day: int) -> str:
    return format_time(_EPOCH + timedelta(days=day))[: len("YYYY-MM-DD")]


def _line(member: Member) -> bytes:
    """Its canonical JSON (``_records.canonical``), put together here: an encoder takes three times as long."""
    is_file = member.kind == FILE
    parts = []
    if member.attributes:
        parts.append(f'"attributes":{member.attributes}')
    if is_file:
        parts.append(f'"crc32":"{member.crc32 or 0:08x}"')
    parts.append(f'"kind":"{member.kind}","mtime":"{mtime_text(member.mtime_ns)}","mtime_ns":{member.mtime_ns}')
    if member.note:
        parts.append(f'"note":{json.dumps(member.note)}')
    parts.append(f'"path":{json.dumps(member.path)}')
    if member.sddl:
        parts.append(f'"sddl":{json.dumps(member.sddl)}')
    if is_file:
        parts.append(f'"sha256":"{member.sha256}","size":{member.size}')
    if member.stamp is not None:
        file_id, changed_ns, packed_crc32 = member.stamp
        known_by = f'"changed_ns":{changed_ns},"file_id":{json.dumps(file_id)},"packed_crc32":"{packed_crc32:08x}"'
        parts.append(f'"stamp":{{{known_by}}}')
    if member.target:
        parts.append(f'"target":{json.dumps(member.target)}')
    return ("{" + ",".join(parts) + "}\n").encode("ascii")


def _from_json(line: Dict[str, Any]) -> Member:
    kind = line["kind"]
    if kind not in KINDS:
        raise ValueError(kind)
    is_file = kind == FILE
    return Member(
        path=_text(line["path"]),
        kind=kind,
        mtime_ns=_number(line["mtime_ns"]),
        size=_size(line["size"]) if is_file else 0,
        sha256=_hexadecimal(line["sha256"], _SHA256) if is_file else None,
        crc32=int(_hexadecimal(line["crc32"], _CRC32), 16) if is_file else None,
        target=_text(line["target"]) if kind == LINK else None,
        sddl=_optional_text(line.get("sddl")),
        attributes=_number(line.get("attributes", 0)),
        note=_optional_text(line.get("note")),
        stamp=_stamp(line.get("stamp")) if is_file else None,
    )


def _stamp(told: Any) -> Optional[Stamped]:
    """It only saves time: one that is malformed is none, and no damage."""
    try:
        return Stamped(
            file_id=_text(told["file_id"]),
            changed_ns=_number(told["changed_ns"]),
            packed_crc32=int(_hexadecimal(told["packed_crc32"], _CRC32), 16),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):  # a bool is an int, and none that we write
        raise TypeError("not a whole number")
    return value


def _size(value: Any) -> int:
    if _number(value) < 0:
        raise ValueError("a negative size")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _optional_text(value: Any) -> Optional[str]:
    return None if value is None else _text(value)


def _hexadecimal(value: Any, digits: Pattern[str]) -> str:
    if not digits.fullmatch(_text(value)):
        raise ValueError(f"not {digits.pattern}")
    return str(value)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their newline, in memory bounded by the longest allowed one."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if any(len(line) > MAX_LINE for line in (*whole, rest)):
            rest = b"too long"
            break
        yield from whole
    if rest:
        raise ArtifactDamaged("members.jsonl has a line without an end, or one that is too long")
