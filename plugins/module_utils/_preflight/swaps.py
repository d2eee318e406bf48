# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Was a restore interrupted among the sources? A backup of old and new trees together would look like a good one."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    RecordDamaged,
    RestoreUnfinished,
    SwapUnfinished,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import swapjournal
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request
from ansible_collections.wst.backup.plugins.module_utils._restore import intent as intents
from ansible_collections.wst.backup.plugins.module_utils._restore import journal as journals
from ansible_collections.wst.backup.plugins.module_utils._restore.intent import Intent
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import REMOVING
from ansible_collections.wst.backup.plugins.module_utils._restore.targets import below


def check_swaps(request: Request, report: Report) -> None:
    """A swap that touches a source must not be on its way. The removal of old trees touches none."""
    try:
        _check_databases(request, report)
        waiting = journals.unfinished(HostLayout(request.root))
        _check_whole_restores(request, report)
    except RecordDamaged as error:
        report.warnings.append(f"{error.message}: whether a restore was interrupted cannot be told")
        return
    for journal in waiting:
        targets = [pair.target for pair in journal.pairs if _touches(pair.target, request)]
        if targets and journal.status != REMOVING:
            report.problems.append(
                RestoreUnfinished(
                    f"the restore of run {journal.run_id} was interrupted while it was {journal.status} "
                    + " and ".join(targets),
                    swap=journal.run_id,
                    targets=targets,
                )
            )


def _check_whole_restores(request: Request, report: Report) -> None:
    for intent in intents.unended(HostLayout(request.root)):
        _check_whole(intent, request, report)


def _check_whole(intent: Intent, request: Request, report: Report) -> None:
    """A restore of trees and a database that has replaced one of them only, and what a dead one has left."""
    layout = HostLayout(request.root)
    targets = [tree.target for tree in intent.trees if _touches(tree.target, request)]
    if (targets or intent.database == request.database.place) and intents.is_mixed(layout, intent):
        report.problems.append(
            RestoreUnfinished(
                f"the restore of run {intent.run_id} was interrupted between its trees and its database: one is the "
                "old one, the other the new one",
                swap=intent.run_id,
                targets=[*targets, intent.database],
            )
        )
    left = [f"{path} was left" for path in intents.copies(layout, intent)]
    units = [*intent.services, *intent.app_pools]
    stopped = [f"{', '.join(units)} may still be stopped for it"] if units else []
    if left or stopped:
        told = "; ".join([*left, *stopped])
        report.warnings.append(f"the restore of run {intent.run_id} died: {told}. Playbook restore_swap.yml ends it")


def _check_databases(request: Request, report: Report) -> None:
    """A database that is closed for a swap cannot be dumped, and whoever may mend that should know why."""
    for journal in swapjournal.unfinished(HostLayout(request.root)):
        if journal.place == request.database.place:
            message = f"the restore of run {journal.run_id} was interrupted while {journal.place} was being swapped"
            report.problems.append(SwapUnfinished(message, swap=journal.run_id, target=journal.place))


def _touches(target: str, request: Request) -> bool:
    return any(below(target, source.path) or below(source.path, target) for source in request.sources)
