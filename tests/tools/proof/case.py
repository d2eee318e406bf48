# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one entry of the corpus is: a file, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DAMAGED = "artifact_damaged"
UNSAFE = "artifact_unsafe_path"
UNSUPPORTED = "artifact_unsupported"
INCOMPLETE = "artifact_incomplete"
RECORD = "record_damaged"
PROVED = ""


def always(data: bytes) -> Callable[[], bytes]:
    """Makes those bytes."""
    return lambda: data


@dataclass(frozen=True)
class Case:
    """A file that somebody could hand to the verification.

    :param code: the failure that must come of level 2, or ``PROVED``: the neighbours of what is refused.
    :param words: something that its message must say.
    :param sidecar: the file beside it, where that is what is wrong.
    :param hole: so many zeros stand before the bytes; no disk is asked to hold them.
    :param mib: by how much the process may grow on it.
    :param seconds: of processor time.
    """

    name: str
    code: str
    make: Callable[[], bytes]
    words: str = ""
    sidecar: Callable[[], bytes] | None = None
    hole: int = 0
    mib: int = 32
    seconds: float = 10
