# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content made ready for the archive, without touching a file: this is what worker threads spend their time on."""

from __future__ import annotations

import zlib
from typing import Callable, NamedTuple, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import Engine

_TRIED = 1 << 16  # bytes; what is shorter is compressed at less cost than it is sampled
_SAMPLES = 4
_SAMPLE = 1 << 12  # bytes of each
_HOPELESS = 0.98  # of its size is left of a sample that is not worth the time


Known = Callable[[bytes, int], Optional[bytes]]  # content and its CRC-32: its compressed bytes, proved, or None


class Packed(NamedTuple):
    """A whole file as it stands in the archive."""

    method: int  # of the ZIP format: stored or deflated
    data: bytes
    size: int  # unpacked
    crc32: int
    is_known: bool = False  # compressed before, for an older artifact


class Block(NamedTuple):
    """A part of a deflated file, ending at a byte's border."""

    data: bytes
    size: int  # unpacked
    crc32: int


def pack_whole(engine: Engine, data: bytes, *, compress: bool = True, known: Optional[Known] = None) -> Packed:
    """A small file; stored where that is no larger.

    :param known: asked for bytes that are known to unpack to exactly this.
    """
    crc32 = zlib.crc32(data)
    found = known(data, crc32) if compress and known is not None else None
    if found is not None:
        return Packed(method=fmt.DEFLATED, data=found, size=len(data), crc32=crc32, is_known=True)
    if compress and data and not is_hopeless(data):
        deflated = engine.small.whole(data)
        if len(deflated) < len(data):
            return Packed(method=fmt.DEFLATED, data=deflated, size=len(data), crc32=crc32)
    return Packed(method=fmt.STORED, data=data, size=len(data), crc32=crc32)


def pack_block(engine: Engine, data: bytes, before: bytes, *, compress: bool = True) -> Block:
    """A part of a large file; in blocks of stored bytes where that is no larger.

    :param before: what stands right before it in the file, at most ``codecs.WINDOW`` bytes.
    """
    packed = None if not compress or is_hopeless(data) else engine.blocks.block(data, before)
    if packed is None or len(packed) >= len(data):
        packed = codecs.stored(data)
    return Block(data=packed, size=len(data), crc32=zlib.crc32(data))


def is_hopeless(data: bytes) -> bool:
    """Whether pieces from all over it do not compress: then nearly always nothing of it does."""
    if len(data) < _TRIED:
        return False
    step = (len(data) - _SAMPLE) // (_SAMPLES - 1)
    sample = b"".join(data[step * number : step * number + _SAMPLE] for number in range(_SAMPLES))
    return len(zlib.compress(sample, 1)) > len(sample) * _HOPELESS
