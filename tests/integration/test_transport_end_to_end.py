# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport end to end: ``ansible-playbook``, the stock connection plugins, a host, real processes.

What can run on either system runs on both: over WinRM against the lab's Windows host and over Ansible's local
connection. What needs a network that breaks needs WinRM.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.transport_stage import Stage, grown, the_lab, wait_until

__all__ = ["the_lab"]
PROBE, PROBE_INFO = "wst_probe.transport.probe", "wst_probe.transport.probe_info"
LONG = 12.0  # seconds that a job works which must outlive something
pytestmark = pytest.mark.transport
RUN = {"wst_backup_run_id": "20261123-150000-0123abcd"}


def make_stage(the_lab: Any, tmp_path: Path, connection: str) -> Stage:
    paths, record = the_lab
    if connection == "winrm" and record["lane"] != "wine":
        pytest.skip("NOT EXERCISED: there is no Windows host, because this machine has no wine")
    made = Stage(tmp_path, paths, record, connection)
    made.root.mkdir(exist_ok=True)
    return made


@pytest.fixture(params=["winrm", "local"])
def stage(the_lab: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    return make_stage(the_lab, tmp_path, request.param)


@pytest.fixture
def windows(the_lab: Any, tmp_path: Path) -> Iterator[Stage]:
    made = make_stage(the_lab, tmp_path, "winrm")
    yield made
    made.fault()


def events(stage: Stage, host: str = "stage1") -> list[dict[str, Any]]:
    file = stage.scratch / "control" / "hosts" / host / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


# --- either system


def test_modules_run_attached_and_as_jobs(stage: Stage) -> None:
    played = stage.play(
        [
            {"name": "attached", PROBE_INFO: {"text": "h\u00e4llo \u20ac '\"", "variable": "PROBE", "noise": 3}},
            {
                "name": "job",
                PROBE: {"text": "h\u00e4llo \u20ac '\"", "variable": "PROBE", "noise": 3, "secret": "geheim"},
            },
            {"name": "checked", PROBE: {"text": "x"}, "check_mode": True},
        ],
        environment={"PROBE": "s\u00f6me 'quoted' \"words\""},
    )
    assert played.code == 0, played.screen
    for name in ("attached", "job"):
        assert played[name]["text"] == "h\u00e4llo \u20ac '\""
        assert played[name]["variable"] == "s\u00f6me 'quoted' \"words\""
        assert played[name]["platform"] == ("win32" if stage.windows else "linux")
    assert played["attached"]["context"]["job_dir"] is None
    assert played["job"]["context"]["job_dir"]
    assert played["checked"]["check_mode"] is True
    assert played["checked"]["changed"] is False
    assert played["checked"]["context"]["job_dir"] is None
    for file in stage.jobs()[-1].iterdir():
        assert b"geheim" not in file.read_bytes(), file


def test_a_failing_and_a_killed_module_are_told_apart(stage: Stage) -> None:
    played = stage.play(
        [
            {"name": "fails", PROBE: {"fail": "because"}},
            {"name": "dies", PROBE: {"die": True}},
            {"name": "dies_attached", PROBE_INFO: {"die": True}},
            {"name": "goes_on", PROBE: {"text": "still here"}},
        ]
    )
    assert (played["fails"]["msg"], played["fails"]["code"]) == ("because", "probe_failed")
    assert played["dies"]["code"] == "module_killed"
    assert played["dies_attached"]["code"] == "module_killed"
    assert played["goes_on"]["text"] == "still here"
    assert "Traceback" not in played.screen


def test_every_item_and_every_retry_is_a_job_of_its_own(stage: Stage) -> None:
    name, witness = stage.witness()
    played = stage.play(
        [
            {"name": "loop", PROBE: {"witness": name, "text": "{{ item }}"}, "loop": ["a", "b"]},
            {
                "name": "retried",
                PROBE: {"witness": name, "fail": "again"},
                "retries": 2,
                "delay": 0,
                "until": "it is success",
            },
        ]
    )
    assert [item["text"] for item in played["loop"]["results"]] == ["a", "b"]
    assert played["retried"]["failed"]
    starts = [line for line in witness.read_text().splitlines() if line.startswith("start")]
    assert len(starts) == 2 + 3


def test_progress_is_shown_and_no_log_silences_it(stage: Stage) -> None:
    played = stage.play(
        [
            {"name": "shown", PROBE: {"seconds": 7}},
            {"name": "silent", PROBE: {"seconds": 7, "text": "geheim"}, "no_log": True},
        ]
    )
    assert played.code == 0, played.screen
    assert played.screen.count("[stage1] probe: ") >= 1
    assert "[stage1] probe: " not in played.screen.partition("TASK [silent]")[2]
    assert "geheim" not in played.screen


def test_a_timeout_ends_the_job_on_the_host(stage: Stage) -> None:
    name, witness = stage.witness()
    before = set(stage.jobs())
    played = stage.play([{"name": "slow", PROBE: {"seconds": 120, "witness": name}, "timeout": 10}])
    assert played["slow"]["failed"]
    assert "10" in played["slow"]["msg"]
    (job,) = set(stage.jobs()) - before
    assert (job / "cancel").exists()
    if (job / "pid").exists():  # on a loaded machine the time may be over before the job has begun
        assert "stopped on request" in (job / "result.json").read_text()
    assert not witness.exists() or "end" not in witness.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_job_on_the_host(stage: Stage, number: int) -> None:
    name, witness = stage.witness()
    playing = stage.start([{"name": "slow", PROBE: {"seconds": 120, "witness": name}}])
    wait_until(grown(witness))
    playing.process.send_signal(number)
    played = playing.end()
    assert played.code != 0
    job = stage.jobs()[-1]
    wait_until((job / "result.json").exists)
    assert "stopped on request" in (job / "result.json").read_text()


def test_an_interrupt_whose_own_clean_up_fails_ends_the_job_on_the_host(windows: Stage) -> None:
    """winrm ends the command that it was waiting for; when the host refuses that, only the refusal would be seen."""
    name, witness = windows.witness()
    playing = windows.start([{"name": "slow", PROBE: {"seconds": 60, "witness": name}}])
    wait_until(grown(witness))
    windows.fault(refuse_signal=True)
    playing.process.send_signal(signal.SIGINT)
    time.sleep(3)
    windows.fault()
    assert playing.end().code != 0
    job = windows.jobs()[-1]
    wait_until((job / "result.json").exists)
    assert "stopped on request" in (job / "result.json").read_text()


@pytest.mark.parametrize("name", ["result.json", "reserve", "pid", "alive.lock"])
def test_a_file_that_antivirus_holds_is_no_killed_job(windows: Stage, name: str) -> None:
    """For six seconds from when it is there; the result's name is held while the lock is free already."""
    played = windows.play([{"name": "job", PROBE: {"text": "through", "hold": [name]}}])
    assert played["job"].get("text") == "through", played.screen


def test_what_cannot_work_is_refused(stage: Stage) -> None:
    become = {
        "become": True,
        "become_user": "other",
        "become_method": "ansible.builtin.runas" if stage.windows else "ansible.builtin.su",
    }
    played = stage.play(
        [
            {"name": "async", PROBE: {}, "async": 5, "poll": 1},
            {"name": "become", PROBE: {}, **become},
        ]
    )
    assert played["async"]["code"] == "async_refused"
    assert played["become"]["code"] == "become_refused"


def test_a_missing_python_is_one_clear_error(stage: Stage) -> None:
    missing = "C:\\nowhere\\python.exe" if stage.windows else "/nowhere/python3"
    stage.variables = {
        "wst_backup_python": missing,
        **({} if stage.windows else {"ansible_python_interpreter": missing}),
    }
    played = stage.play([{"name": "job", PROBE: {}}, {"name": "attached", PROBE_INFO: {}}])
    for name in ("job", "attached"):
        assert played[name]["code"] == "python_missing", played.screen
        assert missing in played[name]["msg"]
        assert "bootstrap.yml" in played[name]["remedy"]


def test_something_else_than_python_is_named(stage: Stage) -> None:
    other = f"{stage.host['paths']['tools_dir']}\\pg_dump.exe" if stage.windows else "/bin/true"
    stage.variables = {"wst_backup_python": other, **({} if stage.windows else {"ansible_python_interpreter": other})}
    played = stage.play([{"name": "job", PROBE: {}}])
    assert played["job"]["code"] == "python_wrong", played.screen
    assert other in played["job"]["msg"]


def test_delegation_reaches_the_delegated_host(stage: Stage) -> None:
    name, witness = stage.witness()
    tasks = [{"name": "delegated", PROBE: {"witness": name}, "delegate_to": "stage1"}]
    stage.variables["ansible_connection"] = stage.connection
    played = stage.play(tasks, hosts="localhost", vars={"wst_backup_control_dir": str(stage.scratch)})
    assert played["delegated"]["platform"] == ("win32" if stage.windows else "linux"), played.screen
    assert witness.exists()


# --- PowerShell in between


def test_noise_and_a_byte_order_mark_are_survived(windows: Stage) -> None:
    windows.fault(noise=True, bom=True)
    played = windows.play([{"name": "attached", PROBE_INFO: {"text": "a"}}, {"name": "job", PROBE: {"text": "b"}}])
    assert played.code == 0, played.screen
    assert (played["attached"]["text"], played["job"]["text"]) == ("a", "b")


def test_constrained_language_does_not_stop_modules(windows: Stage) -> None:
    windows.fault(constrained=True)
    played = windows.play([{"name": "attached", PROBE_INFO: {"text": "a"}}, {"name": "job", PROBE: {"text": "b"}}])
    assert (played["attached"]["text"], played["job"]["text"]) == ("a", "b"), played.screen


def test_a_damaged_program(windows: Stage) -> None:
    name, file = windows.witness("python.exe")
    file.write_bytes(b"not a program")
    windows.variables = {"wst_backup_python": name}
    played = windows.play([{"name": "job", PROBE: {}}])
    assert played["job"]["code"] == "python_missing", played.screen


def test_only_safe_connections_are_used(windows: Stage) -> None:
    http = {"ansible_port": windows.host["http_port"], "ansible_winrm_scheme": "http"}
    windows.variables = {**http, "ansible_winrm_transport": "basic"}
    played = windows.play([{"name": "plain", PROBE_INFO: {}}])
    assert played["plain"]["code"] == "connection_plain"
    windows.variables = {**http, "ansible_winrm_transport": "ntlm"}
    played = windows.play([{"name": "encrypted", PROBE_INFO: {"text": "x"}}])
    assert played["encrypted"].get("text") == "x", played.screen


# --- a network that breaks


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"cut_receives": 3}, id="the connection is cut"),
        pytest.param({"stall_seconds": 40.0}, id="Receive stalls for 40 s"),
        pytest.param({"restart": 5.0}, id="the listener restarts"),
    ],
)
def test_a_job_survives_its_connection(windows: Stage, trouble: dict[str, Any]) -> None:
    name, witness = windows.witness()
    playing = windows.start([{"name": "job", PROBE: {"seconds": LONG, "witness": name, "text": "through"}}])
    wait_until(grown(witness))
    if "restart" in trouble:
        windows.restart(trouble["restart"])
    else:
        windows.fault(**trouble)
    played = playing.end()
    assert played.code == 0, played.screen
    assert played["job"]["text"] == "through"
    starts = witness.read_text().splitlines()
    assert [line.split()[0] for line in starts] == ["start", "end"]  # ran once, from its start to its end
    if "stall_seconds" not in trouble:
        assert "connection lost" in played.screen


