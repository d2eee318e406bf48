# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's clock, which can be moved."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo

from ansible_collections.wst.backup.plugins.module_utils import _clock

ahead = timedelta(0)  # of the machine's clock


def now() -> datetime:
    """The time on the host, UTC, to the second."""
    return (datetime.now(timezone.utc) + ahead).replace(microsecond=0)


def move(by: timedelta) -> None:
    """Let time pass, or jump."""
    global ahead  # noqa: PLW0603 - one process has one clock
    ahead += by


class _Moved(datetime):
    """What the collection's own clock reads from then on, whoever has imported it already."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Moved:
        moved = datetime.now(tz) + ahead
        return cls.combine(moved.date(), moved.time(), moved.tzinfo)


setattr(_clock, "datetime", _Moved)  # noqa: B010 - not an export of that module
