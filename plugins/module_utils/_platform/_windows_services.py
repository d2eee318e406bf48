# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of Windows, asked of its service control manager."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform import _win32

_CONNECT = 0x1
_QUERY_STATUS, _ENUMERATE_DEPENDENTS, _START, _STOP = 0x4, 0x8, 0x10, 0x20
_CONTROL_STOP = 1
_ACTIVE = 1
_NO_SUCH_SERVICE, _INVALID_NAME, _MORE_DATA = 1060, 123, 234
_ALREADY = (1056, 1062)  # it runs already; it is stopped already
_STATES = {
    1: "stopped",
    2: "start_pending",
    3: "stop_pending",
    4: "running",
    5: "continue_pending",
    6: "pause_pending",
    7: "paused",
}


class _Status(ctypes.Structure):
    _fields_ = [
        (name, _win32.DWORD)
        for name in ("kind", "state", "controls", "exit_code", "own_exit_code", "check_point", "wait_hint")
    ]


class _Dependent(ctypes.Structure):
    """ENUM_SERVICE_STATUSW."""

    _fields_ = [("name", ctypes.c_wchar_p), ("shown", ctypes.c_wchar_p), ("status", _Status)]


class _Service:
    """A service, opened for the block. Raises OSError."""

    def __init__(self, name: str, access: int) -> None:
        self._name = name
        self._access = access
        self._manager = self.handle = 0

    def __enter__(self) -> _Service:
        self._manager = _win32.function("OpenSCManagerW")(None, None, _CONNECT) or 0
        if not self._manager:
            raise _win32.last_error(self._name)
        self.handle = _win32.function("OpenServiceW")(self._manager, self._name, self._access) or 0
        if not self.handle:
            error = _win32.last_error(self._name)
            self.__exit__()
            raise error
        return self

    def __exit__(self, *exc_info: Any) -> None:
        for handle in (self.handle, self._manager):
            if handle:
                _win32.function("CloseServiceHandle")(handle)


def service_state(name: str) -> Optional[str]:
    """What the service is doing (``running``, ``stopped``, ``stop_pending`` ...); None where there is none.

    Raises OSError.
    """
    status = _Status()
    try:
        with _Service(name, _QUERY_STATUS) as service:
            _win32.require(_win32.function("QueryServiceStatus")(service.handle, ctypes.byref(status)), name)
    except OSError as error:
        if getattr(error, "winerror", None) in (_NO_SUCH_SERVICE, _INVALID_NAME):
            return None
        raise
    return _STATES.get(status.state, "unknown")


def stop_service(name: str) -> None:
    """Ask it to stop, without waiting for it. Raises OSError."""
    status = _Status()
    with _Service(name, _STOP) as service:
        done = _win32.function("ControlService")(service.handle, _CONTROL_STOP, ctypes.byref(status))
        _tolerate(done, name)


def start_service(name: str) -> None:
    """Ask it to start, without waiting for it. Raises OSError."""
    with _Service(name, _START) as service:
        _tolerate(_win32.function("StartServiceW")(service.handle, 0, None), name)


def dependent_services(name: str) -> Tuple[str, ...]:
    """Those that run and cannot without this one. Raises OSError."""
    needed, count = _win32.DWORD(), _win32.DWORD()
    with _Service(name, _ENUMERATE_DEPENDENTS) as service:
        ask = _win32.function("EnumDependentServicesW")
        if ask(service.handle, _ACTIVE, None, 0, ctypes.byref(needed), ctypes.byref(count)):
            return ()
        error = _win32.last_error(name)
        if getattr(error, "winerror", None) != _MORE_DATA:
            raise error
        answer = ctypes.create_string_buffer(needed.value)
        _win32.require(
            ask(service.handle, _ACTIVE, answer, needed.value, ctypes.byref(needed), ctypes.byref(count)), name
        )
        found = ctypes.cast(answer, ctypes.POINTER(_Dependent))
        return tuple(found[index].name for index in range(count.value))


def appcmd() -> Optional[str]:
    """The program that steers application pools of IIS; None where there is no IIS."""
    path = os.path.join(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32", "inetsrv", "appcmd.exe")
    return path if os.path.isfile(path) else None


def _tolerate(done: Any, name: str) -> None:
    if not done:
        error = _win32.last_error(name)
        if getattr(error, "winerror", None) not in _ALREADY:
            raise error
