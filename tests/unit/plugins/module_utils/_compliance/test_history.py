# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and drills out of records, whole or not."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils._compliance.history import drills_of, runs_of

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


def test_suspect_is_a_result_of_its_own() -> None:
    (run,) = runs_of([record("backup_end", result="failure", code="content_anomaly")])
    assert run.result == "suspect"


def test_records_that_make_no_sense_are_passed_over() -> None:
    odd = [record("backup_start", run_id=""), record("backup_start", time="noon"), record("drill_end", time="noon")]
    assert (runs_of(odd), drills_of(odd)) == ((), ())
    (run,) = runs_of([record("backup_end", details=None, result=None)])
    assert (run.result, run.size) == ("failure", 0)


def test_drills() -> None:
    details = {"artifact": "a", "layer": "mirror", "age": 7200, "rto": 44}
    late = record("drill_end", "2026-11-30T14:00:00Z", result="success", details=details)
    early = record("drill_end", "2026-11-30T13:00:00Z", result="failure", code="drill_mismatch", run_id="")
    first, second = drills_of([record("drill_start"), late, early])
    assert (first.result, first.code, first.rto, first.run_id) == ("failure", "drill_mismatch", None, "")
    assert (second.result, second.layer, second.age, second.rto) == ("success", "mirror", 7200, 44)
