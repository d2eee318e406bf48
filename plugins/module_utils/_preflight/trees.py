# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walk the sources as the archive will, and collect what it would stumble over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Dict, List, Tuple, Type

from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import printable
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source, check_names, resolve
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Walker
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request

MAX_NAMED = 20  # entries named per kind of problem; the number of all of them is told
CLASSIC_PATH = 259  # characters; programs without long path support cannot open what is longer (MAX_PATH less a NUL)


@dataclass
class Tally:
    """What a source has for the artifact."""

    files: int = 0
    bytes: int = 0
    long_paths: int = 0


class Complaints:
    """Problems of a walk by kind, with a bound on how many are named."""

    def __init__(self) -> None:
        self._found: Dict[Type[BackupError], List[Tuple[str, str]]] = {}
        self._counts: Dict[Type[BackupError], int] = {}

    def add(self, failure: Type[BackupError], path: str, reason: str) -> None:
        """One entry that the archive would refuse."""
        self._counts[failure] = self._counts.get(failure, 0) + 1
        named = self._found.setdefault(failure, [])
        if len(named) < MAX_NAMED:
            named.append((printable(path), reason))

    def problems(self) -> List[BackupError]:
        """One failure for each kind."""
        return [self._problem(failure, named) for failure, named in self._found.items()]

    def _problem(self, failure: Type[BackupError], named: List[Tuple[str, str]]) -> BackupError:
        count = self._counts[failure]
        more = " and %d more" % (count - len(named)) if count > len(named) else ""
        listed = "; ".join("%s (%s)" % each for each in named)
        return failure("%s%s" % (listed, more), count=count, entries=[list(each) for each in named])


def check_sources(request: Request, report: Report) -> None:
    """Sources that are missing, names that Windows cannot hold, and the size of it all."""
    report.attempt(partial(check_names, request.sources, reserved=()))
    present: List[Source] = []
    report.attempt(lambda: present.extend(resolve(request.sources)))
    if not present:
        return
    guard = Guard(files=[request.key_file], directories=[request.root, request.local_dir, request.mirror_dir])
    tallies = {source.name: _walk(source, guard, report) for source in present}
    report.facts["sources"] = {name: {"files": t.files, "bytes": t.bytes} for name, t in tallies.items()}
    long_paths = sum(tally.long_paths for tally in tallies.values())
    if long_paths:
        report.warnings.append(
            "%d paths have more than %d characters: they are backed up, but programs without long path support "
            "cannot open them after a restore." % (long_paths, CLASSIC_PATH)
        )


def _walk(source: Source, guard: Guard, report: Report) -> Tally:
    tally, complaints = Tally(), Complaints()
    for found in Walker(source, guard=guard, notes=Notes(), complain=complaints.add).walk():
        if len(found.entry.path) > CLASSIC_PATH:
            tally.long_paths += 1
        if found.entry.kind == api.FILE:
            tally.files += 1
            tally.bytes += found.entry.size
    report.problems.extend(complaints.problems())
    return tally
