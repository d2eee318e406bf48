# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key file and the one beside it, which is to replace it."""

from __future__ import annotations

import contextlib
import os
from typing import Any, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    InputInvalid,
    KeyMalformed,
    KeyMissing,
    NotProved,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import STAGED_KEY
from ansible_collections.wst.backup.plugins.module_utils._pg.key import read_key, refused
from ansible_collections.wst.backup.plugins.module_utils._platform import api


class KeyFiles:
    """The two files of one host.

    :param path: the key file.
    :param operator: the account that may read it besides SYSTEM and Administrators; by default, ours.
    """

    def __init__(self, path: str, operator: Optional[str]) -> None:
        self.path = path
        self.staged_path = path + STAGED_KEY
        self._operator = operator

    def current(self) -> Optional[str]:
        """The key; None where there is no file or it holds no key, which a rotation mends. Raises KeyPermissions and
        PathUnusable."""
        return _key_in(self.path)

    def staged(self) -> Optional[str]:
        """The staged key; None as above: a file that was not written to its end may hold none."""
        return _key_in(self.staged_path)

    def is_staged(self) -> bool:
        """Whether there is such a file, whatever is in it."""
        return os.path.lexists(api.long_path(self.staged_path))

    def stage(self, key: str) -> None:
        """Write it beside the key: closed to others before the first byte, durable, and read back.

        Raises NoSpace, PathPermissions, PathUnusable, KeyPermissions, InputInvalid, NotProved; then nothing is staged,
        but for a file that held this key before: the server may have been told it.
        """
        if self.staged() == key:
            self._close_staged()
            return
        self.discard()
        try:
            self._write(key)
            self._require_closed(self.staged_path)
            if read_key(self.staged_path) != key:
                raise NotProved(f"{self.staged_path} does not hold what was written", path=self.staged_path)
        except BaseException:
            with contextlib.suppress(BackupError):  # the failure that is on its way matters more
                self.discard()
            raise

    def _write(self, key: str) -> None:
        try:
            with api.create_new(self.staged_path) as file:
                self._protect(self.staged_path)
                file.write(key.encode("ascii"))
                api.flush_file(file)
        except OSError as error:
            raise _fs.translate_oserror(error, self.staged_path) from error

    def discard(self) -> bool:
        """Remove the staged key; tells whether there was one. Raises PathPermissions, PathUnusable."""
        return _fs.remove_file(self.staged_path)

    def promote(self, key: str) -> None:
        """Make the staged key the key, and read its content and its permissions back.

        Raises PathPermissions, PathUnusable: it is still staged. KeyPermissions, NotProved: it is in place, and that
        is wrong with it.
        """
        try:
            self._close_staged()
            api.replace(self.staged_path, self.path)
        except OSError as error:
            raise _fs.translate_oserror(error, self.path) from error
        self._require_closed(self.path)
        if read_key(self.path) != key:
            raise NotProved(f"{self.path} does not hold what was put there", path=self.path)

    def _close_staged(self) -> None:
        """Close it anew: it may have been staged for another operator."""
        try:
            self._protect(self.staged_path)
        except OSError as error:
            raise _fs.translate_oserror(error, self.staged_path) from error
        self._require_closed(self.staged_path)

    def exists(self) -> bool:
        """Whether there is a key file, whatever is in it."""
        return os.path.lexists(api.long_path(self.path))

    def is_closed(self) -> bool:
        """Whether nobody else may read or change the key. Raises PathPermissions, PathUnusable, InputInvalid."""
        return not self._open_to(self.path)

    def close(self) -> bool:
        """Close the key to everybody else, and see that it is; tells whether that changed anything. Raises
        KeyPermissions and as above."""
        try:
            before = self._access()
            self._protect(self.path)
            changed = self._access() != before
        except OSError as error:
            raise _fs.translate_oserror(error, self.path) from error
        self._require_closed(self.path)
        return changed

    def _access(self) -> Tuple[Any, ...]:
        status = os.stat(api.long_path(self.path))
        return status.st_uid, status.st_mode, api.sddl(self.path)

    def _protect(self, path: str) -> None:
        try:
            api.protect(path, self._operator)
        except LookupError as error:
            raise InputInvalid(f"the account {self._operator} is not known here", operator=self._operator) from error

    def _require_closed(self, path: str) -> None:
        open_to = self._open_to(path)
        if open_to:
            problem = f"{path} is open: {'; '.join(open_to)}"
            raise refused(problem, path, operator=self._operator, open_to=open_to)

    def _open_to(self, path: str) -> List[str]:
        try:
            return api.access_problems(path, self._operator)
        except OSError as error:
            raise _fs.translate_oserror(error, path) from error
        except LookupError as error:
            raise InputInvalid(f"the account {self._operator} is not known here", operator=self._operator) from error


def _key_in(path: str) -> Optional[str]:
    try:
        return read_key(path)
    except (KeyMissing, KeyMalformed):
        return None
