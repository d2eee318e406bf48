# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which members of an artifact are meant. Decides only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import FrozenSet, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._layout import ROLES_SQL

FILES = "files"  # the trees
DUMP = "dump"
ROLES = "roles"
PARTS = (FILES, DUMP, ROLES)


@dataclass(frozen=True)
class Selection:
    """Parts, and patterns on the members' paths in the artifact, which begin with their source's name.

    :ivar include: no patterns mean everything; what lies below a directory that matches is meant with it.
    :ivar exclude: takes away from that.
    :ivar dump: the dump's path; None where it does not matter or is not known.
    """

    parts: FrozenSet[str] = frozenset(PARTS)
    include: Patterns = field(default_factory=lambda: Patterns(()))
    exclude: Patterns = field(default_factory=lambda: Patterns(()))
    dump: Optional[str] = None

    @property
    def whole(self) -> bool:
        """Whether it leaves nothing out."""
        return self.parts == frozenset(PARTS) and not self.include.texts and not self.exclude.texts

    def wants(self, path: str, *, is_directory: bool) -> bool:
        """Whether that member is meant. Directories above it are made as they are needed, and are not meant by that."""
        if self._part_of(path) not in self.parts:
            return False
        if self.include.texts and not self.include.covers(path, is_directory=is_directory):
            return False
        return not self.exclude.covers(path, is_directory=is_directory)

    def _part_of(self, path: str) -> str:
        if path == self.dump:
            return DUMP
        return ROLES if path == ROLES_SQL else FILES
