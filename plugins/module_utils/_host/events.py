# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``event_log`` does."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils._errors import EventLogFailed
from ansible_collections.wst.backup.plugins.module_utils._platform import api

EVENTS = {"backup": 100, "restore_test": 101, "compliance": 102}  # below 1001: EventCreate.exe has texts for these
SOURCE = "wst.backup"
LONGEST = 30000  # characters; ReportEventW takes 31,839


def write_failure(job: str, message: str, *, dry_run: bool) -> Dict[str, Any]:
    """Add an error to the event log; nothing where there is none. Raises EventLogFailed."""
    if dry_run:
        return {"changed": False, "written": False}
    try:
        written = api.write_event(SOURCE, EVENTS[job], message.replace("\0", " ")[:LONGEST])
    except OSError as error:
        raise EventLogFailed(f"the event log did not take it: {error}", job=job) from error
    return {"changed": written, "written": written}
