# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host: its places, its clock, its database, and what is done on it outside of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.plugin_utils import _run_identity
from ansible_collections.wst.backup.tests.unit.pgserver import PASSWORD
from tools.torture import clock, fault, steps
from tools.torture.child import Strikes, preload
from tools.torture.fault import Fault
from tools.torture.process import Processes
from tools.torture.server import Database

POLICY = {"backup_keep_min": 2, "backup_keep_max": 3, "backup_min_age_days": 1}
STALE = timedelta(seconds=901)
UNKNOWN = ["compressed", "disk", "filesystem", "kind", "label", "read_only"]  # what a directory cannot tell


class World:
    """A host in a directory.

    :param deep: whether the dump's tables are compared with their sources too.
    """

    def __init__(self, home: Path, database: Database, chance: Random, *, deep: bool) -> None:
        self.home, self.database, self.chance, self.deep = home, database, chance, deep
        self.host = home / "host"
        self.places = {name: self.host / name for name in ("control", "local", "mirror")}
        self.sources = [self.host / "src" / name for name in ("wst", "wst-api")]
        self.boots = 0
        self.anchor: dict[str, Any] | None = None  # the audit log's head as the control node last saw it
        self.runs = 0
        self.volume_id = ""
        self.steps = steps.read_steps()
        preload({step.module for step in self.steps})
        self.processes = Processes(self.host, home / "aside", lambda: f"boot-{self.boots}")
        self._variables: steps.Variables | None = None

    @property
    def control(self) -> Path:
        """The host root."""
        return self.places["control"]

    @property
    def variables(self) -> steps.Variables:
        """The role's, on this host."""
        if self._variables is None:
            raise AssertionError("the world is not built")
        return self._variables

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
            "backup_deep_budget": 5 if self.deep else 0,
            **POLICY,
        }

    def _mirror_init(self) -> str:
        made = self._alone("mirror_init", {"local_dir": str(self.places["local"]), **self._mirror()})
        if made.get("failed"):
            raise AssertionError(f"mirror_init: {made}")
        return str(made["volume_id"])

    def repair(self) -> dict[str, Any]:
        """What ``repair.yml`` does; a failure is a result."""
        return self._alone(
            "backup_repair", {"local_dir": str(self.places["local"]), "volume_id": self.volume_id, **self._mirror()}
        )

    def pin(self, stem: str) -> None:
        """What ``pin.yml`` does."""
        layers = [{"name": name, "path": str(self.places[name])} for name in ("local", "mirror")]
        told = self._alone("backup_pin", {"layers": layers, "artifact": stem, "reason": "must never go"})
        if told.get("changed_layers") != ["local", "mirror"]:
            raise AssertionError(f"backup_pin: {told}")

    def _mirror(self) -> dict[str, Any]:
        return {
            "mirror_dir": str(self.places["mirror"]),
            "allow_same_disk": True,
            "accept_unknown_volume_facts": UNKNOWN,
        }

    def work(self) -> None:
        """Users change things between two runs."""
        self.runs += 1
        self.database.grow(self.runs)
        place = self.chance.choice(self.sources)
        (place / f"new {self.runs % 5}.txt").write_bytes(self.chance.randbytes(self.chance.randint(0, 5000)))

    def new_run_id(self) -> str:
        """As the control node makes them; the set is named after it."""
        return _run_identity.new_run_id(clock.now())

    def context(self, run_id: str) -> dict[str, Any]:
        """What goes with every step of a run."""
        return {
            "run_id": run_id,
            "controller": "torture@control",
            "controller_time": format_time(clock.now()),
            "audit_anchor": self.anchor,
        }

    def _alone(self, module: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A step under the host's lock that nothing disturbs."""
        run_id, lock = self.new_run_id(), {"root": str(self.control)}
        taken = self._undisturbed("run_lock", {**lock, "purpose": module}, run_id)
        result = self._undisturbed(module, {**lock, **arguments}, run_id)
        given_back = self._undisturbed("run_lock", {**lock, "state": "absent"}, run_id)
        if taken.get("failed") or given_back.get("failed"):
            raise AssertionError(f"run_lock: {taken} {given_back}")
        return result

    def _undisturbed(self, module: str, arguments: Mapping[str, Any], run_id: str) -> dict[str, Any]:
        strikes = Strikes(Fault(fault.NONE), self.places)
        return self.processes.run(module, arguments, self.context(run_id), strikes).result

    def ask(self, module: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A module that nothing disturbs, outside of a run; failures are results."""
        return self._undisturbed(module, {"root": str(self.control), **arguments}, "")

    def entries(self) -> dict[str, list[str]]:
        """All names on the host but the sources', by directory below it; directories end in a slash."""
        found = {}
        for directory, directories, files in os.walk(self.host):
            below = os.path.relpath(directory, self.host)
            if below.split(os.sep)[0] != "src":
                found[below] = sorted([*files, *(f"{name}/" for name in directories)])
        return found
