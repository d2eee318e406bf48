# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a world must never lose, and how its layers look to the collection itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tools.torture import independent
from tools.torture.independent import Worth
from tools.torture.world import World

LAYERS = ("local", "mirror")


@dataclass
class Ledger:
    """What is known to be good, by layer and stem, and how many rows the database had by then.

    :ivar pinned: stems of sets that must never go.
    :ivar written: run ids with the events that the log was said to have.
    :ivar rotten: layer and stem of sets that may count until somebody reads them.
    """

    good: dict[str, dict[str, Worth]] = field(default_factory=lambda: {name: {} for name in LAYERS})
    rows: dict[str, int] = field(default_factory=dict)
    pinned: set[str] = field(default_factory=set)
    written: set[tuple[str, str]] = field(default_factory=set)
    rotten: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Looked:
    """What ``backup_info`` says of the layers that are there, by their names."""

    sets: dict[str, list[dict[str, Any]]]
    foreign: dict[str, list[dict[str, Any]]]

    @property
    def counting(self) -> dict[str, set[str]]:
        """What the collection itself calls good."""
        return {name: {each["artifact"] for each in sets if each["counts"]} for name, sets in self.sets.items()}


def look(world: World) -> Looked:
    """The layers as they are now."""
    layers = [{"name": name, "path": str(world.places[name])} for name in LAYERS if world.places[name].is_dir()]
    told = world.ask("backup_info", {"layers": layers})
    if told.get("failed") or any(one["problem"] for one in told["layers"]):
        raise AssertionError(f"the layers cannot be listed: {told}")
    return Looked(
        sets={one["name"]: one["sets"] for one in told["layers"]},
        foreign={one["name"]: one["foreign"] for one in told["layers"]},
    )


def counts_and_is_not(world: World, ledger: Ledger, looked: Looked) -> list[str]:
    """What is called good and is not. New good sets join the ledger."""
    return [
        problem
        for name, stems in looked.counting.items()
        for stem in sorted(stems - set(ledger.good[name]))
        for problem in _new(world, ledger, name, stem)
    ]


def _new(world: World, ledger: Ledger, name: str, stem: str) -> list[str]:
    rows = ledger.rows.get(stem, 0)
    worth = independent.judge(world.places[name], stem, tools_dir=world.database.tools_dir, least_rows=rows)
    if worth.problems and (name, stem) in ledger.rotten:
        return []  # nobody has read it since
    ledger.rotten.discard((name, stem))  # only its state was, and it was read
    problems = [f"counts and is bad: {one}" for one in worth.problems]
    other = next((ledger.good[each].get(stem) for each in LAYERS if each != name), None)
    if other is not None and (other.zip, other.sidecar) != (worth.zip, worth.sidecar):
        problems.append(f"{stem} differs between the layers")
    ledger.good[name][stem] = worth
    return problems
