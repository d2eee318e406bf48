# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service on the Windows stand-in that uses production: what it saw there is in a log of its own."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from integration.world import World

from wstlab.wine import Wine

NAME = "wst-worker"
PROGRAM = Path(__file__).parent / "files" / "worker_service.py"


@dataclass(frozen=True)
class Worker:
    """The service. It serves a file of production, and cannot start while there is a file ``broken``."""

    wine: Wine
    python: str
    place: Path
    served: Path

    @property
    def broken(self) -> Path:
        """Keeps it from starting where it exists."""
        return self.place / "broken"

    def log(self) -> list[str]:
        """What it saw, when it started and when it was stopped."""
        return (self.place / "log").read_text().splitlines()

    def runs(self) -> bool:
        """Whether it does, by the service control manager."""
        return b"RUNNING" in self.wine.run("sc", "query", NAME)


@contextlib.contextmanager
def serving(world: World, served: Path) -> Iterator[Worker]:
    """The service, as long as the block: it is installed and runs.

    :param served: the file that it serves, on C:.
    """
    place = world.drive_c / "worker"
    place.mkdir()
    shutil.copyfile(PROGRAM, place / PROGRAM.name)
    python = world.host["paths"]["python"]
    worker = Worker(Wine(Path(world.host["wine_prefix"])), python, place, served)
    on_c = "C:\\" + str(served.relative_to(world.drive_c)).replace("/", "\\")
    command = f"{python} C:\\worker\\{PROGRAM.name} C:\\worker\\log {on_c} C:\\worker\\broken"
    worker.wine.run("sc", "create", NAME, "binPath=", command)
    try:
        worker.wine.run("sc", "start", NAME)
        yield worker
    finally:
        worker.broken.unlink(missing_ok=True)
        with contextlib.suppress(Exception):
            worker.wine.run("sc", "stop", NAME)
        worker.wine.run("sc", "delete", NAME)
        shutil.rmtree(place)
