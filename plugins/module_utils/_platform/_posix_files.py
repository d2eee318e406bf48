# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and locks on POSIX systems."""

from __future__ import annotations

import ctypes
import errno
import importlib
import mmap
import os
import stat
from typing import Any, BinaryIO, Iterator, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._hashing import CHUNK
from ansible_collections.wst.backup.plugins.module_utils._platform._retry import PATIENCE
from ansible_collections.wst.backup.plugins.module_utils._platform._types import (
    DIRECTORY,
    FILE,
    LINK,
    SPECIAL,
    Entry,
    Stamp,
    UncachedReader,
    id_of_stat,
)

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1  # linux/fs.h


def long_path(path: str) -> str:
    """The path as the system wants it; here, itself."""
    return path


def absolute_path(path: str) -> str:
    """The whole path, as people write it."""
    return os.path.abspath(path)


def real_path(path: str) -> str:
    """The whole path with its links resolved."""
    return os.path.realpath(path)


def open_source(path: str) -> BinaryIO:
    """Open a regular file for reading without being in anybody's way; unbuffered. Raises OSError."""
    return open(_open_regular(path, 0), "rb", buffering=0)


def _open_regular(path: str, flags: int) -> int:
    """A descriptor, or OSError for what is no regular file: a pipe or a terminal would make us wait for ever."""
    flags |= os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
    raise OSError(code, os.strerror(code) if code == errno.EISDIR else "not a regular file", path)


def read_uncached(path: str, chunk: int = CHUNK) -> UncachedReader:
    """The file's bytes from its disk, with O_DIRECT where the file system has it. Raises OSError.

    :param chunk: bytes at a time, a multiple of 4096.
    """
    try:
        descriptor = _open_regular(path, getattr(os, "O_DIRECT", 0))
        bypassed = hasattr(os, "O_DIRECT")
    except OSError as error:
        if error.errno != errno.EINVAL:  # tmpfs and others do without O_DIRECT
            raise
        descriptor, bypassed = _open_regular(path, 0), False
    return UncachedReader(_direct_chunks(descriptor, chunk), bypassed=bypassed)


def _direct_chunks(descriptor: int, chunk: int) -> Iterator[bytes]:
    """Reads into a page-aligned buffer, as O_DIRECT demands; a short read is the file's end."""
    with os.fdopen(descriptor, "rb", buffering=0) as file, mmap.mmap(-1, chunk) as buffer:
        while True:
            count = os.readv(file.fileno(), [buffer])
            if count:
                yield buffer[:count]
            if count < chunk:
                return


def flush_directory(path: str) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(source: str, target: str, *, patience: float = PATIENCE) -> None:
    """Give a file its final name, over the one that has it now; atomic and durable. Raises OSError.

    :param patience: seconds to wait for others to let go (Windows only).
    """
    os.replace(source, target)
    flush_directory(os.path.dirname(os.path.abspath(target)))


def rename_new(source: str, target: str, *, patience: float = PATIENCE) -> None:
    """As ``replace``, but never over an existing name: then FileExistsError, and nothing has changed."""
    if not _rename_noreplace(source, target):
        os.link(source, target, follow_symlinks=False)  # refuses an existing name, unlike rename
        os.unlink(source)
    flush_directory(os.path.dirname(os.path.abspath(target)))


def _rename_noreplace(source: str, target: str) -> bool:
    """renameat2(2) with RENAME_NOREPLACE; False where the C library or the file system lacks it."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(code, os.strerror(code), source, None, target)


def scan(directory: str) -> Iterator[Entry]:
    """The names in a directory, in no order, without following links. Raises OSError."""
    with os.scandir(directory) as names:
        for name in names:
            status = name.stat(follow_symlinks=False)
            yield Entry(
                name=name.name,
                path=name.path,
                kind=_kind(status.st_mode),
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                read_target=read_link if stat.S_ISLNK(status.st_mode) else None,
                read_id=_file_id,
            )


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISDIR(mode):
        return DIRECTORY
    return LINK if stat.S_ISLNK(mode) else SPECIAL


def read_link(path: str) -> Optional[str]:
    """A link's target as written into it, or None for what is no link. Raises OSError."""
    try:
        return os.readlink(path)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise


def _file_id(path: str) -> str:
    return id_of_stat(os.lstat(path))


def stamp(path: str) -> Stamp:
    """The stamp of a file, whose content is not opened. Raises OSError."""
    status = os.lstat(path)
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, id_of_stat(status))


def named_streams(path: str) -> Tuple[str, ...]:
    """The names of alternate data streams; there are none here. Raises OSError."""
    return ()


class FileLock:
    """A lock that the system holds for this process and frees when it dies, however it dies.

    The file is made when missing and never removed (a removed one could be locked twice).

    :param first_byte: lock as the job runner does (it matters on Windows only, where locks are of bytes).
    """

    def __init__(self, path: str, *, first_byte: bool = False) -> None:
        self.path = path
        self._file: Optional[BinaryIO] = None

    def try_acquire(self) -> bool:
        """Take the lock now or say False; True as well when this object has it already. Raises OSError."""
        if self._file is not None:
            return True
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        file = os.fdopen(descriptor, "r+b", buffering=0)
        fcntl = _module("fcntl")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Give it back; nothing happens where it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _module(name: str) -> Any:
    """A module that Windows lacks."""
    return importlib.import_module(name)
