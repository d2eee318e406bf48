# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets that never were, of any size, the same for the same seed: input of the report's tests, and to look at."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import Any

MADE = datetime(2026, 11, 30, 14, 0, tzinfo=timezone.utc)
GIB = 1 << 30
TITLES = {
    "R1": "Backups run at the required frequency",
    "R2": "A backup holds both trees and the database",
    "R3": "Three layers hold copies",
    "R4": "Sets are kept long enough",
    "R5": "Every run is verified",
    "R6": "The key and the directories are closed to others",
    "R7": "A restore was tested within 7 days",
    "F1": "A refused login is told and handled",
    "F2": "Missing sources are told",
    "F3": "A backup without a database is refused",
    "roles": "Levels of authority are provisioned",
    "logging": "Every run is in the audit log",
    "statement": "The compliance statement",
}
SUMMARIES = {
    "compliant": "wst (2245 files), wst-api (1894 files) and wst_dev_database.backup (18493650 bytes), as it must be",
    "non-compliant": "the newest set is 3 days 2 hours old, 26 hours are allowed",
    "unknown": "the mirror's disk could not be asked",
    "exempt": "there is no mirror",
}
KINDS = ("good", "good", "good", "good", "good", "good", "old", "unreached", "unknown", "exempt", "warned")


def fleet(*, seed: int, hosts: int, days: int = 365, runs_a_day: int = 6) -> dict[str, Any]:
    """A document of the report's schema."""
    dice = random.Random(seed)
    made = [_host(dice, number, days=days, runs_a_day=runs_a_day) for number in range(hosts)]
    return {
        "schema": 1,
        "made": _text(MADE),
        "collection": "1.0.0",
        "controller": "control-1",
        "period_days": days,
        "hosts": made,
    }


def _host(dice: random.Random, number: int, *, days: int, runs_a_day: int) -> dict[str, Any]:
    kind = KINDS[number % len(KINDS)]
    environment = dice.choice(["prod", "prod", "test", "dev"])
    runs = _runs(dice, days=days, a_day=runs_a_day, old=kind == "old")
    name = f"wst-{environment}-{number + 1:03d}"
    drills = _drills(dice, name, days=days, old=kind == "old")
    newest = next((run["at"] for run in reversed(runs) if run["result"] == "success"), None)
    verdict = {"old": "non-compliant", "unreached": "non-compliant", "unknown": "unknown"}.get(kind, "compliant")
    return {
        "name": name,
        "environment": environment,
        "verdict": verdict,
        "reached": kind != "unreached",
        "known_at": _text(MADE - timedelta(hours=30)) if kind == "unreached" else None,
        "turns_at": _text(MADE + timedelta(hours=dice.randint(3, 90))) if verdict == "compliant" else None,
        "error": _error() if kind == "unreached" else None,
        "requirements": [_requirement(dice, name, kind) for name in TITLES],
        "runs": runs,
        "drills": drills,
        "layers": [_layer(dice, name, newest, days) for name in ("local", "mirror")],
        "next": [
            {"what": "backup", "due_at": _text(MADE + timedelta(hours=dice.randint(1, 20))), "overdue": False},
            {
                "what": "restore test",
                "due_at": _text(MADE + timedelta(hours=-9 if kind == "old" else dice.randint(5, 160))),
                "overdue": kind == "old",
            },
        ],
    }


