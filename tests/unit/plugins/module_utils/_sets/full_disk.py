# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that runs full in the middle of a file."""

from __future__ import annotations

from typing import Any, BinaryIO


class Full:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file: BinaryIO, room: int) -> None:
        self._file = file
        self._room = room

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        """As the system does it: what fits, then ENOSPC."""
        self._file.write(data[: self._room])
        if len(data) > self._room:
            raise OSError(28, "No space left on device")
        self._room -= len(data)
        return len(data)
