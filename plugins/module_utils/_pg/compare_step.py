# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step that compares the run's scratch database with what its dump and manifest promise."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import DrillMismatch
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._pg import compare, control, schema, scratch, selection
from ansible_collections.wst.backup.plugins.module_utils._pg.compare import Promise
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.restore import read_dump_toc
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import reached, read_scratch, within
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Toc
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import verify_dump

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session


@dataclass(frozen=True)
class Request:
    """What is compared with what. Without ``database`` (a manifest's part) the dump alone promises."""

    layout: HostLayout
    tools_dir: str
    dump: str
    database: Optional[Dict[str, Any]] = None
    allow_missing: Sequence[str] = ()
    control: bool = True


def run(request: Request, tools: Tools) -> Dict[str, Any]:
    """Compare everything, then prove the comparison with a row that is altered.

    :raises DrillMismatch: with every difference; DrillControlFailed: the altered row was not found; Cancelled, and
        what the server raises.
    """
    run_id = _context.require_run_id()
    layout = layout_of_run(request.layout, run_id)
    began = time.monotonic()
    with held(layout, run_id):
        made = read_scratch(layout.workspace(run_id))
        toc = read_dump_toc(request.dump)
        relations = 2 * len(toc.entries)  # pg_dump locks each table, and every statement of ours a table's indexes
        with reached(made, tools_dir=request.tools_dir, relations=relations) as (server, password):
            result = _compare(request, within(server, made), password, tools, toc)
    return {**result, "changed": False, "duration": round(time.monotonic() - began, 1)}


def _compare(request: Request, target: DatabaseOptions, password: str, tools: Tools, toc: Toc) -> Dict[str, Any]:
    """Nobody else writes there, so that no snapshot is needed, which would hold a lock on each table."""
    with contextlib.closing(connect(target, password)) as session, named(target):
        chosen = selection.select(
            toc.entries,
            available=scratch.available_extensions(session),
            allow_missing=request.allow_missing,
            configured=scratch.configured(session),
        )
        found = compare.read_database(session, toc)
        promise = _promise(request, tools, found).without(chosen.tables_left_out, chosen.extensions_left_out)
        sequences, astray = compare.sequence_differences(session, chosen.entries)
        missing, remarks = compare.extension_notes(session, promise)
        wanted = schema.of_dump(request.dump, tools)
        texts = schema.differences(wanted, schema.of_database(target, password, tools), left_out=chosen.names)
        counted, remarked = schema.judge(texts, source=toc.server_version, target=session.info.server_version)
        told = [*compare.differences(promise, found), *astray, *missing, *counted]
        if told:
            raise DrillMismatch(f"{target.place} is not what the set promises: {shorten(told)}", differences=told)
        altered = _control(request, session, promise, found, toc)
    return {
        "tables": len(found.tables),
        "rows": found.rows,
        "large_objects": found.objects.fingerprint.rows,
        "sequences": sequences,
        "extensions": sorted(promise.extensions),
        "schema_objects": wanted.objects,
        "control": altered,
        "remarks": [*remarks, *remarked],
    }


def _promise(request: Request, tools: Tools, found: compare.Found) -> Promise:
    """Of the manifest, or, for a bare dump, of the dump itself, which is decoded for it."""
    if request.database is not None:
        return compare.promise_of(request.database)
    proof = verify_dump(request.dump, tools=tools, name=os.path.basename(request.dump))
    return compare.promise_of_dump(proof, found)


def _control(request: Request, session: Session, promise: Promise, found: compare.Found, toc: Toc) -> Optional[str]:
    if not request.control:
        return None
    session.execute("BEGIN")
    altered = control.require_found(session, promise, found, compare.copies_of(toc))
    session.execute("ROLLBACK")
    return altered.text
