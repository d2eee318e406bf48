# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a file is cut into blocks, and what they are called. Pure.

A block's name has its number and the SHA-256 of its content. So a block that arrived before an upload was cut off can
be told from any other without a record of ours that could be lost or wrong: it is kept when the file still has that
content at that place. The server checked its MD5 when it came, and the whole blob is read back in the end.
"""

from __future__ import annotations

import hashlib
from typing import Iterable, Iterator

SMALLEST = 8 << 20  # bytes; what a cut connection costs at most
MOST_BLOCKS = 50_000  # of one blob, by Azure's rule
_DIGEST_CHARACTERS = 48  # of the SHA-256's 64: a name may have 64 in all


def block_size(file_size: int, smallest: int = SMALLEST) -> int:
    """Bytes of each block but the last: the same for the same file, however often it is tried."""
    size = smallest
    while size * MOST_BLOCKS < file_size:
        size *= 2
    return size


def block_id(number: int, content: bytes) -> str:
    """The name of the block with that content. All names have the same length, as Azure wants it."""
    return f"{number:06d}.{hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]}"


def in_blocks(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The stream cut into blocks of that size; the last one is shorter."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)
