# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of the lab: a real server on loopback, TLS only, passwords by SCRAM, as a managed one would be."""
from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from . import packages, processes
from .config import LabError, LabPaths

DEFAULT_MAJOR = 17
DATABASE = "wst_dev"
BACKUP_ROLE = "wst_backup"
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


@dataclass(frozen=True)
class Server:
    """A server and how to reach it as its superuser."""

    program_dir: Path
    data: Path
    port: int
    password: str
    ca: Path

    def connect(self, database: str = "postgres", *, user: str = SUPERUSER, password: str = "") -> psycopg.Connection:
        """An autocommit connection, TLS verified; as the superuser unless told otherwise."""
        return psycopg.connect(
            host="localhost", hostaddr="127.0.0.1", port=self.port, dbname=database, user=user,
            password=password or self.password, sslmode="verify-full", sslrootcert=str(self.ca), autocommit=True)


def linux_programs(paths: LabPaths, major: int) -> Path:
    """The unpacked Linux package of a major version; its ``bin`` holds server and clients."""
    def build(target: Path) -> None:
        with zipfile.ZipFile(packages.fetch(packages.POSTGRES_LINUX[major], paths.downloads)) as wheel:
            packages.extract(wheel, target, lambda name: None if "/include/" in name else name)

    top = packages.unpack_once(paths.templates / f"linux-pg{major}-1", build)
    return next(top.glob("*/pginstall"))


def make_server(
    paths: LabPaths, *, port: int, password: str, major: int = DEFAULT_MAJOR,
) -> Server:
    """A running server with the lab's certificate; made on first use, started when it does not run."""
    programs = linux_programs(paths, major)
    data = _data_directory(paths)
    server = Server(programs / "bin", data, port, password, paths.pki / "ca.pem")
    if not (data / "PG_VERSION").is_file():
        _initialise(server)
    _configure(server, paths)
    if not is_running(data):
        _as_server([str(server.program_dir / "pg_ctl"), "start", "--wait", "--silent", "--timeout=60",
                    "--pgdata", str(data), "--log", str(data / "server.log")], log=data / "server.log")
    processes.wait_for(lambda: _answers(server), what="the database server", timeout=30)
    return server


def stop_server(paths: LabPaths) -> None:
    """Stop the server if it runs."""
    data = _data_directory(paths)
    if not is_running(data):
        return
    programs = next((top for top in sorted(paths.templates.glob("linux-pg*/*/pginstall"))), None)
    if programs is None:
        raise LabError("the server runs, but the package that holds pg_ctl is gone")
    _as_server([str(programs / "bin" / "pg_ctl"), "stop", "--wait", "--silent", "--mode=immediate",
                "--pgdata", str(data)])


def is_running(data: Path) -> bool:
    """Whether the postmaster that the data directory names is alive."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return False
    return processes.start_time(pid) is not None


def make_database(server: Server, password: str) -> None:
    """The database and the role that owns it and takes its backups."""
    with server.connect() as connection:
        role, database = sql.Identifier(BACKUP_ROLE), sql.Identifier(DATABASE)
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [BACKUP_ROLE]).fetchone()
        verb = sql.SQL("ALTER" if exists else "CREATE")
        connection.execute(sql.SQL(
            "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                verb, role, sql.Literal(password)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                database, role))


def _account() -> pwd.struct_passwd | None:
    """Who runs the server: it refuses root. None means the present user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LabError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _data_directory(paths: LabPaths) -> Path:
    """Below the lab's directory; a temporary one where the server's account can't get in there."""
    noted = paths.run / "pgdata.path"
    if noted.is_file():
        return Path(noted.read_text(encoding="utf-8"))
    account, data = _account(), paths.state / "pgdata"
    if account is not None:
        paths.run.mkdir(parents=True, exist_ok=True)
        probe = subprocess.run(["test", "-x", str(paths.state)], user=account.pw_uid, group=account.pw_gid,
                               extra_groups=[], check=False)
        if probe.returncode:
            data = Path(tempfile.mkdtemp(prefix="wstlab-pg-")) / "pgdata"
            os.chown(data.parent, account.pw_uid, account.pw_gid)
            noted.write_text(str(data), encoding="utf-8")
    return data


def _as_server(argv: Sequence[str], *, log: Path | None = None) -> None:
    account = _account()
    identity: dict[str, object] = {}
    if account is not None:
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    # The server inherits these streams and keeps them: files, never pipes that somebody waits for the end of.
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(  # type: ignore[call-overload]
            list(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd="/",
            timeout=120, check=False, **identity)
        output.seek(0)
        said = output.read().decode("utf-8", "backslashreplace").strip()
    if result.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log and log.is_file() else ""
        raise LabError(f"{Path(argv[0]).name} ended with code {result.returncode}: {said}\n{tail}")


def _initialise(server: Server) -> None:
    account = _account()
    shutil.rmtree(server.data, ignore_errors=True)
    server.data.mkdir(parents=True, mode=0o700)
    secret = server.data.parent / "initdb.password"
    secret.touch(mode=0o600)
    secret.write_text(server.password + "\n", encoding="ascii")
    if account is not None:
        for path in (server.data, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    try:
        _as_server([
            str(server.program_dir / "initdb"), "--pgdata", str(server.data), "--username", SUPERUSER,
            "--pwfile", str(secret), "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync",
        ])
    except LabError:
        shutil.rmtree(server.data, ignore_errors=True)
        raise
    finally:
        secret.unlink()


def _configure(server: Server, paths: LabPaths) -> None:
    account = _account()
    files = {
        "server.pem": (paths.pki / "server.pem").read_text(encoding="ascii"),
        "server.key": (paths.pki / "server.key").read_text(encoding="ascii"),
        "pg_hba.conf": ACCESS,
        "postgresql.auto.conf": f"{SETTINGS}port = {server.port}\n",
    }
    for name, text in files.items():
        path = server.data / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text, encoding="ascii")
        if account is not None:
            os.chown(path, account.pw_uid, account.pw_gid)


def _answers(server: Server) -> bool:
    try:
        with server.connect():
            return True
    except psycopg.OperationalError as error:
        if "password authentication" in str(error):
            raise LabError(f"the server on port {server.port} is not this lab's: {error}") from error
        return False
