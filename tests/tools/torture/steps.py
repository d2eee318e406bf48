# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's own list of steps, with its own defaults: what is tortured is what operators run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from jinja2 import ChainableUndefined
from jinja2.nativetypes import NativeEnvironment

from ansible_collections.wst.backup.plugins.plugin_utils._outcome import outcome
from tools.paths import ROOT

ROLE = ROOT / "roles" / "backup"
OMIT = "__omit__"


@dataclass(frozen=True)
class Step:
    """A task of the role: the module with its arguments as written, and where its result goes."""

    name: str
    module: str
    arguments: Mapping[str, Any]
    register: str
    when: str
    extra: Mapping[str, Any]


def read_steps() -> list[Step]:
    """The tasks of ``steps.yml``, in their order."""
    return [_step(task) for task in yaml.safe_load((ROLE / "tasks" / "steps.yml").read_text(encoding="utf-8"))]


def _step(task: dict[str, Any]) -> Step:
    (module,) = (name for name in task if name.startswith("wst.backup."))
    known = {"name", module, "register", "when", "vars"}
    if set(task) - known:
        raise AssertionError(f"a task of the role has what is not understood here: {sorted(set(task) - known)}")
    return Step(
        name=task["name"],
        module=module.rpartition(".")[2],
        arguments=task[module],
        register=task["register"],
        when=task.get("when", "true"),
        extra=task.get("vars", {}),
    )


class Variables:
    """The role's defaults and variables, with an inventory's on top; values are rendered when they are asked for."""

    def __init__(self, inventory: Mapping[str, Any]) -> None:
        self._environment = NativeEnvironment(undefined=ChainableUndefined)
        self._environment.filters["wst.backup.outcome"] = outcome
        self._values: dict[str, Any] = {"omit": OMIT, "ansible_check_mode": False}
        for place in ("defaults", "vars"):
            self._values.update(yaml.safe_load((ROLE / place / "main.yml").read_text(encoding="utf-8")))
        self._values.update(inventory)

    def arguments(self, step: Step, registered: Mapping[str, Any]) -> dict[str, Any]:
        """A step's arguments as its module gets them."""
        values = self._for(step, registered)
        rendered = {name: self._render(value, values) for name, value in step.arguments.items()}
        return {name: value for name, value in rendered.items() if value != OMIT}

    def applies(self, step: Step, registered: Mapping[str, Any]) -> bool:
        """Whether the step's condition holds."""
        return bool(self._render("{{ " + str(step.when).lower() + " }}", self._for(step, registered)))

    def _for(self, step: Step, registered: Mapping[str, Any]) -> dict[str, Any]:
        values = {**self._values, **registered}
        for name, value in [*values.items(), *step.extra.items()]:
            values[name] = self._render(value, values)
        return values

    def _render(self, value: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(value, str):
            return self._environment.from_string(value).render(values) if "{{" in value else value
        if isinstance(value, Mapping):
            return {name: self._render(each, values) for name, each in value.items()}
        if isinstance(value, list):
            return [self._render(each, values) for each in value]
        return value
