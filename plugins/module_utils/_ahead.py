# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream that is made by a thread of its own while its consumer works on what was made before, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import closing
from typing import Any, Callable, Deque, Generator, Iterable, Optional, TypeVar

DEPTH = 4  # items that wait at most; a consumer that is slow for a moment does not stop the disk

T = TypeVar("T")


def ahead(items: Iterable[T], *, depth: int = DEPTH) -> Generator[T, None, None]:
    """The same items in the same order; what making them raises comes out here, after those made before it.

    The thread begins with the first item that is asked for. It has ended, and a generator that made the items is
    closed, when this one ends, fails or is closed: close it (``contextlib.closing``) where it may be left before.

    :param depth: how many items may wait.
    """
    return _Lane(items, depth).run()


def watched(items: Generator[T, None, None], watch: Callable[[T], Any]) -> Generator[T, None, None]:
    """The same items; ``watch`` is told each one before it is handed on."""
    with closing(items):
        for item in items:
            watch(item)
            yield item


class _Lane:
    """What producer and consumer share; each attribute is touched under the condition only."""

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = items
        self._depth = depth
        self._waiting: Deque[Any] = deque()
        self._changed = threading.Condition()
        self._made_all = self._given_up = False
        self._error: Optional[BaseException] = None

    def run(self) -> Generator[Any, None, None]:
        """The consumer's side."""
        thread = threading.Thread(target=self._produce, name="ahead", daemon=True)
        thread.start()
        try:
            while True:
                with self._changed:
                    while not self._waiting and not self._made_all:
                        self._changed.wait()
                    if not self._waiting:
                        break
                    item = self._waiting.popleft()
                    self._changed.notify()
                yield item
        finally:
            with self._changed:
                self._given_up = True
                self._changed.notify()
            thread.join()
        if self._error is not None:
            raise self._error

    def _produce(self) -> None:
        error: Optional[BaseException] = None
        try:
            items = iter(self._items)
            try:
                for item in items:
                    if not self._put(item):
                        break
            finally:
                close = getattr(items, "close", None)  # a generator's: it may hold a file
                if close is not None:
                    close()
        except BaseException as caught:  # noqa: BLE001 - the consumer raises it
            error = caught
        with self._changed:
            self._error = error
            self._made_all = True
            self._changed.notify()

    def _put(self, item: Any) -> bool:
        """Whether anybody still wants items."""
        with self._changed:
            while len(self._waiting) >= self._depth and not self._given_up:
                self._changed.wait()
            if self._given_up:
                return False
            self._waiting.append(item)
            self._changed.notify()
            return True
