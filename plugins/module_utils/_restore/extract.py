# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes an artifact's members into a directory: contents first, then what makes names point elsewhere, then times.

The list is read once for each pass, as a stream; nothing of it is held.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import BinaryIO, Iterator

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive.content import Listed
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import printable
from ansible_collections.wst.backup.plugins.module_utils._archive.members import DIRECTORY, FILE, LINK, Member
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._newfile import created
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import Artifact
from ansible_collections.wst.backup.plugins.module_utils._restore.putback import PutBack
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection

CLUSTER = 4096  # bytes that a file takes at least, and in whose multiples it grows


@dataclass
class Plan:
    """What a selection means. ``space`` is what it needs on a disk, in bytes."""

    totals: Totals = field(default_factory=Totals)
    space: int = 0
    access_lists: int = 0


def survey(artifact: Artifact, selection: Selection) -> Plan:
    """Count what would be restored, and prove the list on the way; raises by name."""
    plan = Plan()
    for member, _entry in artifact.proved_members():
        _jobs.check()
        if not selection.wants(member.path, is_directory=member.kind == DIRECTORY):
            continue
        plan.totals.files += member.kind == FILE
        plan.totals.directories += member.kind == DIRECTORY
        plan.totals.links += member.kind == LINK
        plan.totals.bytes += member.size
        plan.space += max(1, -(-member.size // CLUSTER)) * CLUSTER
        plan.access_lists += member.sddl is not None
    return plan


class Extractor:
    """Fills a directory that is new and ours.

    :param into: the directory.
    :param lost: takes what could not be put back.
    """

    def __init__(self, artifact: Artifact, selection: Selection, plan: Plan, *, into: str, lost: Notes) -> None:
        self._artifact = artifact
        self._selection = selection
        self._plan = plan
        self._into = into
        self._put_back = PutBack(lost)
        self._made = ""  # the directory that was seen to be there last
        self._done = 0
        self.totals = Totals()

    def extract(self, *, access_lists: bool) -> Totals:
        """Everything that is selected; raises by name, and the directory is then worthless.

        :param access_lists: whether to put those back, too.
        """
        _jobs.step("extract")
        self._contents()
        self._links()
        self._finish_directories()
        if access_lists and self._plan.access_lists:
            self._access_lists()
        return self.totals

    def _contents(self) -> None:
        """Directories and files, each proved while it is written."""
        for member, entry in self._selected():
            if entry is None:
                continue  # a link
            if member.kind == DIRECTORY:
                for _nothing in self._artifact.reader.content(entry):
                    pass  # there is none, which is proved by that, with the local header
                self._ensure_directory(member.path)
                self.totals.directories += 1
            else:
                self._ensure_directory(member.path.rpartition("/")[0])
                self._write(member, entry)
                self.totals.files += 1
                self.totals.bytes += member.size

    def _links(self) -> None:
        """After all contents: nothing is ever written through one."""
        if not self._plan.totals.links:
            return
        for member, _entry in self._selected():
            if member.kind == LINK:
                self._ensure_directory(member.path.rpartition("/")[0])
                self.totals.links += self._put_back.link(self._path(member.path), member)

    def _finish_directories(self) -> None:
        """Names made durable, then attributes and times: nothing is written into them any more."""
        for member, _entry in self._artifact.members():
            _jobs.check()
            path = self._path(member.path)
            # Those above what is selected were made too, and shall look as they did.
            if member.kind != DIRECTORY or not os.path.isdir(api.long_path(path)):
                continue
            try:
                api.flush_directory(path)
            except OSError as error:
                raise translate_oserror(error, path) from error
            self._put_back.attributes(path, member)
            self._put_back.time(path, member)

    def _access_lists(self) -> None:
        """Last, for one may close its entry to us; a directory before what inherits from it."""
        for member, _entry in self._selected():
            if member.kind != LINK:
                self._put_back.access_list(self._path(member.path), member)

    def _selected(self) -> Iterator[Listed]:
        for member, entry in self._artifact.members():
            _jobs.check()
            if self._selection.wants(member.path, is_directory=member.kind == DIRECTORY):
                yield member, entry

    def _path(self, member_path: str) -> str:
        return os.path.join(self._into, *member_path.split("/"))

    def _ensure_directory(self, member_path: str) -> None:
        if member_path in ("", self._made):
            return
        path = self._path(member_path)
        try:
            os.makedirs(api.long_path(path), exist_ok=True)
        except OSError as error:
            raise translate_oserror(error, path) from error
        self._made = member_path

    def _write(self, member: Member, entry: ZipEntry) -> None:
        path = self._path(member.path)
        with created(path, private=False) as file:
            digest = self._fill(file, path, entry)
        if member.sha256 is not None and (digest, entry.size) != (member.sha256, member.size):
            shown = printable(member.path)
            raise ArtifactDamaged(
                f"the member {shown} is not what the member list says",
                path=shown,
                expected=member.sha256,
                found=digest,
            )
        self._put_back.time(path, member)
        self._put_back.attributes(path, member)

    def _fill(self, file: BinaryIO, path: str, entry: ZipEntry) -> str:
        """The content's SHA-256; what fails on the way to the disk is the target's failure, not the archive's."""
        digest = hashlib.sha256()
        for chunk in self._artifact.reader.content(entry):
            digest.update(chunk)
            self._done += len(chunk)
            _jobs.progress(self._done, self._plan.totals.bytes, entry.path)
            try:
                file.write(chunk)
            except OSError as error:
                raise translate_oserror(error, path) from error
        try:
            api.flush_file(file)
        except OSError as error:
            raise translate_oserror(error, path) from error
        return digest.hexdigest()
