# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step in a process of its own: the real module, with the arguments that Ansible would give it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tools.torture import clock, fault
from tools.torture.child import Child, Place, Strikes, parse_answer

LONGEST = 120.0  # seconds for a step of this small world
KILLED = {"failed": True, "code": "module_killed", "msg": "module_killed: the step's process ended without an answer"}


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
                Child(self.place(), module, arguments, context, strikes).run(answer, told)
            os._exit(99)
        code = _reap(child, strikes)
        _no_program_is_left(str(self._root))
        if told.exists():
            state = json.loads(told.read_bytes())
            strikes.changes, strikes.programs = state["changes"], state["programs"]
            strikes.hits += state["hits"]
            clock.ahead = timedelta(seconds=state["ahead"])
        else:
            strikes.changes = max((each["n"] for each in self.changes()), default=strikes.changes)
        notes = state.get("notes", []) if told.exists() else []
        if code != 0:
            return Done(dict(KILLED), died=True, notes=notes)
        return Done(parse_answer(answer), notes=notes)

    def place(self) -> Place:
        """What a step's process must know of its host."""
        return Place(self._root, self.journal, self._stash, self._boot())


def _reap(child: int, strikes: Strikes) -> int:
    """The child's end; it is killed where the clock says so, or where it hangs."""
    later = strikes.fault.kind == fault.KILL_LATER and strikes.fault.at == 0 and not strikes.struck
    limit = time.monotonic() + (strikes.fault.milliseconds / 1000 if later else LONGEST)
    descriptor = os.pidfd_open(child)
    try:
        if not select.select([descriptor], [], [], max(0.0, limit - time.monotonic()))[0]:
            os.kill(child, signal.SIGKILL)
            if not later:
                os.waitpid(child, 0)
                raise AssertionError(f"a step did not end within {LONGEST:.0f} s")
            strikes.hits.append(strikes.changes)
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
