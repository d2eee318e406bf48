# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step in a process of its own: the real module, with the arguments that Ansible would give it."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible.module_utils import basic

from ansible_collections.wst.backup.plugins.module_utils import _context, _process
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from tools.torture import clock, fault
from tools.torture.fault import Fault
from tools.torture.seam import WRITES, Seam

MODULES = "ansible_collections.wst.backup.plugins.modules."
LONGEST = 120.0  # seconds for a step of this small world
KILLED = {"failed": True, "code": "module_killed", "msg": "module_killed: the step's process ended without an answer"}


@dataclass
class Strikes:
    """A fault on its way through a run: it strikes once, and some go on from there."""

    fault: Fault
    places: Mapping[str, Path]
    changes: int = 0  # of the disk so far
    programs: int = 0  # started so far
    struck: bool = False
    power: bool = False  # it was the power


@dataclass
class Done:
    """How a step's process ended. ``result`` is what the control node would get."""

    result: dict[str, Any]
    died: bool = False
    notes: list[str] = field(default_factory=list)


class Processes:
    """Starts the steps of one host.

    :param root: all that is the host's.
    :param aside: where the journal of its changes and what lost its name are kept; on the same file system.
    """

    def __init__(self, root: Path, aside: Path, boot: Callable[[], str]) -> None:
        self._root, self._aside, self._boot = root, aside, boot
        self.journal = aside / "journal.jsonl"
        self._stash = aside / "stash"
        self.fresh()

    def fresh(self) -> None:
        """What was done until now is on the disk for good."""
        self._stash.mkdir(parents=True, exist_ok=True)
        for kept in self._stash.iterdir():
            kept.unlink()
        self.journal.write_bytes(b"")

    def changes(self) -> list[dict[str, Any]]:
        """The journal since then. Its last line may be torn: its writer may have been killed."""
        return [json.loads(line) for line in self.journal.read_bytes().splitlines(keepends=True) if line[-1:] == b"\n"]

    def run(self, module: str, arguments: Mapping[str, Any], context: Mapping[str, Any], strikes: Strikes) -> Done:
        """Run a module to its end, whatever that is."""
        answer, told = self._aside / "answer", self._aside / "told.json"
        for path in (answer, told):
            path.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                _Child(self, module, arguments, context, strikes).run(answer, told)
            os._exit(99)
        code = _reap(child, strikes)
        _no_program_is_left(str(self._root))
        if told.exists():
            state = json.loads(told.read_bytes())
            strikes.changes, strikes.programs = state["changes"], state["programs"]
            strikes.struck, strikes.power = state["struck"], state["power"]
            clock.ahead = timedelta(seconds=state["ahead"])
        else:
            strikes.changes = max((each["n"] for each in self.changes()), default=strikes.changes)
        notes = state.get("notes", []) if told.exists() else []
        if code != 0:
            return Done(dict(KILLED), died=True, notes=notes)
        return Done(_parse(answer), notes=notes)

    def boot_id(self) -> str:
        """Of the host's last start."""
        return self._boot()

    @property
    def root(self) -> Path:
        """All that is the host's."""
        return self._root

    @property
    def stash(self) -> Path:
        """What lost its name."""
        return self._stash


def _parse(answer: Path) -> dict[str, Any]:
    for line in answer.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            result: dict[str, Any] = json.loads(line)
            return result
    raise AssertionError(f"a module ended without an answer: {answer.read_text()[:2000]}")


def _reap(child: int, strikes: Strikes) -> int:
    """The child's end; it is killed where the clock says so, or where it hangs."""
    later = strikes.fault.kind == fault.KILL_LATER and strikes.fault.at == 0 and not strikes.struck
    limit = time.monotonic() + (strikes.fault.milliseconds / 1000 if later else LONGEST)
    descriptor = os.pidfd_open(child)
    try:
        import select

        if not select.select([descriptor], [], [], max(0.0, limit - time.monotonic()))[0]:
            os.kill(child, signal.SIGKILL)
            if not later:
                os.waitpid(child, 0)
                raise AssertionError(f"a step did not end within {LONGEST:.0f} s")
            strikes.struck = True
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        os.close(descriptor)


def _no_program_is_left(root: str) -> None:
    """Raises AssertionError where a program that a step started outlives it by more than a moment."""
    end = time.monotonic() + 10
    while left := [pid for pid in os.listdir("/proc") if pid.isdigit() and _is_tool(pid, root)]:
        if time.monotonic() > end:
            raise AssertionError(f"a program outlives its step: {left}")
        time.sleep(0.01)  # there is nothing to wait on: they are not our children


