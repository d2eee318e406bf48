# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a wrong token makes the next one wait. Decides only.

The waiting grows and has an end: nobody is ever locked out of the recovery of their own data, and a guesser gets about
two guesses a minute. Only the highest level's token makes the count begin anew: else whoever holds a lower one could
take back each wrong guess at the higher. A day without a failure does so as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time

FREE = 2  # failures without a wait: people mistype
LONGEST = 30.0  # seconds
FORGIVEN = timedelta(days=1)


@dataclass(frozen=True)
class Attempts:
    """Failures in a row, and when the last one was, in UTC."""

    failures: int
    last: datetime

    def as_body(self) -> Dict[str, Any]:
        """As it stands in its file."""
        return {"failures": self.failures, "last": format_time(self.last)}


def attempts_from(body: Dict[str, Any]) -> Attempts:
    """The attempts in a record's body; raises ValueError, KeyError or TypeError for anything else."""
    failures = body["failures"]
    if not isinstance(failures, int) or isinstance(failures, bool) or failures < 0:
        raise ValueError("failures are counted")
    return Attempts(failures=failures, last=parse_time(body["last"]))


def penalty(failures: int) -> float:
    """Seconds that must pass after so many failures in a row."""
    return 0.0 if failures <= FREE else min(2.0 ** min(failures - FREE - 1, 16), LONGEST)


def remembered(attempts: Attempts, now: datetime) -> Attempts:
    """What still counts of them."""
    return Attempts(0, now) if now - attempts.last > FORGIVEN else attempts


def wait(attempts: Attempts, now: datetime) -> float:
    """Seconds to wait now. A clock that was set back makes it no longer than the penalty."""
    passed = max(0.0, (now - attempts.last).total_seconds())
    return max(0.0, penalty(attempts.failures) - passed)
