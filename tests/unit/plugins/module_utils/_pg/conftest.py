# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and databases for these tests: a cluster per major for the session, a database per test."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
from unit import pgserver

from ansible_collections.wst.backup.plugins.module_utils._pg import connect as connect_of
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import Order, produce
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools, find_tools

_numbers = itertools.count(1)


class Database:
    """A database of one test on a real server."""

    def __init__(self, server: Any, name: str, workspace: Path) -> None:
        self.server = server
        self.name = name
        self.workspace = workspace
        self.password: str = "Super-Secret-0"

    def run(self, *statements: str, **options: Any) -> None:
        """As the superuser."""
        self.server.run(*statements, database=self.name, **options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """As the superuser."""
        return self.server.rows(query, database=self.name)  # type: ignore[no-any-return]

    def options(self, **changes: Any) -> DatabaseOptions:
        """How our code reaches it."""
        values = {"host": "127.0.0.1", "port": self.server.port, "name": self.name, "user": "postgres"}
        tls = {"sslmode": "verify-full", "sslrootcert": str(self.server.authority.certificate)}
        return DatabaseOptions(**{**values, **(tls if self.server.tls else {"sslmode": "disable"}), **changes})

    @property
    def tools(self) -> Tools:
        """Of the server's own major."""
        return find_tools(str(self.server.bin))

    def order(self, **changes: Any) -> Order:
        """A dump of it."""
        values = {"options": self.options(), "tools": self.tools, "dump_name": "shop.backup", "lock_timeout": 5}
        return Order(**{**values, **changes})

    def produce(self, **changes: Any) -> dict[str, Any]:
        """Dump it into the workspace."""
        return produce(self.order(**changes), self.password, str(self.workspace))

    def dumped(self, *arguments: str) -> bytes:
        """What its own pg_dump writes with these arguments."""
        argv = [str(self.server.bin / "pg_dump"), *arguments, "-d", f"dbname='{self.name}'"]
        return subprocess.run(argv, env=self.server.environment(), capture_output=True, check=True).stdout

    @property
    def dump(self) -> Path:
        """Where the dump is, or would be."""
        return self.workspace / "shop.backup"

    def left(self) -> list[str]:
        """What is in the workspace."""
        return sorted(path.name for path in self.workspace.iterdir())

    @contextlib.contextmanager
    def session(self, **changes: Any) -> Iterator[Any]:
        """One of our own sessions."""
        with contextlib.closing(connect_of.connect(self.options(**changes), self.password)) as session:
            yield session


@pytest.fixture(scope="session")
def clusters() -> Iterator[Any]:
    """Gives the running cluster of a major, started when first asked for."""
    with contextlib.ExitStack() as stack:
        running: dict[int, pgserver.Server] = {}

        def cluster(major: int) -> pgserver.Server:
            if major not in running:
                running[major] = stack.enter_context(pgserver.running(major))
            return running[major]

        yield cluster


def _database(clusters: Any, major: int, workspace: Path) -> Iterator[Database]:
    server = clusters(major)
    name = f"shop {next(_numbers)}"
    server.run(f'CREATE DATABASE "{name}"')
    try:
        yield Database(server, name, workspace)
    finally:
        server.run(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def make_database(clusters: Any, tmp_path: Path) -> Any:
    """Gives an empty database on a major of the test's choice, in a ``with`` block."""
    return lambda major: contextlib.contextmanager(_database)(clusters, major, tmp_path)


@pytest.fixture(params=pgserver.MAJORS)
def database(request: Any, clusters: Any, tmp_path: Path) -> Iterator[Database]:
    """An empty database on every major."""
    yield from _database(clusters, request.param, tmp_path)


@pytest.fixture
def database17(clusters: Any, tmp_path: Path) -> Iterator[Database]:
    """An empty database on 17, for what does not depend on the server's version."""
    yield from _database(clusters, 17, tmp_path)
