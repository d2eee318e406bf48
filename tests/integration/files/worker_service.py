# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of Windows that serves what stands in a file, and writes down what that was when it started and stopped.

Arguments: its log, the file that it serves, and a file; where that exists it cannot start.
"""

from __future__ import annotations

import ctypes
import pathlib
import sys
import threading
from typing import Any

NAME = "wst-worker"
STOPPED, STOP_PENDING, RUNNING = 1, 3, 4
STOP = 1
LOG, SERVED, BROKEN = (pathlib.Path(path) for path in sys.argv[1:])
MAIN = ctypes.WINFUNCTYPE(None, ctypes.c_uint32, ctypes.c_void_p)  # type: ignore[attr-defined,unused-ignore]
CONTROL = ctypes.WINFUNCTYPE(None, ctypes.c_uint32)  # type: ignore[attr-defined,unused-ignore]
system: Any = ctypes.WinDLL("advapi32")  # type: ignore[attr-defined,unused-ignore]
system.RegisterServiceCtrlHandlerW.restype = ctypes.c_void_p
system.SetServiceStatus.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
over = threading.Event()
handle: list[Any] = []


class Entry(ctypes.Structure):
    """SERVICE_TABLE_ENTRYW."""

    _fields_ = [("name", ctypes.c_wchar_p), ("main", MAIN)]


def say(state: int) -> None:
    """Tell the service control manager; a running one takes a stop."""
    status = (ctypes.c_uint32 * 7)(0x10, state, STOP if state == RUNNING else 0)
    system.SetServiceStatus(handle[0], status)


def note(what: str) -> None:
    """A line of the log."""
    with LOG.open("a") as file:
        file.write(f"{what} {SERVED.read_text()}\n")


@CONTROL
def controlled(code: int) -> None:
    """It shall stop."""
    if code == STOP:
        note("stopped")
        say(STOP_PENDING)
        over.set()


@MAIN
def main(_count: int, _arguments: Any) -> None:
    """From its start to its end."""
    handle.append(system.RegisterServiceCtrlHandlerW(NAME, controlled))
    if not BROKEN.exists():
        note("started")
        say(RUNNING)
        over.wait()
    say(STOPPED)


system.StartServiceCtrlDispatcherW((Entry * 2)(Entry(NAME, main), Entry(None, MAIN())))
