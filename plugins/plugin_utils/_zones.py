# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node's own zone files say of the years ahead."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ScheduleInvalid

_STEP = timedelta(hours=6)  # no rule of a zone ever held for a shorter time


def offsets(zone: str, *, begin: datetime, years: int) -> frozenset[int]:
    """By how many minutes a zone is ahead of UTC, at any time from ``begin`` (UTC) on for so many years.

    Raises ScheduleInvalid for a name that is no zone here.
    """
    try:
        rules = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleInvalid(
            f"the control node knows no time zone {zone!r}: give an IANA name such as Europe/Berlin, and see that "
            "Debian's package tzdata or Python's is installed.",
            zone=zone,
        ) from error
    count = int(timedelta(days=366) * years / _STEP)
    found = {(begin + number * _STEP).astimezone(rules).utcoffset() for number in range(count + 1)}
    return frozenset(round(offset.total_seconds() / 60) for offset in found if offset is not None)
