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
import secrets
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.provocations import database, key_holds
from integration.searching import CHUNK, LOUD, Watch, Wire, forms, has, holders, watched
from integration.world import Played, World


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
