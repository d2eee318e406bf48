# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The central directory, read as a stream, every entry checked by itself."""

from __future__ import annotations

import struct
import zlib
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import path_problem, printable
from ansible_collections.wst.backup.plugins.module_utils._archive.zipend import Directory, Window
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactUnsafePath,
    ArtifactUnsupported,
)

__all__ = ["Directory", "ZipEntry", "read_entries"]

_BLOCK = 1 << 18
_KNOWN_FLAGS = 0x0006 | fmt.FLAG_DESCRIPTOR | fmt.FLAG_UTF8  # 1 and 2: how hard deflate tried
_MADE_BY_UNIX = (3, 19)  # Unix, macOS: the high half of the attributes is st_mode
_DOS_ATTRIBUTES = (0, 3, 10, 14, 19)  # those and FAT, NTFS, VFAT: the low byte is DOS' attributes
_DOS_DIRECTORY = 0x10
_NEWEST = 63  # version 6.3 of the format, tenfold (4.4.3): beyond it other programs refuse
_S_IFMT, _S_IFDIR, _S_IFREG = 0o170000, 0o040000, 0o100000


_Extra = Sequence[Tuple[int, bytes]]


class ZipEntry(NamedTuple):
    """A member as the central directory tells it."""

    path: str  # without a directory's trailing slash
    is_directory: bool
    raw_name: bytes
    flags: int
    method: int
    time: int
    date: int
    crc32: int
    packed: int
    size: int
    offset: int
    extra: bytes

    @property
    def is_renamed(self) -> bool:
        """Whether programs that know no Unicode path field see another name."""
        fields = () if fmt.is_plain(self.extra) else fmt.extra_fields(self.extra)
        return any(kind == fmt.EXTRA_UNICODE_PATH for kind, _data in fields)


def read_entries(window: Window, directory: Directory) -> Iterator[ZipEntry]:
    """The entries in order; raises when they do not fill the directory exactly."""
    position, end = directory.start, directory.start + directory.size
    buffer, base, count = b"", position, 0
    while position < end:
        length = _entry_length(buffer, position - base)
        for _attempt in range(2):  # the fixed part tells how long the entry is
            if position - base + length > len(buffer):
                base, buffer = position, window.read(position, min(max(_BLOCK, length), end - position))
                length = _entry_length(buffer, 0)
        if position - base + length > len(buffer):
            raise ArtifactDamaged("its central directory is cut short", offset=position)
        entry = _parse(buffer, position - base, position)
        if entry.offset >= directory.start:
            raise ArtifactDamaged("a member begins inside the central directory", path=printable(entry.path))
        yield entry
        position += length
        count += 1
    if count != directory.count:
        raise ArtifactDamaged(
            f"its end record announces {directory.count} members, its directory has {count}",
            announced=directory.count,
            members=count,
        )


def _entry_length(buffer: bytes, at: int) -> int:
    if at + fmt.CENTRAL.size > len(buffer):
        return fmt.CENTRAL.size
    name, extra, comment = struct.unpack_from("<3H", buffer, at + 28)
    return int(fmt.CENTRAL.size + name + extra + comment)


def _parse(buffer: bytes, at: int, offset_in_file: int) -> ZipEntry:
    (
        signature, made_by, needed, flags, method, time, date, crc32, packed, size,
        name_length, extra_length, _comment, disk, _internal, external, offset,
    ) = fmt.CENTRAL.unpack_from(buffer, at)  # fmt: skip
    if signature != fmt.CENTRAL_SIGNATURE:
        raise ArtifactDamaged("its central directory has something else in it", offset=offset_in_file)
    at += fmt.CENTRAL.size
    raw_name = buffer[at : at + name_length]
    extra = buffer[at + name_length : at + name_length + extra_length]
    name, fields = _name_and_fields(raw_name, extra, flags)
    if fields or fmt.MAX32 in (size, packed, offset) or disk == fmt.MAX16:
        size, packed, offset, disk = _widen(fields, (size, packed, offset, disk), name)
    if needed & 0xFF > _NEWEST or flags & ~_KNOWN_FLAGS or method not in (fmt.STORED, fmt.DEFLATED) or disk:
        raise _unsupported(name, needed=needed, flags=flags, method=method)
    if any(kind in fmt.EXTRA_ENCRYPTED for kind, _data in fields):  # for some programs even where no flag says it
        raise ArtifactUnsupported(f"the member {printable(name)} has a field of encryption", path=printable(name))
    is_directory = name.endswith("/")
    _check_attributes(name, made_by=made_by, external=external, is_directory=is_directory)
    entry = ZipEntry(
        path=name[:-1] if is_directory else name,
        is_directory=is_directory,
        raw_name=raw_name,
        flags=flags,
        method=method,
        time=time,
        date=date,
        crc32=crc32,
        packed=packed,
        size=size,
        offset=offset,
        extra=extra,
    )
    _check_sizes(entry)
    return entry


