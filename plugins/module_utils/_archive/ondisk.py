# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive's bytes as its disk has them, past the system's cache: read once, from front to back, hashed as they pass.

So the members are proved from the very bytes of which the digest is. One thread reads, one hashes.
"""

from __future__ import annotations

import hashlib
from types import TracebackType
from typing import Callable, Iterator, Optional, Tuple, Type

from ansible_collections.wst.backup.plugins.module_utils._ahead import ahead, watched
from ansible_collections.wst.backup.plugins.module_utils._platform import api


class OnDisk:
    """To be used as a context manager. Raises OSError, when it is made and whenever bytes are asked for.

    :ivar bypassed: False where the system answers from its cache.
    """

    def __init__(self, path: str) -> None:
        chunks = api.read_uncached(path)
        self.bypassed = chunks.bypassed
        self._digest = hashlib.sha256()
        self._chunks = ahead(watched(ahead(chunks, depth=2), self._digest.update), depth=2)
        self._chunk = memoryview(b"")
        self._position = 0

    def __enter__(self) -> OnDisk:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._chunks.close()

    def pieces(self, start: int, end: int) -> Iterator[memoryview]:
        """The bytes from there to there, fewer where the file ends before. What lies before them passes, too."""
        if start < self._position:
            raise ValueError(f"byte {start} has passed")
        for _nothing in self._up_to(start):
            pass
        yield from self._up_to(end)

    def digest(self, progress: Callable[[int], None]) -> Tuple[str, int]:
        """Let the rest pass; SHA-256 and size of the whole file.

        :param progress: told the position in the file.
        """
        for chunk in self._chunks:
            self._position += len(self._chunk)
            self._chunk = memoryview(chunk)
            progress(self._position)
        return self._digest.hexdigest(), self._position + len(self._chunk)

    def _up_to(self, end: int) -> Iterator[memoryview]:
        while self._position < end:
            if not self._chunk:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return
                self._chunk = memoryview(chunk)
            piece = self._chunk[: end - self._position]
            self._chunk = self._chunk[len(piece) :]
            self._position += len(piece)
            yield piece
