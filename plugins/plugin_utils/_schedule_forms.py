# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A start as systemd, cron, AWX and people write it."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.plugin_utils._schedule import WEEKDAYS, Start

# AWX counts every repetition from this day on, so it must stay the same for ever. It was a Thursday.
_FIRST_DAY = "20260101"


def calendar(start: Start) -> str:
    """``OnCalendar=`` of systemd, systemd.time(7). The zone is said: without it the machine's own would count."""
    if start.wanted.every == "hourly":
        return f"*-*-* *:{start.minute:02d}:00 UTC"
    hours = ",".join(f"{minute // 60:02d}" for minute in start.minutes_of_day)
    day = f"{start.wanted.weekday} " if start.wanted.every == "weekly" else ""
    return f"{day}*-*-* {hours}:{start.minute % 60:02d}:00 UTC"


def crontab(start: Start) -> str:
    """The five fields of crontab(5), for a cron that counts in UTC."""
    if start.wanted.every == "hourly":
        return f"{start.minute} * * * *"
    hours = ",".join(str(minute // 60) for minute in start.minutes_of_day)
    # Sunday is 0, and 7 in some crons.
    day = str((WEEKDAYS.index(start.wanted.weekday) + 1) % 7) if start.wanted.every == "weekly" else "*"
    return f"{start.minute % 60} {hours} * * {day}"


def rrule(start: Start) -> str:
    """The rule of RFC 5545 as AWX takes it, in UTC."""
    rules = {
        "hourly": "FREQ=HOURLY;INTERVAL=1",
        "every_4_hours": "FREQ=HOURLY;INTERVAL=4",
        "daily": "FREQ=DAILY;INTERVAL=1",
        "weekly": f"FREQ=WEEKLY;INTERVAL=1;BYDAY={start.wanted.weekday[:2].upper()}",
    }
    time = f"{start.minute // 60:02d}{start.minute % 60:02d}00"
    return f"DTSTART:{_FIRST_DAY}T{time}Z RRULE:{rules[start.wanted.every]}"


def words(start: Start) -> str:
    """For people."""
    if start.wanted.every == "hourly":
        return f"every hour at {start.minute} minutes past"
    times = ", ".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in start.minutes_of_day)
    day = start.wanted.weekday if start.wanted.every == "weekly" else "every day"
    return f"{day} at {times} UTC"
