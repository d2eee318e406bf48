# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is production. Decides only; paths are absolute, with their links resolved, in the host's own case rule.

The record names what is production and what is not; **what neither names is production**. A name in both is
production, and so is whatever holds, or lies in, a directory of production.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

STAR = "*"
SHORTEST_PREFIX = 3  # characters before the star


@dataclass(frozen=True)
class Database:
    """A database of a server. In what is not production the name may end in a star: all that begin so."""

    host: str
    port: int
    name: str

    def as_body(self) -> Dict[str, Any]:
        """As it stands in the record."""
        return {"host": self.host, "port": self.port, "name": self.name}

    @property
    def server(self) -> Tuple[str, int]:
        """Which server it is, as far as names tell."""
        return self.host.rstrip(".").lower(), self.port

    def covers(self, other: Database) -> bool:
        """Whether that database is this one, or one of those."""
        if self.server != other.server:
            return False
        if self.name.endswith(STAR):
            return other.name.startswith(self.name[: -len(STAR)])
        return self.name == other.name


@dataclass(frozen=True)
class Targets:
    """Directories and databases."""

    directories: Tuple[str, ...] = ()
    databases: Tuple[Database, ...] = ()

    def as_body(self) -> Dict[str, Any]:
        """As they stand in the record."""
        return {"directories": list(self.directories), "databases": [each.as_body() for each in self.databases]}


def targets_from(body: Dict[str, Any]) -> Targets:
    """The inverse of ``as_body``; raises ValueError, KeyError or TypeError for anything else."""
    return Targets(
        directories=tuple(_text(each) for each in body["directories"]),
        databases=tuple(
            Database(_text(each["host"]), _port(each["port"]), _text(each["name"])) for each in body["databases"]
        ),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a name is a text")
    return value


def _port(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        raise ValueError("a port is a number")
    return value


def is_production_directory(path: str, production: Targets, other: Targets) -> bool:
    """Whether a restore into that directory touches production."""
    if any(_below(path, each) or _below(each, path) for each in production.directories):
        return True
    return not any(_below(path, each) for each in other.directories)


def is_production_database(database: Database, production: Targets, other: Targets) -> bool:
    """Whether a restore into that database touches production."""
    if any(each.covers(database) for each in production.databases):
        return True
    return not any(each.covers(database) for each in other.databases)


def contradictions(production: Targets, other: Targets, *, root: str) -> List[str]:
    """Why these two lists cannot be recorded, one sentence each.

    :param root: the host's own directory, which is nobody's target.
    """
    found = [f"{each} is a whole drive" for each in other.directories if os.path.dirname(each) == each]
    for mine in (*production.directories, root):
        found += [
            f"{each} is not apart from {mine}" for each in other.directories if _below(each, mine) or _below(mine, each)
        ]
    found += [
        f"{each.name} has a star, which production must not" for each in production.databases if STAR in each.name
    ]
    for each in other.databases:
        stem = each.name[: -len(STAR)] if each.name.endswith(STAR) else each.name
        if STAR in stem:
            found.append(f"{each.name} has a star that is not at its end")
        elif stem != each.name and len(stem) < SHORTEST_PREFIX:
            found.append(f"{each.name} covers too much: {SHORTEST_PREFIX} characters must come before the star")
        found += [f"{each.name} covers {mine.name} of production" for mine in production.databases if each.covers(mine)]
    if not production.directories and not production.databases:
        found.append("no production is named at all")
    return found


def _below(path: str, directory: str) -> bool:
    """Whether it is that directory or lies in it."""
    return path == directory or path.startswith(os.path.join(directory, ""))
