# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the copies offsite, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._tables import size_text, table

_COPIES = ("ARTIFACT", "OFFSITE")
_SETS = ("ARTIFACT", "SIZE")
_SAID = {
    "uploaded": "sent and proved",
    "verified": "read back",
    "present": "there",
    "gone": "no longer there",
    "damaged": "damaged",
}


def offsite_table(result: Mapping[str, Any]) -> list[str]:
    """What ``backup_offsite`` did about each copy; of ``offsite_fetch`` what is there, and where a set is now."""
    if "sets" in result:
        return _fetched(result)
    rows = [(str(stem), said) for name, said in _SAID.items() for stem in result.get(name) or ()]
    lines = table(_COPIES, sorted(rows, reverse=True)) if rows else ["no set counts that could be offsite"]
    sent = size_text(result.get("bytes"))
    return [*lines, f"{sent} sent to {result.get('place')}; protected by: {result.get('protection') or 'nothing seen'}"]


def _fetched(result: Mapping[str, Any]) -> list[str]:
    rows = [(str(each["artifact"]), size_text(each["size"])) for each in result["sets"]]
    lines = table(_SETS, rows) if rows else ["no complete set is there"]
    return [*lines, f"{result['artifact']}: {result['path']}"] if result.get("path") else lines
