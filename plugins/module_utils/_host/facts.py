# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has for backups: runtime, account, volumes."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Any, Dict, Sequence

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import ToolMissing
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._host.imports import NotAProgram, missing
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools
from ansible_collections.wst.backup.plugins.module_utils._platform import api

_PROGRAMS = ("pg_dump.exe", "pg_restore.exe", "psql.exe")


def gather(tools_dirs: Sequence[str], paths: Sequence[str]) -> Dict[str, Any]:
    """The result of module ``host_info``.

    :raises ToolMissing: psycopg or a client program is missing or does not start.
    """
    return {
        "changed": False,
        "python": {"version": sys.version.split()[0], "path": sys.executable},
        "psycopg": _psycopg(),
        "tools": {directory: _tools(directory) for directory in tools_dirs},
        "identity": asdict(api.identity()),
        "directories": {path: _directory(path) for path in dict.fromkeys(paths)},
        "time": format_time(utc_now()),
        "boot_id": api.boot_id(),
    }


def _psycopg() -> Dict[str, Any]:
    try:
        import psycopg

        return {"version": psycopg.__version__, "libpq": psycopg.pq.version(), "implementation": psycopg.pq.__impl__}
    except ImportError as error:
        raise ToolMissing(f"psycopg cannot be imported in {sys.executable}: {error}") from error


def _tools(directory: str) -> Dict[str, str]:
    """The versions of the programs there; looks for missing libraries first, because Windows does not name them."""
    try:
        programs = [name for name in _PROGRAMS if os.path.isfile(os.path.join(directory, name))]
        lacking = missing(directory, programs)
    except OSError as error:
        raise translate_oserror(error, directory) from error
    except NotAProgram as error:
        raise ToolMissing(f"a program in {directory} is damaged: {error}", tools_dir=directory) from error
    # A library that is elsewhere on this host is fine here, but the next host may not have it: tell, do not refuse.
    return {**find_tools(directory).versions(), "libraries_not_beside_them": ", ".join(lacking)}


def _directory(path: str) -> Dict[str, Any]:
    try:
        if not os.path.isdir(api.long_path(path)):
            return {"there": False}
        return {"there": True, "volume": asdict(api.volume(path)), "open_to": api.access_problems(path)}
    except OSError as error:
        return {"there": True, "error": translate_oserror(error, path).message}
