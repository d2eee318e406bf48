# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking back in the audit log."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._audit.chain import read_line
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments


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


def _is(line: bytes, event: str) -> bool:
    try:
        return bool(read_line(line)["event"] == event)
    except (ValueError, KeyError):
        return False
