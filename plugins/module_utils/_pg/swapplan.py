# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the swap of a database stands, from what the server says. Decides only.

A database is known by its OID, whatever its name is at the moment. Both renames are one transaction, so that there is
no place between them: an old database that cannot be reached has its own name still, or the new one has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence

UNTOUCHED = "untouched"  # the target's name is the old database's, or nobody's where there was none
DONE = "done"  # it is the new database's


@dataclass(frozen=True)
class Database:
    """As the server has it. ``limit`` of connections, -1 for none; ``mark`` is its comment."""

    oid: int
    name: str
    allows: bool
    limit: int
    mark: Optional[str] = None


@dataclass(frozen=True)
class Names:
    """Of a swap: ``candidate`` becomes ``target``, whose old database becomes ``before``; OIDs of both.

    ``target_oid`` is None where there was no such database.
    """

    target: str
    candidate: str
    before: str
    candidate_oid: int
    target_oid: Optional[int]


@dataclass(frozen=True)
class Standing:
    """The databases of a server, by their OIDs."""

    databases: Dict[int, Database]

    def named(self, name: str) -> Optional[Database]:
        """The one of that name."""
        return next((each for each in self.databases.values() if each.name == name), None)

    def candidate(self, names: Names) -> Optional[Database]:
        """The new one, whatever its name."""
        return self.databases.get(names.candidate_oid)

    def old(self, names: Names) -> Optional[Database]:
        """The old one, whatever its name."""
        return None if names.target_oid is None else self.databases.get(names.target_oid)


def standing_of(databases: Sequence[Database]) -> Standing:
    """By OID."""
    return Standing({each.oid: each for each in databases})


def stage(names: Names, now: Standing) -> Optional[str]:
    """How far it has come; None where a name is neither's, or the old database is gone."""
    holder = now.named(names.target)
    if holder is not None and holder.oid == names.candidate_oid:
        return DONE
    return UNTOUCHED if (None if holder is None else holder.oid) == names.target_oid else None


def obstacles(names: Names, now: Standing) -> List[str]:
    """Why the swap cannot be done from where things stand, one sentence each."""
    found = []
    if stage(names, now) is None:
        found.append(f"database {names.target} is another than it was when the swap began")
    candidate = now.candidate(names)
    if candidate is None or candidate.name != names.candidate:
        found.append(f"database {names.candidate} is not the one that was restored")
    if now.named(names.before) is not None:
        found.append(f"there is a database {names.before} already")
    return found


def obstacles_back(names: Names, now: Standing) -> List[str]:
    """Why a finished swap cannot be taken back from where things stand, one sentence each."""
    found = []
    if stage(names, now) != DONE:
        found.append(f"database {names.target} is not the one that was swapped in")
    old = now.old(names)
    if names.target_oid is None:
        found.append("there was no database before")
    elif old is None or old.name != names.before:
        found.append(f"database {names.before} is not the one that stepped aside")
    if now.named(names.candidate) is not None:
        found.append(f"there is a database {names.candidate} already")
    return found
