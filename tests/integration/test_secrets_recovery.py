# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery and judgement leave no secret anywhere: both keys of the host, both tokens, and a new password.

``db.key`` and ``restore.key`` hold theirs, and the tokens are with who gave them. All are looked for on the screen at
the highest verbosity, in the arguments and the environment of every process while the playbook runs, in every file of
both disks and of the control node's records (evidence, fleet, events), in the members of the ZIPs, and on the wire
where there is one.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.searching import LOUD, Watch, Wire, forms, has, holders, watched
from integration.world import AS_L5, AS_L6, Played, World

ROLES = {"db.key": "wst_backup", "restore.key": "wst_restore"}
pytestmark = pytest.mark.either_lane


def fresh() -> str:
    """A password that nothing else in the world can be."""
    return "Planted" + secrets.token_hex(12)


@dataclass(frozen=True)
class Planted:
    """The secrets of one world.

    :ivar keys: the passwords by the names of the files that hold them.
    :ivar tokens: those of L5 and L6.
    """

    world: World
    wire: Wire
    keys: Mapping[str, str]
    tokens: tuple[str, ...]

    @property
    def everything(self) -> dict[str, str]:
        """Each by what it is."""
        return {**self.keys, **{f"token {number}": token for number, token in enumerate(self.tokens)}}

    @contextlib.contextmanager
    def watched(self, *more: str) -> Iterator[Watch]:
        """Processes are watched for all of them within the block."""
        needles = [form for secret in (*self.everything.values(), *more) for form in forms(secret)]
        with watched(needles) as watch:
            yield watch

    def assert_nowhere(self, played: Played, watch: Watch, *, after: Mapping[str, str] | None = None) -> None:
        """Each key's file has its password, and nothing else has any of them.

        :param after: what the key files hold now, where that is something else.
        """
        assert watch.looks > 10
        assert watch.seen == set()
        shown = played.output.encode("utf-8")
        places = [Path(self.world.host["drive_c"]), Path(self.world.host["drive_d"]), self.world.records]
        held = {**self.keys, **(after or {})}
        for name, secret in {
            **self.everything,
            **{f"new {name}": text for name, text in (after or {}).items()},
        }.items():
            needles = forms(secret)
            assert not has(needles, iter([shown])), f"{name} is on the screen"
            theirs = [str(self.world.control / file) for file, text in held.items() if text == secret]
            assert holders(needles, *places) == theirs, name
        for secret in {*self.keys.values(), *held.values()}:
            self.wire.assert_without(secret)


def server_has(world: World, passwords: Mapping[str, str]) -> None:
    """The server's administrator sets them."""
    with world.connect("postgres") as session:
        for name, password in passwords.items():
            session.execute(f"ALTER ROLE {ROLES[name]} PASSWORD '{password}'".encode())


@pytest.fixture
def planted(world: World, wire: Wire) -> Iterator[Planted]:
    """Passwords that stand nowhere else, on the server and in the key files; the old ones come back."""
    files = {name: world.control / name for name in ROLES}
    before = {name: path.read_bytes() for name, path in files.items()}
    keys = {name: fresh() for name in ROLES}
    tokens = tuple(Path(world.record["token_files"][level]).read_text() for level in ("L5", "L6"))
    server_has(world, keys)
    for name, path in files.items():
        path.write_text(keys[name])
    try:
        yield Planted(world, wire, keys, tokens)
    finally:
        for name, path in files.items():
            path.write_bytes(before[name])
        server_has(world, {name: content.decode().strip() for name, content in before.items()})


def test_a_drill(planted: Planted) -> None:
    """It logs in with the key of who restores where it is told a server, which the inventory's own drills are not."""
    told = {**AS_L5, "restore_test_server": "{{ lab_restore_database | combine({'name': 'postgres'}) }}"}
    with planted.watched() as watch:
        played = planted.world.play("restore_test.yml", LOUD, extra=told)
    assert played.code == 0, played.output[-3000:]
    assert watch.tools > 0, "the programs that may have it were never seen"
    planted.assert_nowhere(played, watch)


def test_a_restore_of_trees_and_the_database(planted: Planted) -> None:
    """With the safety backup before it, and taken back after it."""
    world = planted.world
    source = world.variables()["backup_sources"][0]
    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    text = f"{source['path']}, {place}"
    told: dict[str, Any] = {
        **AS_L6,
        "restore_reason": "secrets are looked for",
        "restore_trees": [{"source": source["name"], "path": source["path"]}],
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": text,
        "restore_confirm": text,
    }
    with planted.watched() as watch:
        played = world.play("restore.yml", LOUD, "--diff", extra=told)
    assert played.code == 0, played.output[-3000:]
    assert watch.tools > 0, "the programs that may have it were never seen"
    planted.assert_nowhere(played, watch)
    swap = next(record for record in reversed(world.audit()) if record["event"] == "restore")["run_id"]
    change = {**AS_L6, "restore_swap": swap, "restore_reason": "it was a test", "restore_swap_state": "undone"}
    with planted.watched() as watch:
        undone = world.play("restore_swap.yml", LOUD, extra=change)
    assert undone.code == 0, undone.output[-3000:]
    planted.assert_nowhere(undone, watch)
    for path in world.sources["wst"].parent.glob("*.restore-*"):
        shutil.rmtree(path)


def test_a_restore_that_is_refused_by_the_server(planted: Planted) -> None:
    """What the server and libpq say of the login is quoted."""
    world = planted.world
    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    told = {
        **AS_L6,
        "restore_reason": "secrets are looked for",
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": place,
        "restore_confirm": place,
    }
    server_has(world, {"restore.key": fresh()})
    with planted.watched() as watch:
        played = world.play("restore.yml", LOUD, extra=told)
    assert played.failed_with("db_auth_failed"), played.output[-3000:]
    planted.assert_nowhere(played, watch)


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_rotation_of_either_key(planted: Planted, tmp_path: Path, name: str) -> None:
    world, new = planted.world, fresh()
    (tmp_path / "new").write_text(new)
    told = {
        **AS_L5,
        "key_rotation_change_server": True,
        "wst_backup_db_password_new": "{{ lookup('ansible.builtin.file', '" + str(tmp_path / "new") + "') }}",
    }
    if name == "restore.key":
        told.update(key_rotation_key="restore", restore_database="{{ lab_restore_database }}")
    with planted.watched(new) as watch:
        played = world.play("rotate_db_key.yml", LOUD, "--diff", extra=told)
    assert played.code == 0, played.output[-3000:]
    assert (world.control / name).read_text() == new
    planted.assert_nowhere(played, watch, after={name: new})


def test_a_verdict(planted: Planted) -> None:
    """The document, the page and the metrics are among the control node's records; a verdict may be no."""
    with planted.watched() as watch:
        played = planted.world.play("compliance.yml", LOUD, extra={"backup_schedule_hours": 24})
    assert "the fleet is" in played.output, played.output[-3000:]
    assert (planted.world.records / "fleet" / "compliance.json").is_file()
    planted.assert_nowhere(played, watch)
