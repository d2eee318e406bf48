# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rot is found and repaired."""

from __future__ import annotations

from tools.torture.ledger import LAYERS, Ledger, counts_and_is_not, look
from tools.torture.world import World


def all_read(world: World, ledger: Ledger) -> list[str]:
    """Every set of both layers is read, what is rotten is found, repaired, and good again."""
    problems = []
    for name, told in look(world).sets.items():
        for each in told:
            if each["size"] is None:
                continue  # evidence of damage whose set is gone by now
            path = str(world.places[name] / "{artifact}.zip".format(**each))
            found = world.ask("backup_verify", {"path": path, "layer": name, "level": 2})
            if found.get("failed") and (name, each["artifact"]) not in ledger.rotten:
                problems.append(f"{name}/{each['artifact']} was good: {found['msg']}")
    looked = look(world)
    problems += counts_and_is_not(world, ledger, looked)
    counting = looked.counting
    problems += [f"{name}/{stem} is rotten and counts" for name, stem in ledger.rotten if stem in counting[name]]
    repaired = world.repair()
    hopeless = {stem for name, stem in ledger.rotten if not all(_there(world, each, stem) for each in LAYERS)}
    if repaired.get("failed") and not hopeless:  # retention has removed the other one by now
        problems.append("the repair ended with {msg}".format(**repaired))
    looked = look(world)
    problems += [
        f"{name}/{stem} is not repaired"
        for name, stem in ledger.rotten
        if stem not in looked.counting[name] and stem not in hopeless
    ]
    ledger.rotten = {each for each in ledger.rotten if each[1] in hopeless}  # damaged for ever, as it must be
    return problems + counts_and_is_not(world, ledger, looked)


def _there(world: World, name: str, stem: str) -> bool:
    return any(world.places[name].glob(f"{stem}.*"))