def _requirement(dice: random.Random, name: str, kind: str) -> dict[str, Any]:
    verdict = "compliant"
    if kind in ("old", "unreached") and name in ("R1", "R7", "statement"):
        verdict = "non-compliant"
    elif kind == "unknown" and name in ("R3", "R5"):
        verdict = "unknown"
    elif kind == "exempt" and name == "R3":
        verdict = "exempt"
    age = dice.randint(600, 500_000)
    at = MADE - timedelta(seconds=age)
    turns = MADE + timedelta(hours=dice.randint(2, 150))
    return {
        "id": name,
        "title": TITLES[name],
        "verdict": verdict,
        "warnings": ["a gap of 9 hours in production, 4 are recommended"] if (kind, name) == ("warned", "R1") else [],
        "summary": SUMMARIES[verdict],
        "evidence": [
            {
                "what": "audit log, records 4012 to 4019",
                "where": r"C:\wst-control\audit",
                "at": _text(at),
                "age_seconds": age,
            },
            {"what": "wst-backup-20261130-040000", "where": r"D:\wst-backups", "at": None, "age_seconds": None},
        ],
        "turns_at": _text(turns) if verdict == "compliant" and name in ("R1", "R7") else None,
        "turns_why": "no newer set by then" if name in ("R1", "R7") else "",
        "exemption": {"reason": "the disk is on order, change 4711", "until": "2026-12-15", "by": "M. Ortega"}
        if verdict == "exempt"
        else None,
        "command": f"ansible-playbook wst.backup.verify -l wst --tags {name}",
    }


def _runs(dice: random.Random, *, days: int, a_day: int, old: bool) -> list[dict[str, Any]]:
    runs = []
    size = dice.uniform(2, 40) * GIB
    for number in range(days * a_day):
        at = MADE - timedelta(days=days) + timedelta(hours=24 * (number + 1) / a_day)
        size *= dice.uniform(0.999, 1.0015)
        failed = dice.random() < 0.004 or (old and at > MADE - timedelta(days=3))
        suspect = not failed and dice.random() < 0.002
        runs.append(
            {
                "at": _text(at),
                "run_id": f"{at:%Y%m%d-%H%M%S}-{dice.getrandbits(32):08x}",
                "artifact": None if failed else f"wst-backup-{at:%Y%m%d-%H%M%S}",
                "result": "failure" if failed else "suspect" if suspect else "success",
                "code": dice.choice(["db_unreachable", "no_space", "source_changed"]) if failed else "",
                "bytes": None if failed else int(size),
                "files": None if failed else 48_000 + number,
                "rows": None if failed else 18_000_000 + 100 * number,
                "seconds": int(size / GIB * dice.uniform(30, 40)),
                "duration_by_step": {"dump": 60, "archive": 120, "verify": 90},
            }
        )
    return runs


def _drills(dice: random.Random, host: str, *, days: int, old: bool) -> list[dict[str, Any]]:
    drills = []
    for week in range(days // 7):
        at = MADE - timedelta(days=days - 7 * week - 3, hours=5)
        failed = dice.random() < 0.05 or (old and week >= days // 7 - 2)
        run_id = f"{at:%Y%m%d-%H%M%S}-{dice.getrandbits(32):08x}"
        drills.append(
            {
                "at": _text(at),
                "run_id": run_id,
                "artifact": f"wst-backup-{at:%Y%m%d}-040000",
                "layer": "mirror" if week % 2 else "local",
                "result": "failure" if failed else "success",
                "code": "drill_mismatch" if failed else "",
                "rto_seconds": None if failed else dice.randint(600, 1500),
                "rpo_seconds": dice.randint(3000, 15000),
                "evidence": f"../hosts/{host}/drills/drill-{run_id}.html",
            }
        )
    return drills


def _layer(dice: random.Random, name: str, newest: Any, days: int) -> dict[str, Any]:
    return {
        "layer": name,
        "path": {"local": r"C:\wst-backups", "mirror": r"D:\wst-backups"}[name],
        "sets": 44,
        "counting": 43,
        "newest_at": newest,
        "oldest_at": _text(MADE - timedelta(days=min(days, 8))),
        "bytes": 44 * 5 * GIB,
        "free_bytes": dice.randint(20, 900) * GIB,
        "total_bytes": 1000 * GIB,
        "full_in_days": dice.choice([None, dice.randint(1, 400), float(dice.randint(90, 2000))]),
    }


def _error() -> dict[str, str]:
    return {
        "code": "connection_lost",
        "message": "no answer on port 5986 within 30 s.",
        "remedy": "Find out whether the host runs and the network lets WinRM through.",
    }


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
