# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a restore will take, judged by the last drill: its steps did the same with a set of another size.

An estimate and no promise. What a drill does not do is not in it: services that stop, the swap, which takes moments,
and the safety backup, which takes as long as any backup. Decides only.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time

EVENT = "drill_end"
EXTRACT, FILES, RESTORE, COMPARE = "extract", "files", "restore", "compare"
STEPS = (EXTRACT, FILES, RESTORE, COMPARE)
UNKNOWN = "unknown: no restore test has passed and been measured here yet"
_WORDS = {
    EXTRACT: "extraction",
    FILES: "comparison of the files",
    RESTORE: "restore of the database",
    COMPARE: "comparison of the database",
}


@dataclass(frozen=True)
class Measured:
    """What the record of a drill says. Seconds by step; bytes of all of the set, and of its dump."""

    at: str
    artifact: str
    seconds: Mapping[str, float]
    whole: float
    dump: float


@dataclass(frozen=True)
class Planned:
    """What is going to be done, in bytes.

    :ivar extracted: out of the set. ``compared``: of files. ``restored``: the dump of what becomes a database.
    :ivar part: how much of that is meant is not known: it is no more.
    """

    extracted: float
    compared: float
    restored: float
    part: bool = False


@dataclass(frozen=True)
class Estimate:
    """Seconds by step, none of which took no time; None where nothing is known."""

    seconds: Optional[Mapping[str, float]]
    basis: str

    def as_body(self) -> Dict[str, Any]:
        """As the module returns it; seconds are whole ones."""
        if self.seconds is None:
            return {"seconds": None, "steps": [], "basis": self.basis}
        steps = [{"step": _WORDS[step], "seconds": round(self.seconds[step])} for step in STEPS if step in self.seconds]
        return {"seconds": round(sum(self.seconds.values())), "steps": steps, "basis": self.basis}


def planned_of(
    manifest: Optional[Mapping[str, Any]], *, trees: Iterable[str], beside: bool, database: bool, tables: bool
) -> Optional[Planned]:
    """What is to be restored of the set with that manifest; None where it does not say.

    :param trees: names of the sources that are replaced. ``beside``: something is taken out; ``tables``: of the
        database single tables come back.
    """
    if manifest is None:
        return None
    try:
        size = float(manifest["dump"]["size"])
        dump = size if database else 0.0
        if beside:
            whole = float(manifest["totals"]["bytes"]) + size
            return Planned(whole, whole, dump, part=True)
        wanted = set(trees)
        files = sum(float(source["bytes"]) for source in manifest["sources"] if source["name"] in wanted)
    except (KeyError, TypeError, ValueError):
        return None
    return Planned(files + dump, files, dump, part=tables)


def newest(records: Iterable[Mapping[str, Any]]) -> Optional[Measured]:
    """The last drill among the audit log's records that passed and was measured in full; None where none was."""
    found = [_measured(record) for record in records if _is_passed(record)]
    return next((each for each in reversed(found) if each is not None), None)


def _is_passed(record: Mapping[str, Any]) -> bool:
    return record.get("event") == EVENT and record.get("result") == "success"


def _measured(record: Mapping[str, Any]) -> Optional[Measured]:
    """None for a record of before steps were measured, and for what is no number."""
    details = record.get("details")
    if not isinstance(details, Mapping) or not isinstance(details.get("seconds"), Mapping):
        return None
    try:
        seconds = {step: float(details["seconds"][step]) for step in STEPS}
        whole, dump = float(details["bytes"]), float(details["dump_bytes"])
    except (KeyError, TypeError, ValueError):
        return None
    if not all(0 <= number < float("inf") for number in (whole, dump, *seconds.values())):
        return None
    return Measured(str(record.get("time")), str(details.get("artifact")), seconds, whole, dump)


def last_backup(records: Iterable[Mapping[str, Any]]) -> Optional[int]:
    """How many seconds the last backup took that came out well, by its two records; None where there is none.

    A safety backup does the same, less retention.
    """
    began: Dict[str, str] = {}
    found: Optional[int] = None
    for record in records:
        run_id, time = str(record.get("run_id")), str(record.get("time"))
        if record.get("event") == "backup_start":
            began[run_id] = time
        elif record.get("event") == "backup_end" and record.get("result") == "success" and run_id in began:
            with contextlib.suppress(ValueError):
                found = max(0, int((parse_time(time) - parse_time(began[run_id])).total_seconds()))
    return found


def estimate(planned: Optional[Planned], drill: Optional[Measured]) -> Estimate:
    """Each step in proportion to the bytes that it works on.

    :param planned: None where the size of what is restored is not known, as of a ZIP that others made.
    """
    if planned is None:
        return Estimate(None, "unknown: nothing says how large the set is")
    if drill is None:
        return Estimate(None, UNKNOWN)
    found: Dict[str, float] = {}
    for step, now, then in _work(planned, drill):
        if now <= 0:
            continue
        if then <= 0:
            return Estimate(None, f"unknown: the restore test of {drill.at} had nothing for the {_WORDS[step]}")
        found[step] = drill.seconds[step] * now / then
    kind = "an estimate for the whole" if planned.part else "an estimate"
    basis = f"{kind}, scaled by size from the restore test of {drill.at} ({drill.artifact}, {_size(drill.whole)})"
    return Estimate(found, basis)


def _work(planned: Planned, drill: Measured) -> List[Tuple[str, float, float]]:
    """For each step the bytes that it works on, now and in the drill."""
    return [
        (EXTRACT, planned.extracted, drill.whole),
        (FILES, planned.compared, drill.whole),
        (RESTORE, planned.restored, drill.dump),
        (COMPARE, planned.restored, drill.dump),
    ]


def _size(number: float) -> str:
    """In the largest unit of which there is at least one."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
