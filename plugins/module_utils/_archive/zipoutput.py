# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that an archive grows in: its end, and the digest of everything before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, BinaryIO

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror


@dataclass(frozen=True)
class End:
    """A place to roll back to."""

    position: int
    digest: Any


class Output:
    """Bytes go to the end of the file. What cannot be written raises ``NoSpace`` and its like, by name at once, so that
    whoever reads a source can tell its OSError from ours.

    :param file: a new binary file, at its start; flushing and closing it is the caller's.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._name = str(getattr(file, "name", "the archive"))
        self._digest = hashlib.sha256()
        self.position = 0

    def emit(self, data: bytes) -> None:
        """Append."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self.failure(error) from error
        self._digest.update(data)
        self.position += len(data)

    def end(self) -> End:
        """Where the file ends now."""
        return End(self.position, self._digest.copy())

    def roll_back(self, end: End) -> None:
        """Cut off what was written since."""
        try:
            self._file.seek(end.position)
            self._file.truncate()
        except OSError as error:
            raise self.failure(error) from error
        self.position, self._digest = end.position, end.digest.copy()

    def sha256(self) -> str:
        """Of the whole file, in hexadecimal."""
        return self._digest.hexdigest()

    def failure(self, error: OSError) -> BackupError:
        """The name of what the system said about the archive."""
        return translate_oserror(error, self._name)
