# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that an archive grows in: its end, and the digest of everything before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror

Watch = Callable[[int], None]

_TOGETHER = 1 << 18  # bytes; a write and a step of the digest for each small file would take as long as making it


@dataclass(frozen=True)
class End:
    """A place to roll back to."""

    position: int
    digest: Any


class Output:
    """Bytes go to the end of the file, small ones together. What cannot be written raises ``NoSpace`` and its like, by
    name, so that whoever reads a source can tell its OSError from ours.

    :param file: a new binary file, at its start; flushing and closing it is the caller's.
    :param watch: told where the file ends, whenever that has changed and others can read what is before it.
    """

    def __init__(self, file: BinaryIO, *, watch: Optional[Watch] = None) -> None:
        self._file = file
        self._watch = watch
        self._name = str(getattr(file, "name", "the archive"))
        self._digest = hashlib.sha256()
        self._waiting: List[bytes] = []
        self._length = 0  # of what waits
        self.position = 0

    def emit(self, data: bytes) -> None:
        """Append; it is written at the latest by ``finish``."""
        self._waiting.append(data)
        self._length += len(data)
        self.position += len(data)
        if self._length >= _TOGETHER:
            self._write()

    def _write(self) -> None:
        data = b"".join(self._waiting)
        self._forget()
        try:
            self._file.write(data)
            if self._watch is not None:
                self._file.flush()
                self._watch(self.position)
        except OSError as error:
            raise self.failure(error) from error
        self._digest.update(data)

    def _forget(self) -> None:
        self._waiting.clear()
        self._length = 0

    def end(self) -> End:
        """Where the file ends now."""
        self._write()
        return End(self.position, self._digest.copy())

    def roll_back(self, end: End) -> None:
        """Cut off what was written since."""
        self._forget()
        try:
            self._file.seek(end.position)
            self._file.truncate()
            if self._watch is not None:
                self._watch(end.position)
        except OSError as error:
            raise self.failure(error) from error
        self.position, self._digest = end.position, end.digest.copy()

    def finish(self) -> str:
        """Write what still waits; the SHA-256 of the whole file in hexadecimal."""
        self._write()
        return self._digest.hexdigest()

    def failure(self, error: OSError) -> BackupError:
        """The name of what the system said about the archive."""
        return translate_oserror(error, self._name)
