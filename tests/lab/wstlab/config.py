# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps things, and what the environment says about it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGE = Path(__file__).resolve().parent


class LabError(Exception):
    """Something the person at the keyboard has to know; shown without a traceback."""


@dataclass(frozen=True)
class HostPaths:
    """The directories of one stand-in host, in the control node's own syntax."""

    name: str
    base: Path

    @property
    def drive_c(self) -> Path:
        """What the host calls C:."""
        return self.base / "drive_c"

    @property
    def drive_d(self) -> Path:
        """What the host calls D:."""
        return self.base / "drive_d"

    @property
    def prefix(self) -> Path:
        """The wine prefix: registry and drive links."""
        return self.base / "prefix"

    @property
    def run(self) -> Path:
        """PID files, logs and the listener's configuration."""
        return self.base / "run"


@dataclass(frozen=True)
class LabPaths:
    """The lab's state directory and the cache that all labs share."""

    state: Path
    cache: Path

    @property
    def record(self) -> Path:
        """What ``up`` writes and everybody else reads."""
        return self.state / "lab.json"

    @property
    def pki(self) -> Path:
        """The lab's own certificate authority."""
        return self.state / "pki"

    @property
    def secrets(self) -> Path:
        """Generated passwords, one file each."""
        return self.state / "secrets"

    @property
    def run(self) -> Path:
        """PID files and logs of what all hosts share."""
        return self.state / "run"

    @property
    def downloads(self) -> Path:
        """Packages as pip leaves them."""
        return self.cache / "downloads"

    @property
    def templates(self) -> Path:
        """Unpacked packages and the wine prefix that new labs are copied from."""
        return self.cache / "lab-templates"

    def host(self, number: int) -> HostPaths:
        """Host 1 lives in the state directory itself, further ones below ``hosts/``."""
        name = host_name(number)
        return HostPaths(name=name, base=self.state if number == 1 else self.state / "hosts" / name)


def host_name(number: int) -> str:
    """The inventory name of the host with this number, counted from 1."""
    return f"wst-lab-{number}"


def lab_paths() -> LabPaths:
    """Paths from ``WST_LAB_DIR`` (default ``.lab`` in the repository) and the repository's ``.cache``."""
    state = Path(os.environ.get("WST_LAB_DIR") or REPOSITORY / ".lab").absolute()
    return LabPaths(state=state, cache=REPOSITORY / ".cache")


def wanted_lane() -> str:
    """``wine`` or ``posix``, from ``WST_LAB_LANE``; without it, wine where its programs are."""
    lane = os.environ.get("WST_LAB_LANE") or "auto"
    if lane not in ("auto", "wine", "posix"):
        raise LabError(f"WST_LAB_LANE is {lane!r}; it takes wine, posix or auto")
    return lane


def powershell_engine() -> Path | None:
    """The real PowerShell named by ``WST_LAB_POWERSHELL``, or None for the lab's own interpreter."""
    value = os.environ.get("WST_LAB_POWERSHELL")
    if not value:
        return None
    engine = Path(value).absolute()
    if not engine.is_file():
        raise LabError(f"WST_LAB_POWERSHELL names {value!r}, which is not a file")
    return engine


def have_wine() -> bool:
    """Whether both the loader and its server are on the path."""
    return bool(shutil.which("wine") and shutil.which("wineserver"))
