# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers, and the few ways in which their files are written and read."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._ahead import ahead
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactExists
from ansible_collections.wst.backup.plugins.module_utils._fs import remove_file, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._hashing import sha256_of
from ansible_collections.wst.backup.plugins.module_utils._names import damaged_names
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform

LOCAL = "local"  # layer 2
MIRROR = "mirror"  # layer 3

Meter = Callable[[int], None]  # told the bytes done since it was last told


@dataclass(frozen=True)
class Layer:
    """A directory of sets. The name stands in state files and tells the layers apart."""

    name: str
    path: str

    def file(self, name: str) -> str:
        """The path of a file on it."""
        return os.path.join(self.path, name)


def progress_meter(total: int, item: str) -> Meter:
    """A meter that reports to the job's progress; raises ``Cancelled`` through it."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        _jobs.progress(done, total, item)

    return advance


def reread(path: str, *, meter: Optional[Meter] = None) -> Tuple[str, int]:
    """SHA-256 and size of what the disk itself holds, past the system's cache; raises ``BackupError``.

    The disk reads on while this thread hashes: it takes no longer than reading does.
    """
    try:
        with closing(ahead(platform.read_uncached(path))) as chunks:
            return sha256_of(metered(chunks, meter))
    except OSError as error:
        raise translate_oserror(error, path) from error


def metered(chunks: Iterable[bytes], meter: Optional[Meter]) -> Iterator[bytes]:
    """The same chunks, told to the meter."""
    for chunk in chunks:
        yield chunk
        if meter is not None:
            meter(len(chunk))


def write_new(path: str, data: bytes) -> None:
    """A new durable file, over what an earlier try of this very run left; nothing stays where it could not be whole.

    Raises ``BackupError``.
    """
    remove_file(path)
    try:
        with platform.create_new(path) as file:
            file.write(data)
            platform.flush_file(file)
    except OSError as error:
        remove_file(path)
        raise translate_oserror(error, path) from error


def take_name(source: str, target: str) -> None:
    """Rename to a name that must be free; raises ``ArtifactExists`` or what else the file system has."""
    try:
        platform.rename_new(source, target)
    except FileExistsError as error:
        raise name_taken(target) from error
    except OSError as error:
        raise translate_oserror(error, target) from error


def name_taken(path: str) -> ArtifactExists:
    """The failure for a final name that something else has."""
    return ArtifactExists(f"{path} is there already", path=path)


def set_aside(layer: Layer, name: str) -> Optional[str]:
    """Rename a damaged file of a set to the next free name for evidence; the new name, None where it is gone.

    Raises ``ArtifactExists`` where nine of them are there already, or what else the file system has.
    """
    if not os.path.lexists(platform.long_path(layer.file(name))):
        return None
    taken = None
    for kept in damaged_names(name):
        try:
            take_name(layer.file(name), layer.file(kept))
            return kept
        except ArtifactExists as error:
            taken = error
    raise taken or ArtifactExists(f"there is no free name for {name}", path=layer.file(name))
