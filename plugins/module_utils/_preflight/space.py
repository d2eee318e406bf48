# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is there room for the dump, the ZIP and its mirror? Asked before a byte is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import NoSpace

MARGIN = 1.2  # a set may be that much larger than the one before


@dataclass(frozen=True)
class Demand:
    """What a run will write, in bytes."""

    dump: int
    zip: int


def estimate(*, last_zip: Optional[int], last_dump: Optional[int], sources: int, database: Optional[int]) -> Demand:
    """The demand: the last set's sizes and a margin, or for a first run no less than what could be needed.

    :param sources: the bytes of all source files.
    :param database: the database's size on the server; a dump is smaller, as it holds no indexes and is compressed.
    """
    if last_zip is not None and last_dump is not None:
        return Demand(dump=int(last_dump * MARGIN), zip=int(last_zip * MARGIN))
    dump = database or 0
    return Demand(dump=dump, zip=sources + dump)


@dataclass(frozen=True)
class Target:
    """A directory, the volume it lies on, and what is free there."""

    path: str
    volume: str
    free: int


def shortages(
    demand: Demand, *, scratch: Target, local: Target, mirror: Optional[Target], min_free: int
) -> List[NoSpace]:
    """One failure for each volume that would not hold its part; volumes that carry two parts must hold both.

    :param min_free: what must be left on every volume afterwards.
    """
    needs: Dict[str, List[Tuple[Target, int]]] = {}
    parts = [(scratch, demand.dump), (local, demand.zip)]
    if mirror is not None:
        parts.append((mirror, demand.zip))
    for target, size in parts:
        needs.setdefault(target.volume, []).append((target, size))
    return [problem for volume, of in needs.items() for problem in _shortage(volume, of, min_free)]


def _shortage(volume: str, parts: List[Tuple[Target, int]], min_free: int) -> List[NoSpace]:
    needed = sum(size for target, size in parts) + min_free
    free = min(target.free for target, size in parts)
    if free >= needed:
        return []
    paths = sorted({target.path for target, size in parts})
    where = " and ".join(paths)
    message = f"{where}: {free} bytes are free, about {needed} are needed"
    return [NoSpace(message, volume=volume, paths=paths, free=free, needed=needed)]
