# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, directories that are private, removals that stay where they belong."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from typing import Any, BinaryIO, Dict, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context, _names, _records
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    NoSpace,
    PathPermissions,
    PathUnusable,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import _retry, api

MAX_RECORD = 128 << 20  # bytes; twice the largest manifest, which a sidecar holds
REMOVE_PATIENCE = 10.0  # seconds to wait for others to let go of what is removed

_NOT_EMPTY = frozenset((145,))  # a file that was removed stays until its last reader, often antivirus, lets go

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WINDOWS = (39, 112, 1295)  # handle disk full, disk full, quota exceeded
_DENIED = (errno.EACCES, errno.EPERM)
_WINDOWS_REASONS = {
    19: "the volume is write-protected",
    23: "the disk reports a read error (CRC)",
    32: "another program holds the file",
    33: "another program has locked a part of the file",
    223: "the file system cannot hold a file of that size",
    225: "the antivirus program refused it (virus or unwanted software found)",
    226: "the antivirus program refused and removed it",
    665: "the file system cannot hold it (a compressed directory, or too fragmented)",
    1117: "the device reports an input/output error",
    -2144272384: "BitLocker has locked the volume",  # 0x80310000, FVE_E_LOCKED_VOLUME
}


def translate_oserror(error: OSError, path: str) -> BackupError:
    """The named failure for what the system said about a path; the caller raises it ``from`` the OSError."""
    number, windows = error.errno, getattr(error, "winerror", None)
    facts = {"path": path, "errno": errno.errorcode.get(number or 0, str(number)), "winerror": windows}
    if number in _FULL or windows in _FULL_WINDOWS:
        return NoSpace(f"no space is left for {path}", **facts)
    if windows in _WINDOWS_REASONS:
        return PathUnusable(f"{path}: {_WINDOWS_REASONS[windows]}", **facts)
    if number in _DENIED:
        return PathPermissions(f"access to {path} is denied", **facts)
    return PathUnusable(f"{path}: {error.strerror or type(error).__name__}", **facts)


def free_bytes(path: str) -> int:
    """What this user may still write on the volume of an existing path. Raises PathUnusable and its like."""
    try:
        return shutil.disk_usage(api.long_path(path)).free
    except OSError as error:
        raise translate_oserror(error, path) from error


def atomic_write(path: str, data: bytes) -> None:
    """Put a whole file under that name, over the old one if there is one: durable, and never a part of it.

    Raises NoSpace, PathPermissions, PathUnusable; then the old content is still there and nothing new is, or where only
    the flush of the name has failed, the new content, which a power cut may still take back.
    """
    temporary = path + _suffix()
    try:
        remove_file(temporary)  # what a killed step of this run has left
        _write_new(temporary, data)
        api.replace(temporary, path)
    except OSError as error:
        _forget(temporary)
        raise translate_oserror(error, path) from error
    except BaseException:
        _forget(temporary)
        raise


def _suffix() -> str:
    """Names the run, so that the sweep knows whose it is; random outside of runs."""
    return f".{_context.current().run_id or secrets.token_hex(8)}{_names.PARTIAL}"


def _write_new(path: str, data: bytes) -> None:
    with api.create_new(path) as file:
        file.write(data)
        api.flush_file(file)


def _forget(path: str) -> None:
    """Remove a partial if that is possible; the failure that is on its way matters more."""
    try:
        os.unlink(api.long_path(path))
    except OSError:
        pass


def write_record(path: str, body: Dict[str, Any]) -> None:
    """Write a JSON record with its own digest (``_records``); raises as ``atomic_write``."""
    atomic_write(path, _records.encode_record(body))


