# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport's runner under Windows Python, beside the platform seam that it must agree with: locks and held files.

It is here because what is here runs under that Python. The runner's own tests run on Linux.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.plugin_utils._remote import runner

pytestmark = pytest.mark.windows
RESULT = {"rc": 0, "stdout": "{}", "stderr": ""}


@pytest.fixture(name="job")
def _job(tmp_path: Path) -> runner.Job:
    """A job that has begun; nobody holds its locks."""
    made = runner.Job({"root": str(tmp_path), "job": ["run1", "step-1"]})
    made.make()
    for name in ("alive.lock", "reserve"):
        Path(made.path(name)).touch()
    Path(made.path("pid")).write_text(json.dumps({"pid": 1}), encoding="ascii")
    return made


@contextlib.contextmanager
def held(path: str, seconds: float) -> Iterator[None]:
    """Nobody else can open, rename or remove the file for so long."""
    import ctypes

    kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.CreateFileW.restype = ctypes.c_void_p
    handle = kernel.CreateFileW(path, 0x80000000, 0, None, 3, 0, None)
    assert handle != ctypes.c_void_p(-1).value
    timer = threading.Timer(seconds, kernel.CloseHandle, (ctypes.c_void_p(handle),))
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_runner_and_seam_see_each_others_locks(job: runner.Job) -> None:
    path = job.path("alive.lock")
    taken = runner.take_lock(path, 0)
    assert taken is not None
    lock = api.FileLock(path, first_byte=True)
    assert not lock.try_acquire()
    taken.close()
    assert lock.try_acquire()
    assert runner.is_locked(path)
    lock.release()
    assert not runner.is_locked(path)


@pytest.mark.parametrize("name", ["result.json", "alive.lock"])
def test_a_held_file_is_no_killed_job(job: runner.Job, name: str) -> None:
    runner.write_file(job.path("result.json"), RESULT, 0)
    with held(job.path(name), 1):
        assert job.observe()["state"] == "unreadable"
        assert job.wait(20)["result"] == RESULT


def test_a_held_lock_file_can_be_locked_when_it_is_let_go(job: runner.Job) -> None:
    with held(job.path("alive.lock"), 1):
        lock = runner.take_lock(job.path("alive.lock"), 20)
    assert lock is not None
    lock.close()


def test_a_held_reserve_loses_no_result(job: runner.Job) -> None:
    with held(job.path("reserve"), 2):
        begun = time.monotonic()
        storing = threading.Thread(target=runner.store_result, args=(job, RESULT))
        storing.start()
        while job.observe()["state"] != "done":
            assert time.monotonic() - begun < 1.9
        storing.join()
    assert not os.path.exists(job.path("reserve"))


def test_a_held_name_is_written_when_it_is_let_go(job: runner.Job) -> None:
    runner.write_file(job.path("result.json"), {}, 0)
    with held(job.path("result.json"), 1):
        runner.write_file(job.path("result.json"), RESULT, 20)
    assert runner.read_file(job.path("result.json")) == RESULT
