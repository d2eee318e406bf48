# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sets a layer keeps: a pure decision.

A set is removed only when all of this holds: it counts, it is not the newest, it is older than ``min_age_days``, it
is beyond the ``keep_max`` newest, ``keep_min`` sets stay without it, thinning does not keep it as a day's set, it is
not the newest that a drill has restored, nobody has pinned it and nobody reads it now.
Where the age floor and ``keep_max`` disagree (more than two runs a day with the default policy) the age floor wins
and the plan says so. Sets that do not count neither get removed nor fill a place. Everything is relative to the
layer's own sets, so that a backup job that stopped does not age the last good sets out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Dict, List, Optional, Sequence, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName

KEEP = "keep"
REMOVE = "remove"
CLOCK_TOLERANCE = timedelta(minutes=5)  # a set may be this much newer than the clock before the clock is suspect


@dataclass(frozen=True)
class Policy:
    """How many sets, and how old. Raises ``InputInvalid`` for numbers that contradict each other."""

    keep_min: int = 7  # sets that always stay
    keep_max: int = 14  # sets beyond this many newest may go
    min_age_days: int = 7  # no set younger than this goes
    keep_daily: int = 0  # days beyond the age floor of which the newest set stays although it is beyond keep_max

    def __post_init__(self) -> None:
        """Zero never means "keep all" or "keep none": it is refused where it could be taken for either."""
        if self.keep_min < 1:
            raise InputInvalid(f"keep_min must be at least 1, not {self.keep_min}", keep_min=self.keep_min)
        if self.keep_max < self.keep_min:
            raise InputInvalid(
                f"keep_max ({self.keep_max}) must not be less than keep_min ({self.keep_min})",
                keep_max=self.keep_max,
                keep_min=self.keep_min,
            )
        if self.min_age_days < 0 or self.keep_daily < 0:
            raise InputInvalid(
                "min_age_days and keep_daily must not be negative",
                min_age_days=self.min_age_days,
                keep_daily=self.keep_daily,
            )

    @property
    def min_age(self) -> timedelta:
        """The age floor."""
        return timedelta(days=self.min_age_days)


@dataclass(frozen=True)
class Candidate:
    """A set as the plan sees it: its name, which carries its time, and whether it counts on this layer."""

    artifact: ArtifactName
    counts: bool
    reason: str = ""  # why it does not count
    pinned: str = ""  # why a person keeps it for ever; empty when nobody does
    held: bool = False  # somebody reads it now
    drilled: bool = False  # it was restored from this layer, and all of it was as promised


@dataclass(frozen=True)
class Decision:
    """What happens to one set, and why."""

    artifact: ArtifactName
    action: str  # KEEP or REMOVE
    reason: str

    def as_data(self) -> Dict[str, str]:
        """As it stands in module results and the audit log."""
        return {"artifact": self.artifact.stem, "action": self.action, "reason": self.reason}


@dataclass(frozen=True)
class Plan:
    """One decision per set, newest first; ``stopped`` says why nothing may be removed at all, None otherwise."""

    decisions: Tuple[Decision, ...]
    stopped: Optional[str] = None
    notes: Tuple[str, ...] = ()

    @property
    def removals(self) -> List[ArtifactName]:
        """The sets to remove, oldest first: an interrupted execution leaves the newer ones."""
        return [d.artifact for d in reversed(self.decisions) if d.action == REMOVE]

    @property
    def kept(self) -> List[ArtifactName]:
        """The sets that stay, newest first."""
        return [d.artifact for d in self.decisions if d.action == KEEP]


def plan(sets: Sequence[Candidate], policy: Policy, now: datetime) -> Plan:
    """Decide for every set of one layer.

    :param sets: the layer's own sets, complete or not, in any order; foreign files are not among them.
    :param now: aware UTC time.
    """
    ordered = sorted(sets, key=lambda s: s.artifact, reverse=True)
    future = [s.artifact for s in ordered if s.artifact.time > now + CLOCK_TOLERANCE]
    if future:
        stop = f"{future[0].stem} carries a time in the future (it is {format_time(now)} by this host's clock)"
        return Plan(tuple(Decision(s.artifact, KEEP, "nothing is removed: " + stop) for s in ordered), stopped=stop)
    counting = [s.artifact for s in ordered if s.counts]
    daily = _daily(counting, policy, now)
    places = {artifact: place for place, artifact in enumerate(counting)}
    drilled = next((s.artifact for s in ordered if s.counts and s.drilled), None)
    decisions = []
    for item in ordered:
        if item.counts:
            decision = _decide(item.artifact, places[item.artifact], policy, now, item.artifact in daily)
            decisions.append(_spared(item, decision, newest_drilled=item.artifact == drilled))
        else:
            decisions.append(Decision(item.artifact, KEEP, f"does not count ({item.reason}); never removed"))
    return Plan(tuple(decisions), notes=_notes(counting, policy, now))


def _decide(artifact: ArtifactName, place: int, policy: Policy, now: datetime, daily: bool) -> Decision:
    """The rules in their order; ``place`` is 0 for the newest set that counts."""
    age = now - artifact.time
    if place == 0:
        return Decision(artifact, KEEP, "the newest set that counts")
    if place < policy.keep_min:
        return Decision(artifact, KEEP, f"one of the {policy.keep_min} newest (keep_min)")
    if age < policy.min_age:
        over = f", although beyond keep_max {policy.keep_max}" if place >= policy.keep_max else ""
        return Decision(artifact, KEEP, f"younger than {policy.min_age_days} days{over}")
    if place < policy.keep_max:
        return Decision(artifact, KEEP, f"one of the {policy.keep_max} newest (keep_max)")
    if daily:
        return Decision(artifact, KEEP, f"the newest of its day (keep_daily {policy.keep_daily})")
    return Decision(
        artifact,
        REMOVE,
        f"{age.days} days old, number {place + 1} of the sets that count (keep_max {policy.keep_max})",
    )


def _spared(item: Candidate, decision: Decision, *, newest_drilled: bool) -> Decision:
    """A set that would go and must not. It takes its place among the newest all the same."""
    if decision.action == REMOVE and newest_drilled:
        return Decision(item.artifact, KEEP, "the newest set that a drill has restored")
    if decision.action == REMOVE and item.pinned:
        return Decision(item.artifact, KEEP, f"pinned ({item.pinned})")
    if decision.action == REMOVE and item.held:
        return Decision(item.artifact, KEEP, "somebody reads it now; the next run decides again")
    return decision


def _daily(counting: Sequence[ArtifactName], policy: Policy, now: datetime) -> Set[ArtifactName]:
    """The newest set of each of the ``keep_daily`` newest UTC days that have sets beyond the age floor."""
    newest: Dict[str, ArtifactName] = {}
    for artifact in counting:  # newest first
        if now - artifact.time >= policy.min_age:
            newest.setdefault(artifact.time.strftime("%Y%m%d"), artifact)
    return set(list(newest.values())[: policy.keep_daily])


def _notes(counting: Sequence[ArtifactName], policy: Policy, now: datetime) -> Tuple[str, ...]:
    """The doctrine's two limits in conflict, said once."""
    young = sum(1 for artifact in counting[policy.keep_max :] if now - artifact.time < policy.min_age)
    if not young:
        return ()
    return (
        (
            f"{young} sets more than keep_max {policy.keep_max} stay because they are younger than "
            f"{policy.min_age_days} days: the age floor wins"
        ),
    )
