# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of one member, from its local header up to what follows it, wherever they come from."""

from __future__ import annotations

from typing import Iterable, Union

from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged

Buffer = Union[bytes, memoryview]


class Extent:
    """Taken from front to back, once.

    :param pieces: all its bytes, in pieces of any size.
    :param length: how many there are; negative where members overlap.
    :ivar left: bytes that were not taken yet.
    """

    def __init__(self, pieces: Iterable[Buffer], length: int) -> None:
        self._pieces = iter(pieces)
        self._piece = memoryview(b"")
        self.left = length

    def some(self, most: int) -> memoryview:
        """The next bytes: at least one where ``most`` is, and no more than it."""
        if most > self.left:
            raise ArtifactDamaged("it refers to bytes outside of itself", missing=most - self.left)
        piece = self._piece
        while most and not len(piece):
            piece = memoryview(self._next())
        part = piece[:most]
        self._piece = piece[most:]
        self.left -= len(part)
        return part

    def take(self, count: int) -> bytes:
        """Exactly so many bytes."""
        part = self.some(count)
        if len(part) == count:
            return bytes(part)
        parts = [part]
        while count > len(part):
            count -= len(part)
            part = self.some(count)
            parts.append(part)
        return b"".join(parts)

    def _next(self) -> Buffer:
        piece = next(self._pieces, None)
        if piece is None:
            raise ArtifactDamaged("it ends before its end: somebody is cutting it short", missing=self.left)
        return piece
