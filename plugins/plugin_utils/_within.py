# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit on work that has none of its own."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any, Callable, TypeVar

T = TypeVar("T")


def within(work: Callable[[], T], seconds: float) -> T:
    """What the work returns or raises; raises TimeoutError when it takes longer, and leaves it to itself."""
    done: dict[str, Any] = {}

    def run() -> None:
        try:
            done["value"] = work()
        except BaseException as error:  # noqa: BLE001  # raised below, in the thread that waits
            done["error"] = error

    thread = threading.Thread(target=run, daemon=True)  # a daemon: the play's end does not wait for it
    with _silent():
        thread.start()
        thread.join(seconds)
    if "error" in done:
        raise done["error"]
    if "value" not in done:
        raise TimeoutError
    value: T = done["value"]
    return value


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """No line of a package's own reaches the screen. What they log goes to Ansible's log file, where there is one.

    Up to ansible-core 2.18 the main thread of a task's process holds the lock of standard output and error as long as
    it lives: a warning of another thread would wait for ever.
    """
    last_resort = logging.lastResort
    logging.lastResort = logging.NullHandler()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.lastResort = last_resort
