# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step from within its process: what is watched there, and where the fault strikes."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils import basic

from ansible_collections.wst.backup.plugins.module_utils import _context, _process
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from tools.torture import clock, fault
from tools.torture.fault import Fault
from tools.torture.seam import WRITES, Seam

SLOW = 0.03  # seconds that a change of a slow mirror takes
MODULES = "ansible_collections.wst.backup.plugins.modules."


@dataclass(frozen=True)
class Place:
    """A host as its processes see it: its files, where their changes are written down, and which start it is."""

    root: Path
    journal: Path
    stash: Path
    boot_id: str


@dataclass
class Strikes:
    """A fault on its way through a run: it strikes once, and some go on from there."""

    fault: Fault
    places: Mapping[str, Path]
    changes: int = 0  # of the disk so far
    programs: int = 0  # started so far
    hits: list[int] = field(default_factory=list)  # the changes at which it struck

    @property
    def struck(self) -> bool:
        """Whether it has."""
        return bool(self.hits)


class Child:
    """A step, in the process that was forked for it."""

    def __init__(
        self,
        host: Place,
        module: str,
        arguments: Mapping[str, Any],
        context: Mapping[str, Any],
        strikes: Strikes,
    ) -> None:
        self._host, self._module, self._arguments = host, module, arguments
        self._context, self._strikes = dict(context), strikes
        self._notes: list[str] = []
        self._known = len(strikes.hits)  # of earlier steps
        self._seam: Seam | None = None
        self._told = Path()

    def run(self, answer: Path, told: Path) -> None:
        """Never returns."""
        self._told = told
        output = os.open(answer, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(output, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        enter(self._context)
        api.boot_id = lambda: self._host.boot_id
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
            "hits": self._strikes.hits[self._known :],
            "ahead": clock.ahead.total_seconds(),
            "notes": self._notes,
        }
        descriptor = os.open(self._told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(descriptor, json.dumps(state).encode())
        os.close(descriptor)

    def _strike(self, operation: str, path: str, number: int) -> None:
        strikes, what = self._strikes, self._strikes.fault
        lasting = what.kind in (fault.REFUSED_ON, fault.MIRROR_VANISHES, fault.MIRROR_SLOW)
        if number < what.at or (strikes.struck and not lasting):
            return
        if what.kind in (fault.REFUSED, fault.REFUSED_ON):
            self._refuse(operation, path, number)
        elif what.kind == fault.MIRROR_VANISHES:
            mirror = strikes.places["mirror"]
            if not strikes.struck:
                os.rename(mirror, mirror.with_name("unplugged"))
            self._hit(number)
        elif what.kind == fault.MIRROR_SLOW:
            if path.startswith(str(strikes.places["mirror"])):
                self._hit(number)
                time.sleep(SLOW)
        elif what.kind in (fault.KILL_JOB, fault.KILL_ALL, fault.POWER):
            self._hit(number)
            self._tell()
            os.kill(os.getpid(), signal.SIGKILL)
        elif what.kind == fault.CLOCK:
            self._hit(number)
            clock.move(what.jump)
        elif what.kind == fault.SECOND:
            self._hit(number)
            self._second_run()

    def _hit(self, number: int) -> None:
        self._strikes.hits.append(number)

    def _refuse(self, operation: str, path: str, number: int) -> None:
        what = self._strikes.fault
        place = self._strikes.places.get(what.place)
        if place is not None and not path.startswith(str(place)):
            return
        full = what.number == errno.ENOSPC
        if full and operation not in WRITES:
            return
        self._hit(number)
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
        result = parse_answer(answer)
        self._notes.append(f"second run: {result.get('code') or 'admitted'}")

    def _watch_programs(self) -> None:
        """Count the programs that are started, mark them as ours, and kill the one that the fault names."""
        start = _process._start

        def started(argv: Any, *, env: dict[str, str], **options: Any) -> Any:
            process = start(argv, env={**env, "WST_TORTURE": str(self._host.root)}, **options)
            self._strikes.programs += 1
            what = self._strikes.fault
            if what.kind == fault.TOOL and what.at == self._strikes.programs:
                threading.Timer(what.milliseconds / 1000, self._kill, [process]).start()
            return process

        _process._start = started

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            self._hit(self._seam.count if self._seam else 0)
            process.kill()


def preload(modules: Iterable[str]) -> None:
    """Import what steps need before their processes are forked: a third of a round's time went into that."""
    for name in (*modules, "backup_info", "backup_pin", "backup_repair", "mirror_init"):
        importlib.import_module(MODULES + name)
    importlib.import_module("psycopg")


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


def parse_answer(answer: Path) -> dict[str, Any]:
    """The result that a module has written."""
    for line in answer.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            result: dict[str, Any] = json.loads(line)
            return result
    raise AssertionError(f"a module ended without an answer: {answer.read_text()[:2000]}")
