# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run on a world's host, as ``roles/backup/tasks/main.yml`` has it: the steps, rescue, always."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._outcome import failure, outcome
from tools.torture import clock, fault, lock
from tools.torture.child import Strikes
from tools.torture.fault import Fault
from tools.torture.process import Done
from tools.torture.world import STALE, World

END, RELEASE = "backup_end", "backup_release"
_FATAL = (fault.KILL_ALL, fault.POWER)  # what takes the control node's run along with the step


@dataclass
class Ran:
    """What the control node knows of a run.

    :ivar found: the run that had the host when this one began; empty for none.
    :ivar tried: the events that it wanted in the log, in their order; it was told of ``written`` that they are there,
        and has ``elsewhere`` in its own records because the host could not take them.
    :ivar release_struck: the fault came in the way of the release.
    :ivar other: the run that took the host from this one.
    """

    run_id: str
    code: str = ""  # empty for a run that ended well
    message: str = ""
    controller_died: bool = False
    results: dict[str, Any] = field(default_factory=dict)
    changes: int = 0
    hits: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    found: str = ""
    tried: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    unlock: dict[str, Any] = field(default_factory=dict)
    release_struck: bool = False
    other: Ran | None = None

    @property
    def artifact(self) -> str:
        """The stem of what it says to have published; empty for nothing."""
        return str(self.results.get("__backup_publish", {}).get("artifact") or "")

    @property
    def stem(self) -> str:
        """Of the set that it makes, if it comes that far."""
        return f"wst-backup-{self.run_id[:15]}"

    @property
    def ended(self) -> bool:
        """Whether its control node came to the end of it."""
        return bool(self.results) and not self.controller_died


def run(world: World, what: Fault) -> Ran:
    """One run, with that fault in it. Afterwards the host may be in any state that the fault can leave."""
    world.processes.fresh()
    ran, strikes = Ran(world.new_run_id()), Strikes(what, world.places)
    Run(world, ran, strikes).steps()
    ran.changes, ran.hits = strikes.changes, strikes.hits
    return ran


class Run:
    """A control node at work."""

    def __init__(self, world: World, ran: Ran, strikes: Strikes) -> None:
        self._world, self._ran, self._strikes = world, ran, strikes

    def steps(self) -> None:
        """From the lock to its release."""
        world, ran = self._world, self._ran
        ran.found = lock.owner(world.control)
        registered: dict[str, Any] = {step.register: {} for step in world.steps}
        failed: dict[str, Any] = {}
        for number, step in enumerate(world.steps, 1):
            if self._strikes.fault.kind == fault.TAKEOVER and number == self._strikes.fault.at:
                self._be_taken_over()
            if not world.variables.applies(step, registered):
                continue
            self._time(number)
            done = self._step(step.module, world.variables.arguments(step, registered))
            registered[step.register] = done.result
            if ran.controller_died:
                return
            if done.result.get("failed"):
                failed = failure(done.result, step=step.name)
                self._record_failure(failed)
                break
        if failed.get("code") != "locked" and not ran.controller_died:
            self._release(registered["__backup_lock"])
        if ran.controller_died:
            return
        ran.results = registered
        named = {step.register.removeprefix("__backup_"): registered[step.register] for step in world.steps}
        end = outcome({**named, "unlock": ran.unlock}, failed=failed, began=0, ended=0, check=False)
        ran.code, ran.message = end["code"], end["msg"]

    def _step(self, module: str, arguments: Mapping[str, Any]) -> Done:
        timer = None
        if self._strikes.fault.kind == fault.SESSIONS and module == "pg_dump":
            timer = threading.Timer(self._strikes.fault.milliseconds / 1000, self._end_sessions)
            timer.start()
        if module == "audit_log":
            self._ran.tried.append(arguments["event"])
        done = self._world.processes.run(module, arguments, self._world.context(self._ran.run_id), self._strikes)
        if timer is not None:
            timer.join()
        self._ran.notes += done.notes
        self._ran.controller_died = done.died and self._strikes.fault.kind in _FATAL
        if module == "audit_log":
            self._see_audit(done, arguments["event"])
        return done

    def _end_sessions(self) -> None:
        if self._world.database.end_sessions():
            self._strikes.hits.append(self._strikes.changes)

    def _see_audit(self, done: Done, event: str) -> None:
        """As the action does it: keep the head, and record here what the host could not."""
        if "head" in done.result:
            self._ran.written.append(event)
            self._world.anchor = {"seq": done.result["seq"], "hash": done.result["head"]}
        elif done.result.get("failed") and not done.died:
            code = done.result.get("code", "")
            self._ran.elsewhere.append(event)
            self._ran.notes.append(f"{event} is recorded on the control node: {code}")
            done.result = {"problem": {"code": code, "message": "not recorded on the host", "remedy": "", "facts": {}}}

    def _time(self, number: int) -> None:
        """A fault by the clock counts from the start of its step."""
        what = self._strikes.fault
        if what.kind == fault.KILL_LATER and what.at == number:
            self._strikes.fault = Fault(what.kind, at=0, milliseconds=what.milliseconds)

    def _record(self, event: str, failed: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        arguments = {
            "root": str(self._world.control),
            "event": event,
            "result": "failure",
            "code": failed["code"],
            "text": failed["msg"],
            "details": {**details, "run_id": self._ran.run_id},
        }
        self._step("audit_log", arguments)

    def _record_failure(self, failed: Mapping[str, Any]) -> None:
        self._record(END, failed, {"step": failed["step"]})

    def _release(self, taken: Mapping[str, Any]) -> None:
        ran, before = self._ran, len(self._strikes.hits)
        done = self._step("run_lock", {"root": str(self._world.control), "state": "absent"})
        ran.release_struck = len(self._strikes.hits) > before
        if ran.controller_died or not done.result.get("failed"):
            return
        ran.unlock = failure(done.result, step="Release the host's lock")
        if taken.get("code", "") in ("", "connection_lost"):
            self._record(RELEASE, ran.unlock, {})

    def _be_taken_over(self) -> None:
        """The control node was silent for so long that another run took the host; it has ended, or is still at work."""
        self._strikes.hits.append(self._strikes.changes)
        clock.move(STALE)
        other = self._ran.other = Ran(self._world.new_run_id())
        theirs = Run(self._world, other, Strikes(Fault(fault.NONE), self._world.places))
        if self._strikes.fault.luck % 2:
            theirs.steps()
            self._ran.notes.append(f"other run: {other.code or other.artifact}")
        else:
            theirs.take()
            self._ran.notes.append("another run has the host")
        clock.move(timedelta(seconds=2))

    def take(self) -> None:
        """Begin, and no more."""
        self._step("run_lock", {"root": str(self._world.control), "purpose": "backup"})
