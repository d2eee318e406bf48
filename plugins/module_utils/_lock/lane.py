# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the host's two locks a run holds: that of what changes sets and production, or that of drills."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.wst.backup.plugins.module_utils._errors import LeaseLost, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock


def layout_of_run(layout: HostLayout, run_id: str) -> HostLayout:
    """The layout under whose lease that run works.

    Raises LeaseLost where it has none; PathPermissions, PathUnusable.
    """
    for drills in (False, True):
        candidate = replace(layout, drills=drills)
        try:
            lease = RunLock(candidate).read()
        except RecordDamaged:
            continue
        if lease is not None and lease.run_id == run_id:
            return candidate
    raise LeaseLost(f"run {run_id} has no lease on this host", run_id=run_id)
