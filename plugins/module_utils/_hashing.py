# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SHA-256 of streams, in bounded memory."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Iterable, Tuple

CHUNK = 1 << 20  # bytes; larger ones gain nothing over the cost of a hash update


def sha256_of(chunks: Iterable[bytes]) -> Tuple[str, int]:
    """The hexadecimal SHA-256 of a stream of chunks, and its length in bytes."""
    digest = hashlib.sha256()
    length = 0
    for chunk in chunks:
        digest.update(chunk)
        length += len(chunk)
    return digest.hexdigest(), length


def chunks_of(file: BinaryIO, size: int = CHUNK) -> Iterable[bytes]:
    """The rest of an open file, chunk by chunk."""
    while True:
        chunk = file.read(size)
        if not chunk:
            return
        yield chunk
