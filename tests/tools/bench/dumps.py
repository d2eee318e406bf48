# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_dump's compressors: the time and size of the dump, and the time that the full decoding of each takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench.corpus import pg_dump
from tools.bench.group import Group, ours
from tools.bench.measure import Command, measured

COMPRESSORS = ("gzip:6", "gzip:1", "gzip:3", "gzip:9", "lz4", "zstd:1", "zstd:3", "none")
DEFAULT = COMPRESSORS[0]


class Dumps:
    """The groups over one server."""

    def __init__(self, server: Any, work: Path) -> None:
        self._server = server
        self._work = work

    def groups(self) -> list[tuple[str, Callable[[], Group]]]:
        """Each made when its turn comes."""
        return [("dump", self.dump), ("decode", self.decode)]

    def dump(self) -> Group:
        """Of one table, by one process, as a backup does it."""
        commands = [self._command(name) for name in COMPRESSORS]
        return Group("dump", "pg_dump, by compressor", commands[0].name, 0, commands, rounds=3)

    def decode(self) -> Group:
        """Level 3: pg_restore decodes, every row is counted and fingerprinted."""
        commands = []
        for name in COMPRESSORS:
            path = self._path(name)
            if not path.exists():
                measured(self._command(name))
            argv = ours("decode", "--source", str(path), "--tools", str(self._server.bin))
            commands.append(Command(name, [argv]))
        return Group("decode", "Verification of the dump, by compressor", commands[0].name, 0, commands, rounds=3)

    def _path(self, name: str) -> Path:
        return self._work / f"{name.replace(':', '-')}.dump"

    def _command(self, name: str) -> Command:
        path = self._path(name)
        argv = pg_dump(self._server, path, f"--compress={name}")
        return Command(name, [argv], makes=path, extra=self._server.environment())
