# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which libraries a Windows program needs and does not have.

A program whose library is missing ends with 0xC0000135 and says nothing, so we look before we start it. Windows
searches the program's own directory first; what is not there must be part of Windows itself.

Format: https://learn.microsoft.com/windows/win32/debug/pe-format
"""

from __future__ import annotations

import os
import struct
from typing import Dict, Iterable, List, Tuple

_IMPORTS, _DELAYED = 1, 13  # indices of the data directories
_LIMIT = 4096  # imports of one program; more is damage

# What every Windows Server from 2016 on has in System32. The VC runtime (vcruntime140, msvcp140 ...) is not part of it.
_SHIPPED_NAMES = """
advapi32 bcrypt bcryptprimitives cabinet cfgmgr32 combase comctl32 comdlg32 credui crypt32 cryptbase cryptui
dbghelp dnsapi dwmapi gdi32 gdiplus hid imm32 iphlpapi kernel32 kernelbase mpr msimg32 msvcrt mswsock ncrypt
netapi32 normaliz ntdll ole32 oleacc oleaut32 pdh powrprof propsys psapi rpcrt4 sechost secur32 setupapi
shcore shell32 shlwapi sspicli ucrtbase urlmon user32 userenv uxtheme version wevtapi wininet winhttp winmm
wintrust wldap32 ws2_32 wsock32 wtsapi32
"""
_SHIPPED = frozenset(_SHIPPED_NAMES.split())


class NotAProgram(ValueError):
    """The file is no program for Windows, or a damaged one."""


def is_shipped(name: str) -> bool:
    """Whether Windows itself has the library."""
    stem, extension = os.path.splitext(name.lower())
    if extension == ".drv":
        return stem == "winspool"
    return stem in _SHIPPED or stem.startswith(("api-ms-win-", "ext-ms-"))


def imports(data: bytes) -> List[str]:
    """The names of the libraries that the program loads, at its start or later, in its own spelling.

    :raises NotAProgram: the bytes are no PE file.
    """
    try:
        sections, directories, base = _headers(data)
        names = _names(data, sections, directories.get(_IMPORTS, 0), step=20, name_at=12, base=0)
        return names + _names(data, sections, directories.get(_DELAYED, 0), step=32, name_at=4, base=base)
    except (struct.error, IndexError, ValueError) as error:
        if isinstance(error, NotAProgram):
            raise
        raise NotAProgram("a damaged program file") from error


def missing(directory: str, programs: Iterable[str]) -> Dict[str, List[str]]:
    """The libraries that these programs need, directly or through another library there, and cannot find.

    :param directory: where the programs are; libraries are looked for beside them.
    :returns: missing library: the files that need it. Empty when all is well.
    :raises OSError: a program cannot be read.
    :raises NotAProgram: it is none.
    """
    beside = {name.lower(): name for name in os.listdir(directory)}
    found: Dict[str, List[str]] = {}
    waiting = list(programs)
    seen = {name.lower() for name in waiting}
    while waiting:
        program = waiting.pop()
        with open(os.path.join(directory, program), "rb") as file:
            needed = imports(file.read())
        for name in needed:
            library = name.lower()
            if library in beside:
                if library not in seen:
                    seen.add(library)
                    waiting.append(beside[library])
            elif not is_shipped(library):
                found.setdefault(library, []).append(program)
    return {library: sorted(set(users)) for library, users in sorted(found.items())}


_Section = Tuple[int, int, int]  # virtual address, size in memory, place in the file


def _headers(data: bytes) -> Tuple[List[_Section], Dict[int, int], int]:
    """Sections, addresses of the data directories, image base (for the old form of delayed imports)."""
    if data[:2] != b"MZ":
        raise NotAProgram("no program for Windows")
    (start,) = struct.unpack_from("<I", data, 0x3C)
    if data[start : start + 4] != b"PE\0\0":
        raise NotAProgram("no program for Windows")
    count, optional_size = struct.unpack_from("<2xH12xH", data, start + 4)
    optional = start + 24
    (magic,) = struct.unpack_from("<H", data, optional)
    if magic not in (0x10B, 0x20B):  # 32 and 64 bits
        raise NotAProgram("no program for Windows")
    wide = magic == 0x20B
    (base,) = struct.unpack_from("<Q" if wide else "<I", data, optional + (24 if wide else 28))
    table = optional + (112 if wide else 96)
    (entries,) = struct.unpack_from("<I", data, table - 4)
    directories = {
        index: struct.unpack_from("<I", data, table + 8 * index)[0] for index in (_IMPORTS, _DELAYED) if index < entries
    }
    sections = []
    for index in range(count):
        size, address, _raw_size, place = struct.unpack_from("<8xIIII", data, optional + optional_size + 40 * index)
        sections.append((address, size, place))
    return sections, directories, base


def _names(data: bytes, sections: List[_Section], address: int, *, step: int, name_at: int, base: int) -> List[str]:
    """The names in a table of descriptors of ``step`` bytes, which ends with an empty one."""
    names: List[str] = []
    if not address:
        return names
    place = _place(sections, address)
    for _entry in range(_LIMIT):
        (name,) = struct.unpack_from("<I", data, place + name_at)
        if not name:
            return names
        (attributes,) = struct.unpack_from("<I", data, place)
        if base and not attributes & 1:  # a delayed import of the old form holds addresses, not offsets
            name -= base
        begin = _place(sections, name)
        names.append(data[begin : data.index(b"\0", begin)].decode("ascii"))
        place += step
    raise NotAProgram("a damaged import table")


def _place(sections: List[_Section], address: int) -> int:
    """Where in the file a virtual address is."""
    for start, size, place in sections:
        if start <= address < start + size:
            return address - start + place
    raise NotAProgram("an address outside of the program")
