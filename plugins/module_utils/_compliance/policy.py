# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What compliance is held against: the doctrine's thresholds, and what somebody has exempted until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid

REQUIREMENTS = {
    "R1": "Backup frequency",
    "R2": "Backup contents",
    "R3": "Storage model (3-2-1)",
    "R4": "Retention",
    "R5": "Verification",
    "R6": "Security",
    "R7": "Recovery capability",
    "F1": "Database authentication",
    "F2": "Source paths",
    "F3": "No partial backup",
    "roles": "Authority and roles",
    "logging": "Audit and logging",
    "statement": "Compliance statement",
}
EXEMPTIBLE = tuple(name for name in REQUIREMENTS if name != "statement")  # that one follows from others
# What an environment's name begins with where it is not production; any other is, for a name that nobody thought of
# must not lose a warning.
NOT_PRODUCTION = ("ci", "demo", "dev", "development", "lab", "qa", "sandbox", "stage", "staging", "test", "testing")
PRODUCTION_GAP = timedelta(hours=4.25)  # the doctrine's four hours, and a quarter for the start
SHORTEST_REASON = 5  # characters; it is for the auditor


@dataclass(frozen=True)
class Thresholds:
    """The doctrine's numbers, with the slack that a start and a run's length need."""

    max_gap: timedelta = timedelta(hours=26)  # daily, and two hours
    warn_gap: Optional[timedelta] = None  # production: PRODUCTION_GAP
    drill_every: timedelta = timedelta(days=7)
    reread_every: timedelta = timedelta(days=7)
    window: timedelta = timedelta(days=7)  # what frequency and retention look back on
    min_sets: int = 7
    min_restorable: timedelta = timedelta(days=7)  # Azure's PITR


@dataclass(frozen=True)
class Exemption:
    """A requirement that need not hold until a day."""

    requirement: str
    until: datetime  # UTC
    reason: str
    by: str

    def as_body(self) -> Dict[str, str]:
        """As the report has it."""
        return {"until": self.until.strftime("%Y-%m-%d"), "reason": self.reason, "by": self.by}


@dataclass(frozen=True)
class Policy:
    """What one host is held against."""

    environment: str
    thresholds: Thresholds
    exemptions: Tuple[Exemption, ...] = ()

    def exemption(self, requirement: str, now: datetime) -> Optional[Exemption]:
        """The one that holds now and lasts longest; None where there is none."""
        valid = [each for each in self.exemptions if each.requirement == requirement and now < each.until]
        return max(valid, key=lambda each: each.until) if valid else None

    def expired(self, requirement: str, now: datetime) -> List[Exemption]:
        """Those that have run out, oldest first."""
        old = [each for each in self.exemptions if each.requirement == requirement and each.until <= now]
        return sorted(old, key=lambda each: each.until)


def is_production(environment: str) -> bool:
    """Whether the first word of the environment's name (``dev`` of ``dev-eu`` and ``dev2``) is none that says no."""
    word = re.match(r"[a-z]*", environment.strip().lower())
    return word is None or word[0] not in NOT_PRODUCTION


def policy_from(environment: str, thresholds: Mapping[str, Any], exemptions: List[Mapping[str, Any]]) -> Policy:
    """The policy of the module's parameters; raises ``InputInvalid``.

    :param thresholds: ``max_gap_hours``, ``warn_gap_hours`` (0: as the environment has it), ``drill_days``,
        ``reread_days``, ``restorable_days`` and ``min_sets``; each may only be stricter than the doctrine.
    """
    doctrine = Thresholds(warn_gap=PRODUCTION_GAP if is_production(environment) else None)
    given = _thresholds(doctrine, thresholds)
    looser = [
        name
        for name in ("max_gap", "warn_gap", "drill_every", "reread_every")
        if _is_looser(getattr(given, name), getattr(doctrine, name))
    ]
    looser += [name for name in ("min_sets", "min_restorable") if getattr(given, name) < getattr(doctrine, name)]
    if looser:
        raise InputInvalid(
            "thresholds may be stricter than the doctrine and not looser (that takes an exemption): "
            + ", ".join(looser),
            thresholds=looser,
        )
    return Policy(environment, given, tuple(_exemption(each) for each in exemptions))


def _is_looser(given: Optional[timedelta], doctrine: Optional[timedelta]) -> bool:
    """Whether a longest span lets more pass than the doctrine's; None lets all pass, and a span below 0 is none."""
    if given is None:
        return doctrine is not None
    return given <= timedelta(0) or (doctrine is not None and given > doctrine)


def _thresholds(doctrine: Thresholds, given: Mapping[str, Any]) -> Thresholds:
    warn = float(given.get("warn_gap_hours") or 0)
    return Thresholds(
        max_gap=timedelta(hours=float(given.get("max_gap_hours") or 26)),
        warn_gap=timedelta(hours=warn) if warn else doctrine.warn_gap,
        drill_every=timedelta(days=float(given.get("drill_days") or 7)),
        reread_every=timedelta(days=float(given.get("reread_days") or 7)),
        min_sets=int(given.get("min_sets") or 7),
        min_restorable=timedelta(days=float(given.get("restorable_days") or 7)),
    )


def _exemption(given: Mapping[str, Any]) -> Exemption:
    requirement = str(given.get("requirement") or "")
    if requirement not in EXEMPTIBLE:
        raise InputInvalid(f"{requirement!r} is no requirement that could be exempted", requirement=requirement)
    reason, by = (str(given.get(name) or "").strip() for name in ("reason", "by"))
    if len(reason) < SHORTEST_REASON or not by:
        message = f"the exemption of {requirement} needs a reason and who gave it: they are shown"
        raise InputInvalid(message, requirement=requirement)
    try:
        until = parse_time(f"{given.get('until')}T00:00:00Z")
    except ValueError as error:
        message = f"the exemption of {requirement} needs an end, as a day: 2027-01-31"
        raise InputInvalid(message, requirement=requirement) from error
    return Exemption(requirement, until, reason, by)
