# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the audit log must tell of a run, read line by line without the collection's code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.wst.backup.plugins.module_utils._audit.examine import examine
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments
from tools.torture.ledger import LAYERS, Ledger
from tools.torture.run import END, RELEASE, Ran
from tools.torture.world import World

START = "backup_start"


def tells(world: World, ledger: Ledger, ran: Ran, counting: Mapping[str, set[str]]) -> list[str]:
    """What was recorded is there, what was not tried is not, and the end is what the run came to."""
    records = _records(world.control / "audit")
    runs = [one for one in (ran, ran.other) if one is not None]
    ledger.written |= {(one.run_id, event) for one in runs for event in one.written}
    there = {(one["run_id"], one["event"]) for one in records}
    problems = [
        f"the log does not tell any more of {event} of run {run_id}" for run_id, event in sorted(ledger.written - there)
    ]
    for one in runs:
        own = {record["event"]: record for record in records if record["run_id"] == one.run_id}  # the last of each
        problems += _of_run(one, own, counting)
    return problems


def _of_run(ran: Ran, own: Mapping[str, dict[str, Any]], counting: Mapping[str, set[str]]) -> list[str]:
    early = {event for event in own if event.startswith("backup_")} - set(ran.tried)
    problems = [f"the log has {event} of run {ran.run_id}, which never came to that" for event in sorted(early)]
    start, end = own.get(START), own.get(END)
    if start is not None and start["details"]["taken_over"] != ran.found:
        told = start["details"]["taken_over"] or "nobody"
        problems.append(f"run {ran.run_id} found the host with {ran.found or 'nobody'}; the log says with {told}")
    if end is not None and end["result"] == "success":  # whatever came after it, such as a release that failed
        stem = end["details"]["artifact"]
        problems += [
            f"the log says that {stem} is there; not on {name}" for name in LAYERS if stem not in counting.get(name, ())
        ]
    return problems + (_told_end(ran, own) if ran.ended else [])


def _told_end(ran: Ran, own: Mapping[str, dict[str, Any]]) -> list[str]:
    """The end as the control node knows it, which is in the log, or beside the log where the host could not write."""
    if {END, RELEASE} & set(ran.elsewhere):
        return []
    if END not in own:
        return ["the control node lived, and neither it nor the host recorded the run's end"]
    told = own[END]["code"] or own.get(RELEASE, {}).get("code", "")
    said = "failure" if own[END]["code"] else "success"
    problems = [] if told == ran.code else [f"the run ended with {ran.code!r}, and the log says {told!r}"]
    return problems if own[END]["result"] == said else [*problems, "the end's result and code contradict each other"]


def chain_holds(world: World) -> list[str]:
    """The whole audit log, from its first record on."""
    found = examine(Segments(str(world.control / "audit")))
    return [flaw.text for flaw in (*found.flaws, *found.known)]


def _records(directory: Path) -> list[dict[str, Any]]:
    records = []
    for path in sorted(directory.glob("audit*.jsonl"), key=lambda path: (len(path.name), path.name)):
        for line in path.read_bytes().splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                continue  # torn; the next append heals it, and the next run's check sees the whole chain
    return records
