# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and locks on Windows."""

from __future__ import annotations

import ctypes
import errno
import importlib
import mmap
import ntpath
import os
import re
import stat
from typing import Any, BinaryIO, Iterator, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._hashing import CHUNK
from ansible_collections.wst.backup.plugins.module_utils._platform import _reparse, _win32
from ansible_collections.wst.backup.plugins.module_utils._platform._retry import PATIENCE, while_busy
from ansible_collections.wst.backup.plugins.module_utils._platform._types import (
    Entry,
    Stamp,
    UncachedReader,
    id_of_stat,
)

_SEQUENTIAL = 0x08000000
_NO_BUFFERING = 0x20000000
_MOVE_REPLACE, _MOVE_WRITE_THROUGH = 1, 8
_GENERIC_READ_WRITE = 0xC0000000
_OPEN_ALWAYS = 4
_LOCK_NOW, _LOCK_EXCLUSIVE = 1, 2
_LOCK_OFFSET_HIGH = 0x40000000  # far beyond the file's end: Windows' locks are mandatory, the bytes stay readable
_LOCK_VIOLATION = 33
_TO_1970 = 116444736000000000  # from 1601, where Windows' times begin, in units of 100 ns
_GET_REPARSE_POINT = 0x000900A8
_ROOTED = re.compile(r"[A-Za-z]:[\\/]|[\\/]{2}")


def long_path(path: str) -> str:
    r"""The absolute path with ``\\?\`` before it, which lifts the limit of 260 characters.

    Windows takes such a path to the letter, so ``.``, ``..`` and ``/`` are resolved here; names that end in a dot or
    a space, or that are those of devices, stay what they are.
    """
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    return extended(path if _ROOTED.match(path) else os.path.abspath(path))


def extended(path: str) -> str:
    r"""The ``\\?\`` form of an absolute path. Runs anywhere."""
    drive, rest = ntpath.splitdrive(path.replace("/", "\\"))
    parts: List[str] = []
    for part in rest.split("\\"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    if drive.startswith("\\\\"):
        return "\\\\?\\UNC\\" + "\\".join([drive[2:], *parts])
    return "\\\\?\\" + drive + "\\" + "\\".join(parts)


def plain(path: str) -> str:
    r"""A path without the ``\\?\`` that some functions do not take. Runs anywhere."""
    if path.upper().startswith("\\\\?\\UNC\\"):
        return "\\\\" + path[8:]
    return path[4:] if path.startswith("\\\\?\\") and path[5:6] == ":" else path


def absolute_path(path: str) -> str:
    """The whole path, as people write it; unlike ``os.path.abspath``, trailing dots and spaces of names stay."""
    return plain(long_path(path))


def real_path(path: str) -> str:
    """The whole path with its links resolved, however long it is. ``os.path.realpath`` by itself resolves nothing
    in what lies beyond 260 characters, and does not say so."""
    return plain(os.path.realpath(long_path(path)))


def open_source(path: str) -> BinaryIO:
    """Open for reading without being in anybody's way; unbuffered. Raises OSError.

    All three share modes: Python's own ``open`` refuses others to rename or delete the file meanwhile.
    """
    return _file_of(_win32.open_file(long_path(path), _win32.GENERIC_READ, _SEQUENTIAL))


def _file_of(handle: _win32.Handle) -> BinaryIO:
    descriptor = _msvcrt().open_osfhandle(handle.value, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    handle.detach()
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a pipe or a console would make us wait for ever
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


def _msvcrt() -> Any:
    return importlib.import_module("msvcrt")


def read_uncached(path: str, chunk: int = CHUNK) -> UncachedReader:
    """The file's bytes from its disk, past the system's cache. Raises OSError.

    :param chunk: bytes at a time, a multiple of 4096 (of the disk's sectors, Windows demands).
    """
    handle = _win32.open_file(long_path(path), _win32.GENERIC_READ, _NO_BUFFERING | _SEQUENTIAL)
    return UncachedReader(_direct_chunks(handle, chunk, path), bypassed=not _win32.is_wine())


def _direct_chunks(handle: _win32.Handle, chunk: int, path: str) -> Iterator[bytes]:
    """Reads into a page-aligned buffer, as FILE_FLAG_NO_BUFFERING demands; a short read is the file's end."""
    read = _win32.function("ReadFile")
    count = _win32.DWORD()
    buffer = mmap.mmap(-1, chunk)
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))  # keeps the mapping until it is collected
    with handle:
        while True:
            _win32.require(read(handle.value, address, chunk, ctypes.byref(count), None), path)
            if count.value:
                yield buffer[: count.value]
            if count.value < chunk:
                return


def flush_directory(path: str) -> None:
    """Nothing: NTFS journals names, and ``replace`` writes through. Windows has no documented call for it."""


def replace(source: str, target: str, *, patience: float = PATIENCE) -> None:
    """Give a file its final name, over the one that has it now; atomic and durable. Raises OSError.

    :param patience: seconds to wait for antivirus and others to let go.
    """
    _move(source, target, _MOVE_REPLACE | _MOVE_WRITE_THROUGH, patience)


