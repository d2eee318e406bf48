# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store of blobs in memory: what Azurite has not, immutability and what the container says of itself.

It stands for Azure where a test names it, and promises no more than ``store.Store`` asks for: names are given once,
a blob that changed has another ETag, and reading is of one version.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import OffsiteBlobDiffers
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob, ContainerFacts

BARE = Blob("", 0, "")


@dataclass
class FakeAzure:
    """The container. ``facts`` is None where the identity may not ask about it; ``dress`` is put on every new blob."""

    facts: Optional[ContainerFacts] = None
    dress: Blob = BARE
    blobs: Dict[str, Tuple[Blob, bytes]] = field(default_factory=dict)
    waiting: Dict[str, Dict[str, bytes]] = field(default_factory=dict)
    calls: List[str] = field(default_factory=list)
    changes: int = 0

    def put(self, name: str, content: bytes) -> Blob:
        """Somebody writes a blob, over what was there."""
        self.changes += 1
        blob = replace(self.dress, name=name, size=len(content), etag=f'"{self.changes}"')
        self.blobs[name] = (blob, content)
        return blob

    def touch(self, name: str) -> None:
        """Somebody changes its metadata: another ETag, the same content."""
        self.put(name, self.blobs[name][1])

    def container(self) -> Optional[ContainerFacts]:
        """See ``Store``."""
        return self.facts

    def look(self, name: str) -> Optional[Blob]:
        """See ``Store``."""
        return self.blobs[name][0] if name in self.blobs else None

    def staged(self, name: str) -> Dict[str, int]:
        """See ``Store``."""
        return {each: len(content) for each, content in self.waiting.get(name, {}).items()}

    def stage(self, name: str, block_id: str, content: bytes) -> None:
        """See ``Store``."""
        self.calls.append("stage")
        self.waiting.setdefault(name, {})[block_id] = content

    def commit(self, name: str, block_ids: Sequence[str], *, kind: str, notes: Mapping[str, str]) -> bool:
        """See ``Store``."""
        self.calls.append("commit")
        if name in self.blobs:
            return False
        blocks = self.waiting.pop(name)
        self.put(name, b"".join(blocks[each] for each in block_ids))
        return True

    def read(self, blob: Blob, offset: int, length: int) -> bytes:
        """See ``Store``."""
        self.calls.append("read")
        now, content = self.blobs.get(blob.name, (None, b""))
        if now is None or now.etag != blob.etag:
            raise OffsiteBlobDiffers(f"{blob.name} was changed or removed while it was read", blob=blob.name)
        return content[offset : offset + length]

    def list(self, prefix: str) -> List[Blob]:
        """See ``Store``."""
        return [blob for name, (blob, _content) in sorted(self.blobs.items()) if name.startswith(prefix)]
