# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting back what an entry had beside its content, on POSIX systems, and who uses a tree."""

from __future__ import annotations

import os
from typing import Dict, Iterator, List, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform._types import Holder, Kept

_PROC = "/proc"
_NO_SUCH_TIME = "the file system holds no such time"


def kept_metadata() -> Kept:
    """What entries here have beside content and time: modes and owners, which no artifact records."""
    return Kept(attributes=0, access_lists=False, time_ns=100)


def set_time(path: str, mtime_ns: int) -> None:
    """Set when it was last changed (nanoseconds since 1970 UTC); of a link, not of its target. Raises OSError."""
    try:
        os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)
        held = os.lstat(path).st_mtime_ns
    except OverflowError as error:
        raise OSError(0, _NO_SUCH_TIME, path) from error
    if held // 1000 != mtime_ns // 1000:  # file systems clamp what they cannot hold, and say nothing
        raise OSError(0, _NO_SUCH_TIME, path)


def set_attributes(path: str, attributes: int) -> None:
    """Nothing: there are none here."""


def make_link(path: str, target: str, *, directory: bool) -> None:
    """Make a link with that target, as it stood in the old one. Raises OSError, FileExistsError among them.

    :param directory: whether it stood for a directory (it matters on Windows only).
    """
    os.symlink(target, path)


def apply_sddl(path: str, text: str) -> bool:
    """Nothing, which is said: there are no access lists here."""
    return False


def holders(directory: str, *, limit: int) -> List[Holder]:
    """Who has something open at or below a directory, at most ``limit`` paths; as far as this user may see."""
    found: Dict[str, Set[str]] = {}
    real = os.path.realpath(directory)
    for pid, path in _open_paths():
        if path == real or path.startswith(os.path.join(real, "")):
            if path not in found and len(found) >= limit:
                break
            found.setdefault(path, set()).add(f"{_program(pid)} (PID {pid})")
    return [Holder(path, tuple(sorted(programs))) for path, programs in sorted(found.items())]


def _open_paths() -> Iterator[Tuple[str, str]]:
    """Every process but ours, with each path that it has open or works in."""
    own = str(os.getpid())
    try:
        pids = [name for name in os.listdir(_PROC) if name.isdigit() and name != own]
    except OSError:
        return  # a system without it tells nothing
    for pid in pids:
        for link in _links(pid):
            try:
                yield pid, os.readlink(link)
            except OSError:
                continue  # it ended, or it is another user's


def _links(pid: str) -> List[str]:
    directory = os.path.join(_PROC, pid, "fd")
    try:
        return [os.path.join(_PROC, pid, "cwd"), *(os.path.join(directory, name) for name in os.listdir(directory))]
    except OSError:
        return []


def _program(pid: str) -> str:
    try:
        with open(os.path.join(_PROC, pid, "comm"), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "a program"
