# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background processes of the lab: started detached, remembered by PID and start time, ended for certain."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .config import LabError

STOP_TIMEOUT = 20.0


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_time(pid: int) -> str | None:
    """The kernel's start time of a process, or None when it is gone (a zombie is gone)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def spawn(argv: Sequence[str], *, environment: Mapping[str, str], log: Path, pid_file: Path) -> int:
    """Start a process of its own session, its output in ``log``; the PID is remembered in ``pid_file``."""
    for path in (log, pid_file):
        path.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as sink:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=dict(environment),
            start_new_session=True,
            close_fds=True,
        )
    remember(process.pid, pid_file)
    return process.pid


def remember(pid: int, pid_file: Path) -> None:
    """Note a process by PID and start time, so that a reused PID is never taken for it."""
    pid_file.write_text(json.dumps({"pid": pid, "started": start_time(pid)}), encoding="ascii")


def running(pid_file: Path) -> int | None:
    """The PID that the file names, if that very process still runs."""
    try:
        noted = json.loads(pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    alive = start_time(noted["pid"])
    return int(noted["pid"]) if alive is not None and alive == noted["started"] else None


def stop(pid_file: Path) -> None:
    """End the process: asked first, killed when it does not listen."""
    pid = running(pid_file)
    if pid is not None:
        for number, seconds in ((signal.SIGTERM, STOP_TIMEOUT), (signal.SIGKILL, STOP_TIMEOUT)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            if _gone(pid_file, seconds):
                break
        else:
            raise LabError(f"process {pid} ({pid_file.name}) does not end")
    pid_file.unlink(missing_ok=True)


def _gone(pid_file: Path, seconds: float) -> bool:
    try:
        wait_for(lambda: running(pid_file) is None, what=pid_file.name, timeout=seconds)
    except LabError:
        return False
    return True


def wait_for(condition: Callable[[], bool], *, what: str, timeout: float) -> None:
    """Poll until the condition holds; LabError with ``what`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.01
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {timeout:.0f} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
