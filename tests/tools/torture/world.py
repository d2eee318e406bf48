# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host: its places, its clock, its database, and a control node that runs the role's steps on it."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.plugin_utils import _run_identity
from ansible_collections.wst.backup.plugins.plugin_utils._outcome import failure, outcome
from ansible_collections.wst.backup.tests.unit.pgserver import PASSWORD
from tools.torture import clock, fault, steps
from tools.torture.child import Strikes
from tools.torture.fault import Fault
from tools.torture.process import Done, Processes
from tools.torture.server import Database

POLICY = {"backup_keep_min": 2, "backup_keep_max": 3, "backup_min_age_days": 1}
STALE = timedelta(seconds=901)
UNKNOWN = ["compressed", "disk", "filesystem", "kind", "label", "read_only"]  # what a directory cannot tell


@dataclass
class Ran:
    """What the control node knows of a run."""

    run_id: str
    code: str = ""  # empty for a run that ended well
    message: str = ""
    controller_died: bool = False
    results: dict[str, Any] = field(default_factory=dict)
    changes: int = 0
    struck: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def artifact(self) -> str:
        """The stem of what it says to have published; empty for nothing."""
        return str(self.results.get("__backup_publish", {}).get("artifact") or "")


class World:
    """A host in a directory."""

    def __init__(self, home: Path, database: Database, chance: Random) -> None:
        self.home, self.database, self.chance = home, database, chance
        self.host = home / "host"
        self.places = {name: self.host / name for name in ("control", "local", "mirror")}
        self.sources = [self.host / "src" / name for name in ("wst", "wst-api")]
        self.boots = 0
        self.anchor: dict[str, Any] | None = None  # the audit log's head as the control node last saw it
        self.runs = 0
        self.volume_id = ""
        self.steps = steps.read_steps()
        self.processes = Processes(self.host, home / "aside", lambda: f"boot-{self.boots}")
        self._variables: steps.Variables | None = None

    @property
    def control(self) -> Path:
        """The host root."""
        return self.places["control"]

    def build(self) -> None:
        """Make the host, and the mirror known."""
        for place in (*self.places.values(), self.control / "scratch", self.control / "runs"):
            place.mkdir(mode=0o700, parents=True)
        key = self.control / "db.key"
        key.write_text(PASSWORD, encoding="ascii")
        key.chmod(0o600)
        for number, source in enumerate(self.sources):
            (source / "deep" / "er").mkdir(parents=True)
            (source / "big.bin").write_bytes(self.chance.randbytes(1_300_000 if number == 0 else 200_000))
            for each in range(12):
                (source / "deep" / "er" / f"file {each}.txt").write_bytes(self.chance.randbytes(40) * each * 20)
        self.database.create()
        self.volume_id = self._mirror_init()
        self._variables = steps.Variables({**self._inventory(), "backup_mirror_volume_id": self.volume_id})

    def _inventory(self) -> dict[str, Any]:
        return {
            "backup_root": str(self.control),
            "backup_sources": [{"name": source.name, "path": str(source)} for source in self.sources],
            "backup_database": self.database.options,
            "backup_tools_dir": self.database.tools_dir,
            "backup_local_dir": str(self.places["local"]),
            "backup_mirror_dir": str(self.places["mirror"]),
            "backup_mirror_allow_same_disk": True,
            "backup_mirror_accept_unknown": UNKNOWN,
            "backup_deep_budget": 0,
            **POLICY,
        }

    def _mirror_init(self) -> str:
        arguments = {
            "root": str(self.control),
            "local_dir": str(self.places["local"]),
            "mirror_dir": str(self.places["mirror"]),
            "allow_same_disk": True,
            "accept_unknown_volume_facts": UNKNOWN,
        }
        run_id = self.new_run_id()
        self._alone("run_lock", {"root": str(self.control), "purpose": "mirror_init"}, run_id)
        made = self._alone("mirror_init", arguments, run_id)
        self._alone("run_lock", {"root": str(self.control), "state": "absent"}, run_id)
        return str(made["volume_id"])

    def repair(self) -> dict[str, Any]:
        """What ``repair.yml`` does."""
        run_id, lock = self.new_run_id(), {"root": str(self.control)}
        self._alone("run_lock", {**lock, "purpose": "repair"}, run_id)
        arguments = {
            **lock,
            "local_dir": str(self.places["local"]),
            "mirror_dir": str(self.places["mirror"]),
            "volume_id": self.volume_id,
            "allow_same_disk": True,
            "accept_unknown_volume_facts": UNKNOWN,
        }
        strikes = Strikes(Fault(fault.NONE), self.places)
        result = self.processes.run("backup_repair", arguments, self._context(run_id), strikes).result
        self._alone("run_lock", {**lock, "state": "absent"}, run_id)
        return result

    def work(self) -> None:
        """Users change things between two runs."""
        self.runs += 1
        self.database.grow(self.runs)
        place = self.chance.choice(self.sources)
        (place / f"new {self.runs % 5}.txt").write_bytes(self.chance.randbytes(self.chance.randint(0, 5000)))

    def new_run_id(self) -> str:
        """As the control node makes them; the set is named after it."""
        return _run_identity.new_run_id(clock.now())

    def _context(self, run_id: str) -> dict[str, Any]:
        return {
            "run_id": run_id,
            "controller": "torture@control",
            "controller_time": format_time(clock.now()),
            "audit_anchor": self.anchor,
        }

    def _alone(self, module: str, arguments: Mapping[str, Any], run_id: str) -> dict[str, Any]:
        done = self.processes.run(module, arguments, self._context(run_id), Strikes(Fault(fault.NONE), self.places))
        if done.result.get("failed"):
            raise AssertionError(f"{module}: {done.result}")
        return done.result

    def ask(self, module: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A module that nothing disturbs, outside of a run; failures are results."""
        context = {**self._context(""), "run_id": ""}
        arguments = {"root": str(self.control), **arguments}
        return self.processes.run(module, arguments, context, Strikes(Fault(fault.NONE), self.places)).result

    # --- a run, as roles/backup/tasks/main.yml has it: the steps, rescue, always

    def run(self, what: Fault) -> Ran:
        """One run, with that fault in it. Afterwards the host may be in any state that the fault can leave."""
        self.processes.fresh()
        strikes = Strikes(what, self.places)
        ran = Ran(self.new_run_id())
        self._steps(ran, strikes)
        ran.changes, ran.struck = strikes.changes, strikes.struck
        return ran

    def _steps(self, ran: Ran, strikes: Strikes) -> None:
        if self._variables is None:
            raise AssertionError("the world is not built")
        registered: dict[str, Any] = {step.register: {} for step in self.steps}
        failed: dict[str, Any] = {}
        for number, step in enumerate(self.steps, 1):
            if strikes.fault.kind == fault.TAKEOVER and number == strikes.fault.at:
                self._be_taken_over(ran, strikes)
            if not self._variables.applies(step, registered):
                continue
            arguments = self._variables.arguments(step, registered)
            done = self._step(step.module, arguments, ran, self._timed(strikes, number))
            registered[step.register] = done.result
            if done.died and strikes.fault.kind in (fault.KILL_ALL, fault.POWER):
                ran.controller_died = True
                return
            if done.result.get("failed"):
                failed = failure(done.result, step=step.name)
                self._record_failure(failed, ran, strikes)
                break
        unlock = {} if failed.get("code") == "locked" else self._release(ran, strikes)
        if ran.controller_died:
            return
        ran.results = registered
        named = {step.register.removeprefix("__backup_"): registered[step.register] for step in self.steps}
        end = outcome({**named, "unlock": unlock}, failed=failed, began=0, ended=0, check=False)
        ran.code, ran.message = end["code"], end["msg"]

    def _step(self, module: str, arguments: Mapping[str, Any], ran: Ran, strikes: Strikes) -> Done:
        timer = None
        if strikes.fault.kind == fault.SESSIONS and module == "pg_dump" and not strikes.struck:
            strikes.struck = True
            timer = threading.Timer(strikes.fault.milliseconds / 1000, self.database.end_sessions)
            timer.start()
        done = self.processes.run(module, arguments, self._context(ran.run_id), strikes)
        if timer is not None:
            timer.join()
        ran.notes += done.notes
        if module == "audit_log":
            self._see_audit(done, ran)
        return done

    def _see_audit(self, done: Done, ran: Ran) -> None:
        """As the action does it: keep the head, and record here what the host could not."""
        if "head" in done.result:
            self.anchor = {"seq": done.result["seq"], "hash": done.result["head"]}
        elif done.result.get("failed") and not done.died:
            code = done.result.get("code", "")
            ran.notes.append(f"recorded on the control node: {code}")
            done.result = {"problem": {"code": code, "message": "not recorded on the host", "remedy": "", "facts": {}}}

    def _timed(self, strikes: Strikes, number: int) -> Strikes:
        """A fault by the clock counts from the start of its step."""
        what = strikes.fault
        if what.kind == fault.KILL_LATER and what.at == number:
            strikes.fault = Fault(what.kind, at=0, milliseconds=what.milliseconds)
        return strikes

    def _record_failure(self, failed: Mapping[str, Any], ran: Ran, strikes: Strikes) -> None:
        arguments = {
            "root": str(self.control),
            "event": "backup_end",
            "result": "failure",
            "code": failed["code"],
            "text": failed["msg"],
            "details": {"step": failed["step"], "run_id": ran.run_id},
        }
        done = self._step("audit_log", arguments, ran, strikes)
        ran.controller_died = done.died and strikes.fault.kind in (fault.KILL_ALL, fault.POWER)

    def _release(self, ran: Ran, strikes: Strikes) -> dict[str, Any]:
        if ran.controller_died:
            return {}
        done = self._step("run_lock", {"root": str(self.control), "state": "absent"}, ran, strikes)
        if done.died and strikes.fault.kind in (fault.KILL_ALL, fault.POWER):
            ran.controller_died = True
        return failure(done.result, step="Release the host's lock") if done.result.get("failed") else {}

    def _be_taken_over(self, ran: Ran, strikes: Strikes) -> None:
        """The control node was silent for so long that another run took the host; it has ended, or is still at work."""
        strikes.struck = True
        clock.move(STALE)
        other, undisturbed = Ran(self.new_run_id()), Strikes(Fault(fault.NONE), self.places)
        if strikes.fault.luck % 2:
            self._steps(other, undisturbed)
            ran.notes.append(f"other run: {other.code or other.artifact}")
        else:
            self._step("run_lock", {"root": str(self.control), "purpose": "backup"}, other, undisturbed)
            ran.notes.append("another run has the host")
        clock.move(timedelta(seconds=2))

    def entries(self) -> dict[str, list[str]]:
        """All names on the host but the sources', by directory below it; directories end in a slash."""
        found = {}
        for directory, directories, files in os.walk(self.host):
            below = os.path.relpath(directory, self.host)
            if below.split(os.sep)[0] != "src":
                found[below] = sorted([*files, *(f"{name}/" for name in directories)])
        return found
