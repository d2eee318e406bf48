# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must never get into an artifact: secrets, and the backup's own directories.

A file is known by its path and by its identity (volume and file number), so that a hard link to it under any other
name is known too. Symbolic links are never followed by the walker, so they carry nothing in. A *copy* of a secret is
another file; nothing here looks at contents.
"""

from __future__ import annotations

import os
from typing import Iterable, Sequence, Set

from ansible_collections.wst.backup.plugins.module_utils._errors import KeyPermissions
from ansible_collections.wst.backup.plugins.module_utils._layout import STAGED_KEY, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform._types import id_of_stat

_SEPARATORS = os.sep + (os.altsep or "")
_UNKNOWN = ("0", "")  # a file number of 0 tells nothing: some file systems have none


class Guard:
    """Secrets (files) and private directories, by path and by identity.

    Raises ``KeyPermissions`` for a secret that is there but whose identity cannot be read.
    """

    def __init__(self, *, files: Iterable[str], directories: Iterable[str]) -> None:
        self._paths: Set[str] = set()
        self._names: Set[str] = set()  # the last parts of the paths: nearly everything is told apart by these
        self._ids: Set[str] = set()
        for path in (*files, *directories):
            self._add(path)

    def knows(self, path: str) -> bool:
        """Whether that is the path of something that must stay out."""
        return _name(path) in self._names and _normal(path) in self._paths

    def knows_id(self, file_id: str) -> bool:
        """Whether that is the identity (``FileFacts.file_id``) of something that must stay out."""
        return file_id in self._ids

    def _add(self, path: str) -> None:
        self._add_path(path)
        try:
            self._add_path(api.real_path(path))
            file_id = id_of_stat(os.stat(api.long_path(path)))
        except FileNotFoundError:
            return  # what is not there has no other names
        except OSError as error:
            raise KeyPermissions(
                f"the identity of {path} cannot be read, so it cannot be kept out of the archive safely", path=path
            ) from error
        if file_id.rpartition("-")[2] not in _UNKNOWN:
            self._ids.add(file_id)

    def _add_path(self, path: str) -> None:
        normal = _normal(path)
        self._paths.add(normal)
        self._names.add(_name(normal))


def own_guard(layout: HostLayout, *, layers: Sequence[str], secrets: Sequence[str]) -> Guard:
    """What no artifact of this host may hold: its key files and further secrets, its host root and its layers.

    With each secret goes the one that a rotation may have staged beside it. A source such as ``C:\\`` must not swallow
    the backups. Raises ``KeyPermissions`` as ``Guard`` does.
    """
    files = [layout.key_file, layout.restore_key_file, *secrets]
    return Guard(files=[*files, *(path + STAGED_KEY for path in files)], directories=[layout.root, *layers])


def _name(path: str) -> str:
    return os.path.normcase(os.path.basename(path.rstrip(_SEPARATORS)))


def _normal(path: str) -> str:
    return os.path.normcase(api.absolute_path(path))
