# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the table at the end of a play says."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import _outcome
from ansible_collections.wst.backup.plugins.plugin_utils._tables import (
    age_text,
    count_text,
    duration_text,
    size_text,
    table,
)

DONE: dict[str, Any] = {
    "lock": {"run_id": "20261123-150000-1f2e3d4c"},
    "start": {"seq": 1},
    "end": {"seq": 2},
    "dump": {"rows": 12345},
    "archive": {"size": 5 * 1024 * 1024, "files": 1000},
    "verify": {"level": 3},
    "publish": {"artifact": "wst-backup-20261123-150000"},
    "mirror": {"mirrored": ["wst-backup-20261123-150000"]},
    "retention": {"plan": {"local": [{"action": "keep"}, {"action": "remove"}], "mirror": [{"action": "keep"}]}},
    "unlock": {},
}


def outcome(results: dict[str, Any], failed: dict[str, Any] | None = None, *, check: bool = False) -> dict[str, Any]:
    return _outcome.outcome(results, failed=failed or {}, began=100.0, ended=165.2, check=check)


def test_a_good_run_has_every_column() -> None:
    lines = _outcome.summary(["win1"], outcomes={"win1": outcome(DONE)}, active=["win1"])
    assert lines[0].split() == [
        *("HOST", "RESULT", "ARTIFACT", "SIZE", "FILES", "ROWS", "LEVEL", "MIRROR", "RETENTION", "DURATION"),
    ]
    assert [word in lines[1] for word in ("5.0 MiB", "1,000", "12,345", "1 copied", "removed 1+0", "1m05s")] == [
        True
    ] * 6


def test_a_failed_step_shows_its_code_and_only_what_was_done_before_it() -> None:
    failed = _outcome.failure(
        {
            "failed": True,
            "msg": "mirror_missing: D: is not there Attach it.",
            "code": "mirror_missing",
            "remedy": "Attach it.",
        },
        step="Mirror the set",
    )
    end = outcome({**DONE, "mirror": {"failed": True, "code": "mirror_missing"}, "retention": {}}, failed)
    lines = _outcome.summary(["win1"], outcomes={"win1": end}, active=["win1"])
    assert "mirror_missing" in lines[1]
    assert "wst-backup-20261123-150000" in lines[1]
    assert lines[-1] == "win1: failed at 'Mirror the set'. mirror_missing: D: is not there Attach it."


def test_a_proof_is_a_set_that_was_verified_and_whose_end_is_on_record() -> None:
    assert outcome(DONE)["proof"] == "wst-backup-20261123-150000"
    assert outcome(DONE, check=True)["proof"] == ""
    assert outcome(DONE, {"code": "no_space", "msg": "full"})["proof"] == ""
    for step in ("publish", "verify", "end"):
        for lacking in ({}, {"skipped": True}, {"failed": True, **DONE[step]}, None):
            assert outcome({**DONE, step: lacking})["proof"] == ""
    problem = {"problem": {"code": "content_anomaly", "message": "half of it"}}
    assert outcome({**DONE, "publish": {**DONE["publish"], **problem}})["proof"] == ""


def test_a_paused_host_has_not_failed_and_is_told() -> None:
    paused = {"failed": True, "msg": "host_paused: no backups until 2027-01-31.", "code": "host_paused", "remedy": ""}
    end = outcome({"lock": paused}, _outcome.failure(paused, step="Take the host's lock"))
    assert (end["code"], end["failed"]) == ("host_paused", False)
    lines = _outcome.summary(["win1"], outcomes={"win1": end}, active=["win1"])
    assert lines[1].split()[:2] == ["win1", "host_paused"]
    assert lines[-1] == "win1: host_paused: no backups until 2027-01-31."
    assert [outcome(DONE)["failed"], outcome(DONE, {"code": "no_space", "msg": "full"})["failed"]] == [False, True]


def test_hosts_that_never_answered_are_in_the_table_and_hosts_of_later_batches_are_not() -> None:
    lines = _outcome.summary(
        ["done", "gone", "later"], outcomes={"done": outcome(DONE), "gone": {}}, active=["done", "later"]
    )
    assert [line.split()[0] for line in lines] == ["HOST", "done", "gone", "gone:"]
    assert "unreachable" in lines[2]


def test_a_broken_audit_chain_fails_a_run_that_otherwise_went_well() -> None:
    problem = {"code": "audit_broken", "message": "record 3 was changed", "remedy": "Keep the segment.", "facts": {}}
    end = outcome({**DONE, "start": {"seq": 9, "broken": True, "code": "audit_broken", "problem": problem}})
    assert end["code"] == "audit_broken"
    assert end["msg"] == "audit_broken: record 3 was changed Keep the segment."
    assert end["artifact"] == "wst-backup-20261123-150000"


