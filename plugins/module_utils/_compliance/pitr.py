# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R3's first layer: whether Azure's point-in-time restore works, and not only whether it is on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import SLACK, Pitr
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import Draft, Evidence
from ansible_collections.wst.backup.plugins.module_utils._compliance.text import days, hours

SOURCE = "azure_pitr_info"
SNAPSHOT_EVERY = timedelta(days=1)  # Azure takes one of a flexible server daily, says its page on backup and restore
LONGEST_WITHOUT = 2 * SNAPSHOT_EVERY  # then one was missed


def judge_pitr(pitr: Optional[Pitr], now: datetime, needed: timedelta, draft: Draft) -> None:
    """What Azure says of itself, into the draft.

    :param needed: how far back a restore must be able to go.
    """
    if pitr is None:
        draft.unknown.append("nobody has asked Azure for its backups (backup_compliance_pitr)")
        return
    if pitr.problem:
        draft.unknown.append(f"Azure's backups are not known: {pitr.problem}")
        return
    if pitr.geo_redundant is False:
        draft.warnings.append("Azure's backups are not geo-redundant")
    if pitr.enabled is False:
        draft.wrong.append("Azure's point-in-time restore is off")
    elif pitr.earliest is None:
        draft.unknown.append("Azure has no restore point yet")
    else:
        _judge_retention(pitr.retention_days, needed, draft)
        _judge_reach(pitr.earliest, pitr.created, now, needed, draft)
        _judge_last(pitr.last_backup, now, draft)


def _judge_retention(kept: Optional[int], needed: timedelta, draft: Draft) -> None:
    if kept is None:
        draft.unknown.append("Azure does not say how many days it keeps")
    elif timedelta(days=kept) < needed:
        draft.wrong.append(f"Azure keeps {kept} days and {needed.days} are needed")


def _judge_reach(
    earliest: datetime, created: Optional[datetime], now: datetime, needed: timedelta, draft: Draft
) -> None:
    """How far back a restore can really go: the setting says what Azure is to keep, and this what it has.

    The earliest point moves from one daily snapshot to the next, so up to a day less is only warned of.
    """
    draft.evidence.append(Evidence("earliest restore point of Azure", SOURCE, earliest))
    reach = now - earliest
    if reach >= needed:
        return
    short = f"Azure's restore reaches back {days(reach)} and {needed.days} are needed"
    if reach >= needed - SNAPSHOT_EVERY:
        draft.warnings.append(short)
    elif created is None:
        draft.warnings.append(f"{short}; how old the server is is not known")
    elif now - created < needed:
        draft.warnings.append(f"{short}; the server is {days(now - created)} old")
    else:
        draft.wrong.append(f"{short}, though the server is {days(now - created)} old")


def _judge_last(last: Optional[datetime], now: datetime, draft: Draft) -> None:
    if last is None or last > now + SLACK:
        said = "names none" if last is None else f"says {last:%Y-%m-%d %H:%M}, which is to come"
        draft.warnings.append(f"when Azure made its last automatic backup is not known: it {said}")
        return
    draft.evidence.append(Evidence("last automatic backup of Azure", SOURCE, last))
    draft.turns.append((last + LONGEST_WITHOUT, "without a new automatic backup of Azure by then"))
    if now - last > LONGEST_WITHOUT:
        draft.wrong.append(
            f"Azure made its last automatic backup {hours(now - last)} ago; {hours(LONGEST_WITHOUT)} is the limit"
        )
