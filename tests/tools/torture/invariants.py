# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold after every fault, and what must hold once the next run has ended well."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ansible_collections.wst.backup.plugins.module_utils._audit.examine import examine
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments
from tools.torture import clock, independent
from tools.torture.independent import Worth
from tools.torture.world import POLICY, Ran, World

LAYERS = ("local", "mirror")
_SET = re.compile(r"wst-backup-(\d{8}-\d{6})\.(?:zip|manifest\.json|state\.json)")
_DAMAGED = re.compile(r"wst-backup-\d{8}-\d{6}\.(?:zip|manifest\.json|state\.json)\.damaged(?:-\d)?")
_CONTROL = {
    ".": {"audit/", "db.key", "holds/", "lock/", "runs/", "scratch/", "coverage.json"},
    "lock": {"run.lock"},
    "holds": set(),
    "scratch": set(),
    "runs": set(),
}
_AUDIT = re.compile(r"audit(?:-\d+)?\.jsonl|audit\.lock|audit\.torn-\d+")


@dataclass
class Ledger:
    """What is known to be good, by layer and stem, and how many rows the database had by then."""

    good: dict[str, dict[str, Worth]] = field(default_factory=lambda: {name: {} for name in LAYERS})
    rows: dict[str, int] = field(default_factory=dict)
    ended_well: set[str] = field(default_factory=set)  # run ids
    rotten: set[tuple[str, str]] = field(default_factory=set)  # layer and stem; may count until somebody reads them


def after_fault(world: World, ledger: Ledger, ran: Ran, *, held: str = "", before: datetime) -> list[str]:
    """What the run has broken; empty when nothing. New good sets join the ledger.

    :param held: the stem of a set that somebody read during the whole run.
    :param before: the host's time before the run.
    """
    problems = []
    counting = _counting(world)
    for name, stems in counting.items():
        problems += _counts_and_is_not(world, ledger, name, stems)
        problems += _lost_or_changed(world, ledger, name, held=held, before=before)
        missing = set(ledger.good[name]) - stems
        problems += [f"{name}/{stem} is good and does not count" for stem in sorted(missing)]
    problems += _audit(world, ledger, ran, counting)
    if not ran.code and not ran.controller_died:
        ledger.ended_well.add(ran.run_id)
        problems += [
            f"the run ended well and {name} has no {ran.artifact}"
            for name in LAYERS
            if ran.artifact not in counting.get(name, ())
        ]
    problems += [f"{ran.notes}" for note in ran.notes if note == "second run: admitted"]
    return problems


def after_recovery(world: World, ran: Ran) -> list[str]:
    """What the run after the fault still shows of it; empty for a clean end and a tidy host."""
    problems = [f"the next run ended with {ran.message}"] if ran.code else []
    for directory, names in world.entries().items():
        top, _slash, below = directory.partition("/")
        for name in names:
            if top in LAYERS and not below:
                known = bool(_SET.fullmatch(name) or _DAMAGED.fullmatch(name) or name == "wst-mirror.json")
            elif top == "control":
                known = bool(_AUDIT.fullmatch(name)) if below == "audit" else name in _CONTROL.get(below or ".", ())
            else:
                known = directory == "."
            if not known:
                problems.append(f"left behind: {directory}/{name}")
    return problems


def _lost_or_changed(world: World, ledger: Ledger, name: str, *, held: str, before: datetime) -> list[str]:
    """Every good set is there to the byte, or was removed as the policy has it."""
    layer, good = world.places[name], ledger.good[name]
    gone, problems = [], []
    for stem, worth in good.items():
        if not (layer / f"{stem}.manifest.json").exists():
            gone.append(stem)
        elif _worth(world, layer, stem) != worth:
            problems.append(f"{name}/{stem} is not what it was")
    latest = max(before, clock.now())  # the clock may have jumped back since the removal
    stay = set(good) - set(gone)
    unread = {stem for layer, stem in ledger.rotten if layer == name}
    for stem in gone:
        newer = {one for one in stay if one > stem}
        if latest - _time(stem) < timedelta(days=POLICY["backup_min_age_days"]):
            problems.append(f"{name}/{stem} is gone and was younger than a day")
        if stem == held:
            problems.append(f"{name}/{stem} is gone while somebody read it")
        if len(newer) < POLICY["backup_keep_min"] or len(newer | unread) < POLICY["backup_keep_max"]:
            problems.append(f"{name}/{stem} is gone, and {len(newer)} good newer ones are too few for that")
        del good[stem]
    return problems


def _worth(world: World, layer: Path, stem: str) -> Worth | None:
    try:
        return independent.judge(layer, stem, tools_dir=world.database.tools_dir, least_rows=0)
    except FileNotFoundError:
        return None


