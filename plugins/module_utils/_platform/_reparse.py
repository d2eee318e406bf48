# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows says about links and other special files, read from its bytes. Runs anywhere.

A reparse point is a link only if its tag is a name surrogate: deduplicated, compressed (WOF) and single-instance files
have tags too and are files, which backup programs have skipped as links (duplicati issue 1811).
Layout: [MS-FSCC] 2.1.2, REPARSE_DATA_BUFFER.
"""

from __future__ import annotations

import struct
from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._platform._types import (
    DIRECTORY,
    FILE,
    LINK,
    PLACEHOLDER,
    SPECIAL,
)

ATTRIBUTE_DIRECTORY = 0x10
ATTRIBUTE_DEVICE = 0x40
ATTRIBUTE_REPARSE_POINT = 0x400
ATTRIBUTE_COMPRESSED = 0x800
ATTRIBUTE_OFFLINE = 0x1000
ATTRIBUTE_RECALL_ON_OPEN = 0x40000
ATTRIBUTE_RECALL_ON_DATA_ACCESS = 0x400000

NAME_SURROGATE = 0x20000000
TAG_MOUNT_POINT = 0xA0000003  # junctions too
TAG_SYMLINK = 0xA000000C
TAG_LX_SYMLINK = 0xA000001D
_SPECIAL_TAGS = (0x80000023, 0x80000024, 0x80000025, 0x80000026)  # unix socket; WSL pipe, character and block device

_UNIX_EPOCH = 116_444_736_000_000_000  # 1970 in 100 ns since 1601

_NOT_HERE = ATTRIBUTE_OFFLINE | ATTRIBUTE_RECALL_ON_OPEN | ATTRIBUTE_RECALL_ON_DATA_ACCESS


def is_link(attributes: int, tag: int) -> bool:
    """Whether the name stands for another one."""
    return bool(attributes & ATTRIBUTE_REPARSE_POINT and tag & NAME_SURROGATE)


def classify(attributes: int, tag: int) -> str:
    """The kind of a directory entry, from its attributes and reparse tag."""
    if is_link(attributes, tag):
        return LINK
    if attributes & _NOT_HERE:
        return PLACEHOLDER
    if attributes & ATTRIBUTE_DEVICE or (attributes & ATTRIBUTE_REPARSE_POINT and tag in _SPECIAL_TAGS):
        return SPECIAL
    return DIRECTORY if attributes & ATTRIBUTE_DIRECTORY else FILE


def link_target(data: bytes) -> Optional[str]:
    """The target in a reparse buffer, as a person wrote it where that was kept; None for what is no link we know.

    Raises ValueError for a buffer that contradicts itself.
    """
    if len(data) < 8:
        raise ValueError(f"a reparse buffer of {len(data)} bytes")
    tag, length = struct.unpack_from("<IH", data)
    body = data[8 : 8 + length]
    if len(body) < length:
        raise ValueError("a reparse buffer that ends too early")
    if tag == TAG_LX_SYMLINK:
        return body[4:].decode("utf-8", errors="surrogateescape")
    if tag == TAG_MOUNT_POINT:
        return _names(body, header=8)
    return _names(body, header=12) if tag == TAG_SYMLINK else None


def _names(body: bytes, header: int) -> str:
    """The print name, else the substitute name without its NT prefix."""
    if len(body) < header:
        raise ValueError("a link without names")
    substitute_at, substitute_length, print_at, print_length = struct.unpack_from("<HHHH", body)
    shown = _text(body, header + print_at, print_length)
    return shown or _plain(_text(body, header + substitute_at, substitute_length))


def _text(body: bytes, begin: int, length: int) -> str:
    if begin + length > len(body) or length % 2:
        raise ValueError("a link whose name lies outside of its buffer")
    return body[begin : begin + length].decode("utf-16-le", errors="surrogatepass")


def _plain(name: str) -> str:
    if name.startswith("\\??\\UNC\\"):
        return "\\\\" + name[8:]
    return name[4:] if name.startswith("\\??\\") and not name.startswith("\\??\\Volume{") else name


def is_drive_path(target: str) -> bool:
    """Whether it is a whole path on a drive, as a junction needs it."""
    return len(target) > 3 and target[0].isascii() and target[0].isalpha() and target[1:3] in (":\\", ":/")


def junction(target: str) -> bytes:
    """The reparse buffer of a junction to a directory by its whole path; ``link_target`` reads it back."""
    shown = target.replace("/", "\\").encode("utf-16-le", "surrogatepass")
    substitute = "\\??\\".encode("utf-16-le") + shown
    names = substitute + b"\0\0" + shown + b"\0\0"
    body = struct.pack("<HHHH", 0, len(substitute), len(substitute) + 2, len(shown)) + names
    return struct.pack("<IHH", TAG_MOUNT_POINT, len(body), 0) + body


def filetime(mtime_ns: int) -> Optional[int]:
    """The moment in Windows' count, 100 ns since 1601 UTC; None where that cannot hold it."""
    ticks = mtime_ns // 100 + _UNIX_EPOCH
    return ticks if 0 < ticks < 1 << 63 else None
