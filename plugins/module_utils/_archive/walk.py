# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walker: what lies below a source, in one order on every system, as a stream.

Entries come depth first, each directory before what is in it, names in the order in which Windows compares them. Links
are told with their target and never entered. Only the directories on the way down are held in memory.
"""

from __future__ import annotations

import os
from operator import itemgetter
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple, Type

from ansible_collections.wst.backup.plugins.module_utils._archive import notes as remarks
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import fold, path_problem
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    PathUnusable,
    SourceChanged,
    SourceUnreadable,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Entry

Complaint = Callable[[Type[BackupError], str, str], None]  # failure class, member path, reason

_NAMES = itemgetter(0, 1)
_REASONS = {
    api.SPECIAL: "a device, socket or pipe",
    api.PLACEHOLDER: "its content is not on this disk (cloud or archive placeholder)",
}


class Found(NamedTuple):
    """Something that belongs into the artifact."""

    path: str  # the member's path: the source's name, then as below
    relative: str  # below the source, with slashes; empty for its root
    entry: Entry


class Walker:
    """Walks one source.

    :param guard: what must stay out.
    :param notes: takes the remarks on what is allowed to be missing.
    :param complain: takes every problem that is not allowed; whether it raises or collects is its own affair. The
        entry that it is about is left out of the stream.
    """

    def __init__(self, source: Source, *, guard: Guard, notes: Notes, complain: Complaint) -> None:
        self._source = source
        self._guard = guard
        self._notes = notes
        self._complain = complain
        self.excluded = 0  # entries that matched an exclude pattern; what is below them is not counted

    def walk(self) -> Iterator[Found]:
        """Everything below the source, its root first."""
        root = self._root()
        if root is None:
            return
        yield root
        pending = [self._children(root)]  # the names still to come, last first, of each directory on the way down
        while pending:
            if not pending[-1]:
                pending.pop()
                continue
            found = pending[-1].pop()
            yield found
            if found.entry.kind == api.DIRECTORY:
                pending.append(self._children(found))

    def _root(self) -> Optional[Found]:
        try:
            status = os.stat(api.long_path(self._source.path))
        except OSError as error:
            self._failed(error, "")
            return None
        entry = Entry(
            name=self._source.name,
            path=self._source.path,
            kind=api.DIRECTORY,
            size=0,
            mtime_ns=status.st_mtime_ns,
            attributes=getattr(status, "st_file_attributes", 0),
        )
        return Found(path=self._source.name, relative="", entry=entry)

    def _children(self, directory: Found) -> List[Found]:
        """What a directory has for the artifact, in reverse order."""
        prefix = directory.relative + "/" if directory.relative else ""
        above = f"{self._source.name}/{prefix}"
        named: List[Tuple[str, str, Entry]] = []
        try:
            for entry in api.scan(directory.entry.path):
                if not self._is_excluded(prefix + entry.name, entry):
                    named.append((fold(entry.name), entry.name, entry))
        except OSError as error:
            self._failed(error, directory.relative)
            return []
        named.sort(key=_NAMES)
        children = []
        before = ("", "")
        for folded, name, entry in named:
            if folded == before[0]:
                self._complain(PathUnusable, above + name, f"the same name as {before[1]!r}")
            before = (folded, name)
            found = Found(above + name, prefix + name, entry)
            if self._is_usable(found):
                children.append(found)
        children.reverse()
        return children

    def _is_excluded(self, relative: str, entry: Entry) -> bool:
        is_directory = entry.kind == api.DIRECTORY
        if self._source.exclude.match(relative, is_directory=is_directory):
            self.excluded += 1
            return True
        if self._guard.knows(entry.path) or (is_directory and self._guard.knows_id(entry.file_id)):
            self._notes.add(remarks.SECRET, self._member(relative))
            return True
        return False

    def _is_usable(self, found: Found) -> bool:
        problem = path_problem(found.path)
        if problem is not None:
            self._complain(PathUnusable, found.path, f"the name has or is {problem}")
            return False
        reason = _REASONS.get(found.entry.kind)
        if reason is None:
            return True
        self.unreadable(found.relative, reason)
        return False

    def _failed(self, error: OSError, relative: str) -> None:
        if isinstance(error, FileNotFoundError):
            self.vanished(relative)
        else:
            self.unreadable(relative, error.strerror or type(error).__name__)

    def unreadable(self, relative: str, reason: str) -> None:
        """What cannot be read: a remark where that is allowed, a complaint where not."""
        self._allowed(self._source.allow_unreadable, SourceUnreadable, remarks.UNREADABLE, relative, reason)

    def vanished(self, relative: str) -> None:
        """What is gone since its directory was listed; the same."""
        reason = "gone since its directory was listed"
        self._allowed(self._source.allow_changed, SourceChanged, remarks.VANISHED, relative, reason)

    def _allowed(self, allowed: Patterns, failure: Type[BackupError], kind: str, relative: str, reason: str) -> None:
        if relative and allowed.covers(relative, is_directory=False):
            self._notes.add(kind, self._member(relative), reason)
        else:
            self._complain(failure, self._member(relative), reason)

    def _member(self, relative: str) -> str:
        return self._source.name + "/" + relative if relative else self._source.name
