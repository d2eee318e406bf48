# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are held at a known point, and what is done to them there: nothing here depends on who is faster.

A dump is held by a lock on a catalogue that only ``pg_dump`` reads: its process then waits in the middle of its work,
whatever its own lock timeout is, until the test lets go.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from integration.world import BIN, ROOT, RUN_TIMEOUT, Played, World

from ansible_collections.wst.backup.plugins.module_utils import _fs
from wstlab import control
from wstlab.config import LabPaths

READ_BY_PG_DUMP_ONLY = "pg_catalog.pg_description"  # comments; a new session opens most other catalogues
APPLICATION = "wst.backup"  # the name that sessions of a backup have on the server
JOB = "wst_backup_job"  # stands in the command line of a job's process
TIME = "%Y-%m-%dT%H:%M:%SZ"
PATIENCE = 90.0  # seconds; a bound on a hang, not a measure
SHORT_LEASE = {"backup_stale_after": 1}  # seconds; a run of a test that takes over a dead one need not wait


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Return as soon as the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


def needs_winrm(world: World) -> None:
    """Leave a test out, loudly, where there is no network between the control node and the host."""
    if not world.windows:
        pytest.skip("NOT EXERCISED: the POSIX lane has no WinRM connection that could break")


# --- a run in the background


@dataclass
class Playing:
    """A playbook that runs."""

    process: subprocess.Popen[bytes]
    screen: Path

    def output(self) -> str:
        """What is on its screen so far."""
        return self.screen.read_text("utf-8", "replace")

    def end(self) -> Played:
        """Wait for its end."""
        return Played(code=self.process.wait(RUN_TIMEOUT), output=self.output())

    def kill(self) -> None:
        """Kill the control node's processes on the spot; nothing is told to the host.

        Ansible's workers have sessions of their own, and would go on alone.
        """
        self._signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def freeze(self) -> None:
        """Hold the control node's processes; the host's job goes on, and no other is started."""
        self._signal(signal.SIGSTOP)

    def _signal(self, number: int) -> None:
        for pid in _family(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _family(pid: int) -> list[int]:
    """The process and its descendants, in this order; on the POSIX lane the host's jobs are among them and stay."""
    process = Path(f"/proc/{pid}")
    try:
        if JOB.encode() in (process / "cmdline").read_bytes():
            return []
        below = (process / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(each for child in below for each in _family(int(child)))]


@contextlib.contextmanager
def playing(
    world: World,
    playbook: str = "playbooks/backup.yml",
    *arguments: str,
    extra: Mapping[str, Any] | None = None,
    under: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Playing]:
    """A playbook in the background; it has ended when the block has.

    :param under: a program that runs it, such as ``faketime``.
    :param environment: of the operator's shell, where it is another one.
    """
    variables = {"wst_backup_control_dir": str(world.records), **(extra or {})}
    argv = [*under, str(BIN / "ansible-playbook"), playbook, "-i", "inventory/lab", "-e", json.dumps(variables)]
    with tempfile.TemporaryDirectory() as directory:
        screen = Path(directory) / "screen"
        with screen.open("wb") as file:
            process = subprocess.Popen(
                [*argv, *arguments],
                cwd=ROOT,
                env={**world.environment(), "PYTHONUNBUFFERED": "1", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        run = Playing(process, screen)
        try:
            yield run
        finally:
            if process.poll() is None:
                run.kill()


# --- a dump in the middle


@dataclass
class Gate:
    """Holds every dump of the world in the middle until it is opened."""

    world: World
    lock: Any  # the session that has the lock
    watch: Any  # another one: within a transaction the list of sessions stands still

    def wait(self, run: Playing) -> None:
        """Until a dump is held."""

        def held() -> bool:
            assert run.process.poll() is None, run.output()
            return bool(self.waiting())

        wait_until(held, "no dump came to the gate")

    def waiting(self) -> int:
        """How many dumps are held."""
        query = (
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            f" WHERE NOT l.granted AND a.application_name = '{APPLICATION}'"
            f" AND l.relation = '{READ_BY_PG_DUMP_ONLY}'::regclass"
        )
        return int(self.watch.execute(query).fetchone()[0])

    def open(self) -> None:
        """Let the dumps go on."""
        self.lock.rollback()


@contextlib.contextmanager
def held_dumps(world: World) -> Iterator[Gate]:
    """Dumps that begin within the block are held in their middle."""
    with world.connect() as lock, world.connect() as watch:
        lock.autocommit = False
        lock.execute(f"LOCK TABLE {READ_BY_PG_DUMP_ONLY} IN ACCESS EXCLUSIVE MODE")
        try:
            yield Gate(world, lock, watch)
        finally:
            lock.rollback()


def sessions(world: World) -> int:
    """How many sessions of a backup the server has: psycopg's and pg_dump's."""
    with world.connect() as session:
        query = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{APPLICATION}'"
        row = session.execute(query).fetchone()
    return int(row[0]) if row else 0


# --- the host's processes, jobs and lease


@contextlib.contextmanager
def left_free(world: World) -> Iterator[World]:
    """The world; should the test fail, its run does not stand in the way of the next test."""
    try:
        yield world
    finally:
        for pid in [*job_processes(world), *tool_processes(world)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        (world.control / "lock" / "lease.json").unlink(missing_ok=True)
        for workspace in (world.control / "scratch").iterdir():
            shutil.rmtree(workspace)


def job_processes(world: World) -> list[int]:
    """The Linux process ids of the host's jobs; also Windows processes have one here."""
    return [pid for pid, argv in _processes(world) if JOB in argv]


def held_while_it_writes(world: World, run: Playing, module: str, layer: Path) -> int:
    """The process of the module's job, stopped (SIGSTOP) while it works on a ZIP under a partial name on that layer.

    That it has told its progress is what shows that it works: the partial on the mirror is there before its own step.
    """
    known = jobs(world, module)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:  # closer than wait_until looks: some of this takes a moment only
        assert run.process.poll() is None, run.output()
        growing = [path for path in layer.glob("*.zip.*.partial") if path.stat().st_size > 0]
        telling = [job for job in jobs(world, module) - known if (job / "progress.json").exists()]
        if growing and telling:
            (pid,) = job_processes(world)
            os.kill(pid, signal.SIGSTOP)
            assert growing[0].exists(), f"{module} had ended before it was held"
            return pid
    raise AssertionError(f"{module} was not seen to write on {layer}")


def tool_processes(world: World) -> list[int]:
    """The same of the PostgreSQL programs that the host runs."""
    return [pid for pid, argv in _processes(world) if "pg_dump" in argv.partition("\0")[0]]


def _processes(world: World) -> Iterator[tuple[int, str]]:
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            where, argv = (directory / "cwd").resolve(strict=True), (directory / "cmdline").read_bytes()
            if where == world.control.resolve():
                yield int(directory.name), argv.decode("utf-8", "replace")


def kill_job(world: World) -> None:
    """End the host's one job as a crash would: at once and without a word."""
    (pid,) = job_processes(world)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in job_processes(world), "the killed job is still there")


STALE = 1  # seconds; nobody waits a quarter of an hour for a dead run's lease


def crash(world: World, run: Playing) -> None:
    """The control node and, at the same moment, the host: nothing of the run is left but what is on the disks.

    Returns when its lease is as old as one of a dead run must be.
    """
    run.kill()
    for pid in job_processes(world):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not job_processes(world), "the killed jobs are still there")
    lease = world.control / "lock" / "lease.json"
    wait_until(lambda: not lease.exists() or time.time() - lease.stat().st_mtime > 2 * STALE, "its lease does not age")


def swaps(world: World, suffix: str) -> dict[str, str]:
    """The status of each run's swap of trees (``.json``) or of a database (``.database.json``), by its run."""
    found = {}
    for path in (world.control / "swaps").glob(f"*{suffix}"):
        run_id = path.name[: -len(suffix)]
        if "." not in run_id:
            found[run_id] = json.loads(path.read_text())["body"]["status"]
    return found


def kill_tools(world: World) -> None:
    """End the PostgreSQL programs of the host's job, and nothing else."""
    found = tool_processes(world)
    assert found
    for pid in found:
        os.kill(pid, signal.SIGKILL)


def jobs(world: World, step: str) -> set[Path]:
    """The directories of all jobs of that step."""
    return set((world.control / "runs").glob(f"*/{step}-*"))


def lease(world: World) -> dict[str, Any]:
    """What is in the host's lease, or nothing."""
    try:
        body: dict[str, Any] = json.loads((world.control / "lock" / "lease.json").read_text())["body"]
    except FileNotFoundError:
        return {}
    return body


def fresh_lease_of_another_run(world: World) -> str:
    """Put another run's lease in the place of the one that is there, as a run that took over does; its run id."""
    other = "20261123-000000-0badcafe"
    now = datetime.now(timezone.utc).strftime(TIME)
    _write_lease(world, {**lease(world), "run_id": other, "started": now, "heartbeat": now})
    return other


def lease_from_the_future(world: World) -> None:
    """The lease of a run that saw another time than the host does now."""
    later = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime(TIME)
    _write_lease(world, {**lease(world), "heartbeat": later})


def _write_lease(world: World, body: dict[str, Any]) -> None:
    _fs.write_record(str(world.control / "lock" / "lease.json"), body)


def lease_is_old(world: World) -> None:
    """Wait until a run with ``SHORT_LEASE`` may take the place of the one that has the lease."""
    beat = datetime.strptime(lease(world)["heartbeat"], TIME).replace(tzinfo=timezone.utc)
    wait_until(lambda: datetime.now(timezone.utc) - beat > timedelta(seconds=2), "the heartbeat is old")


# --- faults of the listener


def listener(world: World, command: str, **values: object) -> dict[str, Any]:
    """Ask the host's listener: ``status``, ``set`` a fault, ``clear``, ``restart``."""
    return control.ask(LabPaths(world.state, ROOT / ".cache").host(1), command, **values)


def faults(world: World) -> dict[str, Any]:
    """The faults that are on; counters have counted down."""
    found: dict[str, Any] = listener(world, "status")["faults"]
    return found


# --- what must hold afterwards


@dataclass(frozen=True)
class Before:
    """The sets and jobs as they were."""

    artifacts: list[str]
    files: dict[str, str]
    dumps: set[Path]
    records: int

    @classmethod
    def of(cls, world: World) -> Before:
        return cls(world.artifacts(), fixed(world), jobs(world, "pg_dump"), len(world.audit()))

    def assert_intact(self, world: World) -> None:
        """No file of an older set is another or gone."""
        assert self.files.items() <= fixed(world).items(), "an older set was touched"

    def assert_nothing_published(self, world: World) -> None:
        """The sets are the same, on both layers, and no ZIP has a final name that is no set's."""
        self.assert_intact(world)
        assert fixed(world) == self.files

    def assert_one_new_set(self, world: World, *, dumps: int = 1) -> str:
        """One more complete set on both layers, nothing unfinished, and so many dumps were made for it."""
        self.assert_intact(world)
        (new,) = set(world.artifacts()) - set(self.artifacts)
        assert world.artifacts(world.mirror) == world.artifacts()
        for suffix in (".zip", ".manifest.json"):
            copies = {(layer / f"{new}{suffix}").read_bytes() for layer in (world.local, world.mirror)}
            assert len(copies) == 1, suffix
        assert len(jobs(world, "pg_dump") - self.dumps) == dumps
        assert_tidy(world)
        return new


def fixed(world: World) -> dict[str, str]:
    """The digests of the files on both layers that never change: no state files and nothing partial."""
    return {path: digest for path, digest in world.layers().items() if path.endswith((".zip", ".manifest.json"))}


def assert_tidy(world: World) -> None:
    """Nothing of a run is left."""
    assert lease(world) == {}
    assert list((world.control / "scratch").iterdir()) == []
    assert [path.name for layer in (world.local, world.mirror) for path in layer.rglob("*.partial")] == []
    assert job_processes(world) == []
    assert sessions(world) == 0


def assert_next_run_is_clean(world: World, *, extra: Mapping[str, Any] | None = None) -> Played:
    """A run now ends well and makes its one set, whatever was left to it."""
    before = Before.of(world)
    played = world.play("backup.yml", extra=extra)
    assert played.code == 0, played.output
    before.assert_one_new_set(world)
    return played
