# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that add something of their own: ``run_lock`` makes the run's id, ``audit_log`` never loses an event."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from unit.plugins.plugin_utils.transport_kit import Host, Run, Transcript, done

from ansible_collections.wst.backup.plugins.action import audit_log, backup_mirror, backup_publish, run_lock
from ansible_collections.wst.backup.plugins.plugin_utils import _outcome, _run_identity

RUN = {"wst_backup_run_id": "20261123-150000-0123abcd"}
FORM = r"\d{8}-\d{6}-[0-9a-f]{8}"


def control_log(tmp_path: Path, file: str = "events.jsonl") -> list[dict[str, Any]]:
    path = tmp_path / "control" / "hosts" / "host1" / file
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# --- run_lock


def lock(run_task: Run, host: Host, **more: Any) -> dict[str, Any]:
    return run_task(host, action=run_lock.ActionModule, **more)


def test_taking_the_lock_makes_an_id_and_a_fact(run_task: Run) -> None:
    host = Host(done({"changed": True, "taken_over": False}))
    result = lock(run_task, host)
    run_id = result["ansible_facts"]["wst_backup_run_id"]
    assert re.fullmatch(FORM, run_id)
    assert result["run_id"] == run_id
    assert host.requests[0]["context"]["run_id"] == run_id
    assert host.modes == ["attached"]


def test_two_runs_have_two_ids(run_task: Run) -> None:
    assert lock(run_task, Host("{answer}"))["run_id"] != lock(run_task, Host("{answer}"))["run_id"]


def test_taking_it_again_takes_the_same(run_task: Run) -> None:
    first = lock(run_task, Host("{answer}"))
    again = lock(run_task, Host("{answer}"), variables={"ansible_facts": first["ansible_facts"]})
    assert again["run_id"] == first["run_id"]


def test_a_cached_fact_of_a_dead_play_is_not_ours(run_task: Run) -> None:
    stale = {_run_identity.RUN_ID: RUN["wst_backup_run_id"], _run_identity.OWNER: "elsewhere/1/1"}
    result = lock(run_task, Host("{answer}"), variables={"ansible_facts": stale, **RUN})
    assert result["run_id"] != RUN["wst_backup_run_id"]


def test_releasing_clears_the_fact(run_task: Run) -> None:
    host = Host("{answer}")
    result = lock(run_task, host, args={"state": "absent"}, variables=RUN)
    assert host.requests[0]["context"]["run_id"] == RUN["wst_backup_run_id"]
    assert result["ansible_facts"]["wst_backup_run_id"] == ""
    assert _run_identity.current_run_id({"ansible_facts": result["ansible_facts"], **RUN}) == ""


def test_a_release_that_failed_clears_the_fact_too(run_task: Run) -> None:
    host = Host(done({"failed": True, "code": "path_unusable", "msg": "cannot"}))
    result = lock(run_task, host, args={"state": "absent"}, variables=RUN)
    assert result["failed"]
    assert result["run_id"] == RUN["wst_backup_run_id"]
    assert _run_identity.current_run_id({"ansible_facts": result["ansible_facts"], **RUN}) == ""


def test_a_host_that_is_not_there_is_unreachable(run_task: Run) -> None:
    with pytest.raises(AnsibleConnectionFailure):
        lock(run_task, Host(AnsibleConnectionFailure("no route")))


def test_a_lock_that_is_held_makes_no_fact_but_tells_the_run(run_task: Run) -> None:
    result = lock(run_task, Host(done({"failed": True, "code": "locked", "msg": "held"})))
    assert result["failed"]
    assert "ansible_facts" not in result
    assert re.fullmatch(FORM, result["run_id"])


# --- audit_log

EVENT = {"event": "backup", "result": "failure", "code": "no_space", "text": "full", "details": {"free": 0}}


def audit(run_task: Run, host: Host, **more: Any) -> dict[str, Any]:
    return run_task(host, action=audit_log.ActionModule, args=EVENT, variables=RUN, **more)


def test_the_chains_head_is_anchored(run_task: Run, tmp_path: Path) -> None:
    result = audit(run_task, Host(done({"changed": True, "seq": 7, "head": "abc", "segment": 1})))
    assert result["recorded_on"] == "host"
    (head,) = control_log(tmp_path, "audit_head.jsonl")
    assert (head["seq"], head["head"], head["run_id"]) == (7, "abc", RUN["wst_backup_run_id"])


