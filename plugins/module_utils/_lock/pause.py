# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that makes no backups until a day, because somebody said so.

``pause.json`` lies in the host's root. A run that would make a backup ends before it begins (``HostPaused``);
restores, drills and verifications go on. A pause that has run out stops nothing, and its record stays until somebody
pauses the host again or resumes it. A record that cannot be read stops nothing either: it must not keep backups away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import HostPaused, InputInvalid, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout

SCHEMA_VERSION = 1
LONGEST = timedelta(days=92)  # what is meant for longer is a decommission
SHORTEST_REASON = 5  # characters; it is for the auditor
_DAY = "%Y-%m-%d"


@dataclass(frozen=True)
class Pause:
    """No backups from ``since`` to ``until``, both UTC."""

    since: datetime
    until: datetime
    reason: str
    by: str  # user@control-node

    def holds(self, now: datetime) -> bool:
        """Whether it stops backups at that moment. One that was written by a clock that was ahead does, too."""
        return now < self.until

    def in_words(self) -> str:
        """For people."""
        return f"no backups until {self.until:%Y-%m-%d}, says {self.by or 'somebody'}: {self.reason}"

    def as_body(self) -> Dict[str, str]:
        """The record's body, and what results and reports have."""
        return {
            "since": format_time(self.since),
            "until": format_time(self.until),
            "reason": self.reason,
            "by": self.by,
        }


def pause_of(until: str, reason: str, *, by: str, now: datetime) -> Pause:
    """What somebody asks for.

    :param until: the day, in UTC, from whose beginning on backups are made again, such as ``2027-01-31``.
    :raises InputInvalid: no day, one that has begun, one that is too far away, or a reason that says nothing.
    """
    try:
        end = datetime.strptime(until, _DAY).replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise InputInvalid(f"until must be a day such as 2027-01-31, not {until!r}", until=until) from error
    if end <= now:
        raise InputInvalid(f"{until} has begun already: nothing would be paused", until=until)
    if end - now > LONGEST:
        raise InputInvalid(
            f"{until} is more than {LONGEST.days} days away: a host without backups for longer is decommissioned",
            until=until,
        )
    if len(reason.strip()) < SHORTEST_REASON:
        raise InputInvalid("the reason must say something: it is kept for those who ask later", reason=reason)
    return Pause(since=now, until=end, reason=reason.strip(), by=by)


def read_pause(layout: HostLayout) -> Optional[Pause]:
    """The host's; None where there is none. Raises RecordDamaged, and what the file system has."""
    body = read_record(layout.pause_file)
    return None if body is None else _from_body(body, path=layout.pause_file)


def refuse_paused(layout: HostLayout, now: datetime) -> None:
    """Raises HostPaused where a backup must not be made now."""
    try:
        found = read_pause(layout)
    except RecordDamaged:
        return
    if found is not None and found.holds(now):
        raise HostPaused(found.in_words() + ".", **found.as_body())


def _from_body(body: Dict[str, Any], *, path: str) -> Pause:
    try:
        if body["schema_version"] != SCHEMA_VERSION:
            raise ValueError(body["schema_version"])
        since, until = parse_time(body["since"]), parse_time(body["until"])
        return Pause(since=since, until=until, reason=str(body["reason"]), by=str(body["by"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{path} lacks what the record of a pause must have", path=path) from error