def read_record(path: str) -> Optional[Dict[str, Any]]:
    """The body of a record, or None when there is no such file.

    Raises RecordDamaged, or PathPermissions and PathUnusable where it cannot be read.
    """
    try:
        with api.open_source(path) as file:
            data = _read_up_to(file, MAX_RECORD + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise translate_oserror(error, path) from error
    if len(data) > MAX_RECORD:
        raise RecordDamaged(f"{path} is larger than any record of ours", path=path)
    return _records.decode_record(data, name=path)


def _read_up_to(file: BinaryIO, limit: int) -> bytes:
    parts: List[bytes] = []
    while limit > 0:
        part = file.read(min(1 << 20, limit))
        if not part:
            break
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def remove_file(path: str) -> bool:
    """Remove a file or link if it is there; tells whether it was. Raises PathPermissions or PathUnusable."""
    try:
        _retry.while_busy(lambda: _unlink(path), patience=REMOVE_PATIENCE)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise translate_oserror(error, path) from error
    return True


def _unlink(path: str) -> None:
    try:
        os.unlink(api.long_path(path))
    except PermissionError:
        if not os.lstat(api.long_path(path)).st_mode & stat.S_IWRITE:
            os.chmod(api.long_path(path), stat.S_IWRITE)  # Windows removes no read-only file
            os.unlink(api.long_path(path))
            return
        raise


def remove_tree(path: str, *, inside: str) -> bool:
    """Remove a directory with all that is in it, if it is there; tells whether it was.

    Links are removed, never followed. Raises PathUnusable, before anything is touched, for a path that does not
    really lie below ``inside``; PathPermissions or PathUnusable where something cannot be removed.
    """
    _assert_inside(path, inside)
    try:
        if not os.path.lexists(api.long_path(path)):
            return False
        _retry.while_busy(lambda: _remove_tree(path), patience=REMOVE_PATIENCE, also=_NOT_EMPTY)
    except OSError as error:
        raise translate_oserror(error, error.filename or path) from error
    return True


def _assert_inside(path: str, inside: str) -> None:
    """The path itself may be a link (then only that goes), but everything above it must be below ``inside``."""
    parent, name = os.path.split(api.absolute_path(path))
    base = os.path.normcase(api.real_path(inside))
    real = os.path.join(os.path.normcase(api.real_path(parent)), name)
    if not name or os.path.join(base, "") != os.path.join(os.path.dirname(real), "")[: len(base) + 1]:
        raise PathUnusable(f"{path} is not below {inside}", path=path, inside=inside)


def _remove_tree(path: str) -> None:
    if api.read_link(path) is not None:
        _remove_link(path)
        return
    directories: List[str] = []
    waiting = [path]
    while waiting:
        directories.append(waiting.pop())  # a directory comes after its parent
        for entry in api.scan(directories[-1]):
            if entry.kind == api.DIRECTORY:
                waiting.append(entry.path)
            elif entry.kind == api.LINK:
                _remove_link(entry.path)
            else:
                _unlink(entry.path)
    for directory in reversed(directories):
        _remove_directory(directory)


def _remove_directory(path: str) -> None:
    try:
        os.rmdir(api.long_path(path))
    except PermissionError:
        if os.lstat(api.long_path(path)).st_mode & stat.S_IWRITE:
            raise
        os.chmod(api.long_path(path), stat.S_IRWXU)  # nor a read-only directory, which a restore may have put back
        os.rmdir(api.long_path(path))


def _remove_link(path: str) -> None:
    """A link to a directory goes as a directory on Windows, as a file elsewhere."""
    try:
        os.unlink(api.long_path(path))
    except PermissionError:
        os.rmdir(api.long_path(path))


def ensure_private_directory(path: str, operator: Optional[str] = None) -> bool:
    """Make the directory, and those missing above it, closed to others; tells whether it was missing.

    One that is there is left as it is (``api.access_problems`` judges it).
    Raises PathPermissions, PathUnusable, NoSpace.
    """
    if os.path.isdir(api.long_path(path)):
        return False
    parent = os.path.dirname(api.absolute_path(path))
    if parent != api.absolute_path(path):
        ensure_private_directory(parent, operator)
    try:
        api.make_private_directory(path, operator)
    except FileExistsError:
        if os.path.isdir(api.long_path(path)):
            return False
        raise PathUnusable(f"{path} is in the way of a directory", path=path) from None
    except OSError as error:
        raise translate_oserror(error, path) from error
    return True