def test_the_last_head_of_that_log_goes_to_the_host(run_task: Run, tmp_path: Path) -> None:
    for seq, head in ((7, "abc"), (8, "def")):
        audit(run_task, Host(done({"seq": seq, "head": head, "segment": "audit.jsonl"})))
    heads = tmp_path / "control" / "hosts" / "host1" / "audit_head.jsonl"
    lines = heads.read_text().splitlines()
    other = json.dumps({**json.loads(lines[-1]), "seq": 99, "log": "winrm elsewhere 5986 C:\\wst-control"})
    heads.write_text("\n".join([*lines, other, '{"torn']))
    host = Host("{answer}")
    audit(run_task, host)
    assert host.requests[0]["context"]["audit_anchor"] == {"seq": 8, "hash": "def"}


def test_without_a_head_there_is_nothing_to_compare(run_task: Run) -> None:
    host = Host("{answer}")
    audit(run_task, host)
    assert host.requests[0]["context"]["audit_anchor"] is None


def test_heads_that_cannot_be_read_are_named(run_task: Run, tmp_path: Path) -> None:
    (tmp_path / "control" / "hosts" / "host1" / "audit_head.jsonl").mkdir(parents=True)
    result = audit(run_task, Host("{answer}"))
    assert "not held against what the control node knows" in result["warnings"][0]


@pytest.mark.parametrize(
    "host",
    [
        Host(done({"failed": True, "code": "no_space", "msg": "disk full"})),
        Host({"state": "refused", "code": "no_space", "facts": {"error": "full"}}),
        Host(*[ConnectionResetError("gone")] * 99),
        Host(Transcript.of("", 127)),
    ],
)
def test_what_the_host_cannot_record_is_recorded_here(run_task: Run, tmp_path: Path, host: Host) -> None:
    result = audit(run_task, host)
    assert not result.get("failed")
    assert result["recorded_on"] == "control_node"
    assert "could not record" in result["warnings"][0]
    recorded = control_log(tmp_path)[-1]
    told = {**EVENT, "message": EVENT["text"]}
    del told["text"]
    assert {name: recorded[name] for name in told} == told
    assert recorded["host_could_not_record"]["code"] == result["host_error"]["code"]
    end = _outcome.outcome({"start": result}, failed={}, began=0.0, ended=1.0, check=False)
    assert (end["code"], end["step"]) == (result["host_error"]["code"], "start")
    assert "could not record the event backup" in end["msg"]
    assert result["problem"]["remedy"] == end["remedy"]


def test_an_event_that_nobody_can_record_fails(run_task: Run, tmp_path: Path) -> None:
    (tmp_path / "control").write_text("a file where a directory must be")
    result = audit(run_task, Host(done({"failed": True, "code": "no_space", "msg": "disk full"})))
    assert result["failed"]
    assert "could not record" in result["warnings"][-1]


def test_check_mode_records_nothing_here(run_task: Run, tmp_path: Path) -> None:
    audit(run_task, Host(done({"failed": True, "msg": "x"})), task={"check_mode": True})
    assert control_log(tmp_path) == []


# --- backup_publish and backup_mirror


@pytest.mark.parametrize("action", [backup_publish.ActionModule, backup_mirror.ActionModule])
def test_the_independent_check_travels_in_the_payload_byte_for_byte(run_task: Run, tmp_path: Path, action: Any) -> None:
    path = tmp_path / "check.py"
    path.write_bytes("# ä {{ not_a_template }}\r\nprint(1)\n".encode())
    host = Host("{answer}")
    assert not run_task(host, action=action, args={"checker": str(path)}, variables=RUN).get("failed")
    assert host.requests[0]["context"]["checker"].encode() == path.read_bytes()
    assert "not_a_template" not in host.requests[0]["module"]


def test_check_mode_and_no_option_send_no_check(run_task: Run, tmp_path: Path) -> None:
    path = tmp_path / "check.py"
    path.write_text("pass")
    for more in ({"args": {"checker": str(path)}, "task": {"check_mode": True}}, {"args": {}}):
        host = Host("{answer}")
        run_task(host, action=backup_publish.ActionModule, variables=RUN, **more)
        assert "checker" not in host.requests[0]["context"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_check_that_cannot_be_read_is_named_and_nothing_is_sent(
    run_task: Run, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "check.py"
    if content is not None:
        path.write_bytes(content)
    host = Host("{answer}")
    result = run_task(host, action=backup_publish.ActionModule, args={"checker": str(path)}, variables=RUN)
    assert (result["failed"], result["code"]) == (True, "setting_invalid")
    assert host.requests == []
