# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry has beside its content: an access list, which is recorded, and streams, which a ZIP cannot hold."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive import notes as remarks
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found
from ansible_collections.wst.backup.plugins.module_utils._platform import api

SHOWN = 5  # names of one entry's streams that a remark has


class Remark(NamedTuple):
    """On an entry: the kind of ``notes``, and the reason."""

    kind: str
    reason: str


class Beside:
    """Looks at files and directories, after they were read; what it cannot tell is a remark, never a guess. Threads may
    share one.

    Asking for streams costs one more opening of each entry, so that is done only where the volume can have some.

    :param source: the path of the tree.
    """

    def __init__(self, source: str) -> None:
        try:
            self._ask_streams = api.volume(source).named_streams is not False
        except OSError:
            self._ask_streams = True

    def look(self, found: Found) -> Tuple[Optional[str], List[Remark]]:
        """The entry's SDDL, where it does not only inherit, and what is to be remarked."""
        remarked: List[Remark] = []
        try:
            sddl = api.explicit_aces(found.entry.path)
        except FileNotFoundError:
            return None, remarked  # gone since it was read: nothing is left to be asked
        except OSError as error:
            remarked.append(Remark(remarks.PERMISSIONS, _words(error)))
            sddl = None
        if self._ask_streams:
            remarked += _look_for_streams(found)
        return sddl, remarked


def _look_for_streams(found: Found) -> List[Remark]:
    try:
        names = api.named_streams(found.entry.path)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [Remark(remarks.STREAMS, f"it could not be told whether there are any: {_words(error)}")]
    if not names:
        return []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [Remark(remarks.STREAMS, "not kept: " + ", ".join(names[:SHOWN]) + more)]


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__
