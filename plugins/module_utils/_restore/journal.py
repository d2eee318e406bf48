# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journals of swaps: one record each, below the host root, written before the first rename."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._journals import journal_path, runs_with_journals
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import (
    STATUSES,
    UNFINISHED,
    Pair,
    pair_from,
)

VERSION = 1
SUFFIX = ".json"


@dataclass(frozen=True)
class Journal:
    """What a swap is about and how far it has come. ``run_id`` is that of the run that began it."""

    run_id: str
    status: str
    pairs: Tuple[Pair, ...]

    @property
    def unfinished(self) -> bool:
        """Whether trees may stand under names that are not theirs."""
        return self.status in UNFINISHED


def write(layout: HostLayout, journal: Journal, status: str) -> Journal:
    """Put it on the disk with that status. Raises NoSpace, PathPermissions, PathUnusable; then the old one is there."""
    _fs.ensure_private_directory(layout.swaps_dir)
    body = {
        "version": VERSION,
        "run_id": journal.run_id,
        "status": status,
        "pairs": [pair.body() for pair in journal.pairs],
        "at": format_time(utc_now()),
    }
    _fs.write_record(journal_path(layout, journal.run_id, SUFFIX), body)
    return replace(journal, status=status)


def read(layout: HostLayout, run_id: str) -> Optional[Journal]:
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
    """Every swap that was interrupted, the oldest first. Raises as ``read``."""
    found = [read(layout, run_id) for run_id in runs_with_journals(layout, SUFFIX)]
    return [journal for journal in found if journal is not None and journal.unfinished]


def _journal(body: Mapping[str, Any]) -> Journal:
    if body["version"] != VERSION or body["status"] not in STATUSES:
        raise ValueError("a version or a status that is not known here")
    pairs: List[Dict[str, Any]] = body["pairs"]
    return Journal(run_id=str(body["run_id"]), status=body["status"], pairs=tuple(pair_from(pair) for pair in pairs))
