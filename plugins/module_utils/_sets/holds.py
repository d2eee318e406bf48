# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads a set holds it, so that retention does not remove it meanwhile.

A hold is a file ``<stem>.<nonce>.hold`` that its process keeps locked. A process that dies lets go of it, so there is
no time after which a hold is dead, and none that a clock could get wrong.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from typing import Iterator, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import Locked
from ansible_collections.wst.backup.plugins.module_utils._fs import (
    ensure_private_directory,
    remove_file,
    translate_oserror,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import ZIP
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform

_NAME = re.compile(r"(.+)\.[0-9a-f]{12}\.hold", re.ASCII)
TRIES = 10  # a sweep may take a hold's file away between its making and its locking


@contextlib.contextmanager
def holding(layout: HostLayout, stem: str) -> Iterator[None]:
    """Hold the set of that stem, on all layers, for the block. Raises PathPermissions, PathUnusable, NoSpace."""
    directory = layout.holds_dir
    ensure_private_directory(directory)
    path, lock = _take(directory, stem)
    try:
        yield
    finally:
        lock.release()
        remove_file(path)


@contextlib.contextmanager
def held_file(layout: HostLayout, path: str) -> Iterator[None]:
    """Hold what may be a set, by its ZIP. A host that was not set up has nothing that would remove it."""
    if not os.path.isdir(platform.long_path(layout.root)):
        yield
        return
    with holding(layout, os.path.basename(path).removesuffix(ZIP)):
        yield


def _take(directory: str, stem: str) -> Tuple[str, platform.FileLock]:
    for _try in range(TRIES):
        path = os.path.join(directory, f"{stem}.{secrets.token_hex(6)}.hold")
        lock = platform.FileLock(path)
        try:
            if lock.try_acquire() and os.path.lexists(platform.long_path(path)):
                return path, lock
        except OSError as error:
            raise translate_oserror(error, path) from error
        lock.release()
    raise Locked(f"a hold on {stem} could not be taken in {directory}", path=directory)


def held_stems(layout: HostLayout) -> Set[str]:
    """The stems that living processes hold; what dead ones left is removed. Raises PathPermissions, PathUnusable."""
    held: Set[str] = set()
    try:
        entries = list(platform.scan(layout.holds_dir))
    except FileNotFoundError:
        return held
    except OSError as error:
        raise translate_oserror(error, layout.holds_dir) from error
    for entry in entries:
        match = _NAME.fullmatch(entry.name)
        if match is not None and _is_held(os.path.join(layout.holds_dir, entry.name)):
            held.add(match.group(1))
    return held


def _is_held(path: str) -> bool:
    lock = platform.FileLock(path)
    try:
        if not lock.try_acquire():
            return True
    except OSError as error:
        raise translate_oserror(error, path) from error
    try:
        remove_file(path)  # while it is locked: whoever is about to take this very file then sees that it is gone
    finally:
        lock.release()
    return False
