# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by the Windows Python: protect paths as a careful administrator would, and say who that was.

``python.exe protect.py PATH...`` gives each path a protected DACL (SYSTEM, Administrators, the present user: full
control, inherited by what is made below a directory) and prints one JSON object with the user's SID and the SDDL.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from ctypes import wintypes

assert sys.platform == "win32"  # said for type checkers as well

TOKEN_QUERY = 0x8
TOKEN_USER = 1
OWNER_AND_DACL = 0x1 | 0x4
PROTECTED_DACL = 0x80000000
SDDL_REVISION = 1
SE_FILE_OBJECT = 1

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
kernel32.GetCurrentProcess.restype = wintypes.HANDLE
kernel32.LocalFree.argtypes = [ctypes.c_void_p]
advapi32.OpenProcessToken.argtypes = [wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE)]
advapi32.GetTokenInformation.argtypes = [
    wintypes.HANDLE,
    ctypes.c_int,
    ctypes.c_void_p,
    wintypes.DWORD,
    ctypes.POINTER(wintypes.DWORD),
]
advapi32.ConvertSidToStringSidW.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = [
    wintypes.LPCWSTR,
    wintypes.DWORD,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
]
advapi32.SetFileSecurityW.argtypes = [wintypes.LPCWSTR, wintypes.DWORD, ctypes.c_void_p]
advapi32.GetNamedSecurityInfoW.argtypes = [
    wintypes.LPCWSTR,
    ctypes.c_int,
    wintypes.DWORD,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_void_p),
]
advapi32.ConvertSecurityDescriptorToStringSecurityDescriptorW.argtypes = [
    ctypes.c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
]


def checked(result: int) -> None:
    """Raise the error that a Win32 call left behind."""
    if not result:
        raise ctypes.WinError(ctypes.get_last_error())


def taken(pointer: ctypes.c_void_p) -> str:
    """The string that the system allocated, freed."""
    text = ctypes.wstring_at(pointer.value or 0)
    kernel32.LocalFree(pointer)
    return text


def user_sid() -> str:
    """The SID of whoever runs this."""
    token, size = wintypes.HANDLE(), wintypes.DWORD()
    checked(advapi32.OpenProcessToken(kernel32.GetCurrentProcess(), TOKEN_QUERY, ctypes.byref(token)))
    advapi32.GetTokenInformation(token, TOKEN_USER, None, 0, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    checked(advapi32.GetTokenInformation(token, TOKEN_USER, buffer, size, ctypes.byref(size)))
    kernel32.CloseHandle(token)
    text = ctypes.c_void_p()
    checked(advapi32.ConvertSidToStringSidW(ctypes.c_void_p.from_buffer(buffer), ctypes.byref(text)))
    return taken(text)


def protect(path: str, sid: str) -> None:
    """Set owner and DACL."""
    flags = "OICI" if os.path.isdir(path) else ""
    aces = "".join(f"(A;{flags};FA;;;{trustee})" for trustee in ("SY", "BA", sid))
    descriptor = ctypes.c_void_p()
    checked(
        advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
            f"O:{sid}D:P{aces}", SDDL_REVISION, ctypes.byref(descriptor), None
        )
    )
    checked(advapi32.SetFileSecurityW(path, OWNER_AND_DACL | PROTECTED_DACL, descriptor))
    kernel32.LocalFree(descriptor)


def sddl(path: str) -> str:
    """What the system says about the path afterwards."""
    descriptor, text = ctypes.c_void_p(), ctypes.c_void_p()
    error = advapi32.GetNamedSecurityInfoW(
        path, SE_FILE_OBJECT, OWNER_AND_DACL, None, None, None, None, ctypes.byref(descriptor)
    )
    if error:
        raise ctypes.WinError(error)
    checked(
        advapi32.ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor, SDDL_REVISION, OWNER_AND_DACL, ctypes.byref(text), None
        )
    )
    kernel32.LocalFree(descriptor)
    return taken(text)


def main() -> None:
    """Protect the paths of the command line."""
    sid = user_sid()
    for path in sys.argv[1:]:
        protect(path, sid)
    print(
        json.dumps(
            {"user": os.environ.get("USERNAME", ""), "sid": sid, "sddl": {path: sddl(path) for path in sys.argv[1:]}}
        )
    )


main()
