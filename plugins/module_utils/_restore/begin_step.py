# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beginning of a restore: which set, into what, and whether that may be."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._audit.search import records_since
from ansible_collections.wst.backup.plugins.module_utils._authority.check import require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._authority.record import read_authority
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._drill.choice import choose
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, InputInvalid, SetMissing
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._pg import singlenames
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import make_workspace
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import Name
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import estimate, room, targets
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import opened
from ansible_collections.wst.backup.plugins.module_utils._restore.meaning import (
    require_meant,
    require_reason,
    target_text,
)
from ansible_collections.wst.backup.plugins.module_utils._restore.room import Room
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer

LOOKED_BACK = timedelta(days=400)  # for a restore test, as long as their evidence is kept
TREE = "set"  # in the run's workspace: what of the artifact the database is restored from


@dataclass(frozen=True)
class Request:
    """What the module was asked for.

    :ivar path: a ZIP instead of a set of the layer.
    :ivar trees: sources of the artifact, each with the directory that it replaces.
    :ivar beside: a directory that is made instead, for what is taken out by hand.
    :ivar database: host, port and name of the database that is replaced.
    :ivar tables: schema and name of tables that are restored beside that database, which is not replaced then.
    :ivar free_bytes: of the server, where somebody told.
    """

    layout: HostLayout
    layer: Layer
    prefix: str
    artifact: str
    reason: str
    path: str = ""
    trees: Sequence[Tuple[str, str]] = ()
    beside: str = ""
    database: Optional[Tuple[str, int, str]] = None
    tables: Sequence[Name] = ()
    target: Optional[str] = None
    confirm: Optional[str] = None
    free_bytes: Optional[int] = None
    suffix: str = field(default="")  # of the directories that are made beside the trees


