# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes on POSIX systems."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import subprocess  # nosec B404  # for its types and flags; nothing is started here
import sys
from typing import Any, Dict, Optional

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_contained = False


def boot_id() -> str:
    """The same text from one start of the system to the next, and never again. Raises OSError."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def contain_children() -> bool:
    """From now on, no child of ours outlives us; False where the system cannot promise it."""
    global _contained  # noqa: PLW0603 - a property of the process, like the job object on Windows
    _contained = sys.platform.startswith("linux")
    return _contained


def child_options() -> Dict[str, Any]:
    """What subprocess.Popen must be told: a session of its own, and death with us when contained."""
    options: Dict[str, Any] = {"start_new_session": True}
    if _contained:
        call = ctypes.CDLL(None).prctl  # looked up before the fork: the child must do as little as it can
        options["preexec_fn"] = lambda: call(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return options


def server_account() -> Dict[str, Any]:
    """What subprocess.Popen must be told to start a database server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody: Any = importlib.import_module("pwd").getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def base_environment() -> Dict[str, str]:
    """The variables that a program needs to run at all, from our own; nothing else is inherited."""
    names = ("HOME", "PATH", "TMPDIR", "LD_LIBRARY_PATH", "TZ")
    return {name: os.environ[name] for name in names if name in os.environ}


class ChildGroup:
    """A child with all its descendants, to be killed together."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def kill(self) -> None:
        """End them all, at once and without asking."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()

    def close(self) -> None:
        """Let go of the group without harm to it."""


def shell_quotas() -> Optional[Dict[str, int]]:
    """The limits of the remote shell, as far as they are told; None here, where there are none."""
    return None


def start_failure(exit_code: int) -> Optional[str]:
    """Why a program with that exit code never came to run; None where it did (here, the start itself fails)."""
    return None


def process_started(pid: int) -> Optional[str]:
    """When that process started, as an opaque text that its number's next owner will not have; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in (b"Z", b"X"):
        return None  # dead, and only its parent has not looked yet
    return fields[19].decode("ascii")  # starttime, proc(5): ticks since boot


def end_process(pid: int, started: Optional[str] = None) -> bool:
    """Kill that process, with its group when it leads one; False when it is gone. Raises OSError.

    :param started: what ``process_started`` said of it: a later process of the same number is left alone.
    """
    now = process_started(pid)
    if now is None or (started is not None and now != started):
        return False
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
