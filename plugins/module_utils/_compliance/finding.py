# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule says of a requirement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import REQUIREMENTS, Policy

COMPLIANT = "compliant"
NON_COMPLIANT = "non-compliant"
UNKNOWN = "unknown"  # counts as non-compliant
EXEMPT = "exempt"


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on: what, where it can be looked up, and when it was so."""

    what: str
    where: str
    at: Optional[datetime] = None

    def as_body(self, now: datetime) -> Dict[str, Any]:
        """With its age in seconds; what another clock dates a little later is of now, for no number is negative."""
        age = None if self.at is None else max(0, int((now - self.at).total_seconds()))
        return {"what": self.what, "where": self.where, "at": _text(self.at), "age_seconds": age}


@dataclass(frozen=True)
class Finding:
    """The verdict on one requirement.

    :param turns_at: when it will be another one if nothing else happens.
    :param command: what shows it again, or mends it.
    """

    id: str
    verdict: str
    summary: str
    evidence: Tuple[Evidence, ...] = ()
    warnings: Tuple[str, ...] = ()
    turns_at: Optional[datetime] = None
    turns_why: str = ""
    command: str = ""
    exemption: Optional[Dict[str, str]] = None

    def as_body(self, now: datetime) -> Dict[str, Any]:
        """As the report has it."""
        return {
            "id": self.id,
            "title": REQUIREMENTS[self.id],
            "verdict": self.verdict,
            "summary": self.summary,
            "warnings": list(self.warnings),
            "evidence": [each.as_body(now) for each in self.evidence],
            "turns_at": _text(self.turns_at),
            "turns_why": self.turns_why,
            "command": self.command,
            "exemption": self.exemption,
        }


@dataclass
class Draft:
    """What a rule of several parts has found so far.

    :param wrong: why the verdict is non-compliant; ``unknown``: why it is at best unknown.
    :param turns: when a part that is good now no longer is, and what would keep it so.
    """

    wrong: List[str] = field(default_factory=list)
    unknown: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    evidence: List[Evidence] = field(default_factory=list)
    turns: List[Tuple[datetime, str]] = field(default_factory=list)

    def finding(self, requirement: str, good: str, *, command: str) -> Finding:
        """The verdict. It turns when the first of its parts does; a bad one does not turn by itself.

        :param good: the summary where nothing is wrong and all is known.
        """
        bad = self.wrong + self.unknown
        at, why = (None, "") if bad or not self.turns else min(self.turns)
        return Finding(
            requirement,
            NON_COMPLIANT if self.wrong else UNKNOWN if self.unknown else COMPLIANT,
            "; ".join(bad) or good,
            tuple(self.evidence),
            tuple(self.warnings),
            turns_at=at,
            turns_why=why,
            command=command,
        )


def exempted(finding: Finding, policy: Policy, now: datetime) -> Finding:
    """The finding as the exemptions leave it: what holds needs none, and one that has run out is shown."""
    exemption = policy.exemption(finding.id, now)
    if exemption is not None and finding.verdict != COMPLIANT:
        return replace(
            finding,
            verdict=EXEMPT,
            summary=f"exempted until {exemption.until:%Y-%m-%d} by {exemption.by} ({exemption.reason}); else "
            f"{finding.verdict}: {finding.summary}",
            turns_at=exemption.until,
            turns_why="the exemption ends",
            exemption=exemption.as_body(),
        )
    over = tuple(
        f"the exemption of {each.by} ended on {each.until:%Y-%m-%d}" for each in policy.expired(finding.id, now)
    )
    return replace(finding, warnings=finding.warnings + over)


def overall(findings: Tuple[Finding, ...]) -> str:
    """The host's verdict: compliant only when every requirement is, or is exempt."""
    verdicts = {each.verdict for each in findings}
    if NON_COMPLIANT in verdicts:
        return NON_COMPLIANT
    return UNKNOWN if UNKNOWN in verdicts or not findings else COMPLIANT


def _text(moment: Optional[datetime]) -> Optional[str]:
    return None if moment is None else format_time(moment)
