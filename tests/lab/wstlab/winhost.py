# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One stand-in host of the wine lane: prefix, runtime, key, listener."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import control, drives, processes
from .config import PACKAGE, HostPaths, LabError, LabPaths, have_wine
from .windows_runtime import windows_runtime
from .wine import Wine, make_prefix, windows_path

USER = "wstadmin"
LISTENER_TIMEOUT = 60.0


def ensure_wine() -> None:
    """Wine from the distribution; LabError when it can't be had."""
    if have_wine():
        return
    apt = shutil.which("apt-get")
    if apt:
        subprocess.run(
            [apt, "install", "--yes", "--no-install-recommends", "wine", "wine64"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
            timeout=900,
        )
    if not have_wine():
        raise LabError("wine is not installed, and apt-get could not install it")


def up(
    paths: LabPaths, host: HostPaths, *, winrm_password: str, keys: Mapping[str, str], bare: bool, engine: Path | None
) -> dict[str, Any]:
    """Bring one host up; its entry for the lab's record."""
    layout = drives.windows_layout()
    template = windows_runtime(paths)
    wine = make_prefix(paths, host)
    wine.start()
    drives.place_ca(host, layout, paths.pki / "ca.pem")
    # What role runtime makes; of it, runs because wine lets nothing inherit from the root.
    directories = [layout.root, layout.root + r"\runs", layout.root + r"\scratch", layout.local_dir]
    if not bare:
        for directory in directories:
            drives.on_this_machine(host, directory).mkdir(parents=True, exist_ok=True)
        drives.place_runtime(host, layout, template)
    fresh = not bare and drives.place_keys(host, layout, keys)
    identity = _protect(wine, host, template, [*directories, layout.key_file, layout.restore_key_file] if fresh else [])
    ports = _listener(
        paths, host, wine=wine, template=template, password=winrm_password, engine=engine, windows_user=identity["user"]
    )
    return {
        "name": host.name,
        "connection": "winrm",
        "address": "localhost",
        **ports,
        "user": USER,
        "password_file": str(host.run / "winrm.password"),
        "operator_sid": identity["sid"],
        "wine_prefix": str(host.prefix),
        "drive_c": str(host.drive_c),
        "drive_d": str(host.drive_d),
        "log": str(host.run / "listener.log"),
        "paths": layout.as_dict(),
        "bare": bare,
    }


def down(host: HostPaths) -> None:
    """End the listener, with it every command, and then whatever broke away."""
    processes.stop(host.run / "listener.pid")
    control.backdoor_file(host).unlink(missing_ok=True)
    Wine(host.prefix).stop()


def _protect(wine: Wine, host: HostPaths, template: Path, targets: list[str]) -> dict[str, Any]:
    """Set the DACLs; once done, the answer is remembered, as asking costs a process."""
    noted = host.run / "identity.json"
    if noted.is_file() and not targets:
        return dict(json.loads(noted.read_text(encoding="utf-8")))
    said = wine.run(
        windows_path(template / "python" / "python.exe"),
        "-I",
        "-S",
        "-B",
        windows_path(PACKAGE / "windows" / "protect.py"),
        *targets,
    )
    host.run.mkdir(parents=True, exist_ok=True)
    noted.write_bytes(said)
    return dict(json.loads(said))


def _listener(
    paths: LabPaths,
    host: HostPaths,
    *,
    wine: Wine,
    template: Path,
    password: str,
    engine: Path | None,
    windows_user: str,
) -> dict[str, int]:
    """Start the listener unless it runs with these very settings; its ports."""
    settings_file = host.run / "listener.json"
    ports = _ports(settings_file)
    settings = json.dumps(
        {
            **ports,
            "certificate": str(paths.pki / "server.pem"),
            "key": str(paths.pki / "server.key"),
            "user": USER,
            "password_file": str(_secret(host.run / "winrm.password", password)),
            "ntlm_user_file": str(_secret(host.run / "ntlm.users", f":{USER}:{password}\n")),
            "windows_user": windows_user,
            "launcher_argv": wine.argv(
                windows_path(template / "python" / "python.exe"),
                "-I",
                "-S",
                "-B",
                windows_path(PACKAGE / "windows" / "launcher.py"),
            ),
            "launcher_environment": wine.environment(),
            "engine": windows_path(engine) if engine else None,
            "backdoor_file": str(control.backdoor_file(host)),
        },
        indent=1,
    )
    pid_file = host.run / "listener.pid"
    if processes.running(pid_file) and settings_file.is_file() and settings_file.read_text("utf-8") == settings:
        return ports
    processes.stop(pid_file)
    control.backdoor_file(host).unlink(missing_ok=True)
    settings_file.write_text(settings, encoding="utf-8")
    processes.spawn(
        [sys.executable, "-m", "wstlab.listener", str(settings_file)],
        log=host.run / "listener.log",
        environment={**wine.environment(), "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        pid_file=pid_file,
    )
    processes.wait_for(
        lambda: control.backdoor_file(host).is_file() or not processes.running(pid_file),
        what=f"the listener of {host.name}",
        timeout=LISTENER_TIMEOUT,
    )
    if not processes.running(pid_file):
        raise LabError(f"the listener of {host.name} ended; see {host.run / 'listener.log'}")
    return ports


def _ports(settings_file: Path) -> dict[str, int]:
    if settings_file.is_file():
        settings = json.loads(settings_file.read_text(encoding="utf-8"))
        return {name: settings[name] for name in ("https_port", "http_port")}
    return {"https_port": processes.free_port(), "http_port": processes.free_port()}


def _secret(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")
    return path
