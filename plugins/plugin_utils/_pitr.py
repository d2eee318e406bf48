# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a server's own backups (layer 1), from what Azure says of it. Decides only.

What Azure does not say is null, which means unknown: never zero, never yes, never no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Optional

from ._clock import format_time

SCHEMA = 1
_ON_DEMAND = "Customer On-Demand"  # a backup's type; Azure's own ones are "Full"
_STATES = {"enabled": True, "disabled": False}


def facts_of(server: Mapping[str, Any], backups: Iterable[Mapping[str, Any]], *, now: datetime) -> dict[str, Any]:
    """The module's facts.

    :param server: the resource, in the words of Azure's REST interface.
    :param backups: its backups, likewise.
    :param now: the control node's time, in UTC.
    """
    properties = _mapping(server.get("properties"))
    backup = _mapping(properties.get("backup"))
    days = _number(backup.get("backupRetentionDays"))
    earliest = moment(backup.get("earliestRestoreDate"))
    made = [one for one in map(_backup, backups) if one is not None]
    automatic = [one for one in made if one[2] != _ON_DEMAND]  # what somebody asked for says nothing of the others
    last = max(automatic, key=lambda one: one[0], default=None)
    return {
        "schema": SCHEMA,
        "asked_at": text_of(now),
        "server": {
            "id": _text(server.get("id")),
            "name": _text(server.get("name")),
            "location": _text(server.get("location")),
            "host": _text(properties.get("fullyQualifiedDomainName")),
            "version": _text(properties.get("version")),
            "state": _text(properties.get("state")),
            "created_at": text_of(moment(_mapping(server.get("systemData")).get("createdAt"))),
        },
        "enabled": _enabled(days, earliest),
        "retention_days": days,
        "earliest_restore_point": text_of(earliest),
        "earliest_restore_point_age": age(earliest, now),
        "geo_redundant": _STATES.get((_text(backup.get("geoRedundantBackup")) or "").lower()),
        "backups": len(made),
        "last_backup": None
        if last is None
        else {"name": last[1], "type": last[2], "completed_at": text_of(last[0]), "age": age(last[0], now)},
    }


def remarks_of(facts: Mapping[str, Any]) -> list[str]:
    """What a person should be told beside the facts, one sentence each."""
    remarks = []
    if facts["retention_days"] is not None and facts["earliest_restore_point"] is None:
        remarks.append("Azure names no earliest restore point yet: whether the server can be restored is not known.")
    last = facts["last_backup"] or {}
    ages = (facts["earliest_restore_point_age"], last.get("age"))
    if any(each is not None and each < 0 for each in ages):
        remarks.append("Azure names a time that has not come yet: the control node's clock is wrong.")
    if facts["server"]["state"] not in (None, "Ready"):
        remarks.append(f"The server's state is {facts['server']['state']}.")
    return remarks


def moment(value: Any) -> Optional[datetime]:
    """A time of Azure's (RFC 3339) in UTC; None for what is none, or has no zone."""
    if not isinstance(value, str):
        return None
    try:
        # Seven digits of a second, and Z, are more than Python reads before 3.11.
        whole, dot, rest = value.strip().partition(".")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = whole + (f".{digits[:6]:0<6}{rest[len(digits) :]}" if dot else "")
        parsed = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in "zZ" else text)
        return None if parsed.tzinfo is None else parsed.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def text_of(value: Optional[datetime]) -> Optional[str]:
    """A time as everywhere in this collection."""
    return None if value is None else format_time(value)


def age(value: Optional[datetime], now: datetime) -> Optional[int]:
    """Whole seconds since then; negative for what has not come yet."""
    return None if value is None else int((now - value).total_seconds())


def _enabled(days: Optional[int], earliest: Optional[datetime]) -> Optional[bool]:
    """Yes only where there is a point to go back to; no only where nothing is retained."""
    if days is not None and days <= 0:
        return False
    return True if days is not None and earliest is not None else None


def _backup(one: Mapping[str, Any]) -> Optional[tuple[datetime, Optional[str], Optional[str]]]:
    """A backup that was completed."""
    properties = _mapping(one.get("properties"))
    completed = moment(properties.get("completedTime"))
    return None if completed is None else (completed, _text(one.get("name")), _text(properties.get("backupType")))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
