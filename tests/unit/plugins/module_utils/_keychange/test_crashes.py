# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation that dies at every call that changes the disk or the server, and the run after it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import DbAuthFailed
from ansible_collections.wst.backup.plugins.module_utils._keychange import rotate
from ansible_collections.wst.backup.plugins.module_utils._keychange.files import KeyFiles
from ansible_collections.wst.backup.plugins.module_utils._keychange.rotate import Order, Rotation
from ansible_collections.wst.backup.plugins.module_utils._pg import scram
from ansible_collections.wst.backup.plugins.module_utils._pg.login import refusal
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.crasher import crashes

pytestmark = pytest.mark.posix  # needs a server of its own

OLD, NEW, THIRD = "Planted-Old-0123456789", "Planted-New-0123456789", "Planted-Third-0123456789"
ALSO = [(rotate, "set_password")]


class Lease:
    """One that nobody takes away."""

    def check(self) -> None:
        """It is still ours."""


def order(directory: str, new: Optional[str], *, change_server: bool, await_server: bool = False) -> Order:
    """A rotation in that directory, on the server that its file names."""
    place = json.loads(Path(directory, "server.json").read_text())
    return Order(
        options=DatabaseOptions(**place["options"]),
        files=KeyFiles(os.path.join(directory, "db.key"), None),
        new=new,
        psql=place["psql"],
        change_server=change_server,
        await_server=await_server,
        hand_over=False,
    )


def run(directory: str, new: Optional[str], *, change_server: bool = False, await_server: bool = False) -> Rotation:
    """Rotate."""
    lease: Any = Lease()
    rotation = Rotation(order(directory, new, change_server=change_server, await_server=await_server), lease)
    rotation.run()
    return rotation


def scenario(directory: str) -> None:
    """What dies: see ``crasher``."""
    told = {name: Path(directory, name).exists() for name in ("change_server", "await_server")}
    run(directory, NEW, **told)


@pytest.fixture(scope="module")
def clusters() -> Iterator[Any]:
    """A server."""
    from unit import pgserver

    with pgserver.running(17) as server:
        yield server


@pytest.mark.parametrize("rerun", [NEW, None, THIRD])
@pytest.mark.parametrize("change", [True, False])
def test_after_a_death_at_any_point_the_next_run_ends_with_a_key_that_works(
    clusters: Any, tmp_path: Path, change: bool, rerun: Optional[str]
) -> None:
    server = clusters
    deaths: List[Tuple[str, str]] = []

    def role_of(directory: str) -> str:
        return f"role {Path(directory).name} {change} {rerun}"

    def give(directory: str, password: str) -> None:
        secret = scram.verifier(password, salt=os.urandom(16))
        server.run(f"ALTER ROLE \"{role_of(directory)}\" PASSWORD '{secret}'")

    def prepare(directory: str) -> None:
        server.run(f'CREATE ROLE "{role_of(directory)}" LOGIN')
        give(directory, OLD if change else NEW)
        options = {"host": "127.0.0.1", "port": server.port, "name": "postgres", "user": role_of(directory)}
        options["sslrootcert"] = str(server.authority.certificate)
        Path(directory, "server.json").write_text(
            json.dumps({"options": options, "psql": str(server.bin / "psql") if rerun == THIRD else None})
        )
        Path(directory, "db.key").write_text(OLD)
        Path(directory, "db.key").chmod(0o600)
        os.chmod(directory, 0o700)
        if change:
            Path(directory, "change_server").touch()

    for when, directory in crashes(__file__, str(tmp_path), prepare):
        key, staged = Path(directory, "db.key"), Path(directory, "db.key.new")
        assert key.read_text() in (OLD, NEW), when
        if staged.exists():
            assert stat.S_IMODE(staged.stat().st_mode) == 0o600, when
            deaths.append((when, staged.read_text()))
        if rerun is None and not staged.exists():
            continue  # it died before anything was staged, or after all was done: there is nothing to end
        if rerun is None and not change and staged.read_text() != NEW:
            with pytest.raises(DbAuthFailed):  # the server has a password that stands nowhere on the host
                run(directory, None)
            assert key.read_text() == OLD, when
            continue
        if rerun == THIRD and not change:
            give(directory, THIRD)  # without leave to change the server, an administrator does it
        run(directory, rerun, change_server=change)
        held = rerun or key.read_text()
        assert key.read_text() == held, when
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, when
        assert not staged.exists(), when
        assert refusal(order(directory, None, change_server=False).options, held) is None, when
    assert len(deaths) >= 4
    assert NEW in {text for _when, text in deaths}, "it never died with a whole key staged"


@pytest.mark.parametrize("told", [True, False])
def test_a_key_that_waits_for_the_server_is_never_lost(clusters: Any, tmp_path: Path, told: bool) -> None:
    """Somebody else tells the server, before the run or not yet: the only other copy is that person's."""
    server = clusters

    def prepare(directory: str) -> None:
        role = f"waits {Path(directory).name} {told}"
        secret = scram.verifier(NEW if told else OLD, salt=os.urandom(16))
        server.run(f'CREATE ROLE "{role}" LOGIN', f"ALTER ROLE \"{role}\" PASSWORD '{secret}'")
        options = {"host": "127.0.0.1", "port": server.port, "name": "postgres", "user": role}
        options["sslrootcert"] = str(server.authority.certificate)
        Path(directory, "server.json").write_text(json.dumps({"options": options, "psql": None}))
        for name, key in (("db.key", OLD), ("db.key.new", NEW)):
            Path(directory, name).write_text(key)
            Path(directory, name).chmod(0o600)
        os.chmod(directory, 0o700)
        Path(directory, "await_server").touch()

    deaths = 0
    few = 3 if told else 1  # a key that goes on waiting changes next to nothing
    for when, directory in crashes(__file__, str(tmp_path), prepare, fewest=few):
        deaths += 1
        key, staged = Path(directory, "db.key"), Path(directory, "db.key.new")
        assert NEW in [path.read_text() for path in (key, staged) if path.exists()], when
        rotation = run(directory, NEW, await_server=True)
        assert rotation.awaits_server is not told, when
        assert (key.read_text(), staged.exists()) == ((NEW, False) if told else (OLD, True)), when
        assert stat.S_IMODE((key if told else staged).stat().st_mode) == 0o600, when
        assert refusal(order(directory, None, change_server=False).options, key.read_text()) is None, when
    assert deaths >= 2
