# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's key and the server that it opens, as the tests of its rotation see them."""

from __future__ import annotations

import contextlib
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from integration.world import Played, World

ROLE = "wst_backup"


@dataclass(frozen=True)
class Keys:
    """The host's key, and the server that it opens."""

    world: World
    directory: Path

    @property
    def file(self) -> Path:
        """The key file."""
        return self.world.control / "db.key"

    @property
    def staged(self) -> Path:
        """Where the next one is staged."""
        return self.world.control / "db.key.new"

    def rotate(self, new: str | None, *arguments: str, **extra: Any) -> Played:
        """Run the playbook with that password, which is in no argument list."""
        variables = dict(extra)
        if new is not None:
            path = self.directory / "new-password"
            path.write_text(new)
            variables["wst_backup_db_password_new"] = "{{ lookup('ansible.builtin.file', '" + str(path) + "') }}"
        return self.world.play("rotate_db_key.yml", *arguments, extra=variables)

    def server_has(self, password: str) -> None:
        """An administrator sets it, as in the portal."""
        with self.world.connect() as session:
            session.execute(f"ALTER ROLE {ROLE} PASSWORD '{password}'")

    def opens(self, password: str) -> bool:
        """Whether the role logs in with it."""
        server = self.world.record["postgres"]
        place = {"host": server["host"], "port": server["port"], "dbname": server["database"], "user": ROLE}
        tls = {"sslmode": "verify-full", "sslrootcert": server["ca"]}
        try:
            psycopg.connect(**place, **tls, password=password).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            return False
        return True

    def assert_holds(self, password: str) -> None:
        """The key file has it and is closed, nothing is staged, and the server takes it."""
        assert self.file.read_text().strip() == password
        if not self.world.windows:
            assert stat.S_IMODE(self.file.stat().st_mode) == 0o600
        assert not self.staged.exists()
        assert self.opens(password)


def fresh() -> str:
    """A password that nothing else in the world can be."""
    return "Planted" + secrets.token_hex(12)


@contextlib.contextmanager
def put_back(world: World, directory: Path) -> Iterator[Keys]:
    """The host's; its key and the server's password are what they were when the block ends.

    :param directory: for the new password, in a file.
    """
    keys = Keys(world, directory)
    before = keys.file.read_bytes()
    try:
        yield keys
    finally:
        keys.file.write_bytes(before)
        keys.staged.unlink(missing_ok=True)
        keys.server_has(before.decode().strip())