def test_first_contact_stays_unreachable(windows: Stage) -> None:
    windows.fault(unreachable=True)
    task = {"name": "never", PROBE: {}, "ignore_unreachable": False, "ignore_errors": False}
    played = windows.play([task])
    assert played.code == 4, played.screen
    (event,) = events(windows)
    assert event["event"] == "unreachable"


def test_a_connection_that_stays_lost_is_a_failure_that_rescue_sees(windows: Stage) -> None:
    name, witness = windows.witness()
    windows.variables = {**RUN, "wst_backup_reconnect_timeout": 5}
    block = {
        "name": "block",
        "block": [{"name": "job", PROBE: {"seconds": 30, "witness": name}}],
        "rescue": [{"name": "rescued", "ansible.builtin.debug": {"msg": "code {{ ansible_failed_result.code }}"}}],
    }
    playing = windows.start([block])
    wait_until(grown(witness))
    windows.fault(unreachable=True)
    played = playing.end()
    assert "code connection_lost" in played.screen, played.screen
    assert "unreachable=0" in played.screen
    assert [event["event"] for event in events(windows)] == ["connection_lost"]
    windows.fault()
    wait_until(grown(witness, 2))  # the step finished on the host by itself


def test_the_runs_own_tasks_ask_again_though_attached(windows: Stage) -> None:
    name, witness = windows.witness()
    windows.variables = dict(RUN)
    playing = windows.start([{"name": "attached", PROBE_INFO: {"seconds": 6, "witness": name, "text": "second try"}}])
    wait_until(grown(witness))
    windows.restart(2.0)
    played = playing.end()
    assert played.code == 0, played.screen
    assert played["attached"]["text"] == "second try"
    assert witness.read_text().splitlines()[-1].startswith("end")
    assert not list(witness.parent.glob("*.partial"))
