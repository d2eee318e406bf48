# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``files_swap``: what is asked for is checked, authorised, and done under the host's lease."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context, _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    RestoreTargetRefused,
    RestoreUnfinished,
    SwapUnfinished,
    SwapUnknown,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import Held, held
from ansible_collections.wst.backup.plugins.module_utils._names import check_run_id
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import intent as intents
from ansible_collections.wst.backup.plugins.module_utils._restore import journal as journals
from ansible_collections.wst.backup.plugins.module_utils._restore import swap, targets
from ansible_collections.wst.backup.plugins.module_utils._restore import swap_plan as plan
from ansible_collections.wst.backup.plugins.module_utils._restore.journal import Journal
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_checks import (
    PATIENCE,
    checked_paths,
    pair_of,
    refuse_open,
)
from ansible_collections.wst.backup.plugins.module_utils._restore.together import BACK, ON, WAIT, way_of_trees

STATE_SWAPPED, STATE_RESUMED, STATE_UNDONE, STATE_ABSENT = "swapped", "resumed", "undone", "absent"
STATES = (STATE_SWAPPED, STATE_RESUMED, STATE_UNDONE, STATE_ABSENT)


@dataclass(frozen=True)
class Request:
    """What the module was asked for.

    :ivar pairs: new tree and target each.
    :ivar swap: the run id of an earlier swap.
    :ivar check_open: whether something that is open in an old tree stops the swap before it begins.
    :ivar patience: seconds to wait for it to be closed.
    """

    layout: HostLayout
    state: str
    pairs: Sequence[Tuple[str, str]] = ()
    swap: Optional[str] = None
    check_open: bool = True
    patience: float = PATIENCE


