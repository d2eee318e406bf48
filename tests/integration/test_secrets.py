# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a password must not be: planted, then looked for in all that a run shows, starts, writes and leaves.

``db.key`` holds it, and the environment of the PostgreSQL programs; nothing else may, at the highest verbosity and in
runs that fail.
"""

from __future__ import annotations

import base64
import contextlib
import re
import secrets
import threading
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from integration.disturbance import listener
from integration.provocations import database, key_holds
from integration.world import Played, World

LOUD = "-vvvvv"
TOOLS = ("pg_dump", "pg_restore")
CHUNK = 1 << 20


def forms(secret: str) -> list[bytes]:
    """The secret as it could hide: plain, as UTF-16, in hexadecimal, and in base64 at each of its three offsets."""
    raw = secret.encode("ascii")
    shifted = [base64.b64encode(bytes(offset) + raw)[(offset * 8 + 5) // 6 + 1 : -4] for offset in range(3)]
    return [raw, secret.encode("utf-16-le"), raw.hex().encode("ascii"), *shifted]


@dataclass
class Watch:
    """Looks at the arguments and the environment of every process of this machine, again and again.

    A Windows process under wine is a process here too; its arguments are seen, its environment block only where wine
    hands it on.
    """

    needles: list[bytes]
    seen: set[str] = field(default_factory=set)
    looks: int = 0
    tools: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until it is told to stop."""
        while not self._over.wait(0.02):
            self.looks += 1
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    self._look(process)

    def _look(self, process: Path) -> None:
        argv = (process / "cmdline").read_bytes()
        program = argv.partition(b"\0")[0].decode("utf-8", "replace")
        is_tool = any(name in program for name in TOOLS)
        self.tools += is_tool
        if self._has(argv):
            self.seen.add(f"arguments of {program}")
        if not is_tool and self._has((process / "environ").read_bytes()):
            self.seen.add(f"environment of {program}")

    def _has(self, data: bytes) -> bool:
        return any(needle in data for needle in self.needles)

    def stop(self) -> None:
        """No look after this."""
        self._over.set()


@contextlib.contextmanager
def watched(needles: list[bytes]) -> Iterator[Watch]:
    """Processes are watched within the block."""
    watch = Watch(needles)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()


def holders(needles: list[bytes], *directories: Path) -> list[str]:
    """The files that hold one of the forms, members of ZIPs included."""
    found = []
    for directory in directories:
        for path in directory.rglob("*"):
            if not path.is_file() or path.is_symlink():
                continue
            with path.open("rb") as file:
                if has(needles, iter(lambda file=file: file.read(CHUNK), b"")):  # type: ignore[misc]
                    found.append(str(path))
            if path.suffix == ".zip":
                found += [f"{path}!{name}" for name in members_with(needles, path)]
    return found


