# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Beginning a drill: its workspace, and the set that it restores."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Dict, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._drill.choice import NEWEST, choose, layer_of, require_fresh
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import make_workspace
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer

TREE = "set"  # in the workspace: what the artifact is extracted to


@dataclass(frozen=True)
class Request:
    """Which set is wanted. ``max_age`` is asked of the newest only."""

    layout: HostLayout
    layers: Sequence[Layer]
    prefix: str
    layer: str
    artifact: str
    max_age: Optional[timedelta]


def begin(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Choose the set, and make the drill's workspace.

    :raises SetMissing, SetTooOld, InputInvalid; NotProved and LeaseLost outside of a run; what the file systems have.
    """
    now = utc_now()
    name = layer_of(request.layer, now)
    layer = next((each for each in request.layers if each.name == name), None)
    if layer is None:
        raise InputInvalid(f"no layer is called {name}", layer=name)
    found = choose(read_layer(layer, prefix=request.prefix), request.artifact, layer=name, prefix=request.prefix)
    limit = request.max_age if request.artifact == NEWEST else None
    age = require_fresh(found.artifact.time, now, limit)
    workspace = ""
    if not dry_run:
        run_id = _context.require_run_id()
        lane = layout_of_run(request.layout, run_id)
        with held(lane, run_id):
            workspace = make_workspace(lane, run_id)
    return {
        "changed": True,
        "artifact": found.artifact.stem,
        "layer": name,
        "file": layer.file(found.artifact.zip),
        "size": found.size,
        "database_size": _database_size(layer, found),
        "sha256": found.proof.sha256,
        "made_at": format_time(found.artifact.time),
        "age": int(age.total_seconds()),
        "workspace": workspace,
        "tree": os.path.join(workspace, TREE) if workspace else "",
    }


def _database_size(layer: Layer, found: BackupSet) -> Optional[int]:
    manifest = (read_record(layer.file(found.artifact.sidecar)) or {}).get("manifest") or {}
    size = ((manifest.get("database") or {}).get("database") or {}).get("size")
    return size if isinstance(size, int) else None
