# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alternate data streams: content that a file or directory has beside its own, under further names (NTFS, ReFS).

https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findfirststreamw
"""

from __future__ import annotations

import ctypes
from typing import List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform import _win32
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_files import long_path

_STANDARD = 0  # FindStreamInfoStandard
_END, _NOT_HERE = 38, 87  # no (more) streams; this file system has none
_DATA = ":$DATA"


class _Found(ctypes.Structure):
    """WIN32_FIND_STREAM_DATA. The name in its bytes: a wchar_t has two bytes on Windows only."""

    _fields_ = [("size", ctypes.c_int64), ("name", ctypes.c_char * (2 * (260 + 36)))]


def named_streams(path: str) -> Tuple[str, ...]:
    """The names of a file's or directory's alternate data streams. Raises OSError."""
    found = _Found()
    handle = _win32.function("FindFirstStreamW")(long_path(path), _STANDARD, ctypes.byref(found), 0)
    if handle in (None, _win32.INVALID_HANDLE) and _over(path):
        return ()
    names: List[str] = []
    try:
        while True:
            name = stream_name(_text(found))
            if name is not None:
                names.append(name)
            if not _win32.function("FindNextStreamW")(handle, ctypes.byref(found)) and _over(path):
                return tuple(names)
    finally:
        _win32.function("FindClose")(handle)


def _over(path: str) -> bool:
    """True where the last call failed for want of streams; raises what else it failed with."""
    error = _win32.last_error(path)
    if getattr(error, "winerror", None) in (_END, _NOT_HERE):
        return True
    raise error


def _text(found: _Found) -> str:
    """The name, which ends with a zero of two bytes."""
    data = ctypes.string_at(ctypes.addressof(found) + _Found.name.offset, _Found.name.size)
    return data.decode("utf-16-le", "surrogatepass").partition("\0")[0]


def stream_name(text: str) -> Optional[str]:
    """``:name:$DATA`` without its marks; None for a file's own content, whose name is empty. Runs anywhere."""
    if text == ":" + _DATA:
        return None
    name = text[1:] if text.startswith(":") else text
    return name[: -len(_DATA)] if name.endswith(_DATA) else name
