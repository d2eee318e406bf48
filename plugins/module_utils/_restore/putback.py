# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts back what an entry had beside its content. What cannot be put back is named and stops nothing."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.module_utils._archive.members import Member
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._errors import NoSpace
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._platform import api

# Kinds of what was not put back.
LINK = "link"
TIME = "time"
ATTRIBUTES = "attributes"
PERMISSIONS = "permissions"
OWNER = "owner"

MATTERS = 0x1 | 0x2 | 0x4 | 0x2000  # read-only, hidden, system, not content indexed
_DIRECTORY = 0x10


class PutBack:
    """Works on entries that are there with their content.

    :param lost: takes what could not be put back.
    """

    def __init__(self, lost: Notes) -> None:
        self._lost = lost
        self._kept = api.kept_metadata()

    def link(self, path: str, member: Member) -> bool:
        """Make the link anew; tells whether it could be. Raises NoSpace."""
        try:
            api.make_link(path, member.target or "", directory=bool(member.attributes & _DIRECTORY))
        except (OSError, ValueError) as error:  # ValueError: a target that no name can be
            self._note(LINK, path, member, error)
            return False
        self.time(path, member)
        return True

    def time(self, path: str, member: Member) -> None:
        """Its time. Raises NoSpace."""
        try:
            api.set_time(path, member.mtime_ns)
        except OSError as error:
            self._note(TIME, path, member, error)

    def attributes(self, path: str, member: Member) -> None:
        """Its attributes, where the system that it came from has any. Raises NoSpace."""
        if member.attributes & MATTERS & ~self._kept.attributes:
            self._lost.add(ATTRIBUTES, member.path, "this system has no such attributes")
        if not (member.attributes and self._kept.attributes):
            return
        try:
            api.set_attributes(path, member.attributes)
        except OSError as error:
            self._note(ATTRIBUTES, path, member, error)

    def access_list(self, path: str, member: Member) -> None:
        """Its access list and owner, where it had a list of its own. Raises NoSpace."""
        if member.sddl is None:
            return
        if not self._kept.access_lists:
            self._lost.add(PERMISSIONS, member.path, "this system has no access lists")
            return
        try:
            if not api.apply_sddl(path, member.sddl):
                self._lost.add(OWNER, member.path, "this account may not give it to its owner")
        except OSError as error:
            self._note(PERMISSIONS, path, member, error)

    def _note(self, kind: str, path: str, member: Member, error: Exception) -> None:
        if isinstance(error, OSError):
            named = translate_oserror(error, path)
            if isinstance(named, NoSpace):
                raise named from error
            self._lost.add(kind, member.path, error.strerror or type(error).__name__)
        else:
            self._lost.add(kind, member.path, f"{member.target!r} is no target")
