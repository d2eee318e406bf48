# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what, on Windows: access lists, owners, and the token of this process."""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform import _descriptor, _win32
from ansible_collections.wst.backup.plugins.module_utils._platform._types import Identity
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_files import long_path

_FILE_OBJECT = 1
_OWNER, _GROUP, _DACL, _PROTECTED = 0x1, 0x2, 0x4, 0x80000000
_DIRECTORY = 0x10
_NO_ATTRIBUTES = 0xFFFFFFFF
_TOKEN_QUERY, _TOKEN_USER, _TOKEN_GROUPS, _TOKEN_ELEVATION_TYPE, _TOKEN_ELEVATION = 8, 1, 2, 18, 20
_ELEVATIONS: Dict[Optional[int], str] = {1: "default", 2: "full", 3: "limited"}
_DENY_ONLY = 0x10
_WORD = ctypes.sizeof(ctypes.c_void_p)


def protect(path: str, operator: Optional[str] = None) -> None:
    """Close a file or directory to everyone but the operator (by default, us), SYSTEM and Administrators.

    Do this before anything is written in it. What is below inherits from it. Raises OSError; LookupError for an
    operator that does not exist.

    :param operator: an account name or SID.
    """
    attributes = _win32.function("GetFileAttributesW")(long_path(path))
    if attributes == _NO_ATTRIBUTES:
        raise _win32.last_error(path)
    with Descriptor(_private_sddl(operator, directory=bool(attributes & _DIRECTORY))) as descriptor:
        _pass_on(path, descriptor)
        # The call before lets wine keep what the directory above gives; this one sets exactly the list.
        _win32.require(_win32.function("SetFileSecurityW")(long_path(path), _DACL | _PROTECTED, descriptor), path)


def _pass_on(path: str, descriptor: ctypes.c_void_p) -> None:
    """Set the list, and let everything below inherit it anew."""
    present, dacl, defaulted = _win32.BOOL(), ctypes.c_void_p(), _win32.BOOL()
    _win32.require(
        _win32.function("GetSecurityDescriptorDacl")(
            descriptor, ctypes.byref(present), ctypes.byref(dacl), ctypes.byref(defaulted)
        )
    )
    code = _win32.function("SetNamedSecurityInfoW")(
        long_path(path), _FILE_OBJECT, _DACL | _PROTECTED, None, None, dacl, None
    )
    if code:
        raise _win32.error_of(code, path)


def make_private_directory(path: str, operator: Optional[str] = None) -> None:
    """Make a directory that is closed from its first moment on. Raises OSError, FileExistsError among them."""
    with Descriptor(_private_sddl(operator, directory=True)) as descriptor:
        attributes = (ctypes.c_void_p * 3)(3 * _WORD, descriptor.value, None)  # SECURITY_ATTRIBUTES
        _win32.require(_win32.function("CreateDirectoryW")(long_path(path), ctypes.byref(attributes)), path)


def make_server_directory(preferred: str) -> str:
    """A new directory that only that account may enter, and where it is. Raises FileExistsError, OSError."""
    make_private_directory(preferred)
    return preferred


def give_to_server(path: str) -> None:
    """Make a file of ours one of the database server's account: it is ours, less its privileges. Raises OSError."""


def _private_sddl(operator: Optional[str], *, directory: bool) -> str:
    flags = "OICI" if directory else ""
    who = ("SY", "BA", _own_sid() if operator is None else _sid_of(operator))
    return "D:P" + "".join(f"(A;{flags};FA;;;{sid})" for sid in who)


class Descriptor:
    """A security descriptor made from its text, freed at the end of the block."""

    def __init__(self, text: str) -> None:
        self._pointer = ctypes.c_void_p()
        convert = _win32.function("ConvertStringSecurityDescriptorToSecurityDescriptorW")
        _win32.require(convert(text, 1, ctypes.byref(self._pointer), None))

    def __enter__(self) -> ctypes.c_void_p:
        return self._pointer

    def __exit__(self, *exc_info: Any) -> None:
        _win32.function("LocalFree")(self._pointer)


def access_problems(path: str, operator: Optional[str] = None) -> List[str]:
    """Everyone else who can read or change it, one sentence each; empty when it is private. Raises OSError."""
    allowed = {_own_sid()} if operator is None else {_own_sid(), _sid_of(operator)}
    found = _descriptor.strangers(_descriptor.parse_descriptor(_read(path)[0]), allowed)
    return ["{} may {}".format(_described(sid), ", ".join(verbs)) for sid, verbs in found.items()]


def lets_in(path: str, operator: str) -> bool:
    """Whether the list names that account and gives it everything. Raises OSError; LookupError."""
    return _descriptor.gives_all(_descriptor.parse_descriptor(_read(path)[0]), _sid_of(operator))


def closing_commands(path: str, operator: Optional[str] = None) -> List[str]:
    """What an administrator can paste on the host to close it to everyone but SYSTEM, Administrators, us and the
    operator. Raises LookupError for an operator that does not exist."""
    mine = [_own_sid()] if operator is None else [_own_sid(), _sid_of(operator)]
    attributes = _win32.function("GetFileAttributesW")(long_path(path))
    directory = attributes != _NO_ATTRIBUTES and bool(attributes & _DIRECTORY)
    try:
        descriptor = _descriptor.parse_descriptor(_read(path)[0])
    except OSError:  # who may not read a file often may not read its list either
        descriptor = None
    return _descriptor.closing_commands(path, descriptor, mine, directory=directory)


def sddl(path: str) -> Optional[str]:
    """Owner, group and access list as text. Raises OSError."""
    return _read(path)[1]


