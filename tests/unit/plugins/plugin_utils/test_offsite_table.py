# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks about offsite copies show."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.plugin_utils._offsite_table import offsite_table


def test_every_copy_has_a_line_the_newest_first() -> None:
    """And the end says how much was sent, and what protects it."""
    result = {
        "uploaded": ["b-3"],
        "verified": ["b-2"],
        "present": ["b-1"],
        "gone": ["b-0"],
        "bytes": 2048,
        "place": "https://x/c/p",
        "protection": "a legal hold",
    }
    assert offsite_table(result) == [
        "ARTIFACT  OFFSITE",
        "b-3       sent and proved",
        "b-2       read back",
        "b-1       there",
        "b-0       no longer there",
        "2.0 KiB sent to https://x/c/p; protected by: a legal hold",
    ]


def test_nothing_to_send_is_said() -> None:
    """As is that nothing protects it."""
    assert offsite_table({"bytes": 0, "place": "p", "protection": ""}) == [
        "no set counts that could be offsite",
        "0 B sent to p; protected by: nothing seen",
    ]


def test_what_is_there_and_where_a_set_is_now() -> None:
    """With and without a set that was fetched."""
    sets = [{"artifact": "b-3", "size": 1024}]
    assert offsite_table({"sets": sets}) == ["ARTIFACT  SIZE", "b-3       1.0 KiB"]
    assert offsite_table({"sets": [], "artifact": "b-3", "path": "D:\\b-3.zip"}) == [
        "no complete set is there",
        "b-3: D:\\b-3.zip",
    ]
