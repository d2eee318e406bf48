# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab in the hands of a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import control
from .client import Client
from .config import LabPaths


@dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    paths: LabPaths
    record: dict[str, Any]

    def client(self, *, host: int = 1, **options: Any) -> Client:
        """A WinRM client of one host."""
        return Client(self.record, self.record["hosts"][host - 1], **options)

    def fault(self, **switches: object) -> None:
        """Switch faults on at host 1."""
        control.ask(self.paths.host(1), "set", **switches)

    def clear(self) -> None:
        """Switch all faults off."""
        control.ask(self.paths.host(1), "clear")


def processes_of(paths: LabPaths) -> list[str]:
    """Command lines of processes that work for this lab, by what they were started with."""
    found = []
    marker = str(paths.state).encode()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
                state = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            except OSError:
                continue
            if marker in told and state != "Z":
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return found
