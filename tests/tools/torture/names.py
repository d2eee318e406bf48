# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand under which name: nothing unfinished under a final one, and after a recovery nothing else at all."""

from __future__ import annotations

import json
import re

from tools.torture import independent
from tools.torture.ledger import LAYERS, Ledger, Looked
from tools.torture.world import World

_FINAL = re.compile(r"(wst-backup-\d{8}-\d{6})\.(zip|manifest\.json|state\.json)")
_DAMAGED = re.compile(_FINAL.pattern + r"\.damaged(?:-\d)?")
_CONTROL = {
    ".": {"audit/", "db.key", "holds/", "lock/", "runs/", "scratch/", "coverage.json"},
    "lock": {"run.lock"},
    "holds": set(),
    "scratch": set(),
    "runs": set(),
}
_AUDIT = re.compile(r"audit(?:-\d+)?\.jsonl|audit\.lock|audit\.torn-\d+")


def whole(world: World, ledger: Ledger, name: str) -> list[str]:
    """Whatever has a final name on a layer is whole, also where it does not count (yet)."""
    layer, problems = world.places[name], []
    final: dict[str, set[str]] = {}
    for path in layer.iterdir():
        found = _FINAL.fullmatch(path.name)
        if found is not None and (name, found[1]) not in ledger.rotten:
            final.setdefault(found[1], set()).add(found[2])
    for stem, parts in sorted(final.items()):
        if "state.json" in parts:
            problems += _parses(world, name, f"{stem}.state.json")
        if stem in ledger.good[name]:
            continue  # it is what it was, to the byte
        if "manifest.json" in parts:
            problems += _parses(world, name, f"{stem}.manifest.json")
            problems += [] if "zip" in parts else [f"{name}/{stem} has a sidecar and no ZIP"]
        if "zip" in parts:
            rows = ledger.rows.get(stem, 0)
            bad = independent.judge_zip(layer / f"{stem}.zip", tools_dir=world.database.tools_dir, least_rows=rows)
            problems += [f"under a final name and bad: {name}/{stem}.zip: {one}" for one in bad]
    return problems


def _parses(world: World, name: str, file: str) -> list[str]:
    try:
        body = json.loads((world.places[name] / file).read_bytes())["body"]
    except (ValueError, KeyError, TypeError) as error:
        return [f"under a final name and bad: {name}/{file}: {error!r}"]
    return [] if body else [f"under a final name and empty: {name}/{file}"]


def tidy(world: World, ledger: Ledger, looked: Looked) -> list[str]:
    """What a recovery has left that is neither a set that counts, nor known to be damaged, nor evidence of damage."""
    problems = []
    for directory, names in world.entries().items():
        problems += [f"left behind: {directory}/{name}" for name in names if not _known(directory, name)]
    for layer, sets in looked.sets.items():
        for each in sets:
            damaged = (layer, each["artifact"]) in ledger.rotten
            if not each["counts"] and not (damaged and each["state"] == "damaged"):
                problems.append("{0}/{artifact} is {state}: {reason}".format(layer, **each))
    for layer, files in looked.foreign.items():
        problems += [
            "{0}/{name} is foreign: {reason}".format(layer, **each)
            for each in files
            if not _DAMAGED.fullmatch(each["name"])
        ]
    return problems


def _known(directory: str, name: str) -> bool:
    top, _slash, below = directory.partition("/")
    if top in LAYERS and not below:
        return bool(_FINAL.fullmatch(name) or _DAMAGED.fullmatch(name)) or name == "wst-mirror.json"
    if top == "control":
        return bool(_AUDIT.fullmatch(name)) if below == "audit" else name in _CONTROL.get(below or ".", ())
    return directory == "."
