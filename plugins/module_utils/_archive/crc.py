# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CRC-32 of two pieces put together, from those of the pieces: so that each can be taken on another core.

A CRC is a remainder of polynomials over GF(2): what stands before ``n`` further bytes is multiplied by ``x**(8 * n)``.
Bits are reversed as ZIP has them: the highest bit is the coefficient of ``x**0``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import List

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


def combine(first: int, second: int, length: int) -> int:
    """The CRC-32 of A followed by B, from that of A, that of B, and the length of B in bytes."""
    return _product(_shift(length), first) ^ second


def _product(a: int, b: int) -> int:
    """Of two polynomials, modulo the CRC's own."""
    product, bit = 0, _ONE
    while bit:
        if a & bit:
            product ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
        bit >>= 1
    return product


def _powers() -> List[int]:
    """``x**(2**n)`` for each n below 72: enough for bits of lengths of 64 bits."""
    powers = [_ONE >> 1]
    while len(powers) < 72:
        powers.append(_product(powers[-1], powers[-1]))
    return powers


_POWERS = _powers()


@lru_cache(maxsize=64)  # nearly all blocks have one length
def _shift(length: int) -> int:
    """``x**(8 * length)``."""
    shift = _ONE
    for n in range(length.bit_length()):
        if length >> n & 1:
            shift = _product(_POWERS[n + 3], shift)
    return shift