def rename_new(source: str, target: str, *, patience: float = PATIENCE) -> None:
    """As ``replace``, but never over an existing name: then FileExistsError, and nothing has changed."""
    _move(source, target, _MOVE_WRITE_THROUGH, patience)


def _move(source: str, target: str, flags: int, patience: float) -> None:
    move = _win32.function("MoveFileExW")
    while_busy(lambda: _win32.require(move(long_path(source), long_path(target), flags), target), patience=patience)


def scan(directory: str) -> Iterator[Entry]:
    """The names in a directory, in no order, without following links. Raises OSError."""
    with os.scandir(long_path(directory)) as names:
        for name in names:
            status = name.stat(follow_symlinks=False)
            attributes = getattr(status, "st_file_attributes", 0)
            tag = getattr(status, "st_reparse_tag", 0)
            yield Entry(
                name=name.name,
                path=os.path.join(directory, name.name),
                kind=_reparse.classify(attributes, tag),
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                attributes=attributes,
                read_target=read_link if _reparse.is_link(attributes, tag) else None,
                read_id=_file_id,
            )


def read_link(path: str) -> Optional[str]:
    """A link's target as written into it, or None for what is no link. Raises OSError."""
    extended_path = long_path(path)
    status = os.lstat(extended_path)
    if not _reparse.is_link(getattr(status, "st_file_attributes", 0), getattr(status, "st_reparse_tag", 0)):
        return None
    flags = _win32.FLAG_OPEN_REPARSE_POINT | _win32.FLAG_BACKUP_SEMANTICS
    with _win32.open_file(extended_path, _win32.FILE_READ_ATTRIBUTES, flags) as handle:
        try:
            target = _reparse.link_target(_win32.device_control(handle, _GET_REPARSE_POINT))
        except ValueError as error:
            raise OSError(0, str(error), path) from error
    return target if target is not None else "?"  # a surrogate of a kind that we cannot read is still a link


def _file_id(path: str) -> str:
    return id_of_stat(os.lstat(long_path(path)))


class _BasicInfo(ctypes.Structure):
    _fields_ = [
        ("created", ctypes.c_int64),
        ("accessed", ctypes.c_int64),
        ("written", ctypes.c_int64),
        ("changed", ctypes.c_int64),  # in units of 100 ns since 1601
        ("attributes", _win32.DWORD),
    ]


def stamp(path: str) -> Stamp:
    """The stamp of a file, whose content is not opened: scanners of content have nothing to do. Raises OSError."""
    extended_path = long_path(path)
    flags = _win32.FLAG_OPEN_REPARSE_POINT | _win32.FLAG_BACKUP_SEMANTICS
    basic = _BasicInfo()
    with _win32.open_file(extended_path, _win32.FILE_READ_ATTRIBUTES, flags) as handle:
        ask = _win32.function("GetFileInformationByHandleEx")
        _win32.require(ask(handle.value, 0, ctypes.byref(basic), ctypes.sizeof(basic)), path)  # 0: FileBasicInfo
    status = os.lstat(extended_path)  # after it: what changes between the two has an older change time than it should
    changed_ns = (basic.changed - _TO_1970) * 100 if basic.changed else 0
    return Stamp(status.st_size, status.st_mtime_ns, changed_ns, id_of_stat(status))


class _Overlapped(ctypes.Structure):
    _fields_ = [
        ("internal", ctypes.c_size_t),
        ("internal_high", ctypes.c_size_t),
        ("offset", _win32.DWORD),
        ("offset_high", _win32.DWORD),
        ("event", _win32.HANDLE),
    ]


class FileLock:
    """A lock that the system holds for this process and frees when it dies, however it dies.

    The file is made when missing and never removed (a removed one could be locked twice).

    :param first_byte: lock as the job runner does, which uses ``msvcrt.locking`` at offset 0.
    """

    def __init__(self, path: str, *, first_byte: bool = False) -> None:
        self.path = path
        self._offset_high = 0 if first_byte else _LOCK_OFFSET_HIGH
        self._handle: Optional[_win32.Handle] = None

    def try_acquire(self) -> bool:
        """Take the lock now or say False; True as well when this object has it already. Raises OSError."""
        if self._handle is not None:
            return True
        handle = _win32.open_file(long_path(self.path), _GENERIC_READ_WRITE, disposition=_OPEN_ALWAYS)
        place = _Overlapped(offset_high=self._offset_high)
        flags = _LOCK_NOW | _LOCK_EXCLUSIVE
        if not _win32.function("LockFileEx")(handle.value, flags, 0, 1, 0, ctypes.byref(place)):
            error = _win32.last_error(self.path)
            handle.close()
            if getattr(error, "winerror", None) == _LOCK_VIOLATION:
                return False
            raise error
        self._handle = handle
        return True

    def release(self) -> None:
        """Give it back; nothing happens where it is not held."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
