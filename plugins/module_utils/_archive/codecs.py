# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that compress, behind one interface: Python's own zlib, and faster ones where the host has them.

All of them write ordinary raw deflate streams, and all but ISA-L promise the same one for the same input, version and
level. They let other threads run while they work.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import zlib
from dataclasses import dataclass
from typing import Any, Callable, Optional, Tuple, Type

WINDOW = 1 << 15  # bytes before a block that its matches can reach
LAST = b"\x03\x00"  # an empty block that ends a stream (RFC 1951, 3.2.6: the last, fixed codes, end of block)

# Half of what a small file costs is making zlib's tables, which need not be larger than the file.
_LEAST_WINDOW_BITS = 9  # raw streams have no 8 (zlib.h, deflateInit2)
_LEAST_MEMORY = 2
_MEMORY = 8  # zlib's default
_SAMPLE = b"".join(b"%d wst.backup %d\n" % (number % 7, number * number) for number in range(4000))


@dataclass(frozen=True)
class Zlib:
    """zlib, or a library with its interface."""

    module: Any
    name: str
    version: str
    level: int  # the library's own

    def whole(self, data: bytes) -> bytes:
        """All of the data as one stream."""
        bits = min(max(_LEAST_WINDOW_BITS, len(data).bit_length()), zlib.MAX_WBITS)
        memory = min(max(_LEAST_MEMORY, bits - 7), _MEMORY)
        deflater = self.module.compressobj(self.level, zlib.DEFLATED, -bits, memory)
        return bytes(deflater.compress(data) + deflater.flush())

    def block(self, data: bytes, before: bytes) -> bytes:
        """A part of a stream, ending at a byte's border and not the last; ``before`` is what stands right before it.

        The flush is what makes parts that were compressed by themselves one stream (as pigz has it).
        """
        deflater = self.module.compressobj(self.level, zlib.DEFLATED, -zlib.MAX_WBITS, _MEMORY, 0, before)
        return bytes(deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))

    def inflater(self) -> Any:
        """Unpacks one raw stream."""
        return self.module.decompressobj(-zlib.MAX_WBITS)

    @property
    def error(self) -> Type[Exception]:
        """What an inflater raises for what is no stream."""
        error: Type[Exception] = self.module.error
        return error


@dataclass(frozen=True)
class Libdeflate:
    """libdeflate, which knows whole buffers only."""

    compress: Callable[[bytes, int], bytearray]
    name: str
    version: str
    level: int

    def whole(self, data: bytes) -> bytes:
        """All of the data as one stream."""
        return bytes(self.compress(data, self.level))


def standard(level: int) -> Zlib:
    """Python's own zlib."""
    return Zlib(module=zlib, name="zlib", version=zlib.ZLIB_RUNTIME_VERSION, level=level)


def zlib_ng(level: int) -> Optional[Zlib]:
    """zlib-ng, where package ``zlib-ng`` is installed and works."""
    module, version = _load("zlib-ng", "zlib_ng.zlib_ng", (1, 0))
    if module is None:
        return None
    codec = Zlib(module=module, name="zlib-ng", version=version, level=level)
    return codec if _works(lambda: codec.block(_SAMPLE, _SAMPLE[-WINDOW:]) + LAST, before=_SAMPLE) else None


def libdeflate(level: int) -> Optional[Libdeflate]:
    """libdeflate, where package ``deflate`` is installed and works; before 0.9 it lets no other thread run."""
    module, version = _load("deflate", "deflate", (0, 9))
    if module is None:
        return None
    codec = Libdeflate(compress=module.deflate_compress, name="libdeflate", version=version, level=level)
    return codec if _works(lambda: codec.whole(_SAMPLE)) else None


def isal(level: int) -> Optional[Zlib]:
    """ISA-L, where package ``isal`` is installed and works: levels 0 to 3, and nobody promises the same bytes again."""
    module, version = _load("isal", "isal.isal_zlib", (1, 0))
    if module is None:
        return None
    codec = Zlib(module=module, name="isa-l", version=version, level=level)
    works = _works(lambda: codec.whole(_SAMPLE)) and _works(
        lambda: codec.block(_SAMPLE, _SAMPLE[-WINDOW:]) + LAST, before=_SAMPLE
    )
    return codec if works else None


def inflating() -> Zlib:
    """What unpacks streams in order to prove them: zlib-ng where the host has it.

    It takes and refuses the same streams as zlib, for it is made from the same code. libdeflate, though faster, does
    not: it takes codes that are not complete, and two values that stand for nothing. A stream that it alone can read
    would pass as proved, and no unzip could read it.
    """
    return zlib_ng(1) or standard(1)


def stored(data: bytes) -> bytes:
    """Data as it is, in a part of a stream as ``Zlib.block`` makes it (RFC 1951, 3.2.4)."""
    parts = []
    for start in range(0, len(data), 0xFFFF):
        part = data[start : start + 0xFFFF]
        parts += [b"\0", len(part).to_bytes(2, "little"), (len(part) ^ 0xFFFF).to_bytes(2, "little"), part]
    return b"".join(parts)


def window(before: bytes, data: bytes) -> bytes:
    """What matches of the next block can reach, after ``data`` that came after ``before``."""
    return data[-WINDOW:] if len(data) >= WINDOW else (before + data)[-WINDOW:]


def _load(package: str, module: str, least: Tuple[int, int]) -> Tuple[Optional[Any], str]:
    """An optional library and its version. What cannot be loaded, for whatever reason, is as if it was not there."""
    try:
        version = importlib.metadata.version(package)
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        return (importlib.import_module(module), version) if numbers >= least else (None, version)
    except Exception:  # noqa: BLE001 - a wheel of another Python may fail in any way
        return None, ""


def _works(compress: Callable[[], bytes], *, before: bytes = b"") -> bool:
    """Whether what it makes is what zlib reads; the archive is proved in full later all the same."""
    try:
        inflater = (
            zlib.decompressobj(-zlib.MAX_WBITS, before[-WINDOW:]) if before else zlib.decompressobj(-zlib.MAX_WBITS)
        )
        return inflater.decompress(compress()) == _SAMPLE and inflater.eof
    except Exception:  # noqa: BLE001 - as above
        return False
