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
class StepFile:
    """A file of the dump step, and what it must be."""

    name: str
    path: str
    size: int
    sha256: str
    crc32: Optional[int] = None


@dataclass(frozen=True)
class DumpFacts:
    """What the dump step has proved and left."""

    body: Mapping[str, Any]  # database.json
    dump: StepFile
    roles: StepFile
    snapshot_at: str
    counts: DumpCounts


def read_dump_facts(workspace: str, *, dump_name: str) -> DumpFacts:
    """Raises ``DumpMissing`` or ``DumpEmpty`` where there is no good dump, ``RecordDamaged`` for bad facts."""
    body = read_record(os.path.join(workspace, DATABASE_FACTS))
    if body is None:
        raise DumpMissing(f"the dump step of this run left nothing in {workspace}.", path=workspace)
    try:
        dump, roles = body["dump"], body["roles"]
        facts = DumpFacts(
            body=body,
            dump=_file(workspace, dump_name, dump, crc32=int(dump["crc32"])),
            roles=_file(workspace, ROLES_SQL, roles),
            snapshot_at=str(body["snapshot_at"]),
            counts=DumpCounts(tables=int(body["proof"]["tables"]), rows=body["proof"]["rows_total"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{DATABASE_FACTS} lacks what this step needs ({error})", path=workspace) from error
    for file in (facts.dump, facts.roles):
        if _size(file.path) == 0:
            raise DumpEmpty(f"{file.path} has no bytes.", path=file.path)
    return facts


def _file(workspace: str, name: str, told: Mapping[str, Any], *, crc32: Optional[int] = None) -> StepFile:
    path = os.path.join(workspace, name)
    return StepFile(name=name, path=path, size=int(told["size"]), sha256=str(told["sha256"]), crc32=crc32)


def _size(path: str) -> int:
    try:
        return os.stat(api.long_path(path)).st_size
    except OSError as error:
        raise DumpMissing(f"there is no {path}.", path=path) from error


def read_archive_facts(workspace: str) -> Dict[str, Any]:
    """What ``backup_archive`` of this run wrote; raises ``NotProved`` where it did not, ``RecordDamaged``."""
    body = read_record(os.path.join(workspace, ARCHIVE_FACTS))
    if body is None:
        raise NotProved(f"no archive was made in this run: {workspace} has no {ARCHIVE_FACTS}.", path=workspace)
    return body
