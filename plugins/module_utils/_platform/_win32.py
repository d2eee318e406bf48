# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows functions that Python does not have, with their types. Importable, but not callable, elsewhere."""

from __future__ import annotations

import ctypes
import functools
import struct
from types import TracebackType
from typing import Any, Callable, Dict, Optional, Tuple, Type

BOOL = ctypes.c_int32
WORD = ctypes.c_uint16
DWORD = ctypes.c_uint32  # not wintypes.DWORD, which has 8 bytes on 64-bit Linux, where the parsers are tested
HANDLE = ctypes.c_void_p
LONG = ctypes.c_int32
POINTER = ctypes.c_void_p
TEXT = ctypes.c_wchar_p
ULONGLONG = ctypes.c_uint64

INVALID_HANDLE = ctypes.c_void_p(-1).value
GENERIC_READ = 0x80000000
FILE_READ_ATTRIBUTES = 0x80
SHARE_ALL = 7  # read, write, delete
OPEN_EXISTING = 3
FLAG_BACKUP_SEMANTICS = 0x02000000  # opens directories too
FLAG_OPEN_REPARSE_POINT = 0x00200000

_Prototypes = Dict[str, Tuple[Any, Tuple[Any, ...]]]
_KERNEL32: _Prototypes = {
    "AssignProcessToJobObject": (BOOL, (HANDLE, HANDLE)),
    "CloseHandle": (BOOL, (HANDLE,)),
    "CreateDirectoryW": (BOOL, (TEXT, POINTER)),
    "CreateFileW": (HANDLE, (TEXT, DWORD, DWORD, POINTER, DWORD, DWORD, HANDLE)),
    "CreateJobObjectW": (HANDLE, (POINTER, TEXT)),
    "DeviceIoControl": (BOOL, (HANDLE, DWORD, POINTER, DWORD, POINTER, DWORD, POINTER, POINTER)),
    "FindClose": (BOOL, (HANDLE,)),
    "FindFirstStreamW": (HANDLE, (TEXT, DWORD, POINTER, DWORD)),
    "FindNextStreamW": (BOOL, (HANDLE, POINTER)),
    "GetCurrentProcess": (HANDLE, ()),
    "GetDiskFreeSpaceExW": (BOOL, (TEXT, POINTER, POINTER, POINTER)),
    "GetDriveTypeW": (DWORD, (TEXT,)),
    "GetExitCodeProcess": (BOOL, (HANDLE, POINTER)),
    "GetFileAttributesW": (DWORD, (TEXT,)),
    "GetFileInformationByHandleEx": (BOOL, (HANDLE, DWORD, POINTER, DWORD)),
    "GetProcessTimes": (BOOL, (HANDLE, POINTER, POINTER, POINTER, POINTER)),
    "GetVolumeInformationW": (BOOL, (TEXT, TEXT, DWORD, POINTER, POINTER, POINTER, TEXT, DWORD)),
    "GetVolumeNameForVolumeMountPointW": (BOOL, (TEXT, TEXT, DWORD)),
    "GetVolumePathNameW": (BOOL, (TEXT, TEXT, DWORD)),
    "LocalFree": (POINTER, (POINTER,)),
    "LockFileEx": (BOOL, (HANDLE, DWORD, DWORD, DWORD, DWORD, POINTER)),
    "MoveFileExW": (BOOL, (TEXT, TEXT, DWORD)),
    "OpenProcess": (HANDLE, (DWORD, BOOL, DWORD)),
    "ReadFile": (BOOL, (HANDLE, POINTER, DWORD, POINTER, POINTER)),
    "SetErrorMode": (DWORD, (DWORD,)),
    "SetFileAttributesW": (BOOL, (TEXT, DWORD)),
    "SetFileTime": (BOOL, (HANDLE, POINTER, POINTER, POINTER)),
    "SetInformationJobObject": (BOOL, (HANDLE, DWORD, POINTER, DWORD)),
    "TerminateJobObject": (BOOL, (HANDLE, DWORD)),
    "TerminateProcess": (BOOL, (HANDLE, DWORD)),
}
_ADVAPI32: _Prototypes = {
    "AdjustTokenPrivileges": (BOOL, (HANDLE, BOOL, POINTER, DWORD, POINTER, POINTER)),
    "CloseServiceHandle": (BOOL, (HANDLE,)),
    "ControlService": (BOOL, (HANDLE, DWORD, POINTER)),
    "ConvertSecurityDescriptorToStringSecurityDescriptorW": (BOOL, (POINTER, DWORD, DWORD, POINTER, POINTER)),
    "ConvertStringSecurityDescriptorToSecurityDescriptorW": (BOOL, (TEXT, DWORD, POINTER, POINTER)),
    "ConvertStringSidToSidW": (BOOL, (TEXT, POINTER)),
    "DeregisterEventSource": (BOOL, (HANDLE,)),
    "EnumDependentServicesW": (BOOL, (HANDLE, DWORD, POINTER, DWORD, POINTER, POINTER)),
    "GetLengthSid": (DWORD, (POINTER,)),
    "GetNamedSecurityInfoW": (DWORD, (TEXT, DWORD, DWORD, POINTER, POINTER, POINTER, POINTER, POINTER)),
    "GetSecurityDescriptorDacl": (BOOL, (POINTER, POINTER, POINTER, POINTER)),
    "GetSecurityDescriptorGroup": (BOOL, (POINTER, POINTER, POINTER)),
    "GetSecurityDescriptorLength": (DWORD, (POINTER,)),
    "GetSecurityDescriptorOwner": (BOOL, (POINTER, POINTER, POINTER)),
    "GetTokenInformation": (BOOL, (HANDLE, DWORD, POINTER, DWORD, POINTER)),
    "LookupAccountNameW": (BOOL, (TEXT, TEXT, POINTER, POINTER, TEXT, POINTER, POINTER)),
    "LookupAccountSidW": (BOOL, (TEXT, POINTER, TEXT, POINTER, TEXT, POINTER, POINTER)),
    "LookupPrivilegeValueW": (BOOL, (TEXT, TEXT, POINTER)),
    "OpenProcessToken": (BOOL, (HANDLE, DWORD, POINTER)),
    "OpenSCManagerW": (HANDLE, (TEXT, TEXT, DWORD)),
    "OpenServiceW": (HANDLE, (HANDLE, TEXT, DWORD)),
    "QueryServiceStatus": (BOOL, (HANDLE, POINTER)),
    "RegisterEventSourceW": (HANDLE, (TEXT, TEXT)),
    "ReportEventW": (BOOL, (HANDLE, WORD, WORD, DWORD, POINTER, WORD, DWORD, POINTER, POINTER)),
    "SetFileSecurityW": (BOOL, (TEXT, DWORD, POINTER)),
    "SetNamedSecurityInfoW": (DWORD, (TEXT, DWORD, DWORD, POINTER, POINTER, POINTER, POINTER)),
    "StartServiceW": (BOOL, (HANDLE, DWORD, POINTER)),
}
_NTDLL: _Prototypes = {"NtQuerySystemInformation": (LONG, (DWORD, POINTER, DWORD, POINTER))}
_RSTRTMGR: _Prototypes = {
    "RmEndSession": (DWORD, (DWORD,)),
    "RmGetList": (DWORD, (DWORD, POINTER, POINTER, POINTER, POINTER)),
    "RmRegisterResources": (DWORD, (DWORD, DWORD, POINTER, DWORD, POINTER, DWORD, POINTER)),
    "RmStartSession": (DWORD, (POINTER, DWORD, TEXT)),
}
_LIBRARIES: Dict[str, _Prototypes] = {
    "kernel32": _KERNEL32,
    "advapi32": _ADVAPI32,
    "ntdll": _NTDLL,
    "rstrtmgr": _RSTRTMGR,
}


