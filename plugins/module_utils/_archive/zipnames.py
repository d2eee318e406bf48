# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A register of member names that finds those that are one on Windows, without holding the names."""

from __future__ import annotations

import hashlib
from typing import Set

from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import (
    MAX_PATH,
    component_problem,
    fold,
    path_problem,
    printable,
)
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactUnsafePath,
    ArtifactUnsupported,
)

MAX_IMPLIED = 1_000_000  # directories without a member; a deep name of 500 bytes would imply 250 of them
_DIGEST_BYTES = 12  # 96 bits: a chance meeting among 20 million names has a probability of 10^-15


class NameRegister:
    """The names seen so far. ``add`` raises ``ArtifactUnsafePath`` or ``ArtifactDamaged`` for one that cannot join."""

    def __init__(self) -> None:
        self._files: Set[bytes] = set()
        self._directories: Set[bytes] = set()  # with members of their own
        self._implied: Set[bytes] = set()  # known from what lies in them
        self._last_parent = ""  # folded
        self._good_parent = ""

    def add(self, path: str, *, is_directory: bool) -> None:
        """Take a member's path (without a trailing slash) in."""
        parent, _slash, name = path.rpartition("/")
        # What was said of the directory of the member before need not be found out again.
        known = parent and parent == self._good_parent and len(path) <= MAX_PATH // 4
        problem = component_problem(name) if known else path_problem(path)
        if problem is not None:
            raise ArtifactUnsafePath(f"the member name {printable(path)!r} has {problem}", path=printable(path))
        self._good_parent = parent
        folded = fold(path)
        self._add_parents(folded, path)
        key = _key(folded)
        if key in self._files or key in self._directories:
            raise ArtifactDamaged(
                f"two members have the same name for Windows: {printable(path)}", path=printable(path)
            )
        if is_directory:
            self._directories.add(key)
        elif key in self._implied:
            raise ArtifactDamaged(f"a name is both file and directory: {printable(path)}", path=printable(path))
        else:
            self._files.add(key)

    def has(self, path: str) -> bool:
        """Whether a member of that name, or one that lies below it, is here."""
        key = _key(fold(path))
        return key in self._files or key in self._directories or key in self._implied

    def _add_parents(self, folded: str, path: str) -> None:
        parent = folded.rpartition("/")[0]
        if parent == self._last_parent:
            return
        self._last_parent = parent
        while parent:
            key = _key(parent)
            if key in self._files:
                raise ArtifactDamaged(
                    f"a name is both file and directory: above {printable(path)}", path=printable(path)
                )
            if key in self._implied:
                return  # then so are all above it
            self._implied.add(key)
            if len(self._implied) - len(self._directories) > MAX_IMPLIED:
                raise ArtifactUnsupported(f"it has more than {MAX_IMPLIED} directories that are no members of it")
            parent = parent.rpartition("/")[0]


def _key(folded: str) -> bytes:
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
