# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes on Windows."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import struct
import subprocess  # nosec B404  # for its types and flags; nothing is started here
from typing import Any, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils._platform import _win32

_TIME_OF_DAY = 3  # SystemTimeOfDayInformation
_LIMITS = 9  # JobObjectExtendedLimitInformation
_KILL_ON_CLOSE = 0x2000
_NO_WINDOW = 0x08000000
_NO_DIALOGS = 0x8003  # no box for critical errors, for crashes, for files that cannot be opened
_TERMINATE, _SET_QUOTA, _QUERY_LIMITED = 0x0001, 0x0100, 0x1000
_STILL_ACTIVE = 259

# https://learn.microsoft.com/windows/client-management/mdm/policy-csp-remoteshell
_SHELL_POLICY = "SOFTWARE\\Policies\\Microsoft\\Windows\\WinRM\\Service\\WinRS"
_SHELL_QUOTAS = ("MaxMemoryPerShellMB", "MaxProcessesPerShell")

# Exit codes with which Windows says that a program did not start; it writes nothing anywhere else.
_NOT_STARTED = {
    0xC000007B: "it, or a DLL that it needs, is damaged or for another processor",
    0xC0000135: "a DLL that it needs is missing",
    0xC0000138: "a DLL that it needs is of another version",
    0xC0000139: "a DLL that it needs is of another version",
    0xC0000142: "a DLL that it needs failed to start",
}
_own_job: Optional[_win32.Handle] = None


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION, of which only the flags are used."""

    _fields_ = [
        ("times", ctypes.c_int64 * 2),
        ("flags", _win32.DWORD),
        ("sizes", ctypes.c_size_t * 2),
        ("active", _win32.DWORD),
        ("affinity", ctypes.c_size_t),
        ("classes", _win32.DWORD * 2),
        ("counters", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    ]


def boot_id() -> str:
    """The same text from one start of the system to the next, and never again. Raises OSError.

    The kernel moves its boot time when the clock is set, and its bias by as much: the difference stays.
    """
    answer = ctypes.create_string_buffer(48)
    status = _win32.function("NtQuerySystemInformation")(_TIME_OF_DAY, answer, 48, None)
    if status != 0:
        raise OSError(0, "the boot time cannot be read (NTSTATUS 0x%x)" % (status & 0xFFFFFFFF))
    boot, bias = struct.unpack_from("<q24xQ", answer.raw)  # between them: the time, its zone, a reserved field
    return "%x" % ((boot - bias) & 0xFFFFFFFFFFFFFFFF)


def contain_children() -> bool:
    """From now on, no child of ours outlives us; False where the system cannot promise it."""
    global _own_job  # noqa: PLW0603 - its handle must live as long as the process
    _win32.function("SetErrorMode")(_NO_DIALOGS)
    if _own_job is None:
        job = _job(_KILL_ON_CLOSE)
        if job is not None and _win32.function("AssignProcessToJobObject")(
            job.value, _win32.function("GetCurrentProcess")()
        ):
            _own_job = job
    return _own_job is not None


def _job(flags: int) -> Optional[_win32.Handle]:
    value = _win32.function("CreateJobObjectW")(None, None)
    if not value:
        return None
    limits = _Limits(flags=flags)
    _win32.function("SetInformationJobObject")(value, _LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
    return _win32.Handle(value)


def child_options() -> Dict[str, Any]:
    """What subprocess.Popen must be told: no console window, and no dialog that nobody would see."""
    _win32.function("SetErrorMode")(_NO_DIALOGS)
    return {"creationflags": _NO_WINDOW}


def server_account() -> Dict[str, Any]:
    """What subprocess.Popen must be told to start a database server: nothing, pg_ctl gives up its own privileges."""
    return {}


def base_environment() -> Dict[str, str]:
    """The variables that a program needs to run at all, from our own; nothing else is inherited."""
    names = ("SystemRoot", "SystemDrive", "TEMP", "TMP")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    root = environment.get("SystemRoot", "C:\\Windows")
    environment["PATH"] = f"{root}\\system32;{root}"
    return environment


class ChildGroup:
    """A child with all its descendants, to be killed together."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._job = _job(_KILL_ON_CLOSE)
        handle = _win32.function("OpenProcess")(_TERMINATE | _SET_QUOTA, False, process.pid)
        if self._job is not None and handle:
            with _win32.Handle(handle):
                if _win32.function("AssignProcessToJobObject")(self._job.value, handle):
                    return
        self.close()  # it ended already, or jobs do not nest here: then only the child itself can be killed

    def kill(self) -> None:
        """End them all, at once and without asking."""
        if self._job is not None:
            _win32.function("TerminateJobObject")(self._job.value, 1)
        else:
            self._process.kill()

    def close(self) -> None:
        """Let go of the group: what is left of it ends."""
        if self._job is not None:
            self._job.close()
            self._job = None


def shell_quotas() -> Optional[Dict[str, int]]:
    """The limits of the remote shell, as far as they are told; None where there are none.

    Only what a policy sets has a documented place, and it overrides what was set otherwise. What ``winrm set`` or
    ``Set-Item WSMan:`` wrote has none, and a default, which differs by version, is written nowhere: nothing is assumed.
    """
    registry: Any = importlib.import_module("winreg")
    found: Dict[str, int] = {}
    try:
        access = registry.KEY_QUERY_VALUE | registry.KEY_WOW64_64KEY
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _SHELL_POLICY, 0, access) as key:
            for name in _SHELL_QUOTAS:
                with contextlib.suppress(OSError):  # that one is not set
                    value, kind = registry.QueryValueEx(key, name)
                    if kind == registry.REG_DWORD:
                        found[name] = int(value)
    except OSError:
        pass  # no policy, or we may not see it: then nobody told us anything
    return found


def start_failure(exit_code: int) -> Optional[str]:
    """Why a program with that exit code never came to run; None where it did."""
    return _NOT_STARTED.get(exit_code & 0xFFFFFFFF)


def process_started(pid: int) -> Optional[str]:
    """When that process started, as an opaque text that its number's next owner will not have; None when it is gone."""
    value = _win32.function("OpenProcess")(_QUERY_LIMITED, False, pid)
    if not value:
        return None
    with _win32.Handle(value) as handle:
        return _started(handle)


def _started(handle: _win32.Handle) -> Optional[str]:
    code = _win32.DWORD()
    _win32.require(_win32.function("GetExitCodeProcess")(handle.value, ctypes.byref(code)))
    if code.value != _STILL_ACTIVE:
        return None
    times = [ctypes.c_uint64() for _time in range(4)]
    _win32.require(_win32.function("GetProcessTimes")(handle.value, *(ctypes.byref(time) for time in times)))
    return str(times[0].value)  # creation, in 100 ns since 1601


def end_process(pid: int, started: Optional[str] = None) -> bool:
    """Kill that process; its job object, if it has one, takes its children. False when it is gone. Raises OSError.

    :param started: what ``process_started`` said of it: a later process of the same number is left alone.
    """
    value = _win32.function("OpenProcess")(_QUERY_LIMITED | _TERMINATE, False, pid)
    if not value:
        if process_started(pid) is not None:
            raise _win32.last_error()
        return False
    with _win32.Handle(value) as handle:
        now = _started(handle)
        if now is None or (started is not None and now != started):
            return False
        _win32.require(_win32.function("TerminateProcess")(handle.value, 1))
    return True
