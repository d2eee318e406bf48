# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``candidate.json``: what was restored into the database that is to take another's place, and whether it was proved.

It stands beside ``scratch.json``. The swap believes nothing else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import NotProved, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties, properties_from

VERSION = 1
_NAME = "candidate.json"


@dataclass(frozen=True)
class Candidate:
    """The record.

    :ivar oid: of the database; a name can be given to another one.
    :ivar dump_sha256: of the dump that it was restored from.
    :ivar owners: whether owners and grants came back. Without them the application would be locked out.
    :ivar keep: kinds of what acts by itself that were restored.
    :ivar tables: schema and name of single tables that it has the rows of; empty where it has all of them.
    :ivar compared: when it was found to be what the dump promises, as UTC text; empty where it was not.
    """

    run_id: str
    oid: int
    dump_sha256: str
    owners: bool
    keep: Tuple[str, ...]
    properties: Properties
    compared: str = ""
    tables: Tuple[Tuple[str, str], ...] = ()

    def as_body(self) -> Dict[str, Any]:
        """As it stands in the file."""
        lists = {"keep": list(self.keep), "tables": [list(name) for name in self.tables]}
        return {**vars(self), **lists, "version": VERSION, "properties": self.properties.as_body()}


def write_candidate(workspace: str, candidate: Candidate) -> None:
    """Put it in place; raises NoSpace, PathPermissions, PathUnusable."""
    _fs.write_record(os.path.join(workspace, _NAME), candidate.as_body())


def write_compared(workspace: str, candidate: Candidate) -> None:
    """Note that it is what the dump promises; raises as ``write_candidate``."""
    write_candidate(workspace, replace(candidate, compared=format_time(utc_now())))


def forget_compared(workspace: str) -> None:
    """It is no longer known to be what the dump promises; raises as ``write_candidate`` and ``find_candidate``."""
    found = find_candidate(workspace)
    if found is not None:
        write_candidate(workspace, replace(found, compared=""))


def find_candidate(workspace: str) -> Optional[Candidate]:
    """The record, None where there is none; raises RecordDamaged, PathPermissions, PathUnusable."""
    path = os.path.join(workspace, _NAME)
    body = _fs.read_record(path)
    if body is None:
        return None
    try:
        if body["version"] != VERSION:
            raise ValueError("a version that is not known here")
        return Candidate(
            run_id=str(body["run_id"]),
            oid=int(body["oid"]),
            dump_sha256=str(body["dump_sha256"]),
            owners=body["owners"] is True,
            keep=tuple(str(kind) for kind in body["keep"]),
            properties=properties_from(body["properties"]),
            compared=str(body["compared"]),
            tables=tuple((str(schema), str(name)) for schema, name in body.get("tables", [])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{path} names no restored database", path=path) from error


def require_proved(workspace: str) -> Candidate:
    """The record of a database that may take another's place.

    :raises NotProved: nothing was restored, without owners, or it was not compared since; RecordDamaged.
    """
    found = find_candidate(workspace)
    if found is None:
        raise NotProved("this run has restored no database (pg_restore comes first)", workspace=workspace)
    if found.tables:
        raise NotProved("the database has single tables only: it takes nobody's place")
    if not found.owners:
        raise NotProved("the database was restored without owners and grants: no application could use it")
    if not found.compared:
        raise NotProved("the restored database was not compared with its dump (pg_compare comes first)")
    return found


def require_compared_singles(workspace: str) -> Candidate:
    """The record of a database with single tables that may stay.

    :raises NotProved: nothing was restored, or not single tables, or it was not compared since; RecordDamaged.
    """
    found = find_candidate(workspace)
    if found is None or not found.tables:
        raise NotProved("this run has restored no single tables (pg_restore comes first)", workspace=workspace)
    if not found.compared:
        raise NotProved("the tables were not compared with the dump (pg_compare comes first)", workspace=workspace)
    return found
