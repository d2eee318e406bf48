# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and drills out of records, whole or not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._compliance.history import drills_of, runs_of

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=timezone.utc)
RUN = "20261130-120000-0000aaaa"


def record(event: str, time: str = "2026-11-30T12:00:00Z", **fields: Any) -> Dict[str, Any]:
    return {"event": event, "time": time, "run_id": RUN, "result": "none", "code": "", "details": {}, **fields}


def test_a_run_has_a_beginning_and_an_end() -> None:
    details = {"artifact": "wst-backup-20261130-120000", "size": "12", "files": 3.0, "rows": "many"}
    end = record("backup_end", "2026-11-30T12:04:00Z", result="success", details=details)
    (run,) = runs_of([record("backup_start"), record("verify"), end])
    assert run.ended is not None
    assert (run.ended - run.began).total_seconds() == 240
    assert (run.result, run.artifact, run.size, run.files, run.rows) == (
        "success",
        "wst-backup-20261130-120000",
        12,
        3,
        0,
    )


def test_a_run_without_an_end_was_interrupted_and_one_without_a_start_counts() -> None:
    assert [run.result for run in runs_of([record("backup_start")])] == ["interrupted"]
    (run,) = runs_of([record("backup_end", result="failure", code="db_lost")])
    assert (run.result, run.code, run.began) == ("failure", "db_lost", run.ended)


def test_a_run_that_has_the_host_is_not_over_and_nothing_else_is_left_out_for_it() -> None:
    start, other = record("backup_start"), record("backup_start", run_id="another")
    assert [run.run_id for run in runs_of([start, other], alive={RUN})] == ["another"]
    (run,) = runs_of([start, record("backup_end", result="success")], alive={RUN})
    assert run.result == "success", "its end is written before it gives the host back"


def test_suspect_is_a_result_of_its_own() -> None:
    (run,) = runs_of([record("backup_end", result="failure", code="content_anomaly")])
    assert run.result == "suspect"


def test_records_that_make_no_sense_are_passed_over() -> None:
    odd = [record("backup_start", run_id=""), record("backup_start", time="noon"), record("drill_end", time="noon")]
    assert (runs_of(odd), drills_of(odd, now=NOON)) == ((), ())
    (run,) = runs_of([record("backup_end", details=None, result=None)])
    assert (run.result, run.size) == ("failure", 0)


def test_drills() -> None:
    details = {"artifact": "a", "layer": "mirror", "age": 7200, "rto": 44}
    late = record("drill_end", "2026-11-30T14:00:00Z", result="success", details=details)
    early = record("drill_end", "2026-11-30T13:00:00Z", result="failure", code="drill_mismatch", run_id="")
    first, second = drills_of([record("drill_start"), late, early], now=NOON)
    assert (first.result, first.code, first.rto, first.run_id) == ("failure", "drill_mismatch", None, "")
    assert (second.result, second.layer, second.age, second.rto) == ("success", "mirror", 7200, 44)


def test_a_drill_without_an_end_died_and_one_that_may_still_run_is_left_out() -> None:
    start = record("drill_start", "2026-11-30T12:00:00Z")
    assert drills_of([start], now=NOON + timedelta(hours=24)) == ()
    (dead,) = drills_of([start], now=NOON + timedelta(hours=24, seconds=1))
    assert (dead.result, dead.code, dead.at, dead.run_id) == ("failure", "interrupted", NOON, RUN)


def test_drills_have_one_lock_so_one_that_began_before_another_does_not_run_any_more() -> None:
    start = record("drill_start", "2026-11-30T12:00:00Z")
    later = record("drill_start", "2026-11-30T13:00:00Z", run_id="next")
    assert [drill.run_id for drill in drills_of([start, later], now=NOON + timedelta(hours=2))] == [RUN]
    end = record("drill_end", "2026-11-30T14:00:00Z", run_id="next", result="success")
    dead, good = drills_of([start, later, end], now=NOON + timedelta(hours=2))
    same = [start, record("drill_start", "2026-11-30T12:00:00Z", run_id="next")]
    assert [drill.run_id for drill in drills_of(same, now=NOON)] == [RUN], "the log's order counts, not its seconds"
    assert (dead.run_id, dead.result, good.run_id, good.result) == (RUN, "failure", "next", "success")


@given(kinds=st.lists(st.sampled_from(["success", "failure", "none"]), max_size=8), hours=st.integers(0, 60))
def test_no_drill_is_lost_but_the_last_while_it_may_run(kinds: List[str], hours: int) -> None:
    """Drills that follow each other, an hour apart; ``none`` has no end."""
    records = []
    for number, kind in enumerate(kinds):
        day, hour = divmod(number, 24)
        time = f"2026-12-{day + 1:02}T{hour:02}"
        records.append(record("drill_start", f"{time}:00:00Z", run_id=str(number)))
        if kind != "none":
            records.append(record("drill_end", f"{time}:30:00Z", run_id=str(number), result=kind))
    began = datetime(2026, 12, 1, tzinfo=timezone.utc) + timedelta(hours=max(0, len(kinds) - 1))
    found = drills_of(records, now=began + timedelta(hours=hours))
    wanted = ["failure" if kind == "none" else kind for kind in kinds]
    runs = bool(kinds) and kinds[-1] == "none" and hours <= 24
    assert [drill.result for drill in found] == (wanted[:-1] if runs else wanted)


def test_a_run_that_was_not_to_be_is_none() -> None:
    """A paused host is asked at every start of its schedule; nothing has failed there."""
    paused = record("backup_end", result="failure", code="host_paused", run_id=RUN)
    assert runs_of([paused]) == ()
