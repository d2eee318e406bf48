# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs with real processes: started, attached to, polled, killed, cancelled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
from unit.plugins.plugin_utils.transport_kit import on_this_machine

from ansible_collections.wst.backup.plugins.plugin_utils import _payload, _reply
from ansible_collections.wst.backup.plugins.plugin_utils._remote import runner

# The module of most tests: tells that it runs, then does so until it is let go or told to stop.
PATIENT = """
import json, os, sys, time
from _wst_backup_context import DATA
with open({witness!r}, 'a') as file: file.write('%d\\n' % os.getpid())
with open(DATA['progress_file'], 'w') as file: json.dump(dict(done=1, total=2), file)
while not os.path.exists({go!r}):
    if os.path.exists(DATA['cancel_file']): print('{{"cancelled": true}}'); sys.exit(1)
    time.sleep(0.02)
print('{{"said": "done", "invocation": {{"module_args": {{"password": "geheim"}}}}}}')
"""


class Stage:
    """A host root with one job that tests act on."""

    def __init__(self, tmp_path: Path) -> None:
        self.root, self.go, self.witness = tmp_path / "root", tmp_path / "go", tmp_path / "witness"
        self.root.mkdir()
        self.directory = self.root / "runs" / "run1" / "step-1"

    def ask(self, mode: str, module: str = "", **extra: Any) -> dict[str, Any]:
        module = module or PATIENT.format(go=str(self.go), witness=str(self.witness))
        about = {"mode": mode, "reply": "ab", "root": str(self.root), "job": ["run1", "step-1"], "wait": 0.2}
        if mode == "start":
            about.update(module=module, environment={"PROBE": "p"}, context={"run_id": "run1", "token": "geheim"})
        ended = on_this_machine(_payload.pack({**about, **extra}))
        stdout, stderr = ended.stdout.decode(), ended.stderr.decode()
        assert stderr == ""
        return _reply.read(stdout, stderr, ended.returncode, nonce="ab", python=sys.executable)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def started(self) -> int:
        """Wait until the module runs; returns its process id."""
        self.wait_for(lambda: self.witness.exists() and self.witness.read_text().endswith("\n"))
        return int(self.witness.read_text().split()[0])

    def runs(self) -> int:
        return len(self.witness.read_text().split())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.go.touch()
    if (made.directory / "pid").exists():
        pid = json.loads((made.directory / "pid").read_text())["pid"]
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def test_a_short_job_is_done_in_one_call(stage: Stage) -> None:
    reply = stage.ask("start", "import os; print('{\"p\": \"' + os.environ['PROBE'] + '\"}')", wait=20)
    assert reply["state"] == "done"
    assert reply["result"] == {"rc": 0, "stdout": '{"p": "p"}', "stderr": ""}
    assert sorted(os.listdir(stage.directory)) == ["alive.lock", "pid", "result.json", "start.lock", "stderr.txt"]
    assert stage.directory.stat().st_mode & 0o077 == 0


def test_a_long_job_runs_on_by_itself(stage: Stage) -> None:
    assert stage.ask("start", wait=0)["state"] in ("running", "starting")
    pid = stage.started()
    assert os.getsid(pid) == pid  # a session of its own: no hang-up reaches it
    reply = stage.ask("poll")
    assert reply["state"] == "running"
    assert reply["progress"] == {"done": 1, "total": 2}
    stage.go.touch()
    reply = stage.ask("poll", wait=20)
    assert reply["state"] == "done"
    assert json.loads(reply["result"]["stdout"]) == {"said": "done"}
    assert stage.ask("poll") == reply  # the stored result answers again
    assert stage.ask("start") == reply
    assert stage.runs() == 1


def test_a_poll_sees_the_end_at_once(stage: Stage) -> None:
    stage.ask("start", wait=0)
    stage.started()
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(stage.ask, "poll", wait=30)
        stage.go.touch()
        begun = time.monotonic()
        assert poll.result()["state"] == "done"
    assert time.monotonic() - begun < 10


def test_starts_that_race_start_once(stage: Stage) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _n: stage.ask("start", wait=0.5), range(4)))
    assert {reply["state"] for reply in replies} == {"running"}
    stage.started()
    assert stage.runs() == 1


