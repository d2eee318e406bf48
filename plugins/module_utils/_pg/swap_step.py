# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``pg_swap``: what is asked for is checked, authorised, and done under the host's lease."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context, _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    InputInvalid,
    RestoreTargetRefused,
    SwapUnfinished,
    SwapUnknown,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._pg import occupants, swap, swapend
from ansible_collections.wst.backup.plugins.module_utils._pg.candidate import Candidate, forget_compared, require_proved
from ansible_collections.wst.backup.plugins.module_utils._pg.candidatename import before_name
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.key import read_key
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.scratch import mark_of
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import Scratch, read_scratch
from ansible_collections.wst.backup.plugins.module_utils._pg.swapauthority import require_for
from ansible_collections.wst.backup.plugins.module_utils._pg.swapjournal import (
    REMOVED,
    SWAPPED,
    SWAPPING,
    UNDONE,
    Journal,
    find_journal,
    unfinished,
    write_journal,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.swapplan import (
    DONE,
    UNTOUCHED,
    Names,
    Standing,
    obstacles,
    stage,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten

STATE_SWAPPED, STATE_RESUMED, STATE_UNDONE, STATE_ABSENT = "swapped", "resumed", "undone", "absent"
STATES = (STATE_SWAPPED, STATE_RESUMED, STATE_UNDONE, STATE_ABSENT)


@dataclass(frozen=True)
class Request:
    """What the module was asked for.

    :ivar target: ``host:port/name``; ``confirm`` must be the same, typed once more.
    :ivar swap: the run id of an earlier swap.
    """

    layout: HostLayout
    state: str
    reason: str
    target: str = ""
    confirm: str = ""
    swap: Optional[str] = None


def run(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Do it; raises by name. Without a swap that could be resumed, nothing is changed and nothing needs authority."""
    if not request.reason.strip():
        raise InputInvalid("reason is empty: whoever reads the audit log will want to know", reason=request.reason)
    if request.state == STATE_SWAPPED:
        return _swap(request, dry_run=dry_run)
    found = _journals_for(request)
    for journal in found:
        details = {"state": request.state, "reason": request.reason, "swap": journal.run_id}
        removes = request.state == STATE_ABSENT
        require_for(request.layout, journal.place, details, removes=removes, dry_run=dry_run)
    if not found or dry_run:
        return _result(found[-1] if found else None, changed=bool(found))
    with held(request.layout, _context.require_run_id()) as lease:
        for journal in found:
            lease.check()
            done = _end(request, journal)
    return _result(done, changed=True)


def _swap(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    if request.target != request.confirm:
        message = f"the target was typed as {request.target} and as {request.confirm}"
        raise RestoreTargetRefused(message, target=request.target, confirm=request.confirm)
    run_id = _context.current().run_id if dry_run else _context.require_run_id()
    details = {"state": request.state, "reason": request.reason}
    if run_id is None or dry_run:
        require_for(request.layout, request.target, details, dry_run=True)
        return _result(None, changed=True)
    mine = find_journal(request.layout, run_id)
    if mine is not None and mine.status == SWAPPED and mine.place == request.target:
        return _result(mine, changed=False)
    _refuse_unfinished(request.layout, run_id)
    made = read_scratch(request.layout.workspace(run_id))
    server = _server_of(made, request)
    proved = require_proved(request.layout.workspace(run_id))
    require_for(request.layout, request.target, {**details, "dump_sha256": proved.dump_sha256})
    with held(request.layout, run_id) as lease:
        password = read_key(made.key_file)
        journal = mine if mine is not None and mine.unfinished else None
        remarks: List[str] = []
        if journal is None:
            journal, remarks = _prepare(made, proved, server, password)
        _jobs.check()  # the last moment: what has begun goes on to its end
        lease.check()
        began = time.monotonic()
        done = swapend.carry_out(request.layout, journal, password)
    seconds = round(time.monotonic() - began, 1)
    return {**_result(done, changed=True), "closed_seconds": seconds, "remarks": remarks}


def _server_of(made: Scratch, request: Request) -> DatabaseOptions:
    """The maintenance database of the server; raises RestoreTargetRefused where the run's target is another."""
    if made.server is None or not made.target:
        raise RestoreTargetRefused("the database of this run was made for a drill: it takes nobody's place")
    place = replace(made.server, name=made.target).place
    if place != request.target:
        message = f"this run restores for {place}, not for {request.target}"
        raise RestoreTargetRefused(message, target=request.target, restored_for=place)
    return made.server


def _refuse_unfinished(layout: HostLayout, run_id: str) -> None:
    others = [journal for journal in unfinished(layout) if journal.run_id != run_id]
    if others:
        names = ", ".join(journal.run_id for journal in others)
        raise SwapUnfinished(f"swap {names} was interrupted, and is to be ended first", swaps=names)


def _prepare(made: Scratch, proved: Candidate, server: DatabaseOptions, password: str) -> Tuple[Journal, List[str]]:
    """Everything that can be refused is refused here, while production is open and untouched; with remarks."""
    with contextlib.closing(connect(server, password)) as session, named(server):
        now = swap.read_standing(session)
        journal = _journal(made, proved, server, now)
        for name in (journal.names.target, journal.names.candidate):
            occupants.require_owner(session, name, place=journal.place)
            occupants.require_clear(session, name, place=journal.place)
        swap.rehearse(session, journal)
        staying = occupants.slots(session, journal.names.target)
    told = f"replication slots stay with the old database, and keep the log for their readers: {shorten(staying)}"
    return journal, [told] if staying else []


def _journal(made: Scratch, proved: Candidate, server: DatabaseOptions, now: Standing) -> Journal:
    """Raises RestoreTargetRefused where things do not stand as they must."""
    old, new = now.named(made.target), now.named(made.database)
    before = before_name(made.run_id, made.target)
    names = Names(made.target, made.database, before, proved.oid, None if old is None else old.oid)
    problems = obstacles(names, now)
    if new is not None and new.mark != mark_of(made.run_id):
        problems.append(f"database {made.database} does not carry the mark of run {made.run_id}")
    if problems:
        raise RestoreTargetRefused(f"{server.place}: {'; '.join(problems)}", server=server.place, obstacles=problems)
    allowed, limit = (old.allows, old.limit) if old is not None else (True, -1)
    return Journal(
        run_id=made.run_id,
        status=SWAPPING,
        server=server,
        key_file=made.key_file,
        names=names,
        allowed=allowed,
        limit=limit,
        dump_sha256=proved.dump_sha256,
        properties=replace(proved.properties, settings=()),  # made by now; a value may be a secret
    )


def _journals_for(request: Request) -> List[Journal]:
    """The swaps that are meant; raises SwapUnknown where there is none of that name, RestoreTargetRefused."""
    if request.state == STATE_RESUMED and request.swap is None:
        return unfinished(request.layout)
    named_one = find_journal(request.layout, request.swap or "")
    if named_one is None:
        raise SwapUnknown(f"there is no swap of run {request.swap} on this host", swap=request.swap)
    if request.state == STATE_RESUMED:
        return [named_one] if named_one.unfinished else []
    done = UNDONE if request.state == STATE_UNDONE else REMOVED
    if named_one.status not in ((SWAPPED, done) if request.state == STATE_UNDONE else (SWAPPED, UNDONE, done)):
        why = "was interrupted" if named_one.unfinished else f"is {named_one.status}"
        message = f"swap {named_one.run_id} {why}: this cannot be done with it"
        raise RestoreTargetRefused(message, swap=named_one.run_id, status=named_one.status)
    return [named_one] if named_one.status != done else []


def _end(request: Request, journal: Journal) -> Journal:
    password = read_key(journal.key_file)
    if request.state == STATE_RESUMED:
        return swapend.settle(request.layout, journal, password)
    if request.state == STATE_UNDONE:
        forget_compared(request.layout.workspace(journal.run_id))  # it was production: anything may have been written
        return swapend.carry_out(request.layout, journal, password, undo=True)
    with contextlib.closing(connect(journal.server, password)) as session, named(journal.server):
        at, back = stage(journal.names, swap.read_standing(session)), journal.status == UNDONE
        if at != (UNTOUCHED if back else DONE):
            which = "before the swap that was taken back" if back else "that was swapped in"
            raise RestoreTargetRefused(f"{journal.place} is not the database {which}", swap=journal.run_id)
        (swap.drop_new if back else swap.drop_old)(session, journal)
    return write_journal(request.layout, journal, REMOVED)


def _result(journal: Optional[Journal], *, changed: bool) -> Dict[str, Any]:
    names = None if journal is None else journal.names
    return {
        "changed": changed,
        "swap": None if journal is None else journal.run_id,
        "status": None if journal is None else journal.status,
        "target": None if journal is None else journal.place,
        "old": None if names is None or names.target_oid is None else names.before,
    }
