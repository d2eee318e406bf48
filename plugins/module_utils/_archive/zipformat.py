# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the ZIP format as this collection writes and reads them.

Section numbers are those of APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Iterable, Iterator, List, Tuple

LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
DESCRIPTOR = struct.Struct("<4s3L")  # 4.3.9
DESCRIPTOR64 = struct.Struct("<4sL2Q")  # 4.3.9.2
CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
LOCATOR64 = struct.Struct("<4sLQL")  # 4.3.15
END = struct.Struct("<4s4H2LH")  # 4.3.16

LOCAL_SIGNATURE = b"PK\x03\x04"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END64_SIGNATURE = b"PK\x06\x06"
LOCATOR64_SIGNATURE = b"PK\x06\x07"
END_SIGNATURE = b"PK\x05\x06"

FLAG_ENCRYPTED = 0x0001
FLAG_DESCRIPTOR = 0x0008
FLAG_UTF8 = 0x0800
STORED = 0
DEFLATED = 8

EXTRA_ZIP64 = 0x0001  # 4.5.3
EXTRA_ENCRYPTED = (0x0017, 0x9901)  # strong encryption (4.5.12), AES
EXTRA_TIMESTAMP = 0x5455  # Info-ZIP's extended timestamp: UTC, where the DOS fields know no zone
EXTRA_UNICODE_PATH = 0x7075  # 4.6.9

VERSION_DEFLATE = 20
VERSION_ZIP64 = 45
MADE_BY = 3 << 8 | VERSION_ZIP64  # Unix attributes in the high half, DOS attributes in the low one

MAX16 = 0xFFFF
MAX32 = 0xFFFFFFFF
NANOSECONDS = 1_000_000_000
_DAY = 86_400  # seconds
_PLAIN = struct.pack("<HHB", EXTRA_TIMESTAMP, 5, 1)  # how a timestamp begins that has the modification's time alone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DOS_FIRST = int((datetime(1980, 1, 1, tzinfo=timezone.utc) - _EPOCH).total_seconds())
_DOS_LAST = int((datetime(2107, 12, 31, 23, 59, 58, tzinfo=timezone.utc) - _EPOCH).total_seconds())


def dos_time(mtime_ns: int) -> Tuple[int, int]:
    """The DOS time and date of a moment, in UTC, cut to two seconds and clamped to 1980..2107 (4.4.6)."""
    seconds = min(max(mtime_ns // NANOSECONDS, _DOS_FIRST), _DOS_LAST)
    day, second = divmod(seconds, _DAY)
    return second // 3600 << 11 | second // 60 % 60 << 5 | second % 60 // 2, _dos_date(day)


@lru_cache(maxsize=1024)  # the files of a tree are of few days
def _dos_date(day: int) -> int:
    moment = _EPOCH + timedelta(days=day)
    return (moment.year - 1980) << 9 | moment.month << 5 | moment.day


def timestamp_extra(mtime_ns: int) -> bytes:
    """The extended timestamp's extra field, the same in both headers; empty where 32 bits cannot hold the moment."""
    seconds = mtime_ns // NANOSECONDS
    if not 0 <= seconds < 1 << 31:
        return b""
    return _PLAIN + struct.pack("<l", seconds)


def is_plain(extra: bytes) -> bool:
    """Whether an extra block has nothing, or nothing but a timestamp as ours: no field that would need more looks."""
    return not extra or (len(extra) == 9 and extra.startswith(_PLAIN))


def extra_fields(extra: bytes) -> Iterator[Tuple[int, bytes]]:
    """The fields of an extra block; raises ValueError where a length does not add up."""
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise ValueError("an extra field is cut short")
        kind, length = struct.unpack_from("<HH", extra, position)
        position += 4
        if position + length > len(extra):
            raise ValueError("an extra field is longer than its block")
        content = extra[position : position + length]
        if kind == EXTRA_TIMESTAMP and len(content) < (5 if content[:1] and content[0] & 1 else 1):
            raise ValueError("a timestamp is cut short")
        yield kind, content
        position += length


def fields_of(fields: Iterable[Tuple[int, bytes]], kind: int) -> List[bytes]:
    """The contents of the fields of that kind."""
    return [content for each, content in fields if each == kind]