def run(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Do it; raises by name. Without a swap that could be resumed, nothing is changed and nothing needs authority."""
    if request.state == STATE_SWAPPED:
        return _swap(request, dry_run=dry_run)
    found = _journals_for(request)
    waiting = [journal for journal in found if request.state == STATE_RESUMED and _way(request, journal) == WAIT]
    found = [journal for journal in found if journal not in waiting]
    if not found:
        _refuse_waiting(waiting)
        return _result(None, request.state, changed=False)
    paths = [pair.target for journal in found for pair in journal.pairs]
    details = {"state": request.state, "swap": [journal.run_id for journal in found]}
    targets.require_for(paths, request.layout, details, dry_run=dry_run)
    if dry_run:
        return _result(found[-1], request.state, changed=True)
    with held(request.layout, _context.require_run_id()) as lease:
        done = [_go_on(request, journal, lease) for journal in found]
    _refuse_waiting(waiting)
    return _result(done[-1], request.state, changed=True)


def _swap(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    run_id = _context.current().run_id if dry_run else _context.require_run_id()
    names = check_run_id(run_id) if run_id is not None else "<run id>"
    asked = checked_paths(request.pairs, request.layout)
    mine = journals.read(request.layout, run_id) if run_id is not None else None
    if mine is not None and mine.status == plan.SWAPPED and _asked(mine) == asked:
        return _result(mine, STATE_SWAPPED, changed=False)
    _refuse_unfinished(request.layout, mine)
    pairs = [pair_of(new, target, names) for new, target in asked]
    paths = [pair.target for pair in pairs]
    targets.require_for(paths, request.layout, {"state": STATE_SWAPPED}, dry_run=dry_run)
    if request.check_open:
        refuse_open(pairs, patience=request.patience)
    if dry_run or run_id is None:
        return _result(Journal(names, plan.SWAPPED, tuple(pairs)), STATE_SWAPPED, changed=True)
    with held(request.layout, run_id) as lease:
        _jobs.check()  # the last moment: what has begun goes on to its end
        lease.check()
        journal = swap.begin(request.layout, run_id, pairs)
    return _result(journal, STATE_SWAPPED, changed=True)


def _tidy(journal: Journal) -> None:
    """Nothing goes back any more to where the new trees were made: what was made for them alone goes as well."""
    for pair in journal.pairs:
        parent = os.path.dirname(pair.new)
        if parent.endswith(f".restore-{journal.run_id}"):
            with contextlib.suppress(OSError):  # something else is in it: then it is somebody's
                os.rmdir(api.long_path(parent))


def _journals_for(request: Request) -> List[Journal]:
    """The swaps that are meant; raises SwapUnknown where there is none of that name, RestoreTargetRefused."""
    if request.swap is None:
        found = [*journals.unfinished(request.layout), *_swapped_of_open(request.layout)]
    else:
        named = journals.read(request.layout, request.swap)
        if named is None:
            raise SwapUnknown(f"there is no swap of run {request.swap} on this host", swap=request.swap)
        found = [named]
    return [journal for journal in found if _is_due(request, journal)]


def _swapped_of_open(layout: HostLayout) -> List[Journal]:
    """Finished swaps of trees whose restore has not come to its end. Raises RecordDamaged."""
    found = [journals.read(layout, each.run_id) for each in intents.unended(layout)]
    return [journal for journal in found if journal is not None and journal.status == plan.SWAPPED]


def _way(request: Request, journal: Journal) -> str:
    """Where a swap that was interrupted goes; a restore of trees alone goes on. Raises RecordDamaged."""
    intent = intents.read(request.layout, journal.run_id)
    if intent is None or intent.ended or not intent.both:
        return ON
    return way_of_trees(journal.status, intents.standing_of(request.layout, journal.run_id).database)


def _refuse_waiting(waiting: Sequence[Journal]) -> None:
    if waiting:
        names = ", ".join(journal.run_id for journal in waiting)
        raise SwapUnfinished(
            f"the trees of {names} wait for the swap of the database, which is to be ended first", swaps=names
        )


def _is_due(request: Request, journal: Journal) -> bool:
    """Whether there is something to do; raises RestoreTargetRefused where it cannot be done any more."""
    state, status = request.state, journal.status
    if state == STATE_RESUMED:
        return journal.unfinished or (status == plan.SWAPPED and _way(request, journal) != ON)
    if state == STATE_ABSENT and status == plan.UNDONE:
        return bool(swap.taken_back(journal))
    wrong = (plan.REMOVING, plan.REMOVED) if state == STATE_UNDONE else (plan.SWAPPING, plan.UNDOING)
    if status in wrong:
        raise RestoreTargetRefused(
            f"swap {journal.run_id} is {status}: "
            + ("its old trees are removed" if state == STATE_UNDONE else "its old trees are production, or may be"),
            swap=journal.run_id,
            status=status,
        )
    return status != (plan.UNDONE if state == STATE_UNDONE else plan.REMOVED)


def _go_on(request: Request, journal: Journal, lease: Held) -> Journal:
    lease.check()
    if request.state == STATE_ABSENT and journal.status == plan.UNDONE:
        swap.remove_new(journal, lease.check)
        _tidy(journal)
        return journal
    if request.state == STATE_UNDONE or journal.status == plan.UNDOING:
        return swap.undo(request.layout, journal)
    if request.state == STATE_RESUMED and _way(request, journal) == BACK:
        return swap.undo(request.layout, journal)
    if request.state == STATE_ABSENT or journal.status == plan.REMOVING:
        removed = swap.remove_old(request.layout, journal, lease.check)
        _tidy(removed)
        return removed
    return swap.finish(request.layout, journal)


def _asked(journal: Journal) -> List[Tuple[str, str]]:
    return [(pair.new, pair.target) for pair in journal.pairs]


def _refuse_unfinished(layout: HostLayout, mine: Optional[Journal]) -> None:
    waiting = journals.unfinished(layout)
    if waiting:
        names = ", ".join(journal.run_id for journal in waiting)
        raise RestoreUnfinished(
            f"swap {names} was interrupted",
            swaps=[journal.run_id for journal in waiting],
        )
    if mine is not None and mine.status != plan.UNDONE:
        raise RestoreTargetRefused(f"run {mine.run_id} has swapped other trees already", swap=mine.run_id)


def _result(journal: Optional[Journal], state: str, *, changed: bool) -> Dict[str, Any]:
    pairs = journal.pairs if journal is not None else ()
    return {
        "changed": changed,
        "swap": journal.run_id if journal is not None else None,
        "status": journal.status if journal is not None else None,
        "trees": [
            {"target": pair.target, "new": pair.new, "old": pair.old if pair.target_id is not None else None}
            for pair in pairs
        ],
        "renames": [{"from": rename.source, "to": rename.target} for rename in swap.renames_of(pairs)]
        if state == STATE_SWAPPED and changed
        else [],
    }