def _name_and_fields(raw: bytes, extra: bytes, flags: int) -> Tuple[str, _Extra]:
    """The name, UTF-8 where the member says so, else code page 437; Info-ZIP's Unicode path wins where it is valid.
    The extra fields, unless there is nothing but a timestamp.

    Programs that do not know that path take the other name, which must be as safe.
    """
    try:
        name = plain = raw.decode("utf-8") if flags & fmt.FLAG_UTF8 else raw.decode("cp437")
        fields = [] if fmt.is_plain(extra) else list(fmt.extra_fields(extra))
        for kind, field in fields:
            if kind == fmt.EXTRA_UNICODE_PATH and field[:5] == struct.pack("<BL", 1, zlib.crc32(raw)):
                name = field[5:].decode("utf-8")
    except ValueError as error:
        raise ArtifactDamaged(f"a member's name or extra field is malformed: {raw[:100]!r}") from error
    if name != plain and (path_problem(plain.rstrip("/")) or name.endswith("/") != plain.endswith("/")):
        raise ArtifactUnsafePath(f"the member {printable(name)} has another, unsafe name", path=printable(plain))
    return name, fields


def _widen(extra: _Extra, fields: Tuple[int, int, int, int], name: str) -> Tuple[int, int, int, int]:
    """Size, packed size, offset and disk with the 64-bit values of those that 32 bits did not hold (4.5.3)."""
    wide: Optional[bytes] = None
    for kind, field in extra:
        if kind == fmt.EXTRA_ZIP64:
            if wide is not None:
                raise ArtifactDamaged("a member has two 64-bit fields", path=printable(name))
            wide = field
    widths = (("<Q", fmt.MAX32), ("<Q", fmt.MAX32), ("<Q", fmt.MAX32), ("<L", fmt.MAX16))
    values: List[int] = []
    position = 0
    for value, (layout, limit) in zip(fields, widths):
        if value == limit:
            length = struct.calcsize(layout)
            if wide is None or position + length > len(wide):
                raise ArtifactDamaged("a member lacks the 64-bit values that it announces", path=printable(name))
            value = struct.unpack_from(layout, wide, position)[0]
            position += length
        values.append(value)
    if wide is not None and position != len(wide):
        raise ArtifactDamaged("a member has 64-bit values that it does not announce", path=printable(name))
    return values[0], values[1], values[2], values[3]


def _unsupported(name: str, *, needed: int, flags: int, method: int) -> ArtifactUnsupported:
    """What about the member it is that this reader does not know."""
    shown = printable(name)
    if needed & 0xFF > _NEWEST:
        version = f"{(needed & 0xFF) // 10}.{needed % 256 % 10}"
        return ArtifactUnsupported(f"the member {shown} needs version {version} of the format", path=shown)
    if flags & (fmt.FLAG_ENCRYPTED | 0x40 | 0x2000):
        return ArtifactUnsupported(f"the member {shown} is encrypted", path=shown)
    if flags & ~_KNOWN_FLAGS:
        return ArtifactUnsupported(f"the member {shown} has unknown flags {flags:#06x}", path=shown, flags=flags)
    if method not in (fmt.STORED, fmt.DEFLATED):
        known = {9: " (Deflate64, as Windows Explorer makes of large files)", 99: " (encrypted)"}.get(method, "")
        return ArtifactUnsupported(f"the member {shown} is packed by method {method}{known}", path=shown, method=method)
    return ArtifactUnsupported(f"the member {shown} lies in another part of a split archive", path=shown)


def _check_attributes(name: str, *, made_by: int, external: int, is_directory: bool) -> None:
    """Links and devices: an extractor that makes them can be led out of its target through them."""
    kind = (external >> 16) & _S_IFMT if made_by >> 8 in _MADE_BY_UNIX else 0
    if kind not in (0, _S_IFDIR if is_directory else _S_IFREG):
        raise ArtifactUnsafePath(
            f"the member {printable(name)} is neither file nor directory (mode {external >> 16:o})",
            path=printable(name),
        )
    if external & _DOS_DIRECTORY and made_by >> 8 in _DOS_ATTRIBUTES and not is_directory:
        raise ArtifactDamaged(
            f"the member {printable(name)} is named as a file and marked as a directory", path=printable(name)
        )


def _check_sizes(entry: ZipEntry) -> None:
    stored_lie = entry.method == fmt.STORED and entry.packed != entry.size
    # Deflate cannot do better than 258 bytes from two bits: 1032 to 1 (RFC 1951).
    bomb = entry.method == fmt.DEFLATED and entry.size > entry.packed * 1032
    if stored_lie or bomb or (entry.is_directory and entry.size):
        raise ArtifactDamaged(
            f"the member {printable(entry.path)} announces sizes that cannot be",
            path=printable(entry.path),
            packed=entry.packed,
            size=entry.size,
        )
