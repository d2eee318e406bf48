# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps others, and us, from changing or deleting a copy. Pure.

Without it, whoever takes over the host or its identity can destroy the copy too: then it protects against a fire and
not against a thief. It is a person's to set up in Azure, and this only says what it sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import List, Optional

from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob, ContainerFacts

_LOCKED = "locked"


@dataclass(frozen=True)
class Protection:
    """What was seen."""

    told: str  # in words; empty where nothing is seen that protects the copy
    immutable_until: Optional[datetime]
    warnings: List[str]


def protection_of(blob: Blob, container: Optional[ContainerFacts], now: datetime) -> Protection:
    """What protects that blob.

    :param container: None where we may not know.
    """
    found, warnings = [], []
    until = blob.immutable_until
    if until is not None and until > now:
        mode = blob.immutability_mode or "of an unknown mode"
        found.append(f"immutable until {until:%Y-%m-%d} ({mode})")
        if mode != _LOCKED:
            warnings.append(f"the immutability policy is {mode}: whoever may set it may lift it")
    if blob.legal_hold:
        found.append("a legal hold")
    if container is not None and container.immutability_policy:
        found.append("an immutability policy of the container")
    if container is not None and container.legal_hold:
        found.append("a legal hold of the container")
    if not found:
        warnings.append(_bare(blob, container, until, now))
    return Protection(", ".join(found), until, warnings)


def _bare(blob: Blob, container: Optional[ContainerFacts], until: Optional[datetime], now: datetime) -> str:
    kept = "; the account keeps versions, which the same rights delete" if blob.version_id else ""
    if until is not None and until <= now:
        return f"the copy's immutability ended on {until:%Y-%m-%d}{kept}"
    if container is None:
        return (
            "nothing is seen that keeps the copies from being deleted, and this identity may not see whether the "
            f"container has an immutability policy{kept}"
        )
    return f"nothing keeps the copies from being changed or deleted: the container has no immutability policy{kept}"
