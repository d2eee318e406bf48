# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils._set_tables import (
    repair_table,
    set_paths,
    sets_table,
    verify_failures,
    verify_record,
    verify_table,
)

COMPLETE = {"artifact": "b-2", "state": "complete", "counts": True, "level": 3, "size": 2048, "age": 3660, "reason": ""}
BAD = {"artifact": "b-1", "state": "complete", "counts": False, "level": 0, "size": 5, "age": 90000, "reason": "size"}
HALF = {
    "artifact": "b-3",
    "state": "unfinished",
    "counts": False,
    "level": 0,
    "size": None,
    "age": 5,
    "reason": "no sidecar",
}
LOCAL: dict[str, Any] = {
    "name": "local",
    "path": "C:\\wst-backups",
    "sets": [HALF, COMPLETE, BAD],
    "counting": 1,
    "free": 1024,
    "days_until_full": 12.4,
    "forecast": "2 sets",
    "foreign": [{"name": "x.zip", "size": 10, "reason": "no name of ours", "zip": True}],
    "problem": None,
}
MIRROR: dict[str, Any] = {
    "name": "mirror",
    "path": "/mnt/d/",
    "sets": [],
    "problem": {"code": "mirror_missing", "message": "D: is not there"},
}


def test_sets_foreign_files_and_forecast_are_shown() -> None:
    lines = sets_table([LOCAL, MIRROR])
    assert lines[0].split() == ["LAYER", "SET", "STATE", "COUNTS", "LEVEL", "SIZE", "AGE", "WHY"]
    assert lines[2].split() == ["local", "b-2", "complete", "yes", "3", "2.0", "KiB", "1h", "01m", "-"]
    assert lines[4] == "local C:\\wst-backups: 1 count, free 1.0 KiB, full in 12 days (2 sets)"
    assert lines[5] == "local C:\\wst-backups: foreign ZIP x.zip, 10 B (no name of ours)"
    assert lines[6] == "mirror /mnt/d/: mirror_missing, D: is not there"


def test_an_empty_layer_says_so() -> None:
    layer = {
        "name": "local",
        "path": "/b",
        "sets": [],
        "free": None,
        "days_until_full": None,
        "forecast": "too few sets",
    }
    assert sets_table([layer]) == ["no sets", "local /b: 0 count, free unknown, no forecast (too few sets)"]


def test_only_complete_sets_are_verified() -> None:
    mirror = {**MIRROR, "sets": [BAD]}
    assert set_paths([LOCAL, mirror], which="newest") == [
        {"path": "C:\\wst-backups\\b-2.zip", "layer": "local"},
        {"path": "/mnt/d/b-1.zip", "layer": "mirror"},
    ]
    odd = {**LOCAL, "sets": [*LOCAL["sets"], {**BAD, "state": "suspect"}, {**BAD, "state": "damaged"}]}
    assert [each["path"] for each in set_paths([odd], which="all")] == [
        "C:\\wst-backups\\b-2.zip",
        "C:\\wst-backups\\b-1.zip",
        "C:\\wst-backups\\b-1.zip",
    ]
    with pytest.raises(ValueError, match="newest"):
        set_paths([LOCAL], which="some")


