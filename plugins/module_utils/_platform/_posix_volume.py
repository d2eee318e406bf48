# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volume below a path, on POSIX systems."""

from __future__ import annotations

import os
import re
from typing import Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform._types import Volume

_REMOTE = re.compile(r"nfs\d?|cifs|smb\d?|9p|fuse\.sshfs|ceph|glusterfs")
_RAM = ("tmpfs", "ramfs")


def volume(path: str) -> Volume:
    """The facts about the volume of an existing path. Raises OSError."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    space = os.statvfs(path)
    mount = _mount_point(path)
    filesystem = _filesystem(mount)
    return Volume(
        id=number,
        root=mount,
        filesystem=filesystem,
        label=None,
        kind=_kind(filesystem, number),
        disk=_disk(number),
        bus=None,
        read_only=bool(space.f_flag & os.ST_RDONLY),
        compressed=None,
        locked=None,
        total=space.f_blocks * space.f_frsize,
        free=space.f_bavail * space.f_frsize,
        named_streams=False,
    )


def _mount_point(path: str) -> str:
    current = os.path.realpath(path)
    while not os.path.ismount(current):
        current = os.path.dirname(current)
    return current


def _filesystem(mount: str) -> Optional[str]:
    """The type in /proc/self/mountinfo, proc(5); the last line for a mount point is the one on top."""
    found = None
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields, _dash, rest = line.partition(" - ")
                if _unescape(fields.split()[4]) == mount:
                    found = rest.split()[0]
    except OSError:
        return None
    return found


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)


def _kind(filesystem: Optional[str], number: str) -> Optional[str]:
    if filesystem is None:
        return None
    if filesystem in _RAM:
        return "ram"
    if _REMOTE.fullmatch(filesystem):
        return "remote"
    removable = _block_device(number)[1]
    return None if removable is None else ("removable" if removable else "fixed")


def _disk(number: str) -> Optional[str]:
    return _block_device(number)[0]


def _block_device(number: str) -> Tuple[Optional[str], Optional[bool]]:
    """The whole disk below a device number, and whether it is removable, out of sysfs."""
    place = os.path.realpath(f"/sys/dev/block/{number}")
    if not os.path.isdir(place):
        return None, None
    if os.path.exists(os.path.join(place, "partition")):
        place = os.path.dirname(place)
    try:
        with open(os.path.join(place, "removable"), encoding="ascii") as file:
            return os.path.basename(place), file.read().strip() == "1"
    except OSError:
        return os.path.basename(place), None
