# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``files_compare``: is a tree what an artifact says it is?"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import MANIFEST, MEMBERS
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import fold
from ansible_collections.wst.backup.plugins.module_utils._archive.members import DIRECTORY, FILE, LINK, Member
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    DrillMismatch,
    InputInvalid,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._hashing import sha256_of
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Entry
from ansible_collections.wst.backup.plugins.module_utils._restore import differences as kinds
from ansible_collections.wst.backup.plugins.module_utils._restore.differences import (
    Difference,
    Seen,
    Tally,
    differences,
    is_worth_reading,
    joined,
)
from ansible_collections.wst.backup.plugins.module_utils._restore.extract import survey
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import Artifact, opened
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection
from ansible_collections.wst.backup.plugins.module_utils._restore.treewalk import walk
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_file

_NAMED = 5  # differences in a message


@dataclass(frozen=True)
class Request:
    """What the module was asked for.

    :ivar tree: the directory that holds what the artifact has at its top.
    """

    layout: HostLayout
    path: str
    tree: str
    selection: Selection
    sidecar: Optional[str] = None
    ignore: Sequence[str] = ()
    show: int = 20
    report_only: bool = False


def compare(request: Request) -> Dict[str, Any]:
    """Compare, and change nothing. Raises DrillMismatch, unless it shall only report, and what reading has."""
    began = time.monotonic()
    with held_file(request.layout, request.path), opened(request.path, sidecar=request.sidecar) as artifact:
        if artifact.found is None:
            raise ArtifactIncomplete("it has no member list that a tree could be compared with")
        comparison = Comparison(artifact, request)
        comparison.run()
    result = {
        "artifact": artifact.name,
        "tree": request.tree,
        "equal": comparison.tally.equal,
        "differences": comparison.tally.body(),
        "not_compared": comparison.not_compared(),
        **comparison.compared,
        "seconds": round(time.monotonic() - began, 1),
    }
    if not comparison.tally.equal and not request.report_only:
        raise _mismatch(result)
    return result


def _mismatch(result: Dict[str, Any]) -> DrillMismatch:
    told = result["differences"]
    counts = ", ".join(f"{count} {kind}" for kind, count in told["counts"].items())
    first = "; ".join(f"{each['path']} ({each['kind']})" for each in told["first"][:_NAMED])
    return DrillMismatch(f"{result['tree']} is not what {result['artifact']} holds: {counts}: {first}", **result)


class Comparison:
    """One walk through list and tree."""

    def __init__(self, artifact: Artifact, request: Request) -> None:
        self._artifact = artifact
        self._tree = request.tree
        self._selection = replace(request.selection, dump=artifact.dump())
        self._kept = api.kept_metadata()
        self._expected = 0
        self.tally = Tally(show=request.show, ignored=request.ignore)
        self.compared = {"files": 0, "directories": 0, "links": 0, "bytes": 0}

    def run(self) -> None:
        """Everything; raises by name what the artifact has, and where the tree cannot be listed at all."""
        _jobs.step("plan", unit="members")
        plan = survey(self._artifact, self._selection)
        if not (plan.totals.files or plan.totals.directories or plan.totals.links):
            raise InputInvalid(f"nothing in {self._artifact.path} is selected", path=self._artifact.path)
        self._expected = plan.totals.bytes
        tops = self._tops()
        _jobs.step("compare")
        seen: Set[str] = set()
        members = (member for member, _entry in self._artifact.members())
        for top, group in itertools.groupby(members, key=lambda member: member.path.split("/", 1)[0]):
            if fold(top) in seen:
                raise ArtifactDamaged(f"its members.jsonl comes back to {top}", path=top)
            seen.add(fold(top))
            self._compare_group(top, group, tops.pop(top, None))
        for name in sorted(set(tops) - {MANIFEST, MEMBERS}):  # which other programs extract too
            self.tally.add(Difference(kinds.EXTRA, name, found=tops[name].kind))

    def not_compared(self) -> List[str]:
        """What this system does not have, so that it says nothing about it."""
        missing = [] if self._kept.attributes else [kinds.ATTRIBUTES]
        return missing if self._kept.access_lists else [*missing, kinds.PERMISSIONS, kinds.OWNER]

    def _tops(self) -> Dict[str, Entry]:
        try:
            return {entry.name: entry for entry in api.scan(self._tree)}
        except OSError as error:
            raise translate_oserror(error, self._tree) from error

    def _compare_group(self, top: str, group: Iterator[Member], entry: Optional[Entry]) -> None:
        """A source's tree, or a file at the top."""
        entries = iter(()) if entry is None else walk(top, entry, self._unreadable)
        for member, found, path in joined(group, entries):
            _jobs.check()
            wanted = member is not None and self._selection.wants(path, is_directory=member.kind == DIRECTORY)
            if member is not None and found is not None and (wanted or member.kind == DIRECTORY):
                self._compare(member, found)
            elif found is not None:
                self.tally.add(Difference(kinds.EXTRA, path, found=found.kind))
            elif member is not None and wanted:
                self.tally.add(Difference(kinds.MISSING, path, expected=member.kind))

    def _compare(self, member: Member, entry: Entry) -> None:
        try:
            seen = self._look(member, entry)
        except OSError as error:
            self._unreadable(member.path, error)
            return
        self.compared["files"] += member.kind == FILE
        self.compared["directories"] += member.kind == DIRECTORY
        self.compared["links"] += member.kind == LINK
        for difference in differences(member, seen, self._kept):
            self.tally.add(difference)

    def _look(self, member: Member, entry: Entry) -> Seen:
        """What the entry is; only as much is read as can tell."""
        asked = self._kept.access_lists and member.sddl is not None and entry.kind == member.kind
        seen = Seen(
            kind=entry.kind,
            size=self._size(member, entry),
            mtime_ns=entry.mtime_ns,
            attributes=entry.attributes,
            target=entry.target(),
            sddl=api.sddl(entry.path) if asked else None,
        )
        if not is_worth_reading(member, seen):
            return seen
        digest, size = sha256_of(self._reading(entry))
        return replace(seen, sha256=digest, size=size)

    def _size(self, member: Member, entry: Entry) -> int:
        """A directory's copy of a size can be old on Windows, so a difference is asked of the file itself."""
        if not (entry.kind == member.kind == FILE) or entry.size == member.size:
            return entry.size
        with api.open_source(entry.path) as file:
            return api.facts_of(file).size

    def _reading(self, entry: Entry) -> Iterator[bytes]:
        """The bytes that the disk holds, past the cache."""
        for chunk in api.read_uncached(entry.path):
            self.compared["bytes"] += len(chunk)
            _jobs.progress(self.compared["bytes"], self._expected, entry.path)
            yield chunk

    def _unreadable(self, path: str, error: OSError) -> None:
        self.tally.add(Difference(kinds.UNREADABLE, path, found=error.strerror or type(error).__name__))
