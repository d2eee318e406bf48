# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a drill succeeded is said once: the action ``drill_evidence`` does, and the role's END repeats it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.plugins.plugin_utils.transport_kit import Host, Run

from ansible_collections.wst.backup.plugins.action import compliance_report, drill_evidence
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.test_evidence import RESULTS
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.test_fleet import judged

TASKS = Path(__file__).resolve().parents[4] / "roles" / "restore_test" / "tasks"
DEAD = {"run_id": "20261128-040000-0000dead", "heartbeat": "2026-11-28T04:10:00Z", "reason": "silent"}


def keep(run_task: Run, check: bool = False, **changes: Any) -> dict[str, Any]:
    args = {"results": {**RESULTS, **changes}, "failed": {}, "began": 1.0}
    return run_task(Host(), action=drill_evidence.ActionModule, args=args, task={"check_mode": check})


def lines(tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "control" / "hosts" / "host1" / "verification.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def test_a_good_drill_and_one_of_which_a_step_was_skipped(run_task: Run, tmp_path: Path) -> None:
    assert keep(run_task)["evidence"]["result"] == "success"
    skipped = keep(run_task, compare={"skipped": True})["evidence"]
    assert (skipped["result"], skipped["code"]) == ("failure", "not_proved")
    assert [line["result"] for line in lines(tmp_path)] == ["success", "failure"]


def test_evidence_that_cannot_be_written_is_no_success(run_task: Run, tmp_path: Path) -> None:
    (tmp_path / "control").write_text("in the way")
    lost = keep(run_task)
    assert (lost["failed"], lost["code"]) == (True, "evidence_lost")
    assert (lost["evidence"]["result"], lost["evidence"]["code"]) == ("failure", "evidence_lost")


def test_settings_that_make_no_sense_are_no_success(run_task: Run) -> None:
    args = {"results": RESULTS, "failed": {}, "began": 1.0}
    variables = {"wst_backup_reconnect_timeout": "soon"}
    lost = run_task(Host(), action=drill_evidence.ActionModule, args=args, variables=variables)
    assert (lost["code"], lost["evidence"]["code"], lost["evidence"]["result"]) == (
        "setting_invalid",
        "setting_invalid",
        "failure",
    )


@pytest.mark.parametrize("taken", [None, {}, {**DEAD, "run_id": None}])
def test_no_drill_died(run_task: Run, tmp_path: Path, taken: Any) -> None:
    keep(run_task, lock={**RESULTS["lock"], "taken_over": taken})
    assert [line["run_id"] for line in lines(tmp_path)] == [RESULTS["lock"]["run_id"]]


def test_the_next_drill_writes_the_line_of_one_that_died(run_task: Run, tmp_path: Path) -> None:
    keep(run_task, check=True, lock={**RESULTS["lock"], "taken_over": DEAD})
    assert lines(tmp_path) == []
    keep(run_task, lock={**RESULTS["lock"], "taken_over": DEAD})
    dead, own = lines(tmp_path)
    assert (dead["run_id"], dead["result"], dead["code"], dead["at"]) == (
        DEAD["run_id"],
        "failure",
        "interrupted",
        DEAD["heartbeat"],
    )
    assert own["result"] == "success"


def test_so_does_the_compliance_report(run_task: Run, tmp_path: Path) -> None:
    drill = {"at": "2026-11-28T04:00:00Z", "run_id": DEAD["run_id"], "result": "failure", "code": "interrupted"}
    args = {"results": {"host1": judged(drills=[drill]), "away": {"unreachable": True}}}
    for check in (True, False, False):
        done = run_task(Host(), action=compliance_report.ActionModule, args=args, task={"check_mode": check})
        assert not done.get("failed"), done
        assert len(lines(tmp_path)) == (not check)
    assert (lines(tmp_path)[0]["at"], lines(tmp_path)[0]["code"]) == ("2026-11-28T04:00:00Z", "interrupted")


def test_the_role_keeps_the_evidence_before_the_end_and_the_end_says_what_it_says() -> None:
    main = yaml.safe_load((TASKS / "main.yml").read_text())
    (drill,) = [task for task in main if "always" in task]
    assert [task["ansible.builtin.include_tasks"] for task in drill["always"]] == [
        "teardown.yml",
        "evidence.yml",
        "end.yml",
    ]
    (end,) = [
        task for task in yaml.safe_load((TASKS / "end.yml").read_text())[0]["block"] if "wst.backup.audit_log" in task
    ]
    told = end["wst.backup.audit_log"]
    assert [told[name] for name in ("result", "code", "text")] == [
        "{{ __restore_test_said.result }}",
        "{{ __restore_test_said.code }}",
        "{{ __restore_test_said.message }}",
    ]
