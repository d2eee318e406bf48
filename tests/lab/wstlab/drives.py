# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a host's drives before anybody backs anything up."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .config import HostPaths

# drive letter -> the directory of HostPaths.base that holds it
DRIVES = {"C": "drive_c", "D": "drive_d"}


@dataclass(frozen=True)
class Layout:
    """The host's own paths, in the host's own syntax."""

    root: str
    python: str
    tools_dir: str
    tools_dir_18: str
    key_file: str
    restore_key_file: str
    ca_file: str
    local_dir: str
    mirror_dir: str
    web: str
    api: str

    def as_dict(self) -> dict[str, str]:
        """For the lab's record."""
        return asdict(self)


def windows_layout() -> Layout:
    """The paths of a Windows host."""
    root = r"C:\wst-control"
    return Layout(
        root=root,
        python=root + r"\runtime\python\python.exe",
        tools_dir=root + r"\runtime\pg17\bin",
        tools_dir_18=root + r"\runtime\pg18\bin",
        key_file=root + r"\db.key",
        restore_key_file=root + r"\restore.key",
        ca_file=r"C:\wst-lab\ca.pem",
        local_dir=r"C:\wst-backups",
        mirror_dir=r"D:\wst-backups",
        web=r"C:\wst\wst",
        api=r"C:\wst\wst-api",
    )


def posix_layout(host: HostPaths, python: str) -> Layout:
    """The same places below the lab's directory, for the lane without wine."""
    c, d = host.drive_c, host.drive_d
    root = c / "wst-control"
    return Layout(
        root=str(root),
        python=python,
        tools_dir=str(root / "runtime/pg17/bin"),
        tools_dir_18=str(root / "runtime/pg18/bin"),
        key_file=str(root / "db.key"),
        restore_key_file=str(root / "restore.key"),
        ca_file=str(c / "wst-lab/ca.pem"),
        local_dir=str(c / "wst-backups"),
        mirror_dir=str(d / "wst-backups"),
        web=str(c / "wst/wst"),
        api=str(c / "wst/wst-api"),
    )


def on_this_machine(host: HostPaths, path: str) -> Path:
    """Where a host's path is found here."""
    if path[1:3] == ":\\":
        return host.base / DRIVES[path[0].upper()] / path[3:].replace("\\", "/")
    return Path(path)


def place_ca(host: HostPaths, layout: Layout, ca: Path) -> None:
    """The lab's certificate authority, where the host's programs can read it."""
    target = on_this_machine(host, layout.ca_file)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ca, target)


def place_keys(host: HostPaths, layout: Layout, keys: Mapping[str, str]) -> bool:
    """The key files as an operator writes them: printable ASCII, one line. False when the first stood there already.

    :param keys: passwords by the names of the layout's files.
    """
    fresh = not on_this_machine(host, layout.key_file).is_file()
    for name, password in keys.items():
        target = on_this_machine(host, getattr(layout, name))
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.parent.chmod(0o700)
            target.touch(mode=0o600)
            target.write_text(password, encoding="ascii")
    return fresh


def place_runtime(host: HostPaths, layout: Layout, template: Path) -> None:
    """Copy the runtime that role ``runtime`` would install; a copy, as tests may change its rights."""
    runtime = on_this_machine(host, layout.root) / "runtime"
    for source in sorted(template.iterdir()):
        if not (runtime / source.name).exists():
            partial = runtime / (source.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(source, partial, symlinks=True)
            partial.rename(runtime / source.name)