@settings(max_examples=40, deadline=None)
@given(between=st.integers(1, 24), every=st.integers(2, 9))
def test_every_copy_is_read_in_time_and_none_much_oftener(between: int, every: int) -> None:
    """A month of daily sets, of which 14 are kept, asked what is due every so many hours."""
    start = datetime(2026, 11, 1)  # noqa: DTZ001 - only differences count
    read: dict[datetime, datetime] = {}
    for hour in range(0, 30 * 24, between):
        now = start + timedelta(hours=hour)
        made = start + timedelta(days=hour // 24)
        read.setdefault(made, made)  # a set is read in full when it is made
        kept = sorted(read)[-14:]
        assert all(now - read[each] <= timedelta(days=every) for each in kept), "a copy was not read in time"
        for each in due(kept, read, now, every):
            assert now - read[each] >= timedelta(days=every) / 2
            read[each] = now


def due(kept: list[datetime], read: dict[datetime, datetime], now: datetime, every: float) -> list[datetime]:
    """What is to be read now."""
    text = "%Y-%m-%dT%H:%M:%SZ"
    sets = [
        {
            "artifact": each.isoformat(),
            "state": "complete",
            "time": each.strftime(text),
            "age": (now - each).total_seconds(),
            "verified_at": read[each].strftime(text),
        }
        for each in kept
    ]
    chosen = set_paths([{"name": "x", "path": "/x", "sets": sets}], which="due", every_days=every)
    return [datetime.fromisoformat(each["path"][3:-4]) for each in chosen]


def test_a_set_that_was_never_read_is_due() -> None:
    never = {**COMPLETE, "verified_at": None, "time": "2026-11-30T15:00:00Z"}
    assert [each["path"] for each in set_paths([{**LOCAL, "sets": [never]}], which="due")] == [
        "C:\\wst-backups\\b-2.zip"
    ]


def test_a_failed_proof_shows_its_code_and_reason() -> None:
    good = {"item": "D:\\b-2.zip", "state": "complete", "level": 3, "files": 1000, "rows": 5, "remarks": []}
    bad = {"item": "D:\\b-1.zip", "failed": True, "code": "artifact_damaged", "msg": "artifact_damaged: CRC"}
    lines = verify_table([good, bad])
    assert "1,000" in lines[1]
    assert "ok" in lines[1]
    assert "artifact_damaged: CRC" in lines[2]
    assert verify_table([]) == ["no complete set to verify"]


PROVED = {"item": "C:\\b\\x.zip", "level": 3, "state": "complete", "files": 3, "rows": 4}


def test_what_was_proved_is_no_failure() -> None:
    assert verify_failures([PROVED], level=3, layers=[]) == []
    assert "ok" in verify_table([PROVED])[1]


@pytest.mark.parametrize(
    "result",
    [
        {"item": "x.zip", "failed": True, "msg": "MODULE FAILURE: see stdout", "rc": 1},
        {"item": "x.zip", "failed": False, "msg": "value of level must be one of: 1, 2, 3, got: 4"},
        {"item": "x.zip", "level": 2, "state": "foreign"},
        {"item": "x.zip", "code": "artifact_damaged", "msg": "artifact_damaged: a bit is wrong", "failed": False},
        {"item": "x.zip", "level": None},
    ],
)
def test_whatever_does_not_say_that_it_reached_the_level_is_a_failure(result: dict[str, Any]) -> None:
    (text,) = verify_failures([result], level=3, layers=[])
    assert "x.zip" in text


def test_a_failure_without_a_code_is_not_shown_as_ok() -> None:
    row = verify_table([{"item": "x.zip", "failed": True, "msg": "MODULE FAILURE"}])[1]
    assert "ok" not in row.split()
    assert "MODULE FAILURE" in row


def test_a_layer_that_cannot_be_read_or_has_nothing_to_verify_is_a_failure() -> None:
    gone = {"name": "mirror", "path": "D:\\b", "problem": {"code": "mirror_missing", "message": "there is no D:\\b"}}
    empty = {"name": "local", "path": "C:\\b", "sets": []}
    half = {**empty, "sets": [{"artifact": "a", "state": "unfinished", "reason": "it has no sidecar"}]}
    whole = {**empty, "sets": [{"artifact": "a", "state": "complete"}, *half["sets"]]}
    told = verify_failures([PROVED], level=3, layers=[gone, empty, half, whole])
    assert [text.split(":")[0] for text in told] == ["layer mirror at D", "layer local at C", "layer local at C"]
    assert "mirror_missing" in told[0]
    assert "it has no sidecar" in told[2]


def test_a_verification_is_recorded_with_what_it_proved_and_its_first_failure() -> None:
    good = verify_record([{**PROVED, "sha256": "ab"}], level=3, layers=[])
    assert (good["result"], good["code"], good["text"]) == ("success", "", "")
    assert good["details"]["proved"] == [{"file": "C:\\b\\x.zip", "level": 3, "sha256": "ab"}]
    bad = {"item": "y.zip", "code": "artifact_damaged", "msg": "artifact_damaged: a bit is wrong"}
    gone = {"name": "mirror", "path": "D:\\b", "problem": {"code": "mirror_missing", "message": "there is no D:\\b"}}
    told = verify_record([PROVED, bad], level=3, layers=[gone])
    assert (told["result"], told["code"]) == ("failure", "artifact_damaged")
    assert "y.zip" in told["text"]
    assert (len(told["details"]["proved"]), told["details"]["failures"]) == (1, 2)
    assert verify_record([], level=3, layers=[gone])["code"] == "mirror_missing"


@pytest.mark.parametrize(
    "recorded",
    [
        {"problem": {"code": "audit_broken", "message": "record 3 was changed", "remedy": "Keep it."}},
        {"failed": False, "code": "audit_broken", "msg": "audit_broken: record 3 was changed"},
        {"failed": True, "msg": "audit_broken or not, Ansible could not run the task"},
    ],
)
def test_a_verification_that_is_not_recorded_is_no_success(recorded: dict[str, Any]) -> None:
    (text,) = verify_failures([PROVED], level=3, layers=[], recorded=recorded)
    assert "audit_broken" in text
    assert verify_failures([PROVED], level=3, layers=[], recorded={"changed": True, "code": ""}) == []


def test_a_damaged_set_is_a_failure_of_every_verification_and_a_suspect_one_is_not() -> None:
    damaged = {"artifact": "b-0", "state": "damaged", "reason": "its ZIP is missing"}
    layer = {**LOCAL, "sets": [COMPLETE, {**BAD, "state": "suspect"}, damaged]}
    (text,) = verify_failures([PROVED], level=3, layers=[layer])
    assert "artifact_damaged: b-0 is damaged: its ZIP is missing" in text
    assert verify_record([PROVED], level=3, layers=[layer])["code"] == "artifact_damaged"


def test_what_a_repair_did_and_could_not_do() -> None:
    one = {"artifact": "b-1", "layer": "mirror", "source": "local", "damage": "a bit", "size": 2048}
    lost = {"artifact": "b-2", "layer": "local", "source": None, "damage": "gone", "size": 0, "reason": "no such set"}
    lines = repair_table({"repaired": [one], "hopeless": [lost]})
    assert lines[0].split() == ["LAYER", "SET", "FROM", "SIZE", "DAMAGE", "OUTCOME"]
    assert lines[1].split() == ["mirror", "b-1", "local", "2.0", "KiB", "a", "bit", "repaired"]
    assert "no such set" in lines[2]
    assert repair_table({"repaired": [], "hopeless": []}) == ["no set is damaged"]


def test_a_pin_is_shown_beside_why_a_set_does_not_count() -> None:
    pinned = {"at": "2026-11-23T12:00:00Z", "by": "me@here", "reason": "before version 5"}
    layer = {**LOCAL, "sets": [{**COMPLETE, "pinned": pinned}, {**BAD, "pinned": pinned}]}
    lines = sets_table([layer])
    assert lines[1].endswith("pinned: before version 5")
    assert lines[2].endswith("size; pinned: before version 5")
