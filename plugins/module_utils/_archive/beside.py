# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry has beside its content: an access list, which is recorded, and streams, which a ZIP cannot hold."""

from __future__ import annotations

from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._archive import notes as remarks
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found
from ansible_collections.wst.backup.plugins.module_utils._platform import api

SHOWN = 5  # names of one entry's streams that a remark has


class Beside:
    """Looks at files and directories, after they were stored; what it cannot tell is a remark, never a guess."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._ask_streams = True

    def enter(self, source: str) -> None:
        """Another source. Asking costs one more opening of each entry, so only where its volume can have streams."""
        try:
            self._ask_streams = api.volume(source).named_streams is not False
        except OSError:
            self._ask_streams = True

    def look(self, found: Found) -> Optional[str]:
        """The entry's SDDL, where it does not only inherit."""
        try:
            sddl = api.explicit_aces(found.entry.path)
        except FileNotFoundError:
            return None  # gone since it was stored: nothing is left to be asked
        except OSError as error:
            self._notes.add(remarks.PERMISSIONS, found.path, _words(error))
            sddl = None
        if self._ask_streams:
            self._look_for_streams(found)
        return sddl

    def _look_for_streams(self, found: Found) -> None:
        try:
            names = api.named_streams(found.entry.path)
        except FileNotFoundError:
            return
        except OSError as error:
            self._notes.add(remarks.STREAMS, found.path, f"it could not be told whether there are any: {_words(error)}")
            return
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            self._notes.add(remarks.STREAMS, found.path, "not kept: " + ", ".join(names[:SHOWN]) + more)


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__
