# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that nothing else in the world can be, and playbooks run where everything that they leave can be searched.

``db.key`` and ``restore.key`` hold their passwords, the environment of the PostgreSQL programs has one, and the tokens
are with who gave them. Nothing else may have any of them: not the screen at the highest verbosity, Ansible's log, its
cache of facts, the operator's home and temporary directory; not the arguments or the environment of a process; no file
of either disk or of the control node's records, nor a member of a ZIP there; nor the wire, where there is one.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.searching import LOUD, Watch, Wire, forms, has, holders, watched
from integration.world import Played, World

ROLES = {"db.key": "wst_backup", "restore.key": "wst_restore"}


def fresh() -> str:
    """A secret that nothing else in the world can be."""
    return "Planted" + secrets.token_hex(12)


@dataclass(frozen=True)
class Planted:
    """The secrets of one world, and an operator whose home can be searched.

    :ivar keys: the passwords by the names of the files that hold them.
    :ivar tokens: those of L5 and L6.
    :ivar home: the operator's: home, temporary files, log and facts.
    """

    world: World
    wire: Wire
    keys: Mapping[str, str]
    tokens: tuple[str, ...]
    home: Path

    @property
    def everything(self) -> dict[str, str]:
        """Each by what it is."""
        return {**self.keys, **{f"token {number}": token for number, token in enumerate(self.tokens)}}

    def operator(self) -> dict[str, str]:
        """The environment of who keeps a log and a cache of facts, all below one directory."""
        temporary = self.home / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            "HOME": str(self.home),
            "TMPDIR": str(temporary),
            "ANSIBLE_LOG_PATH": str(self.home / "ansible.log"),
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.home / "facts"),
        }

    def play(self, playbook: str, *arguments: str, extra: Mapping[str, Any] | None = None) -> Played:
        """Run a playbook as loudly as can be, as that operator."""
        return self.world.play(playbook, LOUD, *arguments, extra=extra, environment=self.operator())

    @contextlib.contextmanager
    def watched(self, *more: str) -> Iterator[Watch]:
        """Processes are watched for all of them, and for more, within the block."""
        needles = [form for secret in (*self.everything.values(), *more) for form in forms(secret)]
        with watched(needles) as watch:
            yield watch

    def assert_nowhere(self, played: Played, watch: Watch, *more: str, after: Mapping[str, str] | None = None) -> None:
        """Each key's file has its password, and nothing else has any of them.

        :param more: secrets that were given for this run, and have no file.
        :param after: what the key files hold now, where that is something else.
        """
        assert watch.looks > 10
        assert watch.seen == set()
        self.assert_unwritten(*more, after=after)
        assert self.home.joinpath("ansible.log").stat().st_size > 0, "Ansible kept no log"
        self.assert_unshown(played, *more, *(after or {}).values())
        for secret in {*self.keys.values(), *(after or {}).values()}:
            self.wire.assert_without(secret)

    def assert_unshown(self, played: Played, *more: str) -> None:
        """None is on the screen."""
        told = {**self.everything, **{f"given {number}": one for number, one in enumerate(more)}}
        for name, secret in told.items():
            assert not has(forms(secret), iter([played.output.encode("utf-8")])), f"{name} is on the screen"

    def assert_unwritten(self, *more: str, after: Mapping[str, str] | None = None) -> None:
        """No file but the keys' own has one: also in the middle of a run."""
        world = self.world
        places = [Path(world.host["drive_c"]), Path(world.host["drive_d"]), world.records, self.home]
        held = {**self.keys, **(after or {})}
        for secret in {*self.everything.values(), *held.values(), *more}:
            theirs = [str(world.control / file) for file, text in held.items() if text == secret]
            assert sorted(holders(forms(secret), *places)) == sorted(theirs)


def server_has(world: World, passwords: Mapping[str, str]) -> None:
    """The server's administrator sets them."""
    with world.connect("postgres") as session:
        for name, password in passwords.items():
            session.execute(f"ALTER ROLE {ROLES[name]} PASSWORD '{password}'".encode())


@contextlib.contextmanager
def planting(world: World, wire: Wire, home: Path) -> Iterator[Planted]:
    """Passwords that stand nowhere else, on the server and in the key files; the old ones come back."""
    files = {name: world.control / name for name in ROLES}
    before = {name: path.read_bytes() for name, path in files.items()}
    keys = {name: fresh() for name in ROLES}
    tokens = tuple(Path(world.record["token_files"][level]).read_text() for level in ("L5", "L6"))
    server_has(world, keys)
    for name, path in files.items():
        path.write_text(keys[name])
    try:
        yield Planted(world, wire, keys, tokens, home)
    finally:
        for name, path in files.items():
            path.write_bytes(before[name])
        server_has(world, {name: content.decode().strip() for name, content in before.items()})
