# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The databases: one real server, and one small database for each world."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.wst.backup.tests.unit import pgserver

SCHEMA = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL)",
    "CREATE TABLE app.lines (order_id bigint REFERENCES app.orders, amount numeric, at timestamptz DEFAULT now())",
    "CREATE TABLE public.settings (name text PRIMARY KEY, value jsonb)",
    "INSERT INTO app.orders (note) SELECT 'order ' || n FROM generate_series(1, 400) AS n",
    "INSERT INTO app.lines (order_id, amount) SELECT 1 + n % 400, n * 1.10 FROM generate_series(1, 1200) AS n",
    "INSERT INTO public.settings SELECT 'key ' || n, jsonb_build_object('n', n) FROM generate_series(1, 20) AS n",
    "SELECT lo_from_bytea(0, decode(repeat('5157', 3000), 'hex'))",
)


@contextlib.contextmanager
def running(major: int, home: Path) -> Iterator[None]:
    """A server; ``home`` says to other processes where it is."""
    with pgserver.running(major) as server:
        told = {"port": server.port, "bin": str(server.bin), "ca": str(server.authority.certificate)}
        (home / "server.json").write_text(json.dumps(told), encoding="ascii")
        yield


class Database:
    """A world's own database."""

    def __init__(self, home: Path, name: str) -> None:
        self._where: dict[str, Any] = json.loads((home / "server.json").read_text(encoding="ascii"))
        self.name = name

    @property
    def options(self) -> dict[str, Any]:
        """As the role's ``backup_database`` has it."""
        return {
            "host": "localhost",
            "port": self._where["port"],
            "name": self.name,
            "user": pgserver.SUPERUSER,
            "sslrootcert": self._where["ca"],
        }

    @property
    def tools_dir(self) -> str:
        """Of the server's own major."""
        return str(self._where["bin"])

    def create(self) -> None:
        """Make and fill it."""
        self._execute("postgres", f'CREATE DATABASE "{self.name}" TEMPLATE template0')
        for statement in SCHEMA:
            self._execute(self.name, statement)

    def drop(self) -> None:
        """Remove it with its sessions."""
        self._execute("postgres", f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def grow(self, number: int) -> None:
        """An application at work."""
        self._execute(self.name, f"INSERT INTO app.orders (note) SELECT 'run {number}' FROM generate_series(1, 3)")

    def end_sessions(self) -> int:
        """As an administrator, or a failover, does it. Returns how many there were."""
        return self._execute(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{self.name}' AND pid <> pg_backend_pid()",
        )

    def _execute(self, database: str, statement: str) -> int:
        import psycopg

        with psycopg.connect(
            host="127.0.0.1",
            port=self._where["port"],
            dbname=database,
            user=pgserver.SUPERUSER,
            password=pgserver.PASSWORD,
            autocommit=True,
        ) as session:
            return session.execute(statement.encode()).rowcount
