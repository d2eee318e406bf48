# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of Windows' own "compressed folders", which runs nowhere but there: what it is known to stumble over.

Read with zipfile and by hand, so that the reader under test has no part in it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.proof.zipbytes import DEFLATED, DESCRIPTOR, LOCAL, STORED, UTF8, unpack

NEWEST = 45  # version of the format, tenfold: zip64, which it reads since Windows Vista
DIRECTORY = 0x10
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])( *\.|$)", re.IGNORECASE)


def problems(path: Path) -> Iterator[str]:
    """Every rule that a member breaks."""
    seen: set[str] = set()
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for info in archive.infolist():
            file.seek(info.header_offset)
            local = unpack(LOCAL, file.read(30), 0)
            for problem in (*_packing(info, local["flags"]), *_naming(info), *_marking(info)):
                yield f"{info.filename}: {problem}"
            name = "".join(_upper(character) for character in info.filename)
            if name in seen:
                yield f"{info.filename}: is there twice"
            seen.add(name)


def _upper(character: str) -> str:
    return character.upper() if len(character.upper()) == 1 else character


def _packing(info: zipfile.ZipInfo, local_flags: int) -> Iterator[str]:
    if info.compress_type not in (STORED, DEFLATED):
        yield f"method {info.compress_type}"
    if info.flag_bits & ~(DESCRIPTOR | UTF8) or local_flags != info.flag_bits:
        yield f"flags {info.flag_bits:#x}, {local_flags:#x} in the local header"
    if info.flag_bits & DESCRIPTOR and info.compress_type == STORED:
        yield "stored, and its size only behind it"
    if info.extract_version > NEWEST:
        yield f"version {info.extract_version}"
    if info.volume:
        yield "on another disk"


def _naming(info: zipfile.ZipInfo) -> Iterator[str]:
    name = info.orig_filename
    if not info.flag_bits & UTF8 and not name.isascii():
        yield "a name in no known code page"
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        yield "not a relative path"
    for component in name.removesuffix("/").split("/"):
        if component in ("", ".", "..") or re.search(r'[\x00-\x1f<>:"|?*\\]', component) or component[-1] in ". ":
            yield f"the name {component!r}"
        if DEVICES.match(component):
            yield f"the device {component!r}"
        if len(component.encode("utf-16-le")) > 510:
            yield "a name of more than 255 characters"


def _marking(info: zipfile.ZipInfo) -> Iterator[str]:
    if bool(info.external_attr & DIRECTORY) != info.is_dir():
        yield "marked as what it is not"
    if info.is_dir() and info.file_size:
        yield "a directory with content"
    year, month, day, hour, minute, second = info.date_time
    if not (1980 <= year <= 2107 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        yield f"the time {info.date_time}"
