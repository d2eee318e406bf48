# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at the sources before anything is written: how much there is, and every name that cannot be archived."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Dict, List, NoReturn, Sequence, Tuple, Type

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import printable
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import is_packed
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found, Walker
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._platform import api

SHOWN = 50  # problems of one kind that a failure's facts name
CLASSIC_PATH = 259  # characters; programs without long path support open no longer ones (MAX_PATH less a NUL)


@dataclass
class Totals:
    """How much there is; ``bytes`` are those of all files."""

    files: int = 0
    directories: int = 0
    links: int = 0
    bytes: int = 0

    def add(self, other: Totals) -> None:
        """Count the other in."""
        self.files += other.files
        self.directories += other.directories
        self.links += other.links
        self.bytes += other.bytes

    def body(self) -> Dict[str, int]:
        """As data."""
        return asdict(self)


@dataclass
class Survey:
    """What was seen. ``least`` is the smallest size in bytes that the archive can be expected to have."""

    totals: Totals = field(default_factory=Totals)
    least: int = 0
    long_paths: int = 0  # entries whose own path is longer than CLASSIC_PATH
    problems: List[BackupError] = field(default_factory=list)  # one for each kind, with every entry that has it


class _Complaints:
    """Problems by failure class; the first of each are kept, all are counted."""

    def __init__(self) -> None:
        self._by_class: Dict[Type[BackupError], List[Tuple[str, str]]] = {}
        self._counts: Dict[Type[BackupError], int] = {}

    def add(self, failure: Type[BackupError], path: str, reason: str) -> None:
        self._counts[failure] = self._counts.get(failure, 0) + 1
        kept = self._by_class.setdefault(failure, [])
        if len(kept) < SHOWN:
            kept.append((path, reason))

    def problems(self) -> List[BackupError]:
        return [_problem(failure, kept, self._counts[failure]) for failure, kept in self._by_class.items()]


def raise_complaint(failure: Type[BackupError], path: str, reason: str) -> NoReturn:
    """Raise the problem at once."""
    raise _problem(failure, [(path, reason)], 1)


def _problem(failure: Type[BackupError], kept: List[Tuple[str, str]], count: int) -> BackupError:
    entries = [{"path": printable(path), "reason": printable(reason)} for path, reason in kept]
    shown = "; ".join("{path} ({reason})".format(**entry) for entry in entries[:3])
    more = f" and {count - 3} more" if count > 3 else ""
    return failure(f"{shown}{more}.", entries=entries, count=count)


def survey(sources: Sequence[Source], *, guard: Guard) -> Survey:
    """Walk all sources without opening a file; tells every entry that cannot be archived."""
    result = Survey()
    complaints = _Complaints()
    for source in sources:
        walker = Walker(source, guard=guard, notes=Notes(), complain=complaints.add)
        for found in walker.walk():
            _jobs.progress(result.totals.files, None, found.path)
            _count(result, found)
    result.problems = complaints.problems()
    return result


def _count(result: Survey, found: Found) -> None:
    if len(found.entry.path) > CLASSIC_PATH:
        result.long_paths += 1
    if found.entry.kind == api.DIRECTORY:
        result.totals.directories += 1
    elif found.entry.kind == api.LINK:
        result.totals.links += 1
    else:
        result.totals.files += 1
        result.totals.bytes += found.entry.size
        # Text rarely deflates to less than a tenth; what is packed already stays as large as it is.
        result.least += found.entry.size if is_packed(found.entry.name) else found.entry.size // 10