def test_no_argument_and_no_token_is_on_the_disk(stage: Stage) -> None:
    stage.ask("start", wait=0)
    stage.started()
    stage.go.touch()
    stage.ask("poll", wait=20)
    for path in stage.directory.iterdir():
        assert b"geheim" not in path.read_bytes(), path


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_has_died(stage: Stage, number: int) -> None:
    stage.ask("start", wait=0)
    os.kill(stage.started(), number)
    reply = stage.ask("poll", wait=20)
    assert reply["state"] == "died"
    assert reply["progress"] == {"done": 1, "total": 2}
    assert stage.ask("start", wait=0)["state"] == "died"  # never started a second time
    assert stage.runs() == 1


def test_what_a_dying_job_said_is_kept(stage: Stage) -> None:
    reply = stage.ask("start", "import os; os.write(2, b'last words'); os._exit(5)", wait=20)
    assert (reply["state"], reply["stderr"]) == ("died", "last words")


def test_a_cancelled_job_ends_by_itself(stage: Stage) -> None:
    stage.ask("start", wait=0)
    stage.started()
    reply = stage.ask("cancel", wait=20)
    assert reply["state"] == "done"
    assert json.loads(reply["result"]["stdout"]) == {"cancelled": True}


def test_a_job_that_does_not_stop_is_killed_with_its_children(stage: Stage) -> None:
    module = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(stage.witness)!r}, 'w').write('%d\\n' % child.pid)\n"
        "child.wait()\n"
    )
    stage.ask("start", module, wait=0)
    child = stage.started()
    assert stage.ask("cancel", wait=0.3)["state"] == "running"
    reply = stage.ask("cancel", wait=0.1, kill=True)
    assert (reply["state"], reply["killed"]) == ("died", True)
    stage.wait_for(lambda: not _alive(child))


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_cancel_that_comes_first_prevents_the_start(stage: Stage) -> None:
    assert stage.ask("cancel")["state"] == "absent"
    assert stage.ask("start")["state"] == "cancelled"
    assert not stage.witness.exists()


def test_a_job_that_nobody_started_is_absent(stage: Stage) -> None:
    assert stage.ask("poll") == {"state": "absent"}


def test_a_start_that_died_half_way_is_made_again(stage: Stage) -> None:
    """The directory is there and its locks are free, but no process has ever said that it runs."""
    stage.directory.mkdir(parents=True)
    (stage.directory / "start.lock").touch()
    (stage.directory / "alive.lock").touch()
    assert stage.ask("poll")["state"] == "absent"
    stage.go.touch()
    assert stage.ask("start", wait=20)["state"] == "done"
    assert stage.runs() == 1


def test_a_missing_root_is_refused_by_name(stage: Stage) -> None:
    stage.root.rmdir()
    reply = stage.ask("start")
    assert (reply["state"], reply["code"]) == ("refused", "root_missing")
    assert not stage.root.exists()


def test_a_root_that_cannot_be_written_is_refused_by_name(stage: Stage) -> None:
    (stage.root / "runs").write_text("a file where a directory must be")
    reply = stage.ask("start")
    assert (reply["state"], reply["code"]) == ("refused", "job_start_failed")


def test_a_full_disk_is_refused_by_name(stage: Stage) -> None:
    stage.directory.mkdir(parents=True)
    os.symlink("/dev/full", stage.directory / "reserve")
    reply = stage.ask("start", wait=10)
    assert (reply["state"], reply["code"]) == ("refused", "no_space")
    assert not stage.witness.exists()


def test_the_result_finds_room_on_a_disk_that_filled_up(stage: Stage) -> None:
    stage.ask("start", wait=0)
    stage.started()
    assert (stage.directory / "reserve").stat().st_size == runner.RESERVED
    stage.go.touch()
    stage.ask("poll", wait=20)
    assert not (stage.directory / "reserve").exists()


def test_asking_whether_a_job_lives_does_not_hinder_its_start(tmp_path: Path) -> None:
    path = str(tmp_path / "alive.lock")
    asking = runner.take_lock(path, 0)
    assert asking is not None
    with ThreadPoolExecutor() as pool:
        holder = pool.submit(runner.take_lock, path, 2)
        asking.close()
        held = holder.result()
    assert held is not None
    assert runner.is_locked(path)
    held.close()
    assert not runner.is_locked(path)
    assert not runner.is_locked(str(tmp_path / "absent"))
