# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A member's headers as bytes: pure functions, nothing is written here."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import List, NamedTuple, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt


class Attributes(NamedTuple):
    """What a member's headers say of its file besides its content."""

    mtime_ns: int
    mode: int = 0o644  # Unix permission bits
    dos: int = 0  # Windows' file attributes; the low byte counts


class Header(NamedTuple):
    """A member's header fields, as both of its headers need them."""

    name: bytes
    method: int
    attributes: Attributes
    offset: int
    flags: int = fmt.FLAG_UTF8
    is_directory: bool = False
    crc32: int = 0
    packed: int = 0
    size: int = 0


def local_header(header: Header, *, zip64: bool) -> bytes:
    """The header before the content.

    With ``zip64`` both sizes stand in the extra field, whatever they are (4.5.3: in a local header both or neither).
    """
    time, date, extra = _when(header.attributes.mtime_ns)
    packed, size = header.packed, header.size
    if zip64:
        extra = struct.pack("<HH2Q", fmt.EXTRA_ZIP64, 16, size, packed) + extra
        packed = size = fmt.MAX32
    fixed = fmt.LOCAL.pack(
        fmt.LOCAL_SIGNATURE,
        fmt.VERSION_ZIP64 if zip64 else fmt.VERSION_DEFLATE,
        header.flags,
        header.method,
        time,
        date,
        header.crc32,
        packed,
        size,
        len(header.name),
        len(extra),
    )
    return fixed + header.name + extra


def descriptor(*, crc32: int, packed: int, size: int, zip64: bool) -> bytes:
    """What follows the content of a member whose sizes were not known before it."""
    layout = fmt.DESCRIPTOR64 if zip64 else fmt.DESCRIPTOR
    return layout.pack(fmt.DESCRIPTOR_SIGNATURE, crc32, packed, size)


def central_header(header: Header) -> bytes:
    """The member's entry in the central directory; 64-bit fields only where 32 bits do not hold the value."""
    time, date, extra = _when(header.attributes.mtime_ns)
    large: List[int] = []
    if max(header.size, header.packed, header.offset) >= fmt.MAX32:
        large = [value for value in (header.size, header.packed, header.offset) if value >= fmt.MAX32]
        extra = struct.pack(f"<HH{len(large)}Q", fmt.EXTRA_ZIP64, 8 * len(large), *large) + extra
    fixed = fmt.CENTRAL.pack(
        fmt.CENTRAL_SIGNATURE,
        fmt.MADE_BY,
        fmt.VERSION_ZIP64 if large else fmt.VERSION_DEFLATE,
        header.flags,
        header.method,
        time,
        date,
        header.crc32,
        min(header.packed, fmt.MAX32),
        min(header.size, fmt.MAX32),
        len(header.name),
        len(extra),
        0,  # comment
        0,  # disk
        0,  # internal attributes
        _external_attributes(header),
        min(header.offset, fmt.MAX32),
    )
    return fixed + header.name + extra


@lru_cache(maxsize=16)  # a member's two headers are made one after the other
def _when(mtime_ns: int) -> Tuple[int, int, bytes]:
    return (*fmt.dos_time(mtime_ns), fmt.timestamp_extra(mtime_ns))


def end_records(*, count: int, start: int, size: int) -> bytes:
    """Everything after a central directory of ``size`` bytes at ``start``."""
    records = b""
    if count >= fmt.MAX16 or size >= fmt.MAX32 or start >= fmt.MAX32:
        fixed = fmt.END64.size - 12  # the record's own length leaves out its signature and itself
        version = fmt.VERSION_ZIP64
        records = fmt.END64.pack(
            fmt.END64_SIGNATURE, fixed, fmt.MADE_BY, version, 0, 0, count, count, size, start
        ) + fmt.LOCATOR64.pack(fmt.LOCATOR64_SIGNATURE, 0, start + size, 1)
    short = min(count, fmt.MAX16)
    return records + fmt.END.pack(fmt.END_SIGNATURE, 0, 0, short, short, min(size, fmt.MAX32), min(start, fmt.MAX32), 0)


def _external_attributes(header: Header) -> int:
    kind, dos = (0o040000, 0x10) if header.is_directory else (0o100000, 0)
    mode = kind | header.attributes.mode & 0o7777
    return mode << 16 | header.attributes.dos & 0xFF | dos
