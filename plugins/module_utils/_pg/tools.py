# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's client programs on the host: where they are, and whether they suit the server."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Dict, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _process
from ansible_collections.wst.backup.plugins.module_utils._errors import DbVersionMismatch, ToolFailed, ToolMissing
from ansible_collections.wst.backup.plugins.module_utils._platform.api import long_path

_VERSION = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")
START_TIMEOUT = 60.0  # seconds; an antivirus may look at a fresh program for a while


@dataclass(frozen=True)
class Tool:
    """A program with its version, as ``17.10`` and 17."""

    path: str
    version: str
    major: int


@dataclass(frozen=True)
class Tools:
    """The programs of one tools directory."""

    pg_dump: Tool
    pg_restore: Tool

    def versions(self) -> Dict[str, str]:
        """By name, for records."""
        return {"pg_dump": self.pg_dump.version, "pg_restore": self.pg_restore.version}


def find_tools(directory: str) -> Tools:
    """Start both programs once; raises ``ToolMissing`` or, for two that are no pair, ``DbVersionMismatch``."""
    tools = Tools(pg_dump=find_tool(directory, "pg_dump"), pg_restore=find_tool(directory, "pg_restore"))
    if tools.pg_restore.major < tools.pg_dump.major:
        raise DbVersionMismatch(
            f"pg_restore {tools.pg_restore.version} cannot read what pg_dump {tools.pg_dump.version} writes",
            tools=tools.versions(),
            tools_dir=directory,
        )
    return tools


def find_tool(directory: str, name: str) -> Tool:
    """One program by name, started once to learn its version; raises ``ToolMissing``."""
    path = _path_of(directory, name)
    try:
        version = _ask_version(path)
    except ToolFailed as error:
        raise ToolMissing(f"{path} does not start: {error.message}", path=path) from error
    return version


def find_optional_tool(directory: str, name: str) -> Optional[Tool]:
    """The same; None where the directory has no such program. Raises ``ToolMissing`` for one that does not start."""
    return None if _look_for(directory, name) is None else find_tool(directory, name)


def _path_of(directory: str, name: str) -> str:
    path = _look_for(directory, name)
    if path is None:
        raise ToolMissing(f"there is no {name} in {directory}", tools_dir=directory, program=name)
    return path


def _look_for(directory: str, name: str) -> Optional[str]:
    """The program's file: the same name on every system, with Windows' suffix where that is the file's."""
    for candidate in (name + ".exe", name):
        path = os.path.join(directory, candidate)
        if os.path.isfile(long_path(path)):
            return path
    return None


def _ask_version(path: str) -> Tool:
    output: List[bytes] = []
    result = _process.run_tool([path, "--version"], consume=output.append, timeout=START_TIMEOUT)
    match = _VERSION.search(b"".join(output).decode("utf-8", "backslashreplace"))
    if result.exit_code != 0 or match is None:
        raise ToolMissing(
            f"{path} does not tell its version (exit code {result.exit_code}): {_process.last_line(result.stderr)}",
            path=path,
            exit_code=result.exit_code,
        )
    return Tool(path=path, version=match[1], major=int(match[2]))


def check_versions(server_version_num: int, tools: Tools) -> None:
    """Raises ``DbVersionMismatch`` where pg_dump is older than the server, which it would refuse in the middle."""
    server_major = server_version_num // 10000
    if tools.pg_dump.major < server_major:
        raise DbVersionMismatch(
            f"pg_dump {tools.pg_dump.version} is older than the server's PostgreSQL {server_major}",
            server_version_num=server_version_num,
            tools=tools.versions(),
        )