@pytest.mark.parametrize("step", ["start", "sweep", "mirror", "end"])
def test_what_a_step_carries_fails_the_run_and_hides_nothing_of_it(step: str) -> None:
    problem = {"code": "mirror_mismatch", "message": "bad", "remedy": "Look.", "facts": {}}
    end = outcome({**DONE, step: {**DONE.get(step, {}), "problem": problem}})
    assert (end["code"], end["step"], end["msg"]) == ("mirror_mismatch", step, "mirror_mismatch: bad Look.")
    good = outcome(DONE)
    assert {name: end[name] for name in ("artifact", "mirror", "retention")} == {
        name: good[name] for name in ("artifact", "mirror", "retention")
    }


def test_what_stopped_the_run_wins_over_what_it_carried_and_over_the_lock() -> None:
    failed = _outcome.failure({"code": "no_space", "msg": "no_space: full", "remedy": ""}, step="Dump")
    carried = {"problem": {"code": "audit_broken", "message": "x"}}
    unlock = _outcome.failure({"failed": True, "msg": "y"}, step="Release the host's lock")
    assert outcome({"start": carried, "unlock": unlock}, failed)["code"] == "no_space"
    assert outcome({"start": carried, "unlock": unlock})["code"] == "audit_broken"


def test_a_lock_that_cannot_be_released_fails_the_run() -> None:
    for result in ({"failed": True, "code": "connection_lost", "msg": "connection_lost: gone"}, {"msg": "no name"}):
        unlock = _outcome.failure(result, step="Release the host's lock")
        end = outcome({**DONE, "unlock": unlock})
        assert (end["code"], end["step"]) == (result.get("code", "input_invalid"), "Release the host's lock")


def test_what_stands_is_told_with_a_failure_that_came_after_it_and_with_nothing_else() -> None:
    broken = {"record": {"problem": {"code": "audit_broken", "message": "altered", "remedy": "Look."}}}
    told = _outcome.outcome(broken, failed={}, began=0, ended=0, check=False, stands="Production WAS replaced.")
    assert told["msg"] == "audit_broken: altered Look. Production WAS replaced."
    assert _outcome.outcome({}, failed={}, began=0, ended=0, check=False, stands="Done.")["msg"] == ""


def test_a_failure_without_a_code_is_the_inventory_s() -> None:
    named = _outcome.failure({"failed": True, "msg": "'x' is undefined"}, step="Dump the database")
    assert named["code"] == "input_invalid"
    assert named["msg"].startswith("input_invalid: 'x' is undefined ")
    assert named["remedy"] in named["msg"]


def test_code_and_remedy_are_on_the_screen_once() -> None:
    remedy = "Free space."
    named = _outcome.failure(
        {"msg": f"The disk is full. [no_space] {remedy}", "code": "no_space", "remedy": remedy}, step="s"
    )
    assert named["msg"] == "The disk is full. [no_space] Free space."


def test_the_mirror_says_what_was_copied_or_would_be() -> None:
    assert outcome({"mirror": {"mirrored": []}})["mirror"] == "up to date"
    assert outcome({"mirror": DONE["mirror"]})["mirror"] == "1 copied"
    assert outcome({"mirror": DONE["mirror"]}, check=True)["mirror"] == "would copy 1"


def test_check_mode_says_what_would_go() -> None:
    end = outcome({"retention": DONE["retention"]}, check=True)
    assert end["retention"] == "keep 1+1, would remove 1+0"
    assert "checked" in _outcome.summary(["h"], outcomes={"h": end}, active=[])[1]


def test_a_table_leaves_empty_columns_out_and_aligns_the_others() -> None:
    assert table(("A", "BB", "C"), [("1", "", "x"), ("222", "", "")]) == ["A    C", "1    x", "222  -"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (size_text(0), "0 B"),
        (size_text(1023), "1023 B"),
        (size_text(1536), "1.5 KiB"),
        (size_text(3 * 1024**4), "3.0 TiB"),
        (size_text(None), ""),
        (size_text(True), ""),
        (duration_text(0.2), "0s"),
        (duration_text(59.6), "1m00s"),
        (duration_text(3725), "1h02m05s"),
        (duration_text("x"), ""),
        (age_text(90000), "1d 1h"),
        (age_text(3660), "1h 01m"),
        (age_text(59), "0m"),
        (age_text(None), ""),
        (count_text(1234567), "1,234,567"),
        (count_text(None), ""),
    ],
)
def test_numbers_for_people(text: str, expected: str) -> None:
    assert text == expected
