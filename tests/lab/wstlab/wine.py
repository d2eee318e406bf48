# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wine prefix of the lab's own: its drives, its server, its programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .config import HostPaths, LabError, LabPaths
from .packages import unpack_once

# The serial that GetVolumeInformationW tells, from a file that wine reads in a drive's root.
SERIALS = {"drive_c": "C0FFEE01", "drive_d": "D15C0002"}
START_TIMEOUT = 120


@dataclass(frozen=True)
class Wine:
    """One prefix and how to call into it."""

    prefix: Path

    def environment(self) -> dict[str, str]:
        """All that a wine process inherits from this side: no variable of the person who runs the lab.

        No debugger: it would hold a crashed program for minutes. No desktop, as in the session of a real host's WinRM:
        wine starts one for the first program that asks for a window, and it keeps that program's streams open for good.
        mscoree stays, every .NET assembly imports it.
        """
        return {
            "WINEPREFIX": str(self.prefix),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "LC_ALL": "C.UTF-8",
            "WINEDLLOVERRIDES": "mshtml,winemenubuilder.exe,winedbg.exe,explorer.exe=",
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
        }

    def argv(self, *arguments: str) -> list[str]:
        """The command line that runs a Windows program."""
        return [shutil.which("wine") or "wine", *arguments]

    def run(self, *arguments: str, data: bytes = b"", timeout: float = START_TIMEOUT) -> bytes:
        """Run a Windows program to its end; its output. Python under wine takes pipes for its streams, no files."""
        result = subprocess.run(
            self.argv(*arguments), input=data, capture_output=True, env=self.environment(), timeout=timeout, check=False
        )
        if result.returncode:
            text = (result.stderr or result.stdout).decode("utf-8", "backslashreplace").strip()
            raise LabError(f"{arguments[0]} ended with code {result.returncode} under wine: {text}")
        return result.stdout

    def server(self, *arguments: str, check: bool = True) -> None:
        """Call ``wineserver`` for this prefix."""
        subprocess.run(
            [shutil.which("wineserver") or "wineserver", *arguments],
            env=self.environment(),
            check=check,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=START_TIMEOUT,
        )

    def start(self) -> None:
        """Keep the prefix's server running between commands: a start then takes 0.1 s, not 2.5 s.

        The first program of a session also starts wine's own services, which keep its streams for good. It must
        therefore be one whose streams nobody reads to their end.
        """
        self.server("-p", check=False)  # code 2: it runs already
        subprocess.run(
            self.argv("cmd", "/c", "exit 0"),
            env=self.environment(),
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=START_TIMEOUT,
        )

    def stop(self) -> None:
        """End every process of this prefix, including those that broke away from their job."""
        if self.prefix.is_dir() and shutil.which("wineserver"):
            self.server("-k", check=False)
            self.server("-w", check=False)


def windows_path(path: Path) -> str:
    """A path of this machine as Windows programs see it, through drive Z:."""
    return "Z:" + str(path.absolute()).replace("/", "\\")


def _template(paths: LabPaths) -> Path:
    def build(target: Path) -> None:
        wine = Wine(target)
        target.rmdir()
        # Without mscoree wineboot does not offer to fetch a .NET Framework.
        environment = {**wine.environment(), "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe="}
        subprocess.run(
            wine.argv("wineboot", "--init"),
            env=environment,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=300,
        )
        _drive_types(wine)
        wine.server("-w")
        _forget_home(target)

    return unpack_once(paths.templates / "wine-prefix-1", build)


def _drive_types(wine: Wine) -> None:
    """Fixed disks, or GetDriveTypeW guesses from the file system that the link leads to."""
    for drive in ("c:", "d:"):
        wine.run("reg", "add", r"HKLM\Software\Wine\Drives", "/v", drive, "/t", "REG_SZ", "/d", "hd", "/f")


def _forget_home(prefix: Path) -> None:
    """Wine links the user's folders to the home directory of whoever made the prefix; a host has folders."""
    for link in (prefix / "drive_c" / "users").rglob("*"):
        if link.is_symlink():
            link.unlink()
            link.mkdir()


def make_prefix(paths: LabPaths, host: HostPaths) -> Wine:
    """The host's prefix and drives, from the template: registry files copied, Windows' own files linked."""
    wine = Wine(host.prefix)
    if (host.prefix / "dosdevices").is_dir() and (host.drive_c / "windows").is_dir():
        return wine
    template = _template(paths)
    host.base.mkdir(parents=True, exist_ok=True)
    host.drive_d.mkdir(exist_ok=True)
    _link_tree(template / "drive_c", host.drive_c)
    host.prefix.mkdir(exist_ok=True)
    for name in ("system.reg", "user.reg", "userdef.reg", ".update-timestamp"):
        shutil.copy2(template / name, host.prefix / name)
    for drive, serial in SERIALS.items():
        (host.base / drive / ".windows-serial").write_text(serial + "\n", encoding="ascii")
        (host.base / drive / ".windows-label").write_text({"drive_c": "System", "drive_d": "Backup"}[drive] + "\n")
    devices = host.prefix / "dosdevices"
    devices.mkdir()
    for letter, target in (("c:", "../../drive_c"), ("d:", "../../drive_d"), ("z:", "/")):
        (devices / letter).symlink_to(target)
    return wine


def _link_tree(source: Path, target: Path) -> None:
    """Copy a tree, Windows' own 700 MB as hard links where the file system allows it."""

    def link_or_copy(src: str, dst: str) -> str:
        try:
            os.link(src, dst)
        except OSError:
            shutil.copy2(src, dst)
        return dst

    shutil.copytree(source, target, symlinks=True, copy_function=link_or_copy, dirs_exist_ok=True)
