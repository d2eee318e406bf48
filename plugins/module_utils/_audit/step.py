# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``audit_log`` does."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._audit.chain import Head
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout

BEGINNING = "_start"  # how the names of events end that begin something: the whole segment is checked then


def record(layout: HostLayout, event: Event, *, dry_run: bool) -> Dict[str, Any]:
    """Add the event and return the module's result; raises as ``AuditLog.append``."""
    known = _context.current().audit_anchor
    appended = AuditLog(layout.audit_dir).append(
        event,
        whole=event.event.endswith(BEGINNING),
        anchor=Head(*known) if known else None,
        dry_run=dry_run,
    )
    result: Dict[str, Any] = {
        "changed": True,
        "seq": appended.seq,
        "head": appended.hash,
        "segment": appended.segment,
        "healed": appended.healed,
        "broken": appended.broken is not None,
        "code": "",
    }
    if appended.broken is not None:
        result.update(code=appended.broken.code, problem=appended.broken.as_problem())
    return result