@functools.cache
def _library(name: str) -> Any:
    return vars(ctypes)["WinDLL"](name, use_last_error=True)


@functools.cache
def function(name: str) -> Callable[..., Any]:
    """A function of the tables above, ready to be called."""
    for library, prototypes in _LIBRARIES.items():
        if name in prototypes:
            call = getattr(_library(library), name)
            call.restype, call.argtypes = prototypes[name]
            return call  # type: ignore[no-any-return]
    raise KeyError(name)


def is_wine() -> bool:
    """Whether this is wine, which accepts some flags and ignores them."""
    return hasattr(_library("ntdll"), "wine_get_version")


def error_of(code: int, path: Optional[str] = None) -> OSError:
    """The OSError for a Windows error code; Python chooses the subclass and the errno."""
    text = str(vars(ctypes)["FormatError"](code)).strip()
    return OSError(0, text, path, code)


def last_error(path: Optional[str] = None) -> OSError:
    """The OSError for what the last call of a ``function`` failed with."""
    return error_of(int(vars(ctypes)["get_last_error"]()), path)


def require(success: Any, path: Optional[str] = None) -> None:
    """Raises the last error when a BOOL result is false."""
    if not success:
        raise last_error(path)


class Handle:
    """A handle that is closed at the end of its block."""

    def __init__(self, value: int) -> None:
        self.value = value

    def close(self) -> None:
        """Close it, once."""
        if self.value:
            function("CloseHandle")(self.value)
            self.value = 0

    def detach(self) -> int:
        """The number; somebody else closes it now."""
        value, self.value = self.value, 0
        return value

    def __enter__(self) -> Handle:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def open_file(path: str, access: int, flags: int = 0, *, disposition: int = OPEN_EXISTING) -> Handle:
    """CreateFileW with all three share modes, for a path that is extended already. Raises OSError."""
    value = function("CreateFileW")(path, access, SHARE_ALL, None, disposition, flags, None)
    if value == INVALID_HANDLE or value is None:
        raise last_error(path)
    return Handle(value)


def device_control(handle: Handle, code: int, question: bytes = b"", size: int = 16384) -> bytes:
    """The answer of a device to a control code. Raises OSError."""
    answer = ctypes.create_string_buffer(size)
    count = DWORD()
    require(
        function("DeviceIoControl")(
            handle.value, code, question or None, len(question), answer, size, ctypes.byref(count), None
        )
    )
    return answer.raw[: count.value]


def enable_privilege(name: str) -> bool:
    """Enable a privilege of this process' token; False where the account does not have it."""
    token = ctypes.c_void_p()
    if not function("OpenProcessToken")(function("GetCurrentProcess")(), 0x28, ctypes.byref(token)):  # adjust, query
        return False
    with Handle(token.value or 0) as handle:
        state = struct.pack("<IQI", 1, _luid(name), 2)  # TOKEN_PRIVILEGES: one, which is to be enabled
        adjusted = function("AdjustTokenPrivileges")(handle.value, False, state, 0, None, None)
        return bool(adjusted) and vars(ctypes)["get_last_error"]() == 0


def _luid(name: str) -> int:
    value = ULONGLONG()
    require(function("LookupPrivilegeValueW")(None, name, ctypes.byref(value)))
    return value.value
