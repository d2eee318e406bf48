# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step that compares the run's scratch database with what its dump and manifest promise."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import DrillMismatch, NotProved
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._pg import (
    compare,
    control,
    freshness,
    schema,
    scratch,
    selection,
    singlecompare,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.candidate import (
    Candidate,
    find_candidate,
    write_candidate,
    write_compared,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.compare import Promise
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.freshness import Wanted
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.restore import digest_of, read_dump_toc
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import reached, read_scratch, within
from ansible_collections.wst.backup.plugins.module_utils._pg.singles import Singles, narrow, singles_of
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Toc
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import verify_dump

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session


@dataclass(frozen=True)
class Request:
    """What is compared with what. Without ``database`` (a manifest's part) the dump alone promises.

    ``fresh``: columns whose newest time must be young enough.
    """

    layout: HostLayout
    tools_dir: str
    dump: str
    database: Optional[Dict[str, Any]] = None
    allow_missing: Sequence[str] = ()
    control: bool = True
    fresh: Sequence[Wanted] = ()


def run(request: Request, tools: Tools) -> Dict[str, Any]:
    """Compare everything, then prove the comparison with a row that is altered.

    :raises DrillMismatch: with every difference; DrillControlFailed: the altered row was not found; Cancelled, and
        what the server raises.
    """
    run_id = _context.require_run_id()
    layout = layout_of_run(request.layout, run_id)
    began = time.monotonic()
    with held(layout, run_id):
        workspace = layout.workspace(run_id)
        made = read_scratch(workspace)
        candidate = _reopened(workspace, request.dump)
        toc = read_dump_toc(request.dump)
        relations = 2 * len(toc.entries)  # pg_dump locks each table, and every statement of ours a table's indexes
        with reached(made, tools_dir=request.tools_dir, relations=relations) as (server, password):
            result = _compare(request, within(server, made), password, tools, toc, candidate)
        if candidate is not None:
            write_compared(workspace, candidate)
    return {**result, "changed": False, "duration": round(time.monotonic() - began, 1)}


def _reopened(workspace: str, dump: str) -> Optional[Candidate]:
    """What is on record of a database that is to take another's place, unproved from now on until all is compared.

    :raises NotProved: it was restored from another dump than this one.
    """
    found = find_candidate(workspace)
    if found is None:
        return None
    unproved = replace(found, compared="")
    write_candidate(workspace, unproved)
    if digest_of(dump) != found.dump_sha256:
        raise NotProved(f"the database was restored from another dump than {dump}", dump=dump)
    return unproved


def _compare(
    request: Request,
    target: DatabaseOptions,
    password: str,
    tools: Tools,
    toc: Toc,
    candidate: Optional[Candidate],
) -> Dict[str, Any]:
    """Nobody else writes there, so that no snapshot is needed, which would hold a lock on each table."""
    owners = candidate is not None and candidate.owners
    with contextlib.closing(connect(target, password)) as session, named(target):
        chosen = selection.select(
            toc.entries,
            available=scratch.available_extensions(session),
            allow_missing=request.allow_missing,
            configured=scratch.configured(session),
            keep=() if candidate is None else candidate.keep,
        )
        found = compare.read_database(session, toc)
        singles = singles_of(toc.entries, candidate.tables) if candidate is not None and candidate.tables else None
        if singles is not None:
            chosen, found = narrow(chosen, singles), singlecompare.found_of(found, singles.parts)
        promise = _promise(request, tools, found, chosen, singles)
        sequences, astray = compare.sequence_differences(session, chosen.entries)
        missing, remarks = compare.extension_notes(session, promise)
        wanted = schema.of_dump(request.dump, tools, owners=owners)
        here = schema.of_database(target, password, tools, owners=owners)
        texts = schema.differences(wanted, here, left_out=chosen.names)
        counted, remarked = schema.judge(texts, source=toc.server_version, target=session.info.server_version)
        told = [*compare.differences(promise, found), *astray, *missing, *counted]
        fresh: List[str] = []
        if not told:  # a table that is not there has no newest row
            fresh, told = freshness.look(session, request.fresh, request.database)
        if told:
            raise DrillMismatch(f"{target.place} is not what the set promises: {shorten(told)}", differences=told)
        nothing = singles is not None and not found.rows  # that could be altered; of a whole database it is a failure
        altered = None if nothing else _control(request, session, promise, found, toc)
    return {
        "tables": len(found.tables),
        "rows": found.rows,
        "large_objects": found.objects.fingerprint.rows,
        "sequences": sequences,
        "extensions": sorted(promise.extensions),
        "schema_objects": wanted.objects,
        "control": altered,
        "fresh": fresh,
        "remarks": [*remarks, *remarked],
    }


def _promise(
    request: Request, tools: Tools, found: compare.Found, chosen: selection.Selection, singles: Optional[Singles]
) -> Promise:
    """Of the manifest, or, for a bare dump, of the dump itself, which is decoded for it; less what was left out."""
    if request.database is not None:
        if singles is None:
            promise = compare.promise_of(request.database)
        else:
            promise = singlecompare.of_manifest(request.database, singles.parts)
    else:
        proof = verify_dump(request.dump, tools=tools, name=os.path.basename(request.dump))
        if singles is None:
            promise = compare.promise_of_dump(proof, found)
        else:
            promise = singlecompare.of_dump(proof, found, singles.parts)
    tables = chosen.tables_left_out if singles is None else []  # of single tables the others must be empty
    return promise.without(tables, chosen.extensions_left_out)


def _control(request: Request, session: Session, promise: Promise, found: compare.Found, toc: Toc) -> Optional[str]:
    if not request.control:
        return None
    session.execute("BEGIN READ WRITE")  # whatever the database's own settings say
    altered = control.require_found(session, promise, found, compare.copies_of(toc))
    session.execute("ROLLBACK")
    return altered.text
