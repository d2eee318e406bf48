# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The independent check beside the sets of a layer, so that who finds nothing but the disk can prove what is on it.

It is a help and no part of a set: where it cannot be put there, the sets are what they were, and a warning says so.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, PathUnusable
from ansible_collections.wst.backup.plugins.module_utils._fs import atomic_write, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._names import CHECKER
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer

Warn = Callable[[str], None]


def checker_option() -> Dict[str, Any]:
    """The option of modules that place it; ``doc_fragments/checker.py`` documents it, and the action reads the file."""
    return {"checker": {"type": "str"}}


def place_checker(layer: Layer, *, warn: Warn) -> bool:
    """Put the check that the control node sent along onto the layer, if it is not there; whether that changed anything.

    What cannot be done is a warning.
    """
    text = _context.checker()
    if text is None:
        return False
    path = layer.file(CHECKER)
    data = text.encode("utf-8")
    try:
        if _has(path, data):
            return False
        atomic_write(path, data)
        if not _has(path, data):
            raise PathUnusable(f"{path} is not what was written to it", path=path)
    except BackupError as error:
        warn(f"the independent check could not be put beside the sets: {error.message}")
        return False
    return True


def _has(path: str, data: bytes) -> bool:
    """Whether these very bytes are in a file of that name. Raises ``BackupError``."""
    if os.path.islink(platform.long_path(path)):
        return False  # who follows it reads what somebody else wrote
    try:
        with platform.open_source(path) as file:
            return bool(file.read(len(data) + 1) == data)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise translate_oserror(error, path) from error
