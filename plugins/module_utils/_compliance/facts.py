# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a host, for a verdict. Filled by ``gather``, judged by the rules; times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Mapping, Optional, Tuple

SLACK = timedelta(minutes=10)  # that a clock may have been ahead; what is dated later counts for nothing
STILL_RUNNING = timedelta(hours=24)  # an end that is missing for longer does not come any more
FULL_LEVEL = 3  # of a verification: the dump was decoded to its end
SUCCESS = "success"
FAILURE = "failure"
SUSPECT = "suspect"
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Run:
    """A backup, as the audit log has it."""

    run_id: str
    began: datetime
    ended: Optional[datetime]  # None where the log has no end of it
    result: str  # SUCCESS, FAILURE, SUSPECT or INTERRUPTED
    code: str = ""
    artifact: str = ""
    size: int = 0  # bytes
    files: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Drill:
    """A restore test, as the audit log has it."""

    at: datetime  # its end; its beginning where it died
    run_id: str
    result: str  # SUCCESS or FAILURE
    code: str = ""  # INTERRUPTED where it died
    artifact: str = ""
    layer: str = ""
    age: int = 0  # seconds; of the set when it was restored: the RPO that it shows
    rto: Optional[int] = None  # seconds that getting the data back took, without what only a drill does


@dataclass(frozen=True)
class SetOn:
    """A set on one layer."""

    stem: str
    time: datetime
    state: str
    counts: bool
    reason: str
    level: int
    size: Optional[int]
    verified_at: Optional[datetime]
    run_id: str


@dataclass(frozen=True)
class LayerOf:
    """A layer as it stands now. ``problem`` is why it cannot be read."""

    name: str
    path: str
    problem: str = ""
    sets: Tuple[SetOn, ...] = ()
    free: Optional[int] = None
    total: Optional[int] = None
    days_until_full: Optional[float] = None

    @property
    def counting(self) -> Tuple[SetOn, ...]:
        """The sets that count, newest first."""
        return tuple(each for each in self.sets if each.counts)


@dataclass(frozen=True)
class Contents:
    """What the newest set that counts says that it holds."""

    stem: str
    sources: Mapping[str, int]  # name -> files
    dump: str  # its path in the set; empty when there is none
    dump_size: int  # bytes


@dataclass(frozen=True)
class AuditState:
    """The audit log. ``problem`` is why its chain does not hold, or why it could not be read."""

    since: Optional[datetime] = None  # its first record
    records: int = 0
    problem: str = ""
    broken_at: Optional[datetime] = None  # when a break was last recorded
    anchored: bool = False  # whether it was held against what the control node had seen


@dataclass(frozen=True)
class AuthorityState:
    """Who may do what. ``problem`` is why that is not known."""

    since: Optional[datetime] = None
    problem: str = ""
    refused: int = 0  # in the window
    breakglass: int = 0  # uses of L6 in the window


@dataclass(frozen=True)
class Pitr:
    """Layer 1, as Azure told it. ``problem`` is why nothing is known of it."""

    enabled: Optional[bool] = None  # None: Azure names no restore point yet
    retention_days: Optional[int] = None
    earliest: Optional[datetime] = None
    last_backup: Optional[datetime] = None  # that Azure made by itself
    created: Optional[datetime] = None  # the server
    geo_redundant: Optional[bool] = None
    problem: str = ""


@dataclass(frozen=True)
class OffsiteCopy:
    """A set's copy offsite, as this host has it on record. ``problem`` is what was found wrong with it."""

    stem: str
    time: datetime  # of the set
    place: str
    verified_at: datetime  # when it was last read back in full
    protection: str = ""  # what keeps it from being changed or deleted; empty where nothing was seen
    immutable_until: Optional[datetime] = None
    problem: str = ""


@dataclass(frozen=True)
class Offsite:
    """The copies offsite, newest first. ``unread`` is why the records of them cannot be read."""

    copies: Tuple[OffsiteCopy, ...] = ()
    expected: bool = False  # whether the inventory says that there must be some
    unread: str = ""


@dataclass(frozen=True)
class Facts:
    """All that the rules look at."""

    now: datetime
    layers: Tuple[LayerOf, ...]
    runs: Tuple[Run, ...]  # oldest first
    drills: Tuple[Drill, ...]  # oldest first
    contents: Optional[Contents]
    audit: AuditState
    authority: AuthorityState
    expected_sources: Tuple[str, ...]
    problems: Optional[Tuple[Mapping[str, Any], ...]]  # what preflight found; None where it could not look
    pitr: Optional[Pitr]  # None: nobody has asked
    keep_min: int = 7
    min_age_days: int = 7
    clock_skew: Optional[float] = None  # seconds that the host is ahead of the control node
    offsite: Offsite = Offsite()
    ahead: int = 0  # sets, runs and drills that are dated in the future, and were left out
    paused: str = ""  # until when, by whom and why no backups are made, in words; empty where they are
    pause_problem: str = ""  # why it is not known whether they are

    def layer(self, name: str) -> Optional[LayerOf]:
        """The layer of that name."""
        return next((each for each in self.layers if each.name == name), None)
