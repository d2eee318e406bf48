# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL data directory of the lab's own: who runs it, where it lies, how it is configured."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .config import LabError, LabPaths

SUPERUSER = "postgres"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
password_encryption = 'scram-sha-256'
max_connections = 60
shared_buffers = 64MB
max_wal_size = 1GB
wal_level = minimal
max_wal_senders = 0
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
"""
ACCESS = """
hostssl all all 127.0.0.1/32 scram-sha-256
"""


def server_account() -> pwd.struct_passwd | None:
    """Who runs the server: it refuses root. None means the present user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LabError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def data_directory(paths: LabPaths) -> Path:
    """Below the lab's directory; a temporary one where the server's account can't get in there."""
    noted = paths.run / "pgdata.path"
    if noted.is_file():
        return Path(noted.read_text(encoding="utf-8"))
    account, data = server_account(), paths.state / "pgdata"
    if account is not None:
        paths.run.mkdir(parents=True, exist_ok=True)
        probe = subprocess.run(
            ["test", "-x", str(paths.state)], user=account.pw_uid, group=account.pw_gid, extra_groups=[], check=False
        )
        if probe.returncode:
            data = Path(tempfile.mkdtemp(prefix="wstlab-pg-")) / "pgdata"
            os.chown(data.parent, account.pw_uid, account.pw_gid)
            noted.write_text(str(data), encoding="utf-8")
    return data


def as_server(argv: Sequence[str], *, log: Path | None = None) -> None:
    """Run a program as the server's account; LabError with what it said, and the log's end, when it fails."""
    account = server_account()
    identity: dict[str, object] = {}
    if account is not None:
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    # The server inherits these streams and keeps them: files, never pipes that somebody waits for the end of.
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(  # type: ignore[call-overload]
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd="/",
            timeout=120,
            check=False,
            **identity,
        )
        output.seek(0)
        said = output.read().decode("utf-8", "backslashreplace").strip()
    if result.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log and log.is_file() else ""
        raise LabError(f"{Path(argv[0]).name} ended with code {result.returncode}: {said}\n{tail}")


def initialise(programs: Path, data: Path, *, password: str) -> None:
    """Make the data directory: UTF-8, the superuser's password by SCRAM."""
    account = server_account()
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    secret = data.parent / "initdb.password"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n", encoding="ascii")
    if account is not None:
        for path in (data, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    try:
        as_server(
            [
                str(programs / "initdb"),
                "--pgdata",
                str(data),
                "--username",
                SUPERUSER,
                "--pwfile",
                str(secret),
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth=scram-sha-256",
                "--no-sync",
            ]
        )
    except LabError:
        shutil.rmtree(data, ignore_errors=True)
        raise
    finally:
        secret.unlink()


def configure(data: Path, pki: Path, *, port: int) -> None:
    """Write the settings, who may connect, and the certificate; read at the next start."""
    account = server_account()
    files = {
        "server.pem": (pki / "server.pem").read_text(encoding="ascii"),
        "server.key": (pki / "server.key").read_text(encoding="ascii"),
        "pg_hba.conf": ACCESS,
        "postgresql.auto.conf": f"{SETTINGS}port = {port}\n",
    }
    for name, text in files.items():
        path = data / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text, encoding="ascii")
        if account is not None:
            os.chown(path, account.pw_uid, account.pw_gid)
