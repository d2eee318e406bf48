# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs leave below the host root, and when it goes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterable, List, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import SCRATCH_FACTS, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._leftovers import leftovers, record_partials
from ansible_collections.wst.backup.plugins.module_utils._lock.jobs import live_jobs
from ansible_collections.wst.backup.plugins.module_utils._names import STAMP_FORMAT, check_run_id
from ansible_collections.wst.backup.plugins.module_utils._platform import api

KEEP_DAYS = 30
KEEP_RUNS = 20


@dataclass(frozen=True)
class Swept:
    """The directories and files that were removed, and the problems of those that could not be."""

    removed: List[str]
    kept: List[Dict[str, Any]]


def expired(run_ids: Iterable[str], now: datetime) -> List[str]:
    """The runs whose jobs nobody will ask for: older than 30 days, and not among the newest 20."""
    newest_first = sorted(run_ids, reverse=True)
    limit = now - timedelta(days=KEEP_DAYS)
    return [run_id for run_id in newest_first[KEEP_RUNS:] if _time(run_id) < limit]


def _time(run_id: str) -> datetime:
    return datetime.strptime(run_id[:15], STAMP_FORMAT).replace(tzinfo=timezone.utc)


def sweep(layout: HostLayout, *, own: str, now: datetime, dry_run: bool = False) -> Swept:
    """Remove every workspace but our own, and the jobs that expired; in a dry run, only say what would go.

    A workspace holds a whole dump and serves its own run only, so once the host is ours all others are dead.
    One that still names a database or a server is kept: whoever removes those needs it (``pg_scratch``).
    Only directories whose names are run ids are ours, and the files that ``_leftovers`` tells. What cannot be removed
    now stops no run: it is told, and tried again by the next one. Call it under the host's lease. Raises
    PathPermissions or PathUnusable.
    """
    doomed = [(layout.scratch_dir, name) for name in workspaces(layout) if not has_scratch(layout, name)]
    doomed += [(layout.runs_dir, name) for name in expired(_runs_in(layout.runs_dir), now)]
    swept = _remove(layout, [(base, name) for base, name in doomed if name != own], dry_run=dry_run)
    for base in (layout.root, layout.scratch_dir):
        for name in leftovers(base, own=own, now=now):
            _remove_leftover(os.path.join(base, name), swept, dry_run=dry_run)
    for base in (layout.root, layout.lock_dir, layout.audit_dir, layout.swaps_dir):
        for name in record_partials(base, own=own, now=now):
            _remove_leftover(os.path.join(base, name), swept, dry_run=dry_run)
    return swept


def _remove(layout: HostLayout, doomed: List[Tuple[str, str]], *, dry_run: bool) -> Swept:
    swept = Swept([], [])
    for base, name in doomed:
        path = os.path.join(base, name)
        try:
            if not live_jobs(layout, name) and (dry_run or _fs.remove_tree(path, inside=base)):
                swept.removed.append(path)
        except BackupError as error:
            swept.kept.append(error.as_problem())
    return swept


def _remove_leftover(path: str, swept: Swept, *, dry_run: bool) -> None:
    try:
        if dry_run or _fs.remove_file(path):
            swept.removed.append(path)
    except BackupError as error:
        swept.kept.append(error.as_problem())


def remove_workspace(layout: HostLayout, run_id: str, *, dry_run: bool = False) -> bool:
    """Remove the run's own workspace, as ``sweep``; tells whether it did. Raises PathPermissions or PathUnusable."""
    path = layout.workspace(run_id)
    if has_scratch(layout, run_id):
        return False
    if dry_run:
        return os.path.isdir(api.long_path(path))
    return _fs.remove_tree(path, inside=layout.scratch_dir)


def workspaces(layout: HostLayout) -> List[str]:
    """The runs that have a workspace. Raises PathPermissions or PathUnusable."""
    return _runs_in(layout.scratch_dir)


def has_scratch(layout: HostLayout, run_id: str) -> bool:
    """Whether the workspace names what the run made outside of it."""
    return os.path.lexists(api.long_path(os.path.join(layout.workspace(run_id), SCRATCH_FACTS)))


def _runs_in(directory: str) -> List[str]:
    try:
        return sorted(
            entry.name for entry in api.scan(directory) if entry.kind == api.DIRECTORY and _is_run(entry.name)
        )
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _fs.translate_oserror(error, directory) from error


def _is_run(name: str) -> bool:
    try:
        return bool(check_run_id(name))
    except InputInvalid:
        return False
