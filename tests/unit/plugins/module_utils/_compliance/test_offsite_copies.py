# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R3 and the copies offsite: told where there are some, needed where the inventory says so."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import Offsite, OffsiteCopy
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import Draft
from ansible_collections.wst.backup.plugins.module_utils._compliance.gather import Request, offsite_of
from ansible_collections.wst.backup.plugins.module_utils._compliance.offsite import judge_offsite
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._offsite.record import Copy, Known, Memory
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy as Keep

NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GAP = 26 * HOUR
GOOD = OffsiteCopy("wst-backup-1", NOW - HOUR, "https://x/c/p", NOW - HOUR, "a legal hold")
OLD = replace(GOOD, stem="wst-backup-0", time=NOW - 30 * HOUR)


def judged(*copies: OffsiteCopy, expected: bool = False, unread: str = "") -> Draft:
    """What the rule says."""
    draft = Draft()
    judge_offsite(Offsite(copies, expected=expected, unread=unread), NOW, GAP, draft)
    return draft


def test_without_copies_nothing_is_said_unless_they_are_asked_for() -> None:
    """The doctrine recommends them."""
    assert judged() == Draft()
    assert judged(expected=True).wrong == ["there is no good copy offsite"]


def test_a_good_copy_is_evidence() -> None:
    """When it was made and when it was read back; where it is asked for, when that turns."""
    plain, asked = judged(GOOD, OLD), judged(GOOD, OLD, expected=True)
    for draft in (plain, asked):
        assert (draft.wrong, draft.unknown, draft.warnings) == ([], [], [])
        assert [each.what for each in draft.evidence] == [
            "newest copy offsite: wst-backup-1",
            "read back in full: wst-backup-1",
        ]
    assert plain.turns == []
    assert asked.turns == [(NOW + 25 * HOUR, "without a new copy offsite by then")]


@pytest.mark.parametrize(
    ("copies", "said"),
    [
        ([OLD], "is 1.2 days old"),
        ([replace(GOOD, verified_at=NOW - 61 * DAY)], "last read back on 2026-10-01"),
        ([replace(GOOD, verified_at=NOW + DAY)], "last read back on 2026-12-02"),
        ([replace(GOOD, problem="it differs")], "there is no good copy offsite"),
        ([replace(GOOD, time=NOW + DAY), OLD], "is 1.2 days old"),
    ],
    ids=["old", "long unread", "read in the future", "damaged", "made in the future"],
)
def test_what_is_wrong_is_a_warning_or_a_fault(copies: List[OffsiteCopy], said: str) -> None:
    """By whether copies are asked for."""
    assert said in " ".join(judged(*copies).warnings)
    assert judged(*copies).wrong == []
    assert said in " ".join(judged(*copies, expected=True).wrong)


def test_a_damaged_copy_is_named_though_a_newer_one_is_good() -> None:
    """The newest good one is what counts."""
    draft = judged(GOOD, replace(OLD, problem="it differs"), expected=True)
    assert (draft.wrong, draft.warnings) == ([], ["copies offsite that are not what they were: wst-backup-0"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"protection": ""}, "nothing was seen that keeps"),
        ({"immutable_until": NOW}, "immutable no longer, since 2026-12-01"),
        ({"immutable_until": NOW + DAY}, ""),
    ],
)
def test_a_copy_that_anybody_may_delete_is_warned_of(changes: Any, said: str) -> None:
    """Also where its immutability has run out since."""
    assert said in " ".join(judged(replace(GOOD, **changes), expected=True).warnings)
    assert bool(said) == bool(judged(replace(GOOD, **changes)).warnings)


def test_records_that_cannot_be_read_are_unknown_where_copies_are_asked_for() -> None:
    """And a warning elsewhere."""
    assert "cannot be read (x)" in judged(unread="x", expected=True).unknown[0]
    assert "cannot be read (x)" in judged(unread="x").warnings[0]


# --- what is on record ----------------------------------------------------------------------------------------------


def request_for(root: Path, *, expected: bool = False) -> Request:
    """For that host root."""
    layout = HostLayout(str(root))
    return Request(layout, (), "wst-backup", Keep(), (), DAY, DAY, None, None, offsite_expected=expected)


def test_the_records_of_every_place_are_read_the_newest_first(tmp_path: Path) -> None:
    """Where there are none, that is no failure."""
    assert offsite_of(request_for(tmp_path)) == Offsite()
    os.mkdir(tmp_path / "offsite")
    for day, until in ((1, None), (2, NOW)):
        artifact = artifact_of_run(f"2026112{day}-120000-0000aaaa", "wst-backup")
        write_copy(tmp_path, artifact, f"https://x/{day}", until)
    (tmp_path / "offsite" / "lock").write_text("")
    found = offsite_of(request_for(tmp_path, expected=True))
    assert found.expected
    assert [(copy.stem[-15:], copy.place, copy.immutable_until) for copy in found.copies] == [
        ("20261122-120000", "https://x/2", NOW),
        ("20261121-120000", "https://x/1", None),
    ]


def write_copy(root: Path, artifact: Any, place: str, until: Optional[datetime]) -> None:
    """A record as the step writes it."""
    known = Known("b", 1, "aa", '"1"')
    copy = Copy(artifact.stem, place, known, known, NOW, NOW, "a hold", until)
    Memory(str(root / "offsite"), place, "wst-backup").write(artifact, copy)


@pytest.mark.posix
def test_records_that_cannot_be_listed_hide_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told as that."""
    os.mkdir(tmp_path / "offsite")

    def denied(_path: str) -> Any:
        raise PermissionError(13, "denied")

    monkeypatch.setattr("ansible_collections.wst.backup.plugins.module_utils._platform.api.scan", denied)
    assert offsite_of(request_for(tmp_path)).unread.startswith("path_permissions: ")
