# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of a run leave each other in its workspace, as far as the archive is concerned."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils._archive.verify import DumpCounts
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DumpEmpty,
    DumpMissing,
    NotProved,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._layout import ARCHIVE_FACTS, DATABASE_FACTS, ROLES_SQL
from ansible_collections.wst.backup.plugins.module_utils._platform import api


@dataclass(frozen=True)
class DumpFacts:
    """The dump as the dump step proved it, and where it is."""

    body: Mapping[str, Any]  # database.json
    path: str
    roles_path: str
    size: int
    sha256: str
    roles_size: int
    snapshot_at: Optional[str]
    counts: DumpCounts


def read_dump_facts(workspace: str, *, dump_name: str) -> DumpFacts:
    """Raises ``DumpMissing`` or ``DumpEmpty`` where there is no good dump, ``RecordDamaged`` for bad facts."""
    body = read_record(os.path.join(workspace, DATABASE_FACTS))
    if body is None:
        raise DumpMissing("the dump step of this run left nothing in %s." % workspace, path=workspace)
    path, roles = os.path.join(workspace, dump_name), os.path.join(workspace, ROLES_SQL)
    try:
        facts = DumpFacts(
            body=body,
            path=path,
            roles_path=roles,
            size=int(body["dump"]["size"]),
            sha256=str(body["dump"]["sha256"]),
            roles_size=_size(roles),
            snapshot_at=body.get("snapshot_at"),
            counts=DumpCounts(tables=len(body["tables"]), rows=int(body["rows_total"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged("%s lacks what this step needs (%s)" % (DATABASE_FACTS, error), path=workspace) from error
    if _size(path) == 0 or facts.size == 0:
        raise DumpEmpty("%s has no bytes." % path, path=path)
    return facts


def _size(path: str) -> int:
    try:
        return os.stat(api.long_path(path)).st_size
    except OSError as error:
        raise DumpMissing("there is no %s." % path, path=path) from error


def read_archive_facts(workspace: str) -> Dict[str, Any]:
    """What ``backup_archive`` of this run wrote; raises ``NotProved`` where it did not, ``RecordDamaged``."""
    body = read_record(os.path.join(workspace, ARCHIVE_FACTS))
    if body is None:
        raise NotProved("no archive was made in this run: %s has no %s." % (workspace, ARCHIVE_FACTS), path=workspace)
    return body
