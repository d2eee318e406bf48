# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking back in the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._audit.chain import read_line
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time


def last_record(directory: str, event: str) -> Optional[Dict[str, Any]]:
    """The newest record of that event, of any segment; None where there is none. Lines that are no record are passed
    over: what they are is for the log's own checks.

    :raises PathPermissions, PathUnusable: the log cannot be read.
    """
    segments = Segments(directory)
    mark = event.encode("ascii")
    try:
        for name in reversed(segments.names()):
            found = [line for line in segments.lines(name) if mark in line and _is(line, event)]
            if found:
                return read_line(found[-1])
    except OSError as error:
        raise _fs.translate_oserror(error, directory) from error
    return None


def records_since(directory: str, since: datetime) -> List[Dict[str, Any]]:
    """All records from that time on, in the log's order. Lines that are no record are passed over, as above.

    :raises PathPermissions, PathUnusable: the log cannot be read.
    """
    segments, earliest = Segments(directory), format_time(since)
    try:
        lines = [line for name in segments.names() for line in segments.lines(name)]
    except OSError as error:
        raise _fs.translate_oserror(error, directory) from error
    records = (_record(line) for line in lines)
    return [record for record in records if record is not None and str(record.get("time")) >= earliest]


def _record(line: bytes) -> Optional[Dict[str, Any]]:
    try:
        return read_line(line)
    except ValueError:
        return None


def _is(line: bytes, event: str) -> bool:
    record = _record(line)
    return record is not None and record.get("event") == event
