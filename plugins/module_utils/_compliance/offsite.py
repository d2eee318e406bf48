# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R3's copies offsite, which the doctrine recommends and does not ask for, unless the inventory does."""

from __future__ import annotations

from datetime import datetime, timedelta

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import SLACK, Offsite, OffsiteCopy
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import Draft, Evidence
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import days, some

LONGEST_UNREAD = timedelta(days=60)  # twice what offsite_reread_days is without being set


def judge_offsite(offsite: Offsite, now: datetime, max_gap: timedelta, draft: Draft) -> None:
    """What this host has on record of its copies, into the draft.

    :param max_gap: how old the newest copy's set may be.
    """
    if offsite.unread:
        _tell(offsite, draft, f"what is known of the copies offsite cannot be read ({offsite.unread})", known=False)
        return
    wrong = [copy.stem for copy in offsite.copies if copy.problem]
    if wrong:
        draft.warnings.append(f"copies offsite that are not what they were: {some(wrong)}")
    good = [copy for copy in offsite.copies if not copy.problem and copy.time <= now + SLACK]
    if not good:
        if offsite.expected or wrong:
            _tell(offsite, draft, "there is no good copy offsite")
        return
    _judge_newest(offsite, good[0], now, max_gap, draft)


def _judge_newest(offsite: Offsite, newest: OffsiteCopy, now: datetime, max_gap: timedelta, draft: Draft) -> None:
    draft.evidence.append(Evidence(f"newest copy offsite: {newest.stem}", newest.place, newest.time))
    draft.evidence.append(Evidence(f"read back in full: {newest.stem}", newest.place, newest.verified_at))
    if offsite.expected:
        draft.turns.append((newest.time + max_gap, "without a new copy offsite by then"))
    if now - newest.time > max_gap:
        _tell(offsite, draft, f"the newest copy offsite is {days(now - newest.time)} old")
    if not now - LONGEST_UNREAD <= newest.verified_at <= now + SLACK:
        _tell(offsite, draft, f"the newest copy offsite was last read back on {newest.verified_at:%Y-%m-%d}")
    if not newest.protection:
        draft.warnings.append(f"nothing was seen that keeps the copy {newest.stem} from being deleted")
    elif newest.immutable_until is not None and newest.immutable_until <= now:
        draft.warnings.append(f"the copy {newest.stem} is immutable no longer, since {newest.immutable_until:%Y-%m-%d}")


def _tell(offsite: Offsite, draft: Draft, what: str, *, known: bool = True) -> None:
    """A fault where copies are asked for, else a warning."""
    if not offsite.expected:
        draft.warnings.append(what)
    elif known:
        draft.wrong.append(what)
    else:
        draft.unknown.append(what)
