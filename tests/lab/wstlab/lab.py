# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: up, down, and the record that everybody else reads."""

from __future__ import annotations

import json
import secrets
import shutil
import string
import sys
from pathlib import Path
from typing import Any

from . import posixhost, postgres, processes, winhost
from .cluster import SUPERUSER
from .config import LabError, LabPaths, have_wine, powershell_engine, wanted_lane
from .pki import make_pki

RECORD_VERSION = 1
PASSWORD_LENGTH = 24


def up(paths: LabPaths, *, hosts: int, bare: bool) -> dict[str, Any]:
    """Bring the lab up, or bring what is missing of it up; the record."""
    lane = _lane()
    paths.state.mkdir(parents=True, exist_ok=True)
    make_pki(paths.pki)
    engine = powershell_engine() if lane == "wine" else None
    database_password = secret(paths, "database")
    server = postgres.make_server(paths, port=_port(paths), password=secret(paths, "superuser"))
    passwords = {"key_file": database_password, "restore_key_file": secret(paths, "restore")}
    postgres.make_database(server, database_password, passwords["restore_key_file"])
    entries = []
    for number in range(1, hosts + 1):
        host = paths.host(number)
        if lane == "wine":
            entries.append(
                winhost.up(
                    paths,
                    host,
                    winrm_password=secret(paths, "winrm"),
                    keys=passwords,
                    bare=bare,
                    engine=engine,
                )
            )
        else:
            entries.append(posixhost.up(paths, host, keys=passwords, bare=bare))
    record = {
        "version": RECORD_VERSION,
        "lane": lane,
        "state_dir": str(paths.state),
        "ca": str(paths.pki / "ca.pem"),
        "token_files": _token_files(paths),
        "powershell": _powershell(lane, engine),
        "control_python": sys.executable,
        "postgres": _postgres_record(paths, server),
        "hosts": entries,
    }
    partial = paths.record.with_name("lab.json.partial")
    partial.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(paths.record)
    return record


def down(paths: LabPaths, *, purge: bool) -> None:
    """Leave nothing running; with ``purge`` nothing on the disk either."""
    if not paths.state.is_dir():
        return
    for host in _all_hosts(paths):
        winhost.down(host)
    postgres.stop_server(paths)
    if purge:
        data = paths.run / "pgdata.path"
        if data.is_file():
            shutil.rmtree(Path(data.read_text(encoding="utf-8")).parent, ignore_errors=True)
        shutil.rmtree(paths.state)
    else:
        paths.record.unlink(missing_ok=True)


def read_record(paths: LabPaths) -> dict[str, Any]:
    """The record of a lab that is up."""
    try:
        record: dict[str, Any] = json.loads(paths.record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(f"there is no lab in {paths.state}; bring it up first") from None
    return record


def server_of(paths: LabPaths) -> postgres.Server:
    """The running server of a lab that is up, with its superuser's password."""
    facts = read_record(paths)["postgres"]
    return postgres.Server(
        Path(facts["bin"]), Path(facts["data"]), facts["port"], secret(paths, "superuser"), Path(facts["ca"])
    )


def secret(paths: LabPaths, name: str) -> str:
    """A password of the lab, made on first use: letters and digits, nothing that needs quoting anywhere."""
    path = paths.secrets / name
    if not path.is_file():
        paths.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        alphabet = string.ascii_letters + string.digits
        path.touch(mode=0o600)
        path.write_text("".join(secrets.choice(alphabet) for _ in range(PASSWORD_LENGTH)), encoding="ascii")
    return path.read_text(encoding="ascii")


def _token_files(paths: LabPaths) -> dict[str, str]:
    """The tokens of authority, by level; a host has them once it was provisioned."""
    names = {level: f"{level.lower()}-token" for level in ("L5", "L6")}
    for name in names.values():
        secret(paths, name)
    return {level: str(paths.secrets / name) for level, name in names.items()}


def _lane() -> str:
    lane = wanted_lane()
    if lane == "posix":
        return lane
    try:
        winhost.ensure_wine()
    except LabError as error:
        if lane == "wine":
            raise
        print(f"wstlab: {error}; falling back to the POSIX lane", file=sys.stderr)
    return "wine" if have_wine() else "posix"


def _port(paths: LabPaths) -> int:
    """The server's port stays the same over restarts of a lab."""
    noted = paths.run / "postgres.port"
    if not noted.is_file():
        noted.parent.mkdir(parents=True, exist_ok=True)
        noted.write_text(str(processes.free_port()), encoding="ascii")
    return int(noted.read_text(encoding="ascii"))


def _powershell(lane: str, engine: Path | None) -> dict[str, str | None]:
    if lane != "wine":
        return {"lane": "none", "path": None}
    return {"lane": "engine" if engine else "interpreter", "path": str(engine) if engine else None}


def _postgres_record(paths: LabPaths, server: postgres.Server) -> dict[str, Any]:
    return {
        "host": "localhost",
        "port": server.port,
        "major": postgres.DEFAULT_MAJOR,
        "database": postgres.DATABASE,
        "user": postgres.BACKUP_ROLE,
        "restore_user": postgres.RESTORE_ROLE,
        "password_file": str(paths.secrets / "database"),
        "superuser": SUPERUSER,
        "superuser_password_file": str(paths.secrets / "superuser"),
        "ca": str(server.ca),
        "bin": str(server.program_dir),
        "data": str(server.data),
    }


def _all_hosts(paths: LabPaths) -> list[Any]:
    """Every host that ever was in this lab, whether or not the record still names it."""
    further = sorted((paths.state / "hosts").glob("*")) if (paths.state / "hosts").is_dir() else []
    return [paths.host(number) for number in range(1, len(further) + 2)]
