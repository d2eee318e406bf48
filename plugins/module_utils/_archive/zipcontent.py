# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A member's content, proved while it is read.

The local header must tell what the directory tells, the content must end with its stream's end, have the announced
size and CRC, and reach exactly to what follows. Python's zipfile accepts a stream whose last block was never marked
as the last; here that is damage.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Iterator, List, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.extent import Buffer, Extent
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import printable
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged

_Extra = List[Tuple[int, bytes]]
_CHUNK = 1 << 18
_OUTPUT = 1 << 20
_STANDARD = codecs.standard(0)


def fits(entry: ZipEntry, *, end: int) -> bool:
    """Whether the member can lie between its offset and ``end``."""
    return entry.offset + fmt.LOCAL.size + len(entry.raw_name) + entry.packed <= end


def overlap(entry: ZipEntry) -> ArtifactDamaged:
    """The failure for one that does not fit."""
    return _damaged(entry, "overlaps what follows it")


def content(extent: Extent, entry: ZipEntry, codec: codecs.Zlib = _STANDARD) -> Iterator[Buffer]:
    """The unpacked bytes in chunks of at most 1 MiB; raises ``ArtifactDamaged`` at the first contradiction.

    :param extent: from the member's local header up to what follows it.
    """
    _check_local(extent, entry)
    if entry.packed > extent.left:
        raise overlap(entry)
    packed = _packed(extent, entry.packed)
    pieces = packed if entry.method == fmt.STORED else _inflate(packed, entry, codec)
    crc = size = 0
    for piece in pieces:
        size += len(piece)
        if size > entry.size:
            raise _damaged(entry, "has more bytes than it announces")
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != entry.size:
        raise _damaged(entry, f"has {size} bytes of the {entry.size} that it announces")
    if crc != entry.crc32:
        raise _damaged(entry, "does not match its CRC-32")
    _check_tail(extent, entry)


def _check_local(extent: Extent, entry: ZipEntry) -> None:
    """Take the local header, which must tell what the directory tells."""
    fixed = fmt.LOCAL.unpack(extent.take(fmt.LOCAL.size))
    flags, method, time, date, crc, packed, size, name_length, extra_length = fixed[2:]
    if fixed[0] != fmt.LOCAL_SIGNATURE:
        raise _damaged(entry, "has no local header")
    variable = extent.take(name_length + extra_length)
    extra = variable[name_length:]
    same_extras = fmt.is_plain(extra) and extra == entry.extra and fmt.MAX32 not in (packed, size)
    if not same_extras:
        fields = _extra_fields(entry, extra)
        packed, size = _widen_local(entry, packed, size, fields)
        same_extras = _same_extras(entry, fields)
    same = (flags, method, time, date, variable[:name_length]) == (
        entry.flags,
        entry.method,
        entry.time,
        entry.date,
        entry.raw_name,
    )
    if flags & fmt.FLAG_DESCRIPTOR:  # zero, or what the descriptor will say
        numbers = crc in (0, entry.crc32) and packed in (0, entry.packed) and size in (0, entry.size)
    else:
        numbers = (crc, packed, size) == (entry.crc32, entry.packed, entry.size)
    if not same_extras or not same or not numbers:
        raise _damaged(entry, "has a local header that contradicts the central directory")


def _extra_fields(entry: ZipEntry, extra: bytes) -> _Extra:
    try:
        return list(fmt.extra_fields(extra))
    except ValueError as error:
        raise _damaged(entry, "has a malformed local extra field") from error


def _same_extras(entry: ZipEntry, extra: _Extra) -> bool:
    """What changes the name or the time of a member must stand in both headers alike; the rest may differ."""
    central = list(fmt.extra_fields(entry.extra))
    if any(kind in fmt.EXTRA_ENCRYPTED for kind, _data in extra):
        return False
    if fmt.fields_of(central, fmt.EXTRA_UNICODE_PATH) != fmt.fields_of(extra, fmt.EXTRA_UNICODE_PATH):
        return False
    told, here = (fmt.fields_of(side, fmt.EXTRA_TIMESTAMP) for side in (central, extra))
    if any(len(field) < 1 + 4 * bin(field[0] & 7).count("1") for field in here):
        return False
    return not told or [field[1:5] for field in told] == [field[1:5] for field in here]  # more times may follow here


def _widen_local(entry: ZipEntry, packed: int, size: int, extra: _Extra) -> Tuple[int, int]:
    wide = fmt.fields_of(extra, fmt.EXTRA_ZIP64)
    if len(wide) > 1:
        raise _damaged(entry, "has two 64-bit fields")
    if fmt.MAX32 not in (packed, size):
        return packed, size
    values = list(struct.unpack_from(f"<{len(wide[0]) // 8}Q", wide[0])) if wide else []
    if len(values) < (packed, size).count(fmt.MAX32):
        raise _damaged(entry, "lacks the 64-bit sizes that it announces")
    size = values.pop(0) if size == fmt.MAX32 else size
    packed = values.pop(0) if packed == fmt.MAX32 else packed
    return packed, size


def _packed(extent: Extent, left: int) -> Iterator[Buffer]:
    while left:
        data = extent.some(min(_CHUNK, left))
        left -= len(data)
        yield data


def _inflate(packed: Iterator[Buffer], entry: ZipEntry, codec: codecs.Zlib) -> Iterator[Buffer]:
    """Bounded pieces; the stream must end with its input, not before and not after."""
    inflater = codec.inflater()
    for data in packed:
        if inflater.eof:
            raise _damaged(entry, "has bytes after the end of its stream")
        yield from _inflate_chunk(inflater, data, entry, codec)
    if inflater.unused_data:
        raise _damaged(entry, "has bytes after the end of its stream")
    if not inflater.eof:
        raise _damaged(entry, "ends before the end of its stream")


def _inflate_chunk(inflater: Any, data: Buffer, entry: ZipEntry, codec: codecs.Zlib) -> Iterator[bytes]:
    while True:
        try:
            piece: bytes = inflater.decompress(data, _OUTPUT)
        except codec.error as error:
            raise _damaged(entry, f"does not inflate ({error})") from error
        if piece:
            yield piece
        if inflater.eof:  # Python leaves what follows the end in unconsumed_tail, too: one would wait for ever
            return
        data = inflater.unconsumed_tail
        if not data and len(piece) < _OUTPUT:  # zlib may hold output back that did not fit
            return


def _check_tail(extent: Extent, entry: ZipEntry) -> None:
    """Between the content and what follows stands the data descriptor, or nothing."""
    if not extent.left and not entry.flags & fmt.FLAG_DESCRIPTOR:
        return
    rest = extent.take(extent.left) if extent.left <= fmt.DESCRIPTOR64.size else b"too long"
    wanted = {b""}
    if entry.flags & fmt.FLAG_DESCRIPTOR:
        wanted = {
            signature + struct.pack(layout, entry.crc32, entry.packed, entry.size)
            for signature in (b"", fmt.DESCRIPTOR_SIGNATURE)  # 4.3.9.3: the signature is optional
            for layout in (("<3L", "<L2Q") if max(entry.packed, entry.size) <= fmt.MAX32 else ("<L2Q",))
        }
    if rest not in wanted:
        raise _damaged(entry, "is followed by bytes that belong to nothing, or by a wrong data descriptor")


def _damaged(entry: ZipEntry, what: str) -> ArtifactDamaged:
    path = printable(entry.path)
    return ArtifactDamaged(f"the member {path} {what}", path=path)
