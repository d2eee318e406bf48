# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step that makes the database that a run restores into, and the one that takes away what runs have made."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    InputInvalid,
    RestoreTargetRefused,
    SwapUnfinished,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._lock.leavings import remove_workspace, workspaces
from ansible_collections.wst.backup.plugins.module_utils._pg import needs, scratch
from ansible_collections.wst.backup.plugins.module_utils._pg.candidatename import database_name
from ansible_collections.wst.backup.plugins.module_utils._pg.cluster import (
    MOST_WAL,
    find_cluster,
    make_cluster,
    remove_cluster,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import make_workspace
from ansible_collections.wst.backup.plugins.module_utils._pg.restore import read_dump_toc
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import (
    Scratch,
    find_scratch,
    reached,
    remove_scratch,
    within,
    write_scratch,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.subscriptions import let_go
from ansible_collections.wst.backup.plugins.module_utils._pg.swapauthority import require_beside
from ansible_collections.wst.backup.plugins.module_utils._pg.swapjournal import (
    REMOVED,
    SWAPPED,
    find_journal,
    unfinished,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools
from ansible_collections.wst.backup.plugins.module_utils._platform import api

_SERVER = "server"  # the cluster's directory in the workspace


@dataclass(frozen=True)
class Request:
    """Where the database is made. Without ``server`` on a disposable one of our own.

    ``target``: whose place it shall take on that server; empty for a drill. Where it ``stays``, it takes nobody's, and
    has single tables of that one. ``size``: bytes that the dumped database had, where that is known.
    """

    layout: HostLayout
    tools_dir: str
    server: Optional[DatabaseOptions] = None
    key_file: str = ""
    target: str = ""
    stays: bool = False
    size: Optional[int] = None


def make(request: Request, dump: str, tools: Tools, *, dry_run: bool) -> Dict[str, Any]:
    """Make the run's database for that dump.

    :raises NotProved: outside of a run; NotAuthorized: for a restore, L5 was not proven; LeaseLost;
        NoSpace: a server of our own would not hold it; RestoreTargetRefused: the run has one already, its name is
        taken, or the server lacks the locale of what is restored for good; SwapUnfinished; DumpMissing, DumpDamaged;
        ToolMissing, ToolFailed; DbVersionMismatch and what the server refuses.
    """
    run_id = _context.require_run_id()
    _check_target(request)
    name = database_name(run_id, request.target, stays=request.stays)
    if request.server is not None and request.target:
        require_beside(request.layout, replace(request.server, name=request.target).place, dry_run=dry_run)
    if dry_run:
        return {"changed": True, "database": name, "server": _place(request), "disposable": request.server is None}
    if request.target and not request.stays:
        _require_no_unfinished_swap(request.layout)
    layout = layout_of_run(request.layout, run_id)
    with held(layout, run_id) as lease:
        locale = scratch.locale_of(read_dump_toc(dump))
        workspace = make_workspace(layout, run_id)
        if find_scratch(workspace) is not None:
            raise RestoreTargetRefused(f"run {run_id} has made its scratch database already", run_id=run_id)
        lease.check()
        made = _prepare(request, workspace, run_id, name)
        with reached(made, tools_dir=request.tools_dir) as (server, password):
            with contextlib.closing(connect(server, password)) as session, named(server):
                scratch.require_version(session, client_major=tools.pg_restore.major, place=server.place)
                exact = bool(request.target) and not request.stays
                remarks = scratch.create(session, name, locale, run_id=run_id, place=server.place, exact=exact)
                if request.target:
                    scratch.close_to_others(session, name)
                version = session.info.parameter_status("server_version")
    return {
        "changed": True,
        "database": name,
        "server": _place(request),
        "server_version": version,
        "disposable": request.server is None,
        "remarks": remarks,
    }


def _check_target(request: Request) -> None:
    """Raises InputInvalid, RestoreTargetRefused for a target that no database of that server could be swapped for."""
    if not request.target:
        return
    if any(ord(character) < 32 for character in request.target):
        raise InputInvalid("target has control characters", target=request.target)
    if request.server is None:
        raise InputInvalid("a database that takes another's place is made on that one's server: name it", target="")
    if request.target in (request.server.name, "template0", "template1"):
        message = f"{request.server.place} cannot be replaced: it is what the server is administered through"
        raise RestoreTargetRefused(message, server=request.server.place, target=request.target)


def _require_no_unfinished_swap(layout: HostLayout) -> None:
    """Another could not be swapped in the end; raises SwapUnfinished."""
    for journal in unfinished(layout):
        raise SwapUnfinished(f"the swap of {journal.place} was interrupted", swap=journal.run_id)


def _place(request: Request) -> str:
    return request.server.place.rpartition("/")[0] if request.server is not None else "a server of the drill's own"


def _prepare(request: Request, workspace: str, run_id: str, name: str) -> Scratch:
    """Say in the record what is about to be made, and make the server where it is ours."""
    if request.server is not None:
        made = Scratch(
            run_id, name, request.server, key_file=request.key_file, target=request.target, stays=request.stays
        )
        with reached(made, tools_dir=request.tools_dir) as (server, password):
            with contextlib.closing(connect(server, password)) as session, named(server):
                scratch.require_free(session, name, place=server.place)
        write_scratch(workspace, made)
        return made
    find_cluster(workspace, request.tools_dir)  # that the programs are there, before anything is made
    if request.size is not None:  # before the disk of a host that has other work runs full
        free = _fs.free_bytes(workspace)
        needs.space(size=request.size, wal=min(request.size, MOST_WAL), free=free, place=workspace)
    try:
        home = api.make_server_directory(os.path.join(workspace, _SERVER))
    except OSError as error:
        raise _fs.translate_oserror(error, workspace) from error
    made = Scratch(run_id, name, cluster=home)
    write_scratch(workspace, made)
    make_cluster(home, request.tools_dir, run_id=run_id)
    return made


def remove(layout: HostLayout, tools_dir: str, *, dry_run: bool) -> Dict[str, Any]:
    """Take away what this run, and those that died, have made: databases, roles, servers.

    What an earlier run has left and cannot be removed now is told and stops nothing; the next run tries again.

    :raises NotProved, LeaseLost; and for what is this run's own whatever keeps it from being removed.
    """
    run_id = _context.require_run_id()
    if dry_run:
        return {"changed": False, "removed": [], "left": [], "problems": []}
    mine = layout_of_run(layout, run_id)
    removed: List[str] = []
    left: List[str] = []
    problems: List[Dict[str, Any]] = []
    with held(mine, run_id):
        for owner in workspaces(mine):
            try:
                _remove_one(mine, owner, tools_dir, removed, left)
                if owner != run_id:  # dead, since the lock is ours
                    remove_workspace(mine, owner)
            except BackupError as error:
                if owner == run_id:
                    raise
                problems.append(error.as_problem())
    return {"changed": bool(removed), "removed": removed, "left": left, "problems": problems}


def _was_swapped_in(layout: HostLayout, owner: str) -> bool:
    """Whether the database is somebody's by now; raises SwapUnfinished where that is not known yet."""
    journal = find_journal(layout, owner)
    if journal is not None and journal.unfinished:
        raise SwapUnfinished(f"the swap of {journal.place} by run {owner} was interrupted", swap=owner)
    return journal is not None and journal.status in (SWAPPED, REMOVED)


def _remove_one(layout: HostLayout, owner: str, tools_dir: str, removed: List[str], left: List[str]) -> None:
    workspace = layout.workspace(owner)
    made = find_scratch(workspace)
    if made is None:
        return
    if made.run_id != owner:
        raise InputInvalid(f"{workspace} has the scratch database of another run, {made.run_id}", path=workspace)
    if made.target and _was_swapped_in(layout, owner):
        remove_scratch(workspace)  # what has its name by now would be another's
        return
    if made.cluster:
        if remove_cluster(made.cluster, tools_dir, run_id=owner):
            removed.append(made.cluster)
    else:
        with reached(made, tools_dir=tools_dir) as (server, password):
            with contextlib.closing(connect(server, password)) as session:
                dropped, kept = scratch.drop(
                    session,
                    made.database,
                    list(made.roles),
                    run_id=owner,
                    options=server,
                    target=made.target,
                    stays=made.stays,
                    release=lambda: let_go(within(server, made), password),
                )
        removed += [made.database] if dropped else []
        left += [f"role {role}" for role in kept]
    remove_scratch(workspace)