def members_with(needles: list[bytes], path: Path) -> Iterator[str]:
    """The members of a ZIP that hold one of the forms."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                if has(needles, iter(lambda member=member: member.read(CHUNK), b"")):  # type: ignore[misc]
                    yield name


def has(needles: list[bytes], chunks: Iterator[bytes]) -> bool:
    """Whether one of the forms is in the data, also where it lies across two chunks."""
    longest = max(map(len, needles))
    tail = b""
    for chunk in chunks:
        data = tail + chunk
        if any(needle in data for needle in needles):
            return True
        tail = data[-longest:]
    return False


@contextlib.contextmanager
def planted(world: World) -> Iterator[str]:
    """A password that nothing else in the world can be, on the server and in db.key."""
    secret = "Planted" + secrets.token_hex(12)
    key = (world.control / "db.key").read_bytes()
    with world.connect() as session:
        session.execute(f"ALTER ROLE wst_backup PASSWORD '{secret}'")
    try:
        with key_holds(secret.encode("ascii"))(world):
            yield secret
    finally:
        with world.connect() as session:
            session.execute(f"ALTER ROLE wst_backup PASSWORD '{key.decode('ascii').strip()}'")


def assert_nowhere(world: World, secret: str, played: Played, watch: Watch) -> None:
    """Only db.key has it."""
    needles = forms(secret)
    assert not has(needles, iter([played.output.encode("utf-8")])), "it is on the screen"
    assert watch.seen == set()
    assert watch.looks > 10
    places = [Path(world.host["drive_c"]), Path(world.host["drive_d"]), world.records]
    assert holders(needles, *places) == [str(world.control / "db.key")]


@dataclass(frozen=True)
class Wire:
    """What a tap has caught: program lines on the way in, answers on the way out."""

    path: Path
    taps: bool

    def assert_without(self, secret: str) -> None:
        """It was not in there, packed or unpacked."""
        if not self.taps:
            return
        needles = forms(secret)
        raw = [self.path.with_suffix(suffix).read_bytes() for suffix in (".in", ".out")]
        programs = [zlib.decompress(base64.b64decode(line)) for line in raw[0].split()]
        answers = [base64.b64decode(body) for body in re.findall(rb"wst-backup-reply:\w+:\d+:\w+:([^:]+):", raw[1])]
        assert len(programs) > 4
        assert len(answers) > 4
        assert any(b"backup_root" in text or b"wst-control" in text for text in programs), "nothing was unpacked"
        assert not has(needles, iter([*raw, *programs, *answers])), "it went over the wire"


@pytest.fixture
def wire(world: World, tmp_path: Path) -> Iterator[Wire]:
    """What goes over the network, seen behind the TLS at its far end; nothing on the POSIX lane, which has none."""
    tap = Wire(tmp_path / "wire", taps=world.windows)
    if world.windows:
        listener(world, "set", tap=str(tap.path))
    yield tap
    if world.windows:
        listener(world, "clear")


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    secret = "Planted" + secrets.token_hex(12)
    needles = forms(secret)
    for number, form in enumerate(needles[:3]):
        (tmp_path / f"{number}.bin").write_bytes(bytes(CHUNK - 5) + form)
    for offset in range(3):
        (tmp_path / f"b{offset}.bin").write_bytes(base64.b64encode(b"x" * offset + secret.encode() + b"and more"))
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", "x" * 1000 + secret)
    assert len(holders(needles, tmp_path)) == 7


def test_a_good_run_leaves_the_password_nowhere(world: World, wire: Wire) -> None:
    with planted(world) as secret, watched(forms(secret)) as watch:
        played = world.play("backup.yml", LOUD)
        assert played.code == 0, played.output[-3000:]
        assert watch.tools > 0, "the programs that may have it were never seen"
        assert_nowhere(world, secret, played, watch)
        wire.assert_without(secret)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("db_auth_failed", {"user": "nobody_of_that_name"}),
        ("db_not_found", {"name": "no_such_database"}),
    ],
)
def test_a_failed_login_leaves_the_password_nowhere(world: World, wire: Wire, code: str, wrong: dict[str, str]) -> None:
    """What the server and libpq say about it is quoted."""
    with planted(world) as secret, database(**wrong)(world) as extra, watched(forms(secret)) as watch:
        played = world.play("backup.yml", LOUD, extra=extra)
        assert played.failed_with(code), played.output[-3000:]
        assert_nowhere(world, secret, played, watch)
        wire.assert_without(secret)


def test_a_malformed_key_is_named_and_not_quoted(world: World) -> None:
    """Two lines, quotes: what is wrong with it is said without saying it."""
    secret = "Planted" + secrets.token_hex(12)
    with key_holds(f'"{secret}"\r\n{secret}'.encode("ascii"))(world), watched(forms(secret)) as watch:
        played = world.play("backup.yml", LOUD)
        assert played.failed_with("key_malformed"), played.output[-3000:]
        assert_nowhere(world, secret, played, watch)