def _is_tool(pid: str, root: str) -> bool:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if os.path.basename(words[0]) in (b"pg_dump", b"pg_restore"):
            return f"WST_TORTURE={root}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


class _Child:
    """The process of a step, from within."""

    def __init__(
        self,
        host: Processes,
        module: str,
        arguments: Mapping[str, Any],
        context: Mapping[str, Any],
        strikes: Strikes,
    ) -> None:
        self._host, self._module, self._arguments = host, module, arguments
        self._context, self._strikes = dict(context), strikes
        self._notes: list[str] = []
        self._seam: Seam | None = None
        self._told = Path()

    def run(self, answer: Path, told: Path) -> None:
        """Never returns."""
        self._told = told
        output = os.open(answer, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(output, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        enter(self._context)
        boot = self._host.boot_id()
        api.boot_id = lambda: boot
        self._watch_programs()
        journal = os.open(self._host.journal, os.O_WRONLY | os.O_APPEND)
        self._seam = Seam(
            self._host.root, counted=self._strikes.changes, strike=self._strike, journal=journal, stash=self._host.stash
        )
        self._seam.install()
        call(self._module, self._arguments)
        sys.stdout.flush()
        self._tell()
        os._exit(0)

    def _tell(self) -> None:
        state = {
            "changes": self._seam.count if self._seam else 0,
            "programs": self._strikes.programs,
            "struck": self._strikes.struck,
            "power": self._strikes.power,
            "ahead": clock.ahead.total_seconds(),
            "notes": self._notes,
        }
        descriptor = os.open(self._told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(descriptor, json.dumps(state).encode())
        os.close(descriptor)

    def _strike(self, operation: str, path: str, number: int) -> None:
        strikes, what = self._strikes, self._strikes.fault
        lasting = what.kind in (fault.REFUSED_ON, fault.MIRROR_VANISHES)
        if number < what.at or (strikes.struck and not lasting):
            return
        if what.kind in (fault.REFUSED, fault.REFUSED_ON):
            self._refuse(operation, path)
        elif what.kind == fault.MIRROR_VANISHES:
            mirror = strikes.places["mirror"]
            if not strikes.struck:
                os.rename(mirror, mirror.with_name("unplugged"))
            strikes.struck = True
        elif what.kind in (fault.KILL_JOB, fault.KILL_ALL, fault.POWER):
            strikes.struck, strikes.power = True, what.kind == fault.POWER
            self._tell()
            os.kill(os.getpid(), signal.SIGKILL)
        elif what.kind == fault.CLOCK:
            strikes.struck = True
            clock.move(what.jump)
        elif what.kind == fault.SECOND:
            strikes.struck = True
            self._second_run()

    def _refuse(self, operation: str, path: str) -> None:
        what = self._strikes.fault
        place = self._strikes.places.get(what.place)
        if place is not None and not path.startswith(str(place)):
            return
        full = what.number == errno.ENOSPC
        if full and operation not in WRITES:
            return
        self._strikes.struck = True
        raise OSError(what.number, os.strerror(what.number), path)

    def _second_run(self) -> None:
        """Another control node begins while this step works."""
        answer = self._told.with_name("second")
        child = os.fork()
        if child == 0:
            os.dup2(os.open(answer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
            self._strikes.fault = Fault(fault.NONE)
            enter({**self._context, "run_id": "20200101-000000-0000beef"})
            root = str(self._strikes.places["control"])
            with contextlib.suppress(BaseException):
                call("run_lock", {"root": root, "purpose": "second"})
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
        result = _parse(answer)
        self._notes.append(f"second run: {result.get('code') or 'admitted'}")

    def _watch_programs(self) -> None:
        """Count the programs that are started, mark them as ours, and kill the one that the fault names."""
        start = _process._start

        def started(argv: Any, *, env: dict[str, str], **options: Any) -> Any:
            process = start(argv, env={**env, "WST_TORTURE": str(self._host.root)}, **options)
            self._strikes.programs += 1
            what = self._strikes.fault
            if what.kind == fault.TOOL and what.at == self._strikes.programs:
                self._strikes.struck = True
                threading.Timer(what.milliseconds / 1000, process.kill).start()
            return process

        _process._start = started


def enter(context: Mapping[str, Any]) -> None:
    """Be a module of that run."""
    module: Any = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = dict(context)
    sys.modules[_context.CONTEXT_MODULE] = module


def call(module: str, arguments: Mapping[str, Any]) -> None:
    """Call the module's entry point; its answer goes to standard output."""
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": dict(arguments)}).encode()
    basic._ANSIBLE_PROFILE = "legacy"  # asked for from ansible-core 2.19 on
    with contextlib.suppress(SystemExit):
        importlib.import_module(MODULES + module).main()
