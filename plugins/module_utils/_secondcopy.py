# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second copy of a file that is still being written, on another disk, by a thread of its own.

It is a head start and no promise: the copy may be short or missing in the end, and whoever goes on with it has to prove
it. So nothing about it can slow down or fail the file itself: nobody waits for the other disk, and what goes wrong
there ends the copy.
"""

from __future__ import annotations

import threading
from typing import BinaryIO, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import remove_file
from ansible_collections.wst.backup.plugins.module_utils._hashing import CHUNK
from ansible_collections.wst.backup.plugins.module_utils._platform import api

_PATIENCE = 5.0  # seconds for what is being written when everything is over; a disk that hangs is left to itself


class SecondCopy:
    """Copies what is at ``source`` so far, and what comes, to a new file at ``target``.

    To be used as a context manager, around the writing. When the block ends with an error, the copy is removed.
    """

    def __init__(self, source: str, target: str) -> None:
        self._source = source
        self._target = target
        self._changed = threading.Condition()
        self._end = 0  # of the source
        self._cut: Optional[int] = None  # the least that it was cut to since the copy looked last
        self._is_over = self._is_ours = False
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)
        self.copied = 0  # bytes; to be read after the block
        self.error: Optional[OSError] = None  # what ended the copy; to be read after the block

    def __enter__(self) -> SecondCopy:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join(_PATIENCE)
        if kind is not None:
            self._remove()

    def reached(self, end: int) -> None:
        """The source was written up to there, or cut off there."""
        with self._changed:
            if end < self._end:
                self._cut = end if self._cut is None else min(end, self._cut)
            self._end = end
            self._changed.notify()

    def _follow(self) -> None:
        try:
            with api.open_source(self._source) as source, api.create_new(self._target) as target:
                self._is_ours = True
                while self._wait(target):
                    self._copy(source, target)
        except OSError as error:
            self.error = error
            self._remove()

    def _wait(self, target: BinaryIO) -> bool:
        """Until there is something to copy; False when all is over."""
        with self._changed:
            while not self._is_over and self._cut is None and self._end <= self.copied:
                self._changed.wait()
            cut, self._cut = self._cut, None
            is_over = self._is_over
        if cut is not None and cut < self.copied:
            target.seek(cut)
            target.truncate()
            self.copied = cut
        return not is_over

    def _copy(self, source: BinaryIO, target: BinaryIO) -> None:
        """A piece of what is there; of nothing where it was cut off meanwhile."""
        source.seek(self.copied)
        data = source.read(min(CHUNK, self._end - self.copied))
        target.write(data)
        self.copied += len(data)

    def _remove(self) -> None:
        if not self._is_ours:
            return
        try:
            remove_file(self._target)
        except BackupError:
            return  # its disk has gone, or it is swept by the next run
        self.copied = 0
