# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on several threads whose results come back in the order in which it was given, in bounded memory.

One thread, the caller's, gives work and takes results; so nothing that takes results needs to know of threads. What
goes wrong in a worker is raised there, in its turn, and no thread is left when the block ends, however it ends.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Callable, Deque, NamedTuple, Optional, Type, TypeVar

from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled, InputInvalid

MAX_THREADS = 4  # what is chosen by itself; a host that is backed up has other work, too
MOST_THREADS = 64
_SHARE = 4 << 20  # bytes in work for each thread
CALL_COST = 1 << 10  # bytes that a call is taken to hold
_ALIVE = 0.5  # seconds to wait for a worker before the caller's own affairs are looked after

T = TypeVar("T")


class _Item(NamedTuple):
    future: Optional[Future[Any]]
    done: Callable[[Any], None]
    cost: int


def thread_count(asked: int) -> int:
    """The number of threads to work with; 0 stands for one that suits this host. Raises ``InputInvalid``."""
    if not 0 <= asked <= MOST_THREADS:
        raise InputInvalid(f"{asked} is no number of threads from 0 to {MOST_THREADS}", threads=asked)
    return asked or min(MAX_THREADS, os.cpu_count() or 1)


class Ordered:
    """An ordered, bounded queue before a pool of threads. To be used as a context manager.

    :param threads: how many work.
    :param idle: called now and then while a worker is waited for; may raise, to cancel.
    """

    def __init__(self, *, threads: int, idle: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="archive")
        self._budget = (threads + 1) * _SHARE
        self._idle = idle
        self._queue: Deque[_Item] = deque()
        self._held = 0
        self._delivering = False
        self._ended = threading.Event()

    def __enter__(self) -> Ordered:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._ended.set()
        self._queue.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def delivering(self) -> bool:
        """Whether something is being delivered: whatever is given now has its turn now."""
        return self._delivering

    def submit(self, work: Callable[[], T], done: Callable[[T], None], *, cost: int) -> None:
        """Have ``work`` done by a thread, then ``done`` called with its result when its turn comes.

        Where the queue is full, results are taken first; what ``done`` or the work of somebody before raises comes out
        here. In the middle of a delivery the turn is now.

        :param cost: bytes that the work and its result take, until the delivery.
        """
        if self._delivering:
            done(work())
            return
        self._make_room(cost)
        self._push(_Item(self._pool.submit(work), done, cost))

    def in_order(self, call: Callable[[], None]) -> None:
        """Have ``call`` called when its turn comes: after the delivery of what was given before."""
        if self._delivering:
            call()
        else:
            self._make_room(CALL_COST)
            self._push(_Item(None, lambda _nothing: call(), CALL_COST))

    def finish(self) -> None:
        """Deliver everything that was given."""
        while self._queue:
            self._deliver()

    def check(self) -> None:
        """For work: raises ``Cancelled`` once nobody waits for its result any more."""
        if self._ended.is_set():
            raise Cancelled("the archive that this was for was given up")

    def _make_room(self, cost: int) -> None:
        while self._queue and self._held + cost > self._budget:
            self._deliver()

    def _push(self, item: _Item) -> None:
        self._queue.append(item)
        self._held += item.cost
        while self._queue and self._is_ready(self._queue[0]):
            self._deliver()

    @staticmethod
    def _is_ready(item: _Item) -> bool:
        return item.future is None or item.future.done()

    def _deliver(self) -> None:
        """The oldest item."""
        item = self._queue[0]
        result = None if item.future is None else self._result(item.future)
        self._queue.popleft()
        self._held -= item.cost
        self._delivering = True
        try:
            item.done(result)
        finally:
            self._delivering = False

    def _result(self, future: Future[Any]) -> Any:
        while not wait([future], timeout=_ALIVE).done:
            self._idle()
        return future.result()
