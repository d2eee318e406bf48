# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step after which a database with single tables stays, and the one that removes it when a person says so."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, replace
from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._pg import kept, quote
from ansible_collections.wst.backup.plugins.module_utils._pg.candidate import require_compared_singles
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.key import read_key
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DISABLE, DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import (
    reached,
    read_scratch,
    remove_scratch,
    within,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import written
from ansible_collections.wst.backup.plugins.module_utils._pg.swapauthority import require_removal


def keep(layout: HostLayout, tools_dir: str, *, dry_run: bool) -> Dict[str, Any]:
    """Let the run's database with single tables stay: no run's end and no sweep takes it from now on.

    :raises NotProved: outside of a run, or nothing was restored there and compared; InputInvalid: the run's database is
        of another kind; RestoreTargetRefused, LeaseLost, and what the server raises.
    """
    run_id = _context.current().run_id if dry_run else _context.require_run_id()
    if dry_run or run_id is None:
        return {"changed": True}
    mine = layout_of_run(layout, run_id)
    with held(mine, run_id) as lease:
        workspace = mine.workspace(run_id)
        made = read_scratch(workspace)
        if not made.stays or made.server is None:
            raise InputInvalid("only what pg_scratch made with purpose=tables can stay", database=made.database)
        proved = require_compared_singles(workspace)
        lease.check()
        with reached(made, tools_dir=tools_dir) as (server, password):
            with contextlib.closing(connect(server, password)) as session, named(server):
                owner = kept.keep(session, made.database, run_id=run_id, oid=proved.oid, place=server.place)
        remove_scratch(workspace)  # behind the mark: what is marked stays, whoever finds the record
    return {
        "changed": True,
        "database": made.database,
        "server": made.server.place.rpartition("/")[0],
        "owner": owner,
        "conninfo": conninfo(within(made.server, made)),
        "target_conninfo": conninfo(replace(made.server, name=made.target)),
        "tables": [written(name) for name in proved.tables],
    }


def conninfo(options: DatabaseOptions) -> str:
    """How PostgreSQL's programs reach that database as we do, but for the password."""
    told = {
        "host": options.host,
        "port": str(options.port),
        "dbname": options.name,
        "user": options.user,
        "sslmode": options.sslmode,
    }
    if options.sslrootcert and options.sslmode != DISABLE:
        told["sslrootcert"] = options.sslrootcert
    return " ".join(f"{name}={_value(text)}" for name, text in told.items())


def _value(text: str) -> str:
    """https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE"""
    if re.fullmatch(r"[\w.:/-]+", text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@dataclass(frozen=True)
class Removal:
    """Which database is removed, and why. ``server`` names the maintenance database to do it from."""

    layout: HostLayout
    server: DatabaseOptions
    key_file: str
    database: str
    reason: str


def remove(request: Removal, *, dry_run: bool) -> Dict[str, Any]:
    """Remove a database that ``keep`` let stay.

    :raises NotAuthorized: L5 was not proven; InputInvalid: no reason; RestoreTargetRefused: the database is no such
        one; NotProved, LeaseLost, and what the server raises.
    """
    reason = request.reason.strip()
    if not reason:
        raise InputInvalid("reason is empty: whoever reads the audit log will want to know", reason=request.reason)
    place = replace(request.server, name=request.database).place
    require_removal(request.layout, place, reason, dry_run=dry_run)
    if dry_run:
        return _result(request, there=_drop(request, dry_run=True))
    run_id = _context.require_run_id()
    with held(layout_of_run(request.layout, run_id), run_id) as lease:
        lease.check()
        return _result(request, there=_drop(request, dry_run=False))


def _drop(request: Removal, *, dry_run: bool) -> bool:
    server = request.server
    with contextlib.closing(connect(server, read_key(request.key_file))) as session, named(server):
        there = kept.require_removable(session, request.database, place=server.place)
        if there and not dry_run:
            session.execute(f"DROP DATABASE {quote.identifier(request.database)} WITH (FORCE)".encode())
    return there


def _result(request: Removal, *, there: bool) -> Dict[str, Any]:
    removed = [request.database] if there else []
    return {"changed": there, "removed": removed, "left": [], "problems": []}
