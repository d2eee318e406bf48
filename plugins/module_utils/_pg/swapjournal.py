# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journals of swaps of databases: one record each, below the host root, written before the first statement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._journals import journal_path, runs_with_journals
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import options as options_of
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties, properties_from
from ansible_collections.wst.backup.plugins.module_utils._pg.swapplan import Names

VERSION = 1
SUFFIX = ".database.json"  # apart from those of trees, which stand in the same directory

SWAPPING, SWAPPED, UNDOING, UNDONE, REMOVED = "swapping", "swapped", "undoing", "undone", "removed"
STATUSES = (SWAPPING, SWAPPED, UNDOING, UNDONE, REMOVED)


@dataclass(frozen=True)
class Journal:
    """What a swap is about and how far it has come. ``run_id`` is that of the run that began it.

    ``server`` names the maintenance database; ``allowed`` and ``limit`` are what the old database had of connections.
    """

    run_id: str
    status: str
    server: DatabaseOptions
    key_file: str
    names: Names
    allowed: bool
    limit: int
    dump_sha256: str
    properties: Properties

    @property
    def unfinished(self) -> bool:
        """Whether production may be closed."""
        return self.status in (SWAPPING, UNDOING)

    @property
    def place(self) -> str:
        """The target in words, as people type it."""
        return replace(self.server, name=self.names.target).place


def write_journal(layout: HostLayout, journal: Journal, status: str) -> Journal:
    """Put it on the disk with that status. Raises NoSpace, PathPermissions, PathUnusable; then the old one is there."""
    _fs.ensure_private_directory(layout.swaps_dir)
    body: Dict[str, Any] = {
        **vars(journal),
        "version": VERSION,
        "status": status,
        "server": dict(vars(journal.server)),
        "names": dict(vars(journal.names)),
        "properties": journal.properties.as_body(),
        "at": format_time(utc_now()),
    }
    _fs.write_record(journal_path(layout, journal.run_id, SUFFIX), body)
    return replace(journal, status=status)


def find_journal(layout: HostLayout, run_id: str) -> Optional[Journal]:
    """The swap of that run, or None. Raises InputInvalid, RecordDamaged, and what the file system has."""
    path = journal_path(layout, run_id, SUFFIX)
    body = _fs.read_record(path)
    if body is None:
        return None
    try:
        return _journal(body)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{path} is no journal of a swap", path=path) from error


def unfinished(layout: HostLayout) -> List[Journal]:
    """Every swap that was interrupted, the oldest first. Raises as ``find_journal``."""
    found = [find_journal(layout, run_id) for run_id in runs_with_journals(layout, SUFFIX)]
    return [journal for journal in found if journal is not None and journal.unfinished]


def _journal(body: Mapping[str, Any]) -> Journal:
    if body["version"] != VERSION or body["status"] not in STATUSES:
        raise ValueError("a version or a status that is not known here")
    names = body["names"]
    oid = names["target_oid"]
    return Journal(
        run_id=str(body["run_id"]),
        status=body["status"],
        server=options_of.from_params(body["server"]),
        key_file=str(body["key_file"]),
        names=Names(
            target=str(names["target"]),
            candidate=str(names["candidate"]),
            before=str(names["before"]),
            candidate_oid=int(names["candidate_oid"]),
            target_oid=None if oid is None else int(oid),
        ),
        allowed=body["allowed"] is True,
        limit=int(body["limit"]),
        dump_sha256=str(body["dump_sha256"]),
        properties=properties_from(body["properties"]),
    )
