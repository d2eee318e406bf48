# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much room a restore needs, and where, before hours go by. Decides only.

What is replaced stays beside, so all of it is needed anew. A safety backup is not in it: it looks for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import NoSpace


@dataclass(frozen=True)
class Wanted:
    """What is to be restored. ``trees``: source and target, each; ``scratch``: where a dump is extracted to.

    :ivar database: its place, where it or ``tables`` of it are restored; ``free``: of its server, where somebody told.
    """

    trees: Sequence[Tuple[str, str]] = ()
    beside: str = ""
    scratch: str = ""
    database: Optional[str] = None
    tables: bool = False
    free: Optional[int] = None


@dataclass(frozen=True)
class Part:
    """Something that will be written. ``at_most``: how much of it is meant is not known, it is no more."""

    path: str
    size: int
    at_most: bool = False


@dataclass(frozen=True)
class Volume:
    """Where a path lies, and what is free there; None where that cannot be told."""

    name: str
    free: Optional[int]


@dataclass(frozen=True)
class Room:
    """Bytes, at one place: a volume, by the paths on it, or a server."""

    where: str
    needed: int
    free: Optional[int]
    at_most: bool = False

    @property
    def short(self) -> bool:
        """Whether it is known that it does not fit."""
        return self.free is not None and not self.at_most and self.free < self.needed

    def as_body(self) -> Dict[str, Any]:
        """As the module returns it."""
        return {"where": self.where, "needed": self.needed, "free": self.free, "at_most": self.at_most}


def parts_of(manifest: Optional[Mapping[str, Any]], wanted: Wanted) -> List[Part]:
    """What is written on the host; none where the manifest does not say how large it is."""
    if manifest is None:
        return []
    try:
        dump = int(manifest["dump"]["size"])
        if wanted.beside:
            return [Part(wanted.beside, int(manifest["totals"]["bytes"]) + dump, at_most=True)]
        sizes = {source["name"]: int(source["bytes"]) for source in manifest["sources"]}
        found = [Part(path, sizes[name]) for name, path in wanted.trees]
    except (KeyError, TypeError, ValueError):
        return []
    return [*found, Part(wanted.scratch, dump)] if wanted.database is not None else found


def on_volumes(parts: Iterable[Tuple[Part, Volume]]) -> List[Room]:
    """One for each volume, which must hold all that comes to it."""
    grouped: Dict[str, List[Tuple[Part, Volume]]] = {}
    for part, volume in parts:
        grouped.setdefault(volume.name, []).append((part, volume))
    rooms = []
    for of in grouped.values():
        known = [volume.free for _part, volume in of if volume.free is not None]
        where = " and ".join(part.path for part, _volume in of)
        needed = sum(part.size for part, _volume in of)
        at_most = any(part.at_most for part, _volume in of)
        rooms.append(Room(where, needed, min(known) if known else None, at_most))
    return rooms


def on_server(manifest: Optional[Mapping[str, Any]], wanted: Wanted) -> List[Room]:
    """For the new database. Its log comes on top, which only the server tells of."""
    if manifest is None or wanted.database is None:
        return []
    size = manifest["database"].get("database", {}).get("size")
    if not isinstance(size, int):
        return []
    return [Room(wanted.database, size, wanted.free, at_most=wanted.tables)]


def require(rooms: Iterable[Room]) -> None:
    """Raises NoSpace with every place that is known to be too small."""
    short = [room for room in rooms if room.short]
    if short:
        told = "; ".join(f"{room.where}: {room.free} bytes are free, {room.needed} are needed" for room in short)
        raise NoSpace(told, rooms=[room.as_body() for room in short])
