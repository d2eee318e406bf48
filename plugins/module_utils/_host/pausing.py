# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``host_pause``: pause a host's backups, or resume them."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._authority.check import require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import remove_file, write_record
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.pause import (
    SCHEMA_VERSION,
    Pause,
    pause_of,
    read_pause,
)


def pause(layout: HostLayout, *, until: str, reason: str, dry_run: bool) -> Dict[str, Any]:
    """No backups until that day. Needs L5; the same pause again changes nothing.

    Raises InputInvalid, as ``_authority.check.require``, LeaseLost, and what the file system has.
    """
    asked = pause_of(until, reason, by=_context.current().controller or "", now=utc_now())
    require(layout, L5, "pause", {"until": until, "reason": asked.reason}, dry_run=dry_run)
    had = _known(layout)
    if had is not None and (had.until, had.reason) == (asked.until, asked.reason):
        return _result(had, changed=False)
    if not dry_run:
        with held(layout) as lease:
            lease.check()
            write_record(layout.pause_file, {"schema_version": SCHEMA_VERSION, **asked.as_body()})
    return _result(asked, changed=True)


def resume(layout: HostLayout, *, dry_run: bool) -> Dict[str, Any]:
    """Backups are made again. Needs no authority, for it only protects. Raises LeaseLost, and what the system has.

    A record that cannot be read goes, too: it stops nothing, and says nothing.
    """
    try:
        had = read_pause(layout)
        there = had is not None
    except RecordDamaged:
        had, there = None, True
    if there and not dry_run:
        with held(layout) as lease:
            lease.check()
            remove_file(layout.pause_file)
    return _result(had, changed=there)


def _known(layout: HostLayout) -> Optional[Pause]:
    try:
        return read_pause(layout)
    except RecordDamaged:
        return None


def _result(pause: Optional[Pause], *, changed: bool) -> Dict[str, Any]:
    return {"changed": changed, "pause": None if pause is None else pause.as_body()}
