# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log of Windows.

A source that is not registered may write; Event Viewer then puts a sentence of its own before the text.
https://learn.microsoft.com/windows/win32/eventlog/event-sources
"""

from __future__ import annotations

import ctypes

from ansible_collections.wst.backup.plugins.module_utils._platform import _win32

_ERROR_TYPE = 1


def write_event(source: str, number: int, text: str) -> bool:
    """Add an error to the log Application; False where there is no event log. Raises OSError."""
    handle = _win32.function("RegisterEventSourceW")(None, source)
    if not handle:
        raise _win32.last_error()
    try:
        texts = (ctypes.c_wchar_p * 1)(text)
        done = _win32.function("ReportEventW")(
            handle, _ERROR_TYPE, 0, number, None, 1, 0, ctypes.cast(texts, ctypes.c_void_p), None
        )
        _win32.require(done)
    finally:
        _win32.function("DeregisterEventSource")(handle)
    return True
