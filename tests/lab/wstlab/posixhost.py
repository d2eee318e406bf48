# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One stand-in host of the POSIX lane: the same places, no Windows, Ansible's ``local`` connection."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import drives
from .config import HostPaths, LabPaths
from .postgres import linux_programs


def up(paths: LabPaths, host: HostPaths, *, keys: Mapping[str, str], bare: bool) -> dict[str, Any]:
    """Bring one host up; its entry for the lab's record."""
    layout = drives.posix_layout(host, sys.executable)
    for directory in (host.drive_c, host.drive_d):
        directory.mkdir(parents=True, exist_ok=True)
    drives.place_ca(host, layout, paths.pki / "ca.pem")
    if not bare:
        for directory in (layout.root, f"{layout.root}/scratch", layout.local_dir):  # what role runtime makes
            Path(directory).mkdir(parents=True, exist_ok=True, mode=0o700)
        _tools(paths, host, layout)
        drives.place_keys(host, layout, keys)
    return {
        "name": host.name,
        "connection": "local",
        "address": "localhost",
        "drive_c": str(host.drive_c),
        "drive_d": str(host.drive_d),
        "paths": layout.as_dict(),
        "bare": bare,
    }


def _tools(paths: LabPaths, host: HostPaths, layout: drives.Layout) -> None:
    """The Linux programs; as links, since they find their libraries beside where they really are."""
    for major, target in ((17, layout.tools_dir), (18, layout.tools_dir_18)):
        link = Path(target).parent
        link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not link.is_symlink():
            link.symlink_to(linux_programs(paths, major))