def begin(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Choose the set, prove the authority, and have production named twice.

    :raises SetMissing, ArtifactDamaged and its like; NotAuthorized, AuthorityMissing; RestoreUnconfirmed;
        InputInvalid: nothing is to be restored, or no reason is given. NoSpace: it is known not to fit.
    """
    reason = require_reason(request.reason)
    _require_one_way(request)
    if not request.trees and not request.beside and request.database is None:
        raise InputInvalid("nothing is to be restored: name trees, a directory beside, or a database")
    path, stem = _artifact(request)
    text = "" if request.tables else target_text([path for _name, path in request.trees], _place(request))
    production = _is_production(request)
    with opened(path) as artifact:
        manifest = artifact.found.body if artifact.found is not None else None
        _require_sources(request, manifest)
        tables = _tables(request, manifest)
    if production:
        require_meant(text, request.target, request.confirm)
    level = L6 if production else L5
    details: Dict[str, Any] = {
        "artifact": stem,
        "targets": text or request.beside,
        "production": production,
        "reason": reason,
    }
    if tables:
        details.update(targets=f"beside {_place(request)}", tables=[each["name"] for each in tables])
    grant = require(request.layout, level, targets.PURPOSE, details, dry_run=dry_run)
    rooms = _rooms(request, manifest)
    room.require(rooms)
    workspace = _workspace(request) if request.database is not None and not dry_run else ""
    return {
        "changed": False,
        "artifact": stem,
        "file": path,
        "production": production,
        "level": grant.proven,
        "target": text,
        "pairs": [_pair(name, tree, request.suffix) for name, tree in request.trees],
        "reason": reason,
        "database": _place(request),
        "tables": tables,
        "tree": os.path.join(workspace, TREE) if workspace else "",
        "estimate": _estimate(request, manifest),
        "space": [each.as_body() for each in rooms],
        **_sizes(manifest),
    }


def _estimate(request: Request, manifest: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """How long it will take. A log that cannot be read keeps no restore from happening."""
    planned = estimate.planned_of(
        manifest,
        trees=[name for name, _path in request.trees],
        beside=bool(request.beside),
        database=request.database is not None,
        tables=bool(request.tables),
    )
    try:
        records = records_since(request.layout.audit_dir, utc_now() - LOOKED_BACK)
    except BackupError as error:
        return {**estimate.Estimate(None, f"unknown: {error.message}").as_body(), "safety_seconds": None}
    body = estimate.estimate(planned, estimate.newest(records)).as_body()
    return {**body, "safety_seconds": estimate.last_backup(records)}


def _rooms(request: Request, manifest: Optional[Mapping[str, Any]]) -> List[Room]:
    """What is needed and free on the host's volumes, and on the server as far as somebody told."""
    wanted = room.Wanted(
        trees=request.trees,
        beside=request.beside,
        scratch=request.layout.scratch_dir,
        database=_place(request),
        tables=bool(request.tables),
        free=request.free_bytes,
    )
    parts = [(part, _volume(part.path)) for part in room.parts_of(manifest, wanted)]
    return [*room.on_volumes(parts), *room.on_server(manifest, wanted)]


def _volume(path: str) -> room.Volume:
    """That of the nearest directory that is there. What cannot be told is found when it is written."""
    while not os.path.isdir(api.long_path(path)) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    try:
        found = api.volume(path)
    except (OSError, BackupError):
        return room.Volume(path, None)
    return room.Volume(found.id or path, found.free)


def _require_one_way(request: Request) -> None:
    """Raises InputInvalid where single tables go together with what they cannot."""
    if not request.tables:
        return
    if request.database is None:
        raise InputInvalid("tables are restored beside a database: name it, with the server that it is on")
    if request.trees or request.beside:
        raise InputInvalid("tables are restored by themselves: neither trees nor a directory beside go with them")


def _tables(request: Request, manifest: Optional[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Raises InputInvalid for a table that the set has no rows of."""
    rows: Sequence[Optional[int]] = [None] * len(request.tables)
    if manifest is not None:
        rows = singlenames.rows_of(request.tables, manifest["database"])
    return [{"name": singlenames.written(name), "rows": number} for name, number in zip(request.tables, rows)]


def _workspace(request: Request) -> str:
    """Where the dump is extracted to; raises NotProved, LeaseLost and its like."""
    run_id = _context.require_run_id()
    with held(request.layout, run_id):
        return make_workspace(request.layout, run_id)


def _artifact(request: Request) -> Tuple[str, str]:
    """The ZIP's path, and the name that it is known by."""
    if request.path:
        if not os.path.isfile(api.long_path(request.path)):
            raise SetMissing(f"there is no {request.path}", path=request.path)
        return request.path, os.path.basename(request.path)
    catalog = read_layer(request.layer, prefix=request.prefix)
    found = choose(catalog, request.artifact, layer=request.layer.name, prefix=request.prefix)
    return request.layer.file(found.artifact.zip), found.artifact.stem


def _place(request: Request) -> Optional[str]:
    if request.database is None:
        return None
    host, port, name = request.database
    return f"{host}:{port}/{name}"


def _is_production(request: Request) -> bool:
    """A directory beside is judged by what writes there. Where tables go, there is nothing yet."""
    if request.tables:
        return False
    authority = read_authority(request.layout)
    if any(authority.is_production_directory(path) for _name, path in request.trees):
        return True
    return request.database is not None and authority.is_production_database(*request.database)


def _require_sources(request: Request, manifest: Optional[Mapping[str, Any]]) -> None:
    if manifest is None:
        return
    there = [source["name"] for source in manifest["sources"]]
    missing = [name for name, _path in request.trees if name not in there]
    if missing:
        raise InputInvalid(f"the set has no source {missing[0]}; it has {', '.join(there)}", sources=there)


def _pair(name: str, tree: str, suffix: str) -> Dict[str, str]:
    """Where the source is extracted to: beside the tree, so that a rename can put it in its place."""
    made = tree + suffix
    return {"source": name, "target": tree, "extract": made, "new": os.path.join(made, name)}


def _sizes(manifest: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    if manifest is None:
        return {"bytes": None, "files": None, "dump_size": None, "rows": None, "made_at": None, "database_size": None}
    totals, database = manifest["totals"], manifest["database"]
    return {
        "bytes": totals.get("bytes"),
        "files": totals.get("files"),
        "dump_size": manifest["dump"].get("size"),
        "rows": database.get("rows_total"),
        "made_at": database.get("snapshot_at"),
        "database_size": database.get("database", {}).get("size"),
    }


def trees_of(given: Sequence[Dict[str, str]]) -> List[Tuple[str, str]]:
    """The option of the module; raises InputInvalid for what is named twice, or is no whole path."""
    found = [(each["source"], targets.whole(each["path"])) for each in given]
    if len({name for name, _path in found}) != len(found) or len({path for _name, path in found}) != len(found):
        raise InputInvalid("a source or a directory is named twice", trees=[list(each) for each in found])
    return found
