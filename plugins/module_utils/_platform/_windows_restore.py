# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting back what an entry had beside its content, on Windows."""

from __future__ import annotations

import ctypes
import os
from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._platform import _descriptor, _reparse, _win32
from ansible_collections.wst.backup.plugins.module_utils._platform._types import Kept
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_files import long_path
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_security import Descriptor

_SETTABLE = 0x1 | 0x2 | 0x4 | 0x2000  # read-only, hidden, system, not content indexed: what SetFileAttributes sets
_ARCHIVE = 0x20  # set too, but "changed since the last backup" is nothing that could be kept
_NORMAL = 0x80
_FILE_WRITE_ATTRIBUTES = 0x100
_GENERIC_WRITE = 0x40000000
_SET_REPARSE_POINT = 0x000900A4
_FILE_OBJECT = 1
_OWNER, _GROUP, _DACL, _PROTECTED, _UNPROTECTED = 0x1, 0x2, 0x4, 0x80000000, 0x20000000
_NO_RIGHT = (5, 1307, 1314)  # access denied, invalid owner, privilege not held


def kept_metadata() -> Kept:
    """What entries here have beside content and time."""
    return Kept(attributes=_SETTABLE, access_lists=True, time_ns=100)


def set_time(path: str, mtime_ns: int) -> None:
    """Set when it was last changed (nanoseconds since 1970 UTC); of a link, not of its target. Raises OSError."""
    ticks = _reparse.filetime(mtime_ns)
    if ticks is None:
        raise OSError(0, "the file system holds no such time", path)
    flags = _win32.FLAG_BACKUP_SEMANTICS | _win32.FLAG_OPEN_REPARSE_POINT
    with _win32.open_file(long_path(path), _FILE_WRITE_ATTRIBUTES, flags) as handle:
        value = _win32.ULONGLONG(ticks)
        _win32.require(_win32.function("SetFileTime")(handle.value, None, None, ctypes.byref(value)), path)


def set_attributes(path: str, attributes: int) -> None:
    """Set those of Windows' file attributes that can be set; what cannot be set this way stays. Raises OSError."""
    wanted = attributes & (_SETTABLE | _ARCHIVE)
    _win32.require(_win32.function("SetFileAttributesW")(long_path(path), wanted or _NORMAL), path)


def make_link(path: str, target: str, *, directory: bool) -> None:
    r"""Make a link with that target, as it stood in the old one. Raises OSError, FileExistsError among them.

    A link to a directory by its whole path on a drive becomes a junction, which needs no privilege; all others become
    symbolic links. The member list does not tell the two apart. A mount point of a volume is refused.

    :param directory: whether it stood for a directory.
    """
    if target == "?" or "?\\Volume{" in target:
        raise OSError(0, "it stood for a volume, or for something that could not be read", path)
    if not (directory and _reparse.is_drive_path(target)):
        os.symlink(target, long_path(path), target_is_directory=directory)
        return
    os.mkdir(long_path(path))
    try:
        flags = _win32.FLAG_BACKUP_SEMANTICS | _win32.FLAG_OPEN_REPARSE_POINT
        with _win32.open_file(long_path(path), _GENERIC_WRITE, flags) as handle:
            _win32.device_control(handle, _SET_REPARSE_POINT, _reparse.junction(target))
    except OSError:
        os.rmdir(long_path(path))  # an empty directory in the place of a link would pass for what it stood for
        raise


def apply_sddl(path: str, text: str) -> bool:
    """Put an access list with its owner back; tells whether the owner too could be set. Raises OSError.

    What the list inherited comes anew from the directory above.
    """
    _win32.enable_privilege("SeRestorePrivilege")  # else only ourselves may be made an owner
    with Descriptor(text) as pointer:
        size = _win32.function("GetSecurityDescriptorLength")(pointer)
        protected = _descriptor.parse_descriptor(ctypes.string_at(pointer.value or 0, size)).protected
        parts = _DACL | (_PROTECTED if protected else _UNPROTECTED)
        owner, group, dacl = (_part(pointer, name) for name in ("Owner", "Group", "Dacl"))
        whole = _set(path, parts | _OWNER | _GROUP, owner, group, dacl)
        if whole not in (0, *_NO_RIGHT):
            raise _win32.error_of(whole, path)
        if whole:
            code = _set(path, parts, None, None, dacl)
            if code:
                raise _win32.error_of(code, path)
        # The calls before let wine, which knows no protection, keep what the directory above gives; this one sets
        # exactly the list.
        if protected or _win32.is_wine():
            _win32.require(_win32.function("SetFileSecurityW")(long_path(path), _DACL | _PROTECTED, pointer), path)
    return whole == 0


def _set(
    path: str, parts: int, owner: Optional[ctypes.c_void_p], group: Optional[ctypes.c_void_p], dacl: ctypes.c_void_p
) -> int:
    return int(_win32.function("SetNamedSecurityInfoW")(long_path(path), _FILE_OBJECT, parts, owner, group, dacl, None))


def _part(descriptor: ctypes.c_void_p, name: str) -> ctypes.c_void_p:
    """A part of a security descriptor, as a pointer into it."""
    part, flag = ctypes.c_void_p(), _win32.BOOL()
    function = _win32.function(f"GetSecurityDescriptor{name}")
    if name == "Dacl":
        present = _win32.BOOL()
        _win32.require(function(descriptor, ctypes.byref(present), ctypes.byref(part), ctypes.byref(flag)))
    else:
        _win32.require(function(descriptor, ctypes.byref(part), ctypes.byref(flag)))
    return part
