# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has something open in a tree, on Windows.

Windows does not rename a directory while somebody has a handle on it or on anything below. An opening that shares with
nobody finds every such handle; the Restart Manager then tells whose those on files are. Of directories, such as one
that a console works in, nobody tells.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Iterator, List, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform import _win32
from ansible_collections.wst.backup.plugins.module_utils._platform._types import DIRECTORY, FILE, Holder
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_files import long_path, plain, scan

_SHARING_VIOLATION = 32
_DELETE = 0x00010000
_KEY_CHARACTERS = 33  # CCH_RM_SESSION_KEY and its end
_MORE_DATA = 234
_PROCESS_INFO = 12 + 256 * 2 + 64 * 2 + 4 * 4  # RM_PROCESS_INFO: unique process, two names, four numbers


def holders(directory: str, *, limit: int) -> List[Holder]:
    """Who has something open at or below a directory, at most ``limit`` paths; as far as this user may see."""
    found: List[Holder] = []
    for path, is_file in _entries(directory):
        if _is_open(path):
            found.append(Holder(path, users(path) if is_file else ()))
            if len(found) >= limit:
                break
    return found


def _entries(directory: str) -> Iterator[Tuple[str, bool]]:
    """The directory itself and what is below it, links left out; whether it is a file."""
    waiting = [directory]
    while waiting:
        current = waiting.pop()
        yield current, False
        try:
            entries = list(scan(current))
        except OSError:
            continue  # what cannot be listed cannot be asked
        for entry in entries:
            if entry.kind == DIRECTORY:
                waiting.append(entry.path)
            elif entry.kind == FILE:
                yield entry.path, True


def _is_open(path: str) -> bool:
    """Whether somebody has it open. What may not be opened at all tells nothing."""
    flags = _win32.FLAG_BACKUP_SEMANTICS | _win32.FLAG_OPEN_REPARSE_POINT
    value = _win32.function("CreateFileW")(
        long_path(path), _win32.GENERIC_READ | _DELETE, 0, None, _win32.OPEN_EXISTING, flags, None
    )
    if value == _win32.INVALID_HANDLE or value is None:
        return getattr(_win32.last_error(path), "winerror", None) == _SHARING_VIOLATION
    _win32.Handle(value).close()
    return False


def users(path: str) -> Tuple[str, ...]:
    """The programs that have a file open, as the Restart Manager tells them; none where it tells nothing."""
    session = _win32.DWORD()
    key = ctypes.create_unicode_buffer(_KEY_CHARACTERS)
    try:
        if _win32.function("RmStartSession")(ctypes.byref(session), 0, key):
            return ()
    except OSError:
        return ()  # a system without it
    try:
        return _ask(session, path)
    finally:
        _win32.function("RmEndSession")(session)


def _ask(session: ctypes.c_uint32, path: str) -> Tuple[str, ...]:
    # It takes plain paths only, so a longer one than 260 characters has no names.
    names = (ctypes.c_wchar_p * 1)(plain(os.path.abspath(path)))
    if _win32.function("RmRegisterResources")(session, 1, names, 0, None, 0, None):
        return ()
    count = 0
    for _again in range(3):  # others may come while we ask
        needed, got, reasons = _win32.DWORD(), _win32.DWORD(count), _win32.DWORD()
        answer = ctypes.create_string_buffer(max(1, count) * _PROCESS_INFO)
        code = _win32.function("RmGetList")(
            session, ctypes.byref(needed), ctypes.byref(got), answer, ctypes.byref(reasons)
        )
        if code == 0:
            return programs_in(answer.raw, got.value)
        if code != _MORE_DATA:
            return ()
        count = needed.value
    return ()


def programs_in(data: bytes, count: int) -> Tuple[str, ...]:
    """The names and process ids in an array of RM_PROCESS_INFO. Runs anywhere."""
    found = []
    for index in range(min(count, len(data) // _PROCESS_INFO)):
        at = index * _PROCESS_INFO
        pid = struct.unpack_from("<I", data, at)[0]
        name = data[at + 12 : at + 12 + 512].decode("utf-16-le", "replace").partition("\0")[0]
        found.append(f"{name or 'a program'} (PID {pid})")
    return tuple(found)
