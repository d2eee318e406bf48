# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs are asked, waited for and killed; leavings go when nobody will ask for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import PathUnusable
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import jobs
from ansible_collections.wst.backup.plugins.module_utils._lock.jobs import cancel_jobs, live_jobs
from ansible_collections.wst.backup.plugins.module_utils._lock.leavings import expired, sweep
from ansible_collections.wst.backup.plugins.module_utils._names import STAMP_FORMAT

RUN = "20261123-150000-00000001"
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)

JOB = """
import json, os, sys, time
sys.path[:0] = %r
from ansible_collections.wst.backup.plugins.module_utils._platform import api
directory, stubborn = sys.argv[1], sys.argv[2] == "stubborn"
lock = api.FileLock(os.path.join(directory, "alive.lock"), first_byte=True)
assert lock.try_acquire()
with open(os.path.join(directory, "pid"), "w") as file:
    json.dump({"pid": os.getpid(), "started": time.time()}, file)
print("alive", flush=True)
while stubborn or not os.path.exists(os.path.join(directory, "cancel")):
    time.sleep(0.02)
"""


@pytest.fixture(name="layout")
def _layout(tmp_path: Path) -> HostLayout:
    return HostLayout(str(tmp_path))


@pytest.fixture(name="start")
def _start(layout: HostLayout) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """A job's process, as the runner of the transport leaves it."""
    started: List[subprocess.Popen[bytes]] = []

    def start(name: str, *, kind: str = "obedient") -> subprocess.Popen[bytes]:
        directory = Path(layout.runs_dir, RUN, name)
        directory.mkdir(parents=True)
        process = subprocess.Popen(
            [sys.executable, "-c", JOB % sys.path, str(directory), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"alive"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_jobs_that_are_asked_end(layout: HostLayout, start: Callable[..., Any]) -> None:
    first, second = start("pg_dump-1"), start("backup_archive-2")
    Path(layout.runs_dir, RUN, "done-0").mkdir()
    Path(layout.runs_dir, RUN, "done-0", "alive.lock").write_bytes(b"")
    assert live_jobs(layout, RUN) == ["backup_archive-2", "pg_dump-1"]
    assert cancel_jobs(layout, RUN) == ["backup_archive-2", "pg_dump-1"]
    assert (first.wait(), second.wait()) == (0, 0)
    assert live_jobs(layout, RUN) == []
    assert cancel_jobs(layout, RUN) == []
    assert not Path(layout.runs_dir, RUN, "done-0", "cancel").exists()


def test_a_job_that_does_not_listen_is_killed(layout: HostLayout, start: Callable[..., Any]) -> None:
    process = start("pg_dump-1", kind="stubborn")
    assert cancel_jobs(layout, RUN, patience=0.5) == ["pg_dump-1"]
    assert process.wait(timeout=20) != 0


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"pid": "1"}'])
def test_a_damaged_pid_file_kills_nobody(layout: HostLayout, start: Callable[..., Any], content: bytes) -> None:
    process = start("pg_dump-1", kind="stubborn")
    Path(layout.runs_dir, RUN, "pg_dump-1", "pid").write_bytes(content)
    assert cancel_jobs(layout, RUN, patience=0.2) == ["pg_dump-1"]
    assert process.poll() is None


def test_a_dead_jobs_number_is_not_killed(layout: HostLayout) -> None:
    """The number may be somebody else's by now; here it is our own."""
    directory = Path(layout.runs_dir, RUN, "pg_dump-1")
    directory.mkdir(parents=True)
    (directory / "alive.lock").write_bytes(b"")
    (directory / "pid").write_text(json.dumps({"pid": os.getpid(), "started": 0}))
    assert cancel_jobs(layout, RUN) == []


def _held_at_first(function: Callable[..., Any], name: str, times: int) -> Callable[..., Any]:
    """The function, which antivirus keeps from the file of that name so many times."""
    left = [times]

    def call(path: Any, *args: Any, **kwargs: Any) -> Any:
        if os.path.basename(getattr(path, "path", path)) == name and left[0]:
            left[0] -= 1
            error = PermissionError(13, "constructed")
            error.winerror = 32  # type: ignore[attr-defined,unused-ignore]
            raise error
        return function(path, *args, **kwargs)

    return call


def _antivirus(monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
    monkeypatch.setattr(jobs.api, "open_source", _held_at_first(jobs.api.open_source, name, times))
    monkeypatch.setattr(jobs.api.FileLock, "try_acquire", _held_at_first(jobs.api.FileLock.try_acquire, name, times))


@pytest.mark.parametrize("name", ["alive.lock", "pid"])
def test_a_file_that_is_held_for_a_moment_saves_no_job(
    layout: HostLayout, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    process = start("pg_dump-1", kind="stubborn")
    _antivirus(monkeypatch, name, 2)
    assert cancel_jobs(layout, RUN, patience=0.2) == ["pg_dump-1"]
    assert process.wait(timeout=20) != 0


def test_a_request_to_stop_that_is_there_needs_no_writing(layout: HostLayout, start: Callable[..., Any]) -> None:
    """It may be held, too."""
    process = start("pg_dump-1", kind="stubborn")
    Path(layout.runs_dir, RUN, "pg_dump-1", "cancel").mkdir()
    assert cancel_jobs(layout, RUN, patience=0.2) == ["pg_dump-1"]
    assert process.wait(timeout=20) != 0


@pytest.mark.parametrize("name", ["alive.lock", "pid"])
def test_a_job_that_cannot_be_ended_because_a_file_is_held_is_told(
    layout: HostLayout, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    start("pg_dump-1", kind="stubborn")
    monkeypatch.setattr(jobs, "BUSY_PATIENCE", 0.1, raising=False)
    _antivirus(monkeypatch, name, 1_000_000)
    with pytest.raises(PathUnusable, match="another program holds the file"):
        cancel_jobs(layout, RUN, patience=0.2)


def test_no_jobs_at_all(layout: HostLayout) -> None:
    assert cancel_jobs(layout, RUN) == []


def run_id(age: timedelta, number: int = 0) -> str:
    return f"{(NOW - age).strftime(STAMP_FORMAT)}-{number:08x}"


ages = st.lists(st.integers(0, 400 * 86400).map(lambda seconds: timedelta(seconds=seconds)), max_size=60)


@given(ages=ages)
def test_what_expires(ages: List[timedelta]) -> None:
    runs = sorted({run_id(age, number) for number, age in enumerate(ages)}, reverse=True)
    gone = set(expired(runs, NOW))
    assert not gone & set(runs[:20])
    for number, name in enumerate(runs):
        old = datetime.strptime(name[:15], STAMP_FORMAT).replace(tzinfo=timezone.utc) < NOW - timedelta(days=30)
        assert (name in gone) == (old and number >= 20)


def test_sweeping_removes_ours_only(layout: HostLayout, start: Callable[..., Any]) -> None:
    dead, ahead = run_id(timedelta(hours=2)), run_id(timedelta(hours=-3))
    old = [run_id(timedelta(days=40), number) for number in range(22)]
    for name in (dead, ahead, RUN, "notes", "20261399-000000-00000000"):
        Path(layout.scratch_dir, name).mkdir(parents=True)
    for name in (*old, "other"):
        Path(layout.runs_dir, name, "pg_dump-1").mkdir(parents=True)
    Path(layout.scratch_dir, "file").write_bytes(b"")
    planned = sweep(layout, own=RUN, now=NOW, dry_run=True)
    assert len(list(Path(layout.runs_dir).iterdir())) == 23
    swept = sweep(layout, own=RUN, now=NOW)
    assert swept == planned
    assert swept.kept == []
    assert sorted(path.name for path in Path(layout.scratch_dir).iterdir()) == sorted(
        [RUN, "notes", "20261399-000000-00000000", "file"]
    )
    left = {path.name for path in Path(layout.runs_dir).iterdir()}
    assert left == {"other", *sorted(old, reverse=True)[:20]}


def test_sweeping_removes_what_killed_probes_left(layout: HostLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(layout.scratch_dir).mkdir()
    old = [os.path.join(base, "wst-probe.0123456789abcdef.partial") for base in (layout.root, layout.scratch_dir)]
    others = [os.path.join(layout.root, name) for name in ("db.key", "wst-probe.txt", "probe-0123456789abcdef.partial")]
    for path in (*old, *others):
        Path(path).write_bytes(b"x")
        os.utime(path, (0, 0))
    assert sweep(layout, own=RUN, now=NOW, dry_run=True).removed == old
    monkeypatch.setattr(_fs, "remove_file", _refuse)
    assert [problem["code"] for problem in sweep(layout, own=RUN, now=NOW).kept] == ["path_unusable"] * 2
    monkeypatch.undo()
    assert sweep(layout, own=RUN, now=NOW).removed == old
    assert [os.path.exists(path) for path in (*old, *others)] == [False] * 2 + [True] * 3


def _refuse(path: str) -> bool:
    raise PathUnusable("constructed", path=path)


def test_a_run_does_not_sweep_itself(layout: HostLayout) -> None:
    own = run_id(timedelta(days=90))
    for name in (own, *(run_id(timedelta(days=number)) for number in range(21))):
        Path(layout.runs_dir, name).mkdir(parents=True)
    Path(layout.workspace(own)).mkdir(parents=True)
    assert sweep(layout, own=own, now=NOW).removed == []
    assert sweep(layout, own=RUN, now=NOW).removed == [layout.workspace(own), os.path.join(layout.runs_dir, own)]


def test_what_still_works_is_not_swept(layout: HostLayout, start: Callable[..., Any]) -> None:
    start("pg_dump-1")
    Path(layout.workspace(RUN)).mkdir(parents=True)
    swept = sweep(layout, own="20261123-150000-00000002", now=NOW)
    assert swept.removed == []
    assert Path(layout.workspace(RUN)).is_dir()


@pytest.mark.posix
def test_what_cannot_be_removed_stops_no_run(layout: HostLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(layout.workspace(RUN)).mkdir(parents=True)
    monkeypatch.setattr(_fs, "_remove_tree", _deny)
    swept = sweep(layout, own="20261123-150000-00000002", now=NOW)
    assert swept.removed == []
    assert [problem["code"] for problem in swept.kept] == ["path_permissions"]


def _deny(path: str) -> None:
    raise PermissionError(13, "constructed", path)
