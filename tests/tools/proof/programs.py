# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other programs make of an archive that we let pass: the same names and the same bytes, or we were wrong."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader

Contents = dict[str, bytes]
OF_ANOTHER_VERSION = 81  # unzip 6 knows version 4.6 of the format
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def as_we_read_it(path: Path) -> Contents:
    """Names (a directory's ends in a slash) and bytes."""
    with path.open("rb") as file:
        reader = ZipReader(file, size=path.stat().st_size)
        return {e.path + "/" * e.is_directory: b"".join(reader.content(e)) for e in reader.entries()}


def is_plain(path: Path) -> bool:
    """Whether all names are told by a flag or are ASCII: others are read by each program in its own way."""
    with path.open("rb") as file:
        reader = ZipReader(file, size=path.stat().st_size)
        return not any(e.is_renamed or (not e.flags & 0x800 and not e.raw_name.isascii()) for e in reader.entries())


def differences(path: Path, *, programs: bool = True) -> Iterator[str]:
    """How zipfile, and with ``programs`` those that are installed, see another archive than we do."""
    ours = as_we_read_it(path)
    plain = is_plain(path)
    with zipfile.ZipFile(path) as archive:
        bad = archive.testzip()
        if bad is not None:
            yield f"zipfile: {bad} is damaged"
        theirs = {info.filename: archive.read(info) for info in archive.infolist()}
        if plain and theirs != ours:
            yield f"zipfile: {sorted(theirs)} instead of {sorted(ours)}"
    if programs and ours:
        yield from _unzip(path)
        yield from _7z(path)
        yield from _bsdtar(path, ours if plain else None)


def installed() -> list[str]:
    """Which of the programs are here."""
    return [name for name in ("unzip", "7z", "bsdtar") if shutil.which(name)]


def _run(*argv: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, capture_output=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL, check=False, timeout=60)


def _unzip(path: Path) -> Iterator[str]:
    if shutil.which("unzip"):
        done = _run("unzip", "-tqq", str(path))
        if done.returncode not in (0, OF_ANOTHER_VERSION):
            yield f"unzip: {done.returncode} {(done.stdout + done.stderr)[-300:]!r}"


def _7z(path: Path) -> Iterator[str]:
    if shutil.which("7z"):
        done = _run("7z", "t", "-bd", "-tzip", "-p", str(path))
        if done.returncode:  # it warns of times that no calendar has, and reads on
            yield f"7z: {done.returncode} {(done.stdout + done.stderr)[-300:]!r}"


def _bsdtar(path: Path, ours: Contents | None) -> Iterator[str]:
    if not shutil.which("bsdtar"):
        return
    done = _run("bsdtar", "-c", "--format", "pax", "-f", "-", f"@{path}")
    if done.returncode:
        yield f"bsdtar: {done.returncode} {done.stderr[-300:]!r}"
    elif ours is not None:
        theirs = dict(_members(done.stdout))
        if theirs != {unicodedata.normalize("NFC", name): data for name, data in ours.items()}:  # as bsdtar does
            yield f"bsdtar: {sorted(theirs)} instead of {sorted(ours)}"


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            yield member.name + "/" * member.isdir(), file.read() if file else b""