def _counting(world: World) -> dict[str, set[str]]:
    """What the collection itself calls good."""
    return {name: {each["artifact"] for each in sets if each["counts"]} for name, sets in _layers(world).items()}


def _layers(world: World) -> dict[str, list[dict[str, Any]]]:
    """The sets of each layer that is there."""
    layers = [{"name": name, "path": str(world.places[name])} for name in LAYERS if world.places[name].is_dir()]
    told = world.ask("backup_info", {"layers": layers})
    if told.get("failed"):
        raise AssertionError(f"the layers cannot be listed: {told}")
    return {one["name"]: one["sets"] for one in told["layers"]}


def _counts_and_is_not(world: World, ledger: Ledger, name: str, stems: set[str]) -> list[str]:
    problems: list[str] = []
    for stem in sorted(stems - set(ledger.good[name])):
        rows = ledger.rows.get(stem, 0)
        worth = independent.judge(world.places[name], stem, tools_dir=world.database.tools_dir, least_rows=rows)
        if worth.problems and (name, stem) in ledger.rotten:
            continue  # nobody has read it since
        ledger.rotten.discard((name, stem))  # only its state was, and it was read
        problems += [f"counts and is bad: {one}" for one in worth.problems]
        other = next((ledger.good[each].get(stem) for each in LAYERS if each != name), None)
        if other is not None and (other.zip, other.sidecar) != (worth.zip, worth.sidecar):
            problems.append(f"{stem} differs between the layers")
        ledger.good[name][stem] = worth
    return problems


def _audit(world: World, ledger: Ledger, ran: Ran, counting: dict[str, set[str]]) -> list[str]:
    """The chain holds, but for a torn end; no run says that it ended well and did not; those that did are there."""
    directory = world.control / "audit"
    lines = b"".join(path.read_bytes() for path in _segments(directory)).splitlines()
    records: list[dict[str, Any]] = []
    for line in lines:
        try:
            records.append(json.loads(line))
        except ValueError:
            continue  # torn; the next append heals it, and the next run's check sees the whole chain
    problems = []
    ends = {one["run_id"]: one for one in records if one["event"] == "backup_end"}
    for run_id in ledger.ended_well - set(ends):
        problems.append(f"the log does not tell any more that run {run_id} ended")
    own = ends.get(ran.run_id)
    if own is not None and own["result"] == "success":  # whatever came after it, such as a release that failed
        stem = own["details"]["artifact"]
        problems += [
            f"the log says that {stem} is there; not on {name}" for name in LAYERS if stem not in counting[name]
        ]
    if own is None and not ran.controller_died and not any("control node" in note for note in ran.notes):
        problems.append("the control node lived, and neither it nor the host recorded the run's end")
    return problems


def all_read(world: World, ledger: Ledger) -> list[str]:
    """Every set of both layers is read, what is rotten is found, repaired, and good again."""
    problems = []
    for name, told in _layers(world).items():
        for each in told:
            if each["size"] is None:
                continue  # evidence of damage whose set is gone by now
            path = str(world.places[name] / "{artifact}.zip".format(**each))
            found = world.ask("backup_verify", {"path": path, "layer": name, "level": 2})
            if found.get("failed") and (name, each["artifact"]) not in ledger.rotten:
                problems.append(f"{name}/{each['artifact']} was good: {found['msg']}")
    counting = _counting(world)
    for name, stems in counting.items():
        problems += _counts_and_is_not(world, ledger, name, stems)
    problems += [f"{name}/{stem} is rotten and counts" for name, stem in ledger.rotten if stem in counting[name]]
    repaired = world.repair()
    hopeless = {stem for name, stem in ledger.rotten if not all(_there(world, each, stem) for each in LAYERS)}
    if repaired.get("failed") and not hopeless:  # retention has removed the other one by now
        problems.append("the repair ended with {msg}".format(**repaired))
    counting = _counting(world)
    problems += [
        f"{name}/{stem} is not repaired"
        for name, stem in ledger.rotten
        if stem not in counting[name] and stem not in hopeless
    ]
    ledger.rotten = {each for each in ledger.rotten if each[1] in hopeless}  # damaged for ever, as it must be
    for name, stems in counting.items():
        problems += _counts_and_is_not(world, ledger, name, stems)
    return problems


def _there(world: World, name: str, stem: str) -> bool:
    return any(world.places[name].glob(f"{stem}.*"))


def chain_holds(world: World) -> list[str]:
    """The whole audit log, from its first record on."""
    found = examine(Segments(str(world.control / "audit")))
    return [flaw.text for flaw in (*found.flaws, *found.known)]


def _segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("audit*.jsonl"), key=lambda path: (len(path.name), path.name))


def _time(stem: str) -> datetime:
    return datetime.strptime(stem[-15:], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