def explicit_aces(path: str) -> Optional[str]:
    """The SDDL of an entry whose access list does not only inherit; None for the others. Raises OSError."""
    data, text = _read(path)
    return text if _descriptor.is_its_own(_descriptor.parse_descriptor(data)) else None


def _read(path: str) -> Tuple[bytes, str]:
    """The descriptor's bytes and its text."""
    pointer, text = ctypes.c_void_p(), ctypes.c_void_p()
    parts = _OWNER | _GROUP | _DACL
    code = _win32.function("GetNamedSecurityInfoW")(
        long_path(path), _FILE_OBJECT, parts, None, None, None, None, ctypes.byref(pointer)
    )
    if code:
        raise _win32.error_of(code, path)
    try:
        data = ctypes.string_at(pointer.value or 0, _win32.function("GetSecurityDescriptorLength")(pointer))
        convert = _win32.function("ConvertSecurityDescriptorToStringSecurityDescriptorW")
        _win32.require(convert(pointer, 1, parts, ctypes.byref(text), None), path)
        return data, ctypes.wstring_at(text.value or 0)
    finally:
        _win32.function("LocalFree")(pointer)
        _win32.function("LocalFree")(text)


def identity() -> Identity:
    """Who this process is, by its token."""
    with _open_token() as token:
        sid = _user_of(token)
        groups = _token(token, _TOKEN_GROUPS)
        count = struct.unpack_from("<I", groups)[0]
        denying = [group for group, flags in _sids(groups, count=count, offset=_WORD) if flags & _DENY_ONLY]
        elevated = _number(token, _TOKEN_ELEVATION)
        elevation = _ELEVATIONS.get(_number(token, _TOKEN_ELEVATION_TYPE))
    return Identity(
        name=_name_of(sid) or sid,
        sid=sid,
        uid=None,
        elevated=None if elevated is None else elevated != 0,
        deny_only=tuple(denying),
        elevation=elevation,
    )


def _number(token: _win32.Handle, kind: int) -> Optional[int]:
    """A number that the token tells; None where it does not."""
    try:
        return int(struct.unpack_from("<I", _token(token, kind))[0])
    except OSError:
        return None


def _own_sid() -> str:
    with _open_token() as token:
        return _user_of(token)


def _open_token() -> _win32.Handle:
    token = ctypes.c_void_p()
    _win32.require(
        _win32.function("OpenProcessToken")(_win32.function("GetCurrentProcess")(), _TOKEN_QUERY, ctypes.byref(token))
    )
    return _win32.Handle(token.value or 0)


def _user_of(token: _win32.Handle) -> str:
    return _sids(_token(token, _TOKEN_USER), count=1, offset=0)[0][0]


def _token(token: _win32.Handle, kind: int) -> ctypes.Array[ctypes.c_char]:
    """What the token says. The buffer is returned itself: the pointers in it point into it."""
    size = _win32.DWORD()
    _win32.function("GetTokenInformation")(token.value, kind, None, 0, ctypes.byref(size))
    answer = ctypes.create_string_buffer(size.value)
    _win32.require(_win32.function("GetTokenInformation")(token.value, kind, answer, size, ctypes.byref(size)))
    return answer


def _sids(answer: ctypes.Array[ctypes.c_char], *, count: int, offset: int) -> List[Tuple[str, int]]:
    """An array of SID_AND_ATTRIBUTES: a pointer and flags, padded to two words."""
    found = []
    for index in range(count):
        place = offset + index * 2 * _WORD
        pointer = struct.unpack_from("<Q" if _WORD == 8 else "<I", answer, place)[0]
        flags = struct.unpack_from("<I", answer, place + _WORD)[0]
        found.append((_text_of(pointer), flags))
    return found


def _text_of(pointer: int) -> str:
    return _descriptor.sid_text(ctypes.string_at(pointer, _win32.function("GetLengthSid")(pointer)))


def _described(sid: str) -> str:
    name = _name_of(sid)
    return sid if name is None else f"{name} ({sid})"


def _name_of(sid: str) -> Optional[str]:
    """Domain and account name, in the host's language; None where nobody knows it."""
    pointer = ctypes.c_void_p()
    _win32.require(_win32.function("ConvertStringSidToSidW")(sid, ctypes.byref(pointer)))
    try:
        name, domain = ctypes.create_unicode_buffer(260), ctypes.create_unicode_buffer(260)
        sizes, use = (_win32.DWORD(260), _win32.DWORD(260)), _win32.DWORD()
        known = _win32.function("LookupAccountSidW")(
            None, pointer, name, ctypes.byref(sizes[0]), domain, ctypes.byref(sizes[1]), ctypes.byref(use)
        )
    finally:
        _win32.function("LocalFree")(pointer)
    if not known:
        return None
    return f"{domain.value}\\{name.value}" if domain.value else name.value


def _sid_of(account: str) -> str:
    """The SID of an account name; a SID as it is. Raises LookupError."""
    if account.upper().startswith("S-1-"):
        return account.upper()
    sid, domain = ctypes.create_string_buffer(68), ctypes.create_unicode_buffer(260)
    sizes, use = (_win32.DWORD(68), _win32.DWORD(260)), _win32.DWORD()
    known = _win32.function("LookupAccountNameW")(
        None, account, sid, ctypes.byref(sizes[0]), domain, ctypes.byref(sizes[1]), ctypes.byref(use)
    )
    if not known:
        raise LookupError(f"there is no account {account}")
    return _descriptor.sid_text(sid.raw)
