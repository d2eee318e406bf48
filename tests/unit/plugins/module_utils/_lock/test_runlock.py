# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking, holding, losing and giving back the host, with real processes and real files."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    ClockSuspect,
    InputInvalid,
    LeaseLost,
    Locked,
    NotProved,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import runlock, step
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock

FIRST, SECOND = "20261123-150000-00000001", "20261123-150000-00000002"


@pytest.fixture(name="layout")
def _layout(tmp_path: Path) -> HostLayout:
    return HostLayout(str(tmp_path / "control"))


@pytest.fixture(name="in_run")
def _in_run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Work as a module of that run from now on."""

    def enter(run_id: str, **more: Any) -> None:
        module = types.ModuleType(_context.CONTEXT_MODULE)
        module.DATA = {"run_id": run_id, "controller": "cron@control", **more}  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)

    return enter


def at(seconds: float) -> Callable[[], datetime]:
    """A clock that many seconds away from ours."""
    return lambda: utc_now() + timedelta(seconds=seconds)


HOLD = """
import sys
sys.path[:0] = %r
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
with held(HostLayout(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(name="module_process")
def _module_process(layout: HostLayout) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start another process that works under a run's lease."""
    started: List[subprocess.Popen[bytes]] = []

    def start(run_id: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD % sys.path, layout.root, run_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"held"
        return process

    yield start
    for process in started:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()


def test_a_free_host_is_taken_once(layout: HostLayout) -> None:
    lock = RunLock(layout)
    taken = lock.acquire(FIRST, purpose="backup", controller="cron@control")
    assert (taken.changed, taken.taken_over) == (True, None)
    assert lock.read() == taken.lease
    again = RunLock(layout).acquire(FIRST, purpose="backup")
    assert (again.changed, again.lease) == (False, taken.lease)


def test_another_run_is_told_who_has_it(layout: HostLayout) -> None:
    lease = RunLock(layout).acquire(FIRST, purpose="restore", controller="cron@control").lease
    with pytest.raises(Locked) as refused:
        RunLock(layout).acquire(SECOND, purpose="backup")
    facts = refused.value.facts
    assert (facts["run_id"], facts["purpose"], facts["controller"]) == (FIRST, "restore", "cron@control")
    assert facts["started"] == format_time(lease.started)
    assert FIRST in refused.value.message
    assert RunLock(layout).read() == lease


def test_a_stale_lease_is_taken_over_and_told(layout: HostLayout) -> None:
    RunLock(layout, clock=at(-1000)).acquire(FIRST, purpose="backup", controller="cron@control")
    with pytest.raises(Locked):
        RunLock(layout).acquire(SECOND, purpose="backup", stale_after=2000)
    taken = RunLock(layout).acquire(SECOND, purpose="backup", stale_after=900)
    assert taken.taken_over is not None
    assert taken.taken_over["run_id"] == FIRST
    assert "heartbeat" in taken.taken_over["reason"]
    lease = RunLock(layout).read()
    assert lease is not None
    assert lease.run_id == SECOND


def test_a_lease_from_before_the_last_start_is_dead(layout: HostLayout) -> None:
    lock = RunLock(layout)
    lease = lock.acquire(FIRST, purpose="backup").lease
    lock.write(lease.beaten(lease.heartbeat, 1, "an older boot"))
    taken = RunLock(layout).acquire(SECOND, purpose="backup")
    assert "started again" in (taken.taken_over or {})["reason"]


def test_a_damaged_lease_blocks_nobody_for_ever(layout: HostLayout) -> None:
    lock = RunLock(layout)
    lock.acquire(FIRST, purpose="backup")
    Path(lock.lease_file).write_bytes(b"\0" * 100)
    taken = RunLock(layout).acquire(SECOND, purpose="backup")
    assert taken.taken_over is not None
    assert taken.taken_over["run_id"] is None
    assert "damaged" in taken.taken_over["reason"]


def test_a_lease_in_the_future_is_a_matter_of_clocks(layout: HostLayout) -> None:
    RunLock(layout, clock=at(4000)).acquire(FIRST, purpose="backup")
    with pytest.raises(ClockSuspect):
        RunLock(layout).acquire(SECOND, purpose="backup")


@pytest.mark.parametrize("stale", [False, True])
def test_nothing_is_taken_from_a_living_process(
    layout: HostLayout, module_process: Callable[[str], Any], stale: bool
) -> None:
    lock = RunLock(layout)
    lease = lock.acquire(FIRST, purpose="backup").lease
    process = module_process(FIRST)
    if stale:
        lock.write(lease.beaten(lease.heartbeat - timedelta(days=1), lease.pid, "an older boot"))
    with pytest.raises(Locked) as refused:
        RunLock(layout).acquire(SECOND, purpose="backup")
    assert "living process" in refused.value.message
    end(process)
    if stale:
        assert RunLock(layout).acquire(SECOND, purpose="backup").taken_over is not None
    else:
        with pytest.raises(Locked, match="heartbeat"):
            RunLock(layout).acquire(SECOND, purpose="backup")


def test_a_lock_without_a_lease_is_taken_too(layout: HostLayout) -> None:
    holder = RunLock(layout)
    Path(layout.lock_dir).mkdir(parents=True)
    assert holder.take_os_lock()
    with pytest.raises(Locked, match="living process"):
        RunLock(layout).acquire(FIRST, purpose="backup")
    holder.os_lock.release()
    assert RunLock(layout).acquire(FIRST, purpose="backup").changed


def test_a_lease_is_not_given_back_under_a_working_process(
    layout: HostLayout, module_process: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    RunLock(layout).acquire(FIRST, purpose="backup")
    module_process(FIRST)
    monkeypatch.setattr(runlock, "PATIENCE", 0.2)
    with pytest.raises(Locked, match="still works"):
        RunLock(layout).release(FIRST, clean_up=lambda: pytest.fail("its workspace is in use"))
    assert RunLock(layout).read() is not None


def test_a_dry_run_takes_nothing(layout: HostLayout) -> None:
    lock = RunLock(layout)
    assert lock.acquire(FIRST, purpose="backup", dry_run=True).changed
    assert not Path(layout.root).exists()
    lock.acquire(FIRST, purpose="backup")
    with pytest.raises(Locked):
        RunLock(layout).acquire(SECOND, purpose="backup", dry_run=True)
    stale = RunLock(layout, clock=at(5000))
    assert stale.acquire(SECOND, purpose="backup", dry_run=True).taken_over is not None
    lease = lock.read()
    assert lease is not None
    assert lease.run_id == FIRST
    assert RunLock(layout).release(FIRST, clean_up=lambda: None, dry_run=True).changed
    assert lock.read() == lease


def test_giving_back(layout: HostLayout) -> None:
    lock = RunLock(layout)
    cleaned: List[bool] = []

    def clean() -> None:
        cleaned.append(True)

    assert not lock.release(FIRST, clean_up=clean).changed
    lock.acquire(FIRST, purpose="backup")
    other = RunLock(layout).release(SECOND, clean_up=clean)
    assert not other.changed
    assert FIRST in other.note
    assert cleaned == []
    assert RunLock(layout).release(FIRST, clean_up=clean).changed
    assert cleaned == [True]
    assert lock.read() is None
    assert not RunLock(layout).release(FIRST, clean_up=clean).changed
    assert RunLock(layout).acquire(SECOND, purpose="backup").taken_over is None


def test_a_lock_that_cannot_be_opened_is_named(layout: HostLayout) -> None:
    lock = RunLock(layout)
    lock.acquire(FIRST, purpose="backup")
    Path(lock.os_lock.path).unlink()
    Path(lock.os_lock.path).mkdir()
    with pytest.raises(BackupError) as caught:
        RunLock(layout).acquire(FIRST, purpose="backup")
    assert caught.value.code in ("path_unusable", "path_permissions")


def test_holding_beats_and_checks(layout: HostLayout) -> None:
    lock = RunLock(layout, clock=at(-500))
    before = lock.acquire(FIRST, purpose="backup").lease
    with held(layout, FIRST) as holding:
        during = lock.read()
        holding.check()
        assert not RunLock(layout).take_os_lock()
    assert during is not None
    assert during.heartbeat > before.heartbeat
    assert during.started == before.started
    assert RunLock(layout).take_os_lock()


def test_a_heart_beats_while_the_work_goes_on(layout: HostLayout) -> None:
    lock = RunLock(layout)
    lock.acquire(FIRST, purpose="backup")
    beats = threading.Event()
    with held(layout, FIRST, heartbeat_every=0.01) as holding:
        lease = lock.read()
        assert lease is not None
        lock.write(lease.beaten(lease.heartbeat - timedelta(hours=1), 1, "x"))
        for _ in range(1000):
            now = lock.read()
            if now is not None and now.heartbeat >= lease.heartbeat:
                beats.set()
                break
            beats.wait(0.01)
        holding.check()
    assert beats.is_set()


def test_a_lost_lease_is_noticed_before_harm(layout: HostLayout) -> None:
    lock = RunLock(layout)
    with pytest.raises(LeaseLost):
        with held(layout, FIRST):
            raise AssertionError("nothing was ever taken")
    lease = lock.acquire(FIRST, purpose="backup").lease
    with pytest.raises(LeaseLost):
        with held(layout, SECOND):
            raise AssertionError("it is not ours")
    with held(layout, FIRST) as holding:
        lock.write(lease.__class__(**{**lease.__dict__, "run_id": SECOND}))
        with pytest.raises(LeaseLost) as lost:
            holding.check()
        assert lost.value.facts["holder"]["run_id"] == SECOND
    found = lock.read()
    assert found is not None
    assert found.run_id == SECOND  # our end did not write over it


@pytest.mark.parametrize("harm", ["remove", "damage"])
def test_a_lease_that_vanished_is_lost(layout: HostLayout, harm: str) -> None:
    lock = RunLock(layout)
    lock.acquire(FIRST, purpose="backup")
    with held(layout, FIRST) as holding:
        if harm == "remove":
            Path(lock.lease_file).unlink()
        else:
            Path(lock.lease_file).write_bytes(b"{}")
        with pytest.raises(LeaseLost):
            holding.check()


def test_two_modules_of_a_run_do_not_work_at_once(layout: HostLayout, module_process: Callable[[str], Any]) -> None:
    RunLock(layout).acquire(FIRST, purpose="backup")
    process = module_process(FIRST)
    with pytest.raises(Locked):
        with held(layout, FIRST, patience=0.2):
            raise AssertionError("another process works")
    process.stdin.close()  # it ends by itself; the next module waits for it
    with held(layout, FIRST):
        pass
    process.wait()


def test_outside_of_a_run_nothing_is_held(layout: HostLayout) -> None:
    with pytest.raises(NotProved):
        with held(layout):
            raise AssertionError("there is no run")


def test_the_module_takes_sweeps_and_gives_back(layout: HostLayout, in_run: Callable[..., None]) -> None:
    in_run(FIRST, controller_time=format_time(utc_now()))
    assert step.take(layout, purpose="backup", stale_after=900, dry_run=False)["changed"]
    assert not step.take(layout, purpose="backup", stale_after=900, dry_run=False)["changed"]
    workspace = Path(layout.workspace(FIRST))
    workspace.mkdir(parents=True)
    (workspace / "dump").write_bytes(b"x")
    planned = step.give_back(layout, dry_run=True)
    assert planned["swept"] == [str(workspace)]
    assert workspace.exists()
    done = step.give_back(layout, dry_run=False)
    assert (done["changed"], done["swept"]) == (True, [str(workspace)])
    assert not workspace.exists()
    assert step.give_back(layout, dry_run=False)["changed"] is False


def test_a_run_without_a_workspace_is_given_back_too(layout: HostLayout, in_run: Callable[..., None]) -> None:
    in_run(FIRST, controller_time=format_time(utc_now()))
    step.take(layout, purpose="backup", stale_after=900, dry_run=False)
    done = step.give_back(layout, dry_run=False)
    assert (done["changed"], done["swept"]) == (True, [])
    assert RunLock(layout).read() is None


@pytest.mark.parametrize("readable", [True, False])
def test_the_module_sweeps_every_workspace_but_its_own(
    layout: HostLayout, in_run: Callable[..., None], readable: bool
) -> None:
    """Of the dead run whose place it takes, of those before it, and also when nobody can tell whose place it is."""
    RunLock(layout, clock=at(-1000)).acquire(FIRST, purpose="backup")
    if not readable:
        Path(RunLock(layout).lease_file).write_bytes(b"torn")
    third = "20261123-150000-00000003"
    for run_id in (FIRST, SECOND, third):
        Path(layout.workspace(run_id)).mkdir(parents=True)
    in_run(SECOND)
    planned = step.take(layout, purpose="backup", stale_after=900, dry_run=True)
    taken = step.take(layout, purpose="backup", stale_after=900, dry_run=False)
    assert planned["swept"] == taken["swept"] == [layout.workspace(FIRST), layout.workspace(third)]
    assert taken["taken_over"]["run_id"] == (FIRST if readable else None)
    assert [path.name for path in Path(layout.scratch_dir).iterdir()] == [SECOND]


def test_a_run_that_lost_the_host_still_takes_its_workspace_away(
    layout: HostLayout, in_run: Callable[..., None]
) -> None:
    RunLock(layout).acquire(SECOND, purpose="backup")
    for run_id in (FIRST, SECOND):
        Path(layout.workspace(run_id)).mkdir(parents=True)
    in_run(FIRST)
    done = step.give_back(layout, dry_run=False)
    assert (done["changed"], done["swept"]) == (True, [layout.workspace(FIRST)])
    assert SECOND in done["note"]
    assert [path.name for path in Path(layout.scratch_dir).iterdir()] == [SECOND]
    lease = RunLock(layout).read()
    assert lease is not None
    assert lease.run_id == SECOND


def test_without_a_run_there_is_nothing_to_give_back(layout: HostLayout) -> None:
    assert step.give_back(layout, dry_run=False)["changed"] is False
    with pytest.raises(NotProved):
        step.take(layout, purpose="backup", stale_after=900, dry_run=False)


def test_clocks_may_differ_by_five_minutes(layout: HostLayout, in_run: Callable[..., None]) -> None:
    now = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)
    step.compare_clocks(now, None)
    for seconds in (-300, 300):
        step.compare_clocks(now, now + timedelta(seconds=seconds))
        with pytest.raises(ClockSuspect):
            step.compare_clocks(now, now + timedelta(seconds=seconds * 1.01))
    in_run(FIRST, controller_time=format_time(utc_now() + timedelta(hours=1)))
    with pytest.raises(ClockSuspect):
        step.take(layout, purpose="backup", stale_after=900, dry_run=False)
    assert not Path(layout.root).exists()


def test_a_senseless_stale_time_is_refused(layout: HostLayout, in_run: Callable[..., None]) -> None:
    in_run(FIRST)
    with pytest.raises(InputInvalid):
        step.take(layout, purpose="backup", stale_after=0, dry_run=False)
