# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore replaces, in one text that a person types twice. Decides only."""

from __future__ import annotations

from typing import Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, RestoreUnconfirmed

SHORTEST_REASON = 5  # characters; it is for the auditor


def target_text(directories: Sequence[str], database: Optional[str]) -> str:
    """The directories in the order of their names, then the database as ``host:port/name``."""
    return ", ".join([*sorted(directories), *([database] if database else [])])


def require_meant(expected: str, target: Optional[str], confirm: Optional[str]) -> None:
    """Production is replaced only by who has typed twice what it is; raises RestoreUnconfirmed."""
    if target != expected or confirm != expected:
        which = "target" if target != expected else "confirm"
        raise RestoreUnconfirmed(
            f"this replaces production, which must be typed twice, to the letter: {expected}",
            expected=expected,
            wrong=which,
        )


def require_reason(reason: Optional[str]) -> str:
    """The reason itself; raises InputInvalid for one that says nothing."""
    text = (reason or "").strip()
    if len(text) < SHORTEST_REASON:
        raise InputInvalid("the reason must say something: it is kept for those who ask later", reason=reason)
    return text
