# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``restore_intent``: the record of a restore is opened, read, and ended when all of it stands together."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, InputInvalid, RestoreUnfinished
from ansible_collections.wst.backup.plugins.module_utils._host.services import (
    POOL,
    SERVICE,
    STOPPED,
    Steward,
    Unit,
    units_of,
)
from ansible_collections.wst.backup.plugins.module_utils._journals import runs_with_journals
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import Held, held
from ansible_collections.wst.backup.plugins.module_utils._restore import intent as intents
from ansible_collections.wst.backup.plugins.module_utils._restore import journal as journals
from ansible_collections.wst.backup.plugins.module_utils._restore import swap, targets
from ansible_collections.wst.backup.plugins.module_utils._restore.intent import Intent, Tree

STATE_OPEN, STATE_PENDING, STATE_ENDED = "open", "pending", "ended"
STATES = (STATE_OPEN, STATE_PENDING, STATE_ENDED)


@dataclass(frozen=True)
class Request:
    """What the module was asked for.

    :ivar trees: target, and the directory beside it where the new tree is made, each.
    :ivar swap: the restore of an earlier run: the one that is opened again, or ended.
    :ivar decided: a person has decided what becomes of it, and it ends as it stands.
    """

    layout: HostLayout
    state: str
    trees: Sequence[Tuple[str, str]] = ()
    database: str = ""
    services: Sequence[str] = ()
    app_pools: Sequence[str] = ()
    swap: Optional[str] = None
    decided: bool = False


@dataclass
class Ended:
    """What came of ending records. ``down``: what was stopped for one of them and does not run, in words."""

    changed: bool = False
    removed: List[str] = field(default_factory=list)
    apart: List[str] = field(default_factory=list)
    down: List[str] = field(default_factory=list)


def run(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Do it; raises by name. It replaces nothing, so nothing here needs authority."""
    if request.state == STATE_PENDING:
        return _result(request.layout, _meant(request), changed=False)
    if request.state == STATE_OPEN:
        return _again(request, dry_run=dry_run) if request.swap is not None else _open(request, dry_run=dry_run)
    return _end(request, dry_run=dry_run)


def _open(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Raises RestoreUnfinished where another restore stands half way; InputInvalid; as ``Steward.look``."""
    run_id = _context.require_run_id()
    made = Intent(run_id, tuple(_tree(each, run_id) for each in request.trees), request.database)
    running = [
        unit
        for unit, state in Steward(timeout=0).look(units_of(request.services, request.app_pools)).items()
        if state != STOPPED
    ]
    made = replace(made, services=_named(running, SERVICE), app_pools=_named(running, POOL))
    others = [each for each in intents.unended(request.layout) if each.run_id != run_id]
    _refuse([each for each in others if intents.is_apart(request.layout, each)])
    changed = made != intents.read(request.layout, run_id)
    if changed and not dry_run:
        with held(request.layout, run_id):
            intents.write(request.layout, made)
    return _result(request.layout, [made], changed=changed)


def _again(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """The trees and the database of an ended restore are about to be taken back: both, or none."""
    found = [each for each in _meant(request) if each.both]
    changed = any(each.ended for each in found)
    opened = [replace(each, ended=False, services=(), app_pools=()) if each.ended else each for each in found]
    if changed and not dry_run:
        with held(request.layout):
            for each in opened:
                intents.write(request.layout, each)
    return _result(request.layout, opened, changed=changed)


def _end(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Raises RestoreUnfinished, with how things stand, once all are ended that can be."""
    found = [each for each in _meant(request) if not each.ended]
    if not found or dry_run:
        return {**_result(request.layout, found, changed=bool(found)), "removed": [], "down": []}
    ended = Ended()
    with held(request.layout) as lease:
        for each in found:
            _end_one(request, each, ended, lease)
    result = _result(request.layout, found, changed=ended.changed)
    if ended.apart:
        _refuse([each for each in found if each.run_id in ended.apart], restores=result["restores"])
    return {**result, "removed": ended.removed, "down": list(dict.fromkeys(ended.down))}


def _end_one(request: Request, intent: Intent, ended: Ended, lease: Held) -> None:
    """Its copies go; it ends, unless its swaps are apart or something that was stopped for it still is."""
    for path in intents.copies(request.layout, intent):
        lease.check()
        _fs.remove_tree(path, inside=os.path.dirname(path))
        ended.removed.append(path)
        ended.changed = True
    if not request.decided:
        if intents.is_apart(request.layout, intent):
            ended.apart.append(intent.run_id)
            return
        down = _down(intent)
        if down:
            ended.down += down
            return
    intents.end(request.layout, intent)
    ended.changed = True


def _meant(request: Request) -> List[Intent]:
    """The one of that run, if there is one; else all that have not ended."""
    if request.swap is None:
        return intents.unended(request.layout)
    found = intents.read(request.layout, request.swap)
    return [] if found is None else [found]


def _tree(told: Tuple[str, str], run_id: str) -> Tree:
    """Raises InputInvalid for a directory that is not the run's own: what has that name is removed one day."""
    target, extract = targets.whole(told[0]), targets.whole(told[1])
    if extract != f"{target}{intents.COPY}{run_id}":
        raise InputInvalid(f"{extract} is not where run {run_id} makes a tree for {target}", path=extract)
    return Tree(target, extract)


def _refuse(found: Sequence[Intent], **facts: Any) -> None:
    if found:
        names = ", ".join(each.run_id for each in found)
        message = f"the restore of run {names} stands half way: its trees and its database are not all old or all new"
        raise RestoreUnfinished(message, swaps=[each.run_id for each in found], **facts)


def _named(units: Sequence[Unit], kind: str) -> Tuple[str, ...]:
    return tuple(unit.name for unit in units if unit.kind == kind)


def _down(intent: Intent) -> List[str]:
    """What ran before and does not run, in words. What cannot be told is taken for stopped."""
    return [unit.in_words() for unit in units_of(intent.services, intent.app_pools) if _is_down(unit)]


def _is_down(unit: Unit) -> bool:
    try:
        return unit.state() in (None, STOPPED)
    except (OSError, BackupError):
        return True


def _result(layout: HostLayout, found: Sequence[Intent], *, changed: bool) -> Dict[str, Any]:
    restores = []
    for each in found:
        now = intents.standing_of(layout, each.run_id)
        restores.append(
            {
                "swap": each.run_id,
                "trees": [tree.target for tree in each.trees],
                "trees_status": now.trees,
                "database": each.database,
                "database_status": now.database,
            }
        )
    return {
        "changed": changed,
        "restores": restores,
        "left": _left(layout),
        "services": _once(name for each in found for name in each.services),
        "app_pools": _once(name for each in found for name in each.app_pools),
    }


def _left(layout: HostLayout) -> List[str]:
    """Trees that were swapped in and taken back: what may have been production nobody removes unasked."""
    found = [journals.read(layout, run_id) for run_id in runs_with_journals(layout, journals.SUFFIX)]
    return [pair.new for journal in found if journal is not None for pair in swap.taken_back(journal)]


def _once(names: Iterable[str]) -> List[str]:
    """Each of them, in the order in which they came."""
    return list(dict.fromkeys(names))
