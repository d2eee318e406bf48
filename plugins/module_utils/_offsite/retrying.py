# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying again where Azure is busy or the line breaks, for a bounded time, and never faster than Azure asks.

The SDK's own policy for storage does not try again after 429, and takes no notice of ``Retry-After``
(azure/storage/blob/_shared/policies.py, ``is_retry``), and it sleeps where a job that is to stop must wake up. So it is
turned off, and this does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, TypeVar

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, OffsiteBusy, OffsiteUnreachable

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long one request is tried."""

    tries: int = 9  # some four minutes in all
    first: float = 1.0  # seconds before the second try; doubled for each further one
    longest: float = 120.0  # seconds of one wait; who asks for more is not waited for


def wait_before_next(tried: int, asked: Optional[float], patience: Patience) -> Optional[float]:
    """Seconds to wait after so many tries; None where it is over.

    :param asked: seconds that the answer asked for.
    """
    if tried >= patience.tries:
        return None
    if asked is not None and asked > patience.longest:
        return None
    doubled: float = patience.first * 2.0 ** (tried - 1)
    return max(min(doubled, patience.longest), asked or 0.0)


def patiently(call: Callable[[], T], *, patience: Patience, pause: Callable[[float], None]) -> T:
    """What ``call`` returns. Raises its last failure, told with how often it was tried.

    :param pause: waits so many seconds; may raise ``Cancelled``.
    """
    tried = 0
    while True:
        try:
            return call()
        except (OffsiteBusy, OffsiteUnreachable) as error:
            tried += 1
            seconds = wait_before_next(tried, error.facts.get("retry_after"), patience)
            if seconds is None:
                raise _tired(error, tried) from error
        pause(seconds)


def _tired(error: BackupError, tried: int) -> BackupError:
    asked = error.facts.get("retry_after")
    told = "" if asked is None else f"; Azure asks to come back in {asked:.0f} s"
    return type(error)(f"{error.message} (tried {tried} times{told})", **{**error.facts, "tries": tried})
