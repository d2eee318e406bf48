# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step that restores a dump into the run's database: that of a drill, or one that is to take another's place."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._pg import restore_owned, scratch, selection
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import PG_RESTORE, Warnings
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.record import sentences, warnings_part
from ansible_collections.wst.backup.plugins.module_utils._pg.restore import Order, read_dump_toc, restore, size_of
from ansible_collections.wst.backup.plugins.module_utils._pg.restore_owned import Owned, Work
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import (
    Scratch,
    reached,
    read_scratch,
    within,
    write_scratch,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import Selection
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import Name, written
from ansible_collections.wst.backup.plugins.module_utils._pg.singles import Singles, narrow, singles_of
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Toc
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools


@dataclass(frozen=True)
class Request:
    """What is restored. ``rows`` of each table, for the progress only; ``owned`` where it is restored for good.

    ``tables``: schema and name of those whose rows are meant; None for all.
    """

    layout: HostLayout
    tools_dir: str
    dump: str
    allow_missing: Sequence[str] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    owned: Optional[Owned] = None
    tables: Optional[Sequence[Name]] = None

    @property
    def keep(self) -> Tuple[str, ...]:
        """Kinds that act by themselves and are restored."""
        return () if self.owned is None else self.owned.keep


def run(request: Request, tools: Tools) -> Dict[str, Any]:
    """Restore into the database that ``pg_scratch`` made for this run.

    :raises RestoreTargetRefused: it is not this run's, or not empty; InputInvalid: it was made for something else, or
        the dump lacks one of the tables; DbExtensionMissing; RestoreFailed; and as ``restore`` and
        ``restore_owned.run``.
    """
    run_id = _context.require_run_id()
    layout = layout_of_run(request.layout, run_id)
    with held(layout, run_id):
        workspace = layout.workspace(run_id)
        made = read_scratch(workspace)
        if request.owned is not None:
            restore_owned.require_target(made)
        toc = read_dump_toc(request.dump)
        singles = _singles(request, made, toc)
        with reached(made, tools_dir=request.tools_dir) as (server, password):
            target = within(server, made)
            chosen = _choose(request, target, password, toc, run_id)
            if singles is not None:
                chosen = narrow(chosen, singles)
            work = Work(made, target, password, workspace, request.dump, toc, chosen, request.rows)
            began = time.monotonic()
            if request.owned is not None:
                done = restore_owned.run(work, request.owned, tools)
                result = _result(chosen, [], done.warnings, done.remarks, seconds=time.monotonic() - began)
                return {**result, "needed_bytes": done.needed_bytes, "dump_bytes": size_of(request.dump)}
            roles = _make_roles(workspace, made, target, password, chosen)
            warnings = restore(
                Order(request.dump, chosen, workspace, owners=False, rows=request.rows), target, password, tools
            )
            if made.target:
                restore_owned.record_bare(work, request.tables or ())
    result = _result(chosen, roles, warnings, [], seconds=time.monotonic() - began)
    tables = [] if singles is None else [written(name) for name in sorted(singles.parts)]
    return {**result, "tables": tables, "dump_bytes": size_of(request.dump)}


def _singles(request: Request, made: Scratch, toc: Toc) -> Optional[Singles]:
    """The tables that are meant. What has some of a database's rows can be taken for nothing else afterwards.

    :raises InputInvalid: the run's database was made for something else, or the dump lacks one of them.
    """
    if made.stays != (request.tables is not None):
        raise InputInvalid("single tables, and nothing else, go into what pg_scratch made with purpose=tables")
    if request.tables is None:
        return None
    if request.owned is not None or not request.tables:
        raise InputInvalid("single tables are named, and come back without owners")
    return singles_of(toc.entries, request.tables)


def _choose(request: Request, target: DatabaseOptions, password: str, toc: Toc, run_id: str) -> Selection:
    with contextlib.closing(connect(target, password)) as session, named(target):
        scratch.require_scratch(session, run_id=run_id, place=target.place)
        available = scratch.available_extensions(session)
        allowed, keep = request.allow_missing, request.keep
        chosen = selection.select(toc.entries, available=available, allow_missing=allowed, keep=keep)
        if chosen.extensions_left_out and selection.configuration(toc.entries):
            brought = scratch.configured(session, chosen.extensions)
            chosen = selection.select(
                toc.entries, available=available, allow_missing=allowed, configured=brought, keep=keep
            )
    return chosen


def _make_roles(workspace: str, made: Scratch, target: DatabaseOptions, password: str, chosen: Selection) -> List[str]:
    """Policies name roles, and no option of pg_restore takes them away."""
    wanted = selection.policy_roles(chosen.entries)
    if not wanted:
        return []
    with contextlib.closing(connect(target, password)) as session, named(target):
        missing = scratch.missing_roles(session, wanted)
        write_scratch(workspace, made.with_roles(missing))
        scratch.make_roles(session, missing, run_id=made.run_id)
    return missing


def _result(
    chosen: Selection, roles: List[str], warnings: Warnings, told: List[str], *, seconds: float
) -> Dict[str, Any]:
    body = warnings_part(warnings)["warnings"]
    return {
        "changed": True,
        "restored": len(chosen.entries),
        "left_out": chosen.texts,
        "roles": roles,
        "remarks": [*sentences(body, tool=PG_RESTORE), *told],
        "warnings_by_kind": body["counts"],
        "seconds": round(seconds, 1),
    }
