# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs with real processes: started, attached to, polled, killed, cancelled."""

from __future__ import annotations

import builtins
import contextlib
import errno
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Optional

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


def test_a_job_that_cannot_be_asked_can_be_killed(stage: Stage) -> None:
    module = f"import os, time; open({str(stage.witness)!r}, 'w').write('%d\\n' % os.getpid()); time.sleep(600)"
    stage.ask("start", module, wait=0)
    stage.started()
    (stage.directory / "cancel").mkdir()  # in the way of the file
    assert stage.ask("cancel")["state"] == "refused"
    reply = stage.ask("cancel", wait=0.1, kill=True)
    assert (reply["state"], reply["killed"]) == ("died", True)


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


# --- files that somebody holds for a moment


class Holder:
    """Antivirus: whoever opens, removes or renames one of the names is told that it is in use, a number of times.

    As on Windows, where ``open`` gives no code.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int = 32) -> None:
        self.left = {"": 0}
        monkeypatch.setattr(runner, "WINDOWS", True)
        monkeypatch.setattr(runner, "open", self._guarded(builtins.open, None), raising=False)
        for name in ("remove", "replace", "stat"):
            monkeypatch.setattr(os, name, self._guarded(getattr(os, name), code))

    def hold(self, name: str, times: int = 1_000_000) -> None:
        self.left[name] = times

    def _guarded(self, function: Callable[..., Any], code: Optional[int]) -> Callable[..., Any]:
        def call(path: Any, *args: Any, **kwargs: Any) -> Any:
            names = {os.path.basename(str(one)) for one in (path, *args[:1])}
            for name in names & set(self.left):
                if self.left[name] > 0:
                    self.left[name] -= 1
                    raise held(code)
            return function(path, *args, **kwargs)

        return call


def held(code: Optional[int]) -> PermissionError:
    error = PermissionError(errno.EACCES, "another program uses the file")
    if code is not None:
        error.winerror = code  # type: ignore[attr-defined]
    return error


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runner.Job:
    """A job that has begun; nobody holds its locks."""
    for name in ("SOON", "LATE"):
        monkeypatch.setattr(runner, name, 0.3, raising=False)
    made = runner.Job({"root": str(tmp_path), "job": ["run1", "step-1"]})
    made.make()
    for name in ("alive.lock", "start.lock"):
        Path(made.path(name)).touch()
    Path(made.path("pid")).write_text('{"pid": 1}', encoding="ascii")
    return made


RESULT = {"rc": 0, "stdout": "{}", "stderr": ""}


@pytest.mark.parametrize("name", ["result.json", "alive.lock"])
@pytest.mark.parametrize("code", [5, 32, 33])
def test_a_file_that_is_held_is_not_a_killed_job(
    job: runner.Job, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    runner.write_file(job.path("result.json"), RESULT, 0)
    holder = Holder(monkeypatch, code)
    holder.hold(name)
    seen = job.wait(0.1)
    assert (seen["state"], "another program" in seen["error"]) == ("unreadable", True)
    holder.hold(name, 3)
    assert job.wait(20)["result"] == RESULT  # within the same request when it is let go in time


def test_a_result_that_may_not_be_read_is_not_a_killed_job(job: runner.Job) -> None:
    """Any other error but that it is not there counts the same."""
    os.mkdir(job.path("result.json"))
    assert job.observe()["state"] == "unreadable"


def test_a_result_that_is_not_there_is_a_killed_job(job: runner.Job) -> None:
    assert job.observe()["state"] == "died"
    Path(job.path("result.json")).write_text("torn", encoding="ascii")
    assert job.observe()["state"] == "died"


def test_held_progress_hinders_nobody(job: runner.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.write_file(job.path("result.json"), RESULT, 0)
    Path(job.path("progress.json")).write_text('{"done": 1}', encoding="ascii")
    Holder(monkeypatch).hold("progress.json")
    assert job.observe() == {"state": "done", "result": RESULT, "progress": None}


def test_a_job_whose_pid_cannot_be_looked_at_is_never_started_again(
    job: runner.Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    Holder(monkeypatch, code=5).hold("pid")
    spawned: list[str] = []
    monkeypatch.setattr(runner, "_spawn", lambda *_args: spawned.append("again"))
    request = {"root": job.root, "job": ["run1", "step-1"], "wait": 0}
    assert (runner.start(request)["state"], spawned) == ("died", [])


def test_a_lock_file_that_is_held_for_a_moment_can_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = Holder(monkeypatch)
    holder.hold("start.lock", 3)
    lock = runner.take_lock(str(tmp_path / "start.lock"), 20)
    assert lock is not None
    lock.close()
    holder.hold("start.lock")
    with pytest.raises(PermissionError):
        runner.take_lock(str(tmp_path / "start.lock"), 0.1)


@pytest.mark.parametrize("name", ["reserve", "stderr.txt", "start.lock", "cancel"])
def test_what_a_start_or_a_cancel_writes_may_be_held(stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    holder = Holder(monkeypatch)
    holder.hold("" if name == "cancel" else name, 2)
    stage.go.touch()
    module = PATIENT.format(go=str(stage.go), witness=str(stage.witness))
    request = {"root": str(stage.root), "job": ["run1", "step-1"], "wait": 20, "mode": "start", "module": module}
    request.update(environment={}, context={}, reply="ab")
    assert runner.start(request)["state"] == "done"
    holder.hold(name, 2)
    assert runner.cancel(request)["state"] == "done"


def test_a_held_reserve_loses_no_result(job: runner.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(job.path("reserve")).write_bytes(b"x")
    holder = Holder(monkeypatch)
    holder.hold("reserve")
    runner.store_result(job, RESULT)
    assert job.observe()["result"] == RESULT
    holder.hold("reserve", 2)  # once: it goes when it is let go soon
    runner.store_result(job, RESULT)
    assert not Path(job.path("reserve")).exists()


@pytest.mark.parametrize("name", ["pid", "result.json", "result.json.partial"])
def test_a_held_file_is_written_when_it_is_let_go(job: runner.Job, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    target = job.path(name.replace(".partial", ""))
    holder = Holder(monkeypatch)
    holder.hold(name, 3)
    runner.write_file(target, RESULT, 20)
    assert runner.read_file(target) == RESULT
    holder.hold(name)
    with pytest.raises(PermissionError):
        runner.write_file(target, {}, 0.1)
    holder.hold(name, 0)
    assert runner.read_file(target) == RESULT
    assert not Path(target + ".partial").exists() or name == "result.json.partial"


def test_a_denial_elsewhere_is_not_waited_out(job: runner.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    Holder(monkeypatch).hold("pid", 1)
    monkeypatch.setattr(runner, "WINDOWS", False)
    with pytest.raises(PermissionError):
        runner.open_held(job.path("pid"), 20)


class FullDisk:
    """Has no room for a result while the reserve is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, job: runner.Job) -> None:
        self.reserve = Path(job.path("reserve"))
        self.reserve.write_bytes(b"x")
        real = os.fsync
        self.always = False

        def fsync(number: int) -> None:
            if self.always or self.reserve.exists():
                raise OSError(errno.ENOSPC, "No space left on device")
            real(number)

        monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_full_disk_has_room_for_the_result_also_when_the_reserve_was_held(
    job: runner.Job, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    FullDisk(monkeypatch, job)
    Holder(monkeypatch).hold("reserve", times)
    runner.store_result(job, RESULT)
    assert job.observe()["result"] == RESULT


def test_a_disk_that_stays_full_is_said_and_leaves_room_for_saying_it(
    job: runner.Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    FullDisk(monkeypatch, job).always = True
    with pytest.raises(OSError, match="No space"):
        runner.store_result(job, RESULT)
    assert not Path(job.path("reserve")).exists()
    assert not Path(job.path("result.json.partial")).exists()


def test_windows_keeps_the_access_list_of_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newer Pythons there give a directory of mode 0o700 a list of its own, which locks out other operators."""
    modes: list[int] = []
    monkeypatch.setattr(os, "mkdir", lambda _path, mode: modes.append(mode))
    for windows in (True, False):
        monkeypatch.setattr(runner, "WINDOWS", windows)
        runner.Job({"root": str(tmp_path), "job": ["run1", "step-1"]}).make()
    assert modes == [0o777] * 3 + [0o700] * 3


def test_the_directories_of_jobs_are_closed_to_others(stage: Stage) -> None:
    """All three that a start may have to make, whatever the umask: they hold results and messages."""
    before = os.umask(0)
    try:
        stage.ask("start", "print('{}')", wait=30)
    finally:
        os.umask(before)
    made = [stage.directory.parent.parent, stage.directory.parent, stage.directory]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 3
