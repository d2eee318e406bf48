# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remarks on an artifact: what was left out or stored otherwise than it stood, with a bound on their number.

Each is counted; the first ``LIMIT`` are kept with their path. An archive that leaves out a million allowed files must
not need memory for a million remarks.
"""

from __future__ import annotations

from typing import Any, Dict, List

from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import printable

GREW = "grew"  # stored at the size it had when it was opened
CHANGED = "changed"  # kept changing while it was read; allowed
UNREADABLE = "unreadable"  # left out; allowed
VANISHED = "vanished"  # gone between listing and opening; allowed
SECRET = "secret"  # nosec B105  # noqa: S105 - a kind of remark; left out, always
STREAMS = "streams"  # the file is stored, its alternate data streams are not
PERMISSIONS = "permissions"  # stored, but its access list could not be read and is not recorded
LIMIT = 1000
_FEW = {STREAMS: 100, PERMISSIONS: 100}  # kinds that whole trees can have must not crowd out the others


class Notes:
    """Remarks as they come."""

    def __init__(self) -> None:
        self._counts: Dict[str, int] = {}
        self._first: List[Dict[str, str]] = []

    def add(self, kind: str, path: str, reason: str = "") -> None:
        """One more remark on a member path."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if len(self._first) < LIMIT and self._counts[kind] <= _FEW.get(kind, LIMIT):
            self._first.append({"kind": kind, "path": printable(path), "reason": printable(reason)})

    def body(self) -> Dict[str, Any]:
        """The remarks as they stand in the manifest."""
        return {"counts": dict(self._counts), "first": list(self._first)}
