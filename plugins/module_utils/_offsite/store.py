# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the offsite step needs of a store of blobs, and what it is told of them. ``client.py`` is the real one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Dict, List, Mapping, Optional, Protocol, Sequence


@dataclass(frozen=True)
class Blob:
    """A blob as the store describes it. What it says of its content is what somebody told it, and proves nothing."""

    name: str
    size: int  # bytes
    etag: str  # another one after every change
    version_id: Optional[str] = None
    immutable_until: Optional[datetime] = None  # UTC
    immutability_mode: Optional[str] = None  # 'locked' or 'unlocked'
    legal_hold: Optional[bool] = None


@dataclass(frozen=True)
class ContainerFacts:
    """What protects the container as a whole."""

    immutability_policy: bool
    legal_hold: bool
    version_level_immutability: bool


class Store(Protocol):
    """A container. Every method raises ``Offsite*`` errors, after it was patient, and ``Cancelled``."""

    def container(self) -> Optional[ContainerFacts]:
        """None where this identity may not know."""

    def look(self, name: str) -> Optional[Blob]:
        """None where there is none."""

    def staged(self, name: str) -> Dict[str, int]:
        """The blocks that wait under that name: id and bytes."""

    def stage(self, name: str, block_id: str, content: bytes) -> None:
        """Put a block there."""

    def commit(self, name: str, block_ids: Sequence[str], *, kind: str, notes: Mapping[str, str]) -> bool:
        """Make the blob of its blocks; False where something has that name already, and nothing was written.

        :param kind: its content type.
        """

    def read(self, blob: Blob, offset: int, length: int) -> bytes:
        """That part of this very blob. Raises ``OffsiteBlobDiffers`` where it is another one by now."""

    def list(self, prefix: str) -> List[Blob]:
        """The blobs whose names begin so."""
