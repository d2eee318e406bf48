# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the platform tells, in the same words on every system."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Callable, Iterator, NamedTuple, Optional, Tuple

FILE = "file"
DIRECTORY = "directory"
LINK = "link"  # a symbolic link, junction or mount point: recorded, never followed
SPECIAL = "special"  # a device, socket or pipe: nothing that a backup could read
PLACEHOLDER = "placeholder"  # its content is not on this disk (cloud file, tape)

ADMINISTRATORS = "S-1-5-32-544"  # the group, whatever its name is in the host's language


class Entry(NamedTuple):
    """One name in a directory, seen without following it.

    ``size`` is in bytes, ``mtime_ns`` in nanoseconds since 1970 UTC, ``attributes`` are Windows' file attributes
    (0 elsewhere). Windows updates a directory's copy of size and time late, so compare files by what ``facts_of``
    tells of the open file.
    """

    name: str
    path: str
    kind: str
    size: int
    mtime_ns: int
    attributes: int = 0
    read_target: Optional[Callable[[str], Optional[str]]] = None
    read_id: Optional[Callable[[str], str]] = None

    def target(self) -> Optional[str]:
        """Where a link points, as it was written into it; None for what is no link. Raises OSError."""
        return None if self.read_target is None else self.read_target(self.path)

    @property
    def file_id(self) -> str:
        """Tells one file from every other on this host, whatever its names; raises OSError when it is gone."""
        if self.read_id is None:
            raise ValueError(f"nobody knows the identity of {self.path}")
        return self.read_id(self.path)


class FileFacts(NamedTuple):
    """What an open file is at this moment."""

    size: int
    mtime_ns: int
    file_id: str


class Stamp(NamedTuple):
    """What tells that a file is still the one that it was, as far as that can be told without reading it.

    ``changed_ns`` is when anything of it was changed last, in nanoseconds since 1970: its content, its metadata, its
    names. Programs can set ``mtime_ns`` as they like, and not this. It is 0 where the file system does not keep it.
    """

    size: int
    mtime_ns: int
    changed_ns: int
    file_id: str


@dataclass(frozen=True)
class Volume:
    """The volume that a path lies on. What the system did not tell is None, never guessed.

    ``id`` lasts as long as the volume does: the GUID name on Windows, the device id elsewhere.
    ``disk`` names the physical disks below it ("0" or "0+1" on Windows), ``bus`` how they are attached ("usb", "sata").
    ``compressed`` is about the directory that was asked for, not about the volume.
    ``total`` and ``free`` are bytes; ``free`` is what this user may still write.
    """

    id: Optional[str]
    root: str
    filesystem: Optional[str]
    label: Optional[str]
    kind: Optional[str]  # fixed, removable, remote, optical, ram
    disk: Optional[str]
    bus: Optional[str]
    read_only: Optional[bool]
    compressed: Optional[bool]
    locked: Optional[bool]  # BitLocker
    total: Optional[int]
    free: Optional[int]
    named_streams: Optional[bool] = None  # whether files there can have alternate data streams


@dataclass(frozen=True)
class Identity:
    """Who this process is. ``sid``, ``elevation`` and ``deny_only`` are Windows', ``uid`` and ``gid`` are the others'.

    ``elevation`` is the token's type: ``full``, ``limited`` (the filtered half of an administrator) or ``default``
    (there is no other half). ``deny_only`` has the SIDs that a filtered token only denies with: Administrators there
    means that membership gives no access. What the system did not tell is None.
    """

    name: str
    sid: Optional[str]
    uid: Optional[int]
    elevated: Optional[bool]
    deny_only: Tuple[str, ...] = ()
    elevation: Optional[str] = None
    gid: Optional[int] = None

    def in_words(self) -> str:
        """Sentences for whoever wonders why this process was denied something."""
        if self.sid is None:
            return f"This process is {self.name} (uid {self.uid}, gid {self.gid})."
        state = "elevated" if self.elevated else "not elevated"
        if self.elevated is None:
            state = "and it could not be told whether it is elevated"
        words = [f"This process is {self.name} ({self.sid}), {state}."]
        if ADMINISTRATORS in self.deny_only:
            words.append(
                f"The account is a member of Administrators ({ADMINISTRATORS}), but that group is deny-only in this "
                "filtered token: what Administrators may do, this process may not."
            )
        others = [sid for sid in self.deny_only if sid != ADMINISTRATORS]
        if others:
            words.append("Deny-only {}: {}.".format("too" if len(words) > 1 else "groups", ", ".join(others)))
        return " ".join(words)


@dataclass(frozen=True)
class Kept:
    """What entries of this system have beside their content, as far as an artifact can tell of it.

    ``attributes`` are the bits of Windows' file attributes that can be set, ``time_ns`` how finely times are kept, in
    nanoseconds.
    """

    attributes: int
    access_lists: bool
    time_ns: int


@dataclass(frozen=True)
class Holder:
    """A path that somebody has open, and the programs, as far as the system tells them."""

    path: str
    programs: Tuple[str, ...]

    def in_words(self) -> str:
        """For messages."""
        return "{} (by {})".format(self.path, ", ".join(self.programs)) if self.programs else self.path


class UncachedReader:
    """The chunks of a file, past the system's cache where it can be had.

    ``bypassed`` is False where the system is known to have answered from its cache.
    """

    def __init__(self, chunks: Iterator[bytes], *, bypassed: bool) -> None:
        self._chunks = chunks
        self.bypassed = bypassed

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks


def facts_of_stat(status: os.stat_result) -> FileFacts:
    """The facts in the answer of ``os.fstat``."""
    return FileFacts(size=status.st_size, mtime_ns=status.st_mtime_ns, file_id=id_of_stat(status))


def id_of_stat(status: os.stat_result) -> str:
    """Volume and file number."""
    return f"{status.st_dev:x}-{status.st_ino:x}"
