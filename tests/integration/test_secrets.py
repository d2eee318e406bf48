# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a secret must not be: planted, then looked for in all that a run shows, starts, writes and leaves."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path
from typing import Any

import pytest
from integration.disturbance import held_dumps, left_free, playing
from integration.planting import Planted, fresh
from integration.provocations import database, emptied, key_holds
from integration.searching import CHUNK, LOUD, forms, holders
from integration.world import AS_L5, AS_L6


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    secret = fresh()
    needles = forms(secret)
    for number, form in enumerate(needles[:3]):
        (tmp_path / f"{number}.bin").write_bytes(bytes(CHUNK - 5) + form)
    for offset in range(3):
        (tmp_path / f"b{offset}.bin").write_bytes(base64.b64encode(b"x" * offset + secret.encode() + b"and more"))
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", "x" * 1000 + secret)
    assert len(holders(needles, tmp_path)) == 7


def test_a_good_run_leaves_no_secret_anywhere(planted: Planted) -> None:
    with planted.watched() as watch:
        played = planted.play("backup.yml")
    assert played.code == 0, played.output[-3000:]
    assert watch.tools > 0, "the programs that may have it were never seen"
    planted.assert_nowhere(played, watch)


@pytest.mark.either_lane
def test_in_the_middle_of_a_dump_only_its_program_has_the_password(planted: Planted) -> None:
    """Files that are there for the time of a run are searched too, and the program itself shows that the watch sees."""
    with left_free(planted.world) as world, planted.watched() as watch:
        run_of = playing(world, "playbooks/backup.yml", LOUD, environment=planted.operator())
        with held_dumps(world) as gate, run_of as run:
            gate.wait(run)
            planted.assert_unwritten()
            gate.open()
            played = run.end()
    assert played.code == 0, played.output[-3000:]
    if not world.windows:  # wine keeps a program's environment block to itself
        assert any("pg_dump" in where for where in watch.handed), watch.handed
    planted.assert_nowhere(played, watch)


@pytest.mark.either_lane
def test_what_is_done_with_sets_leaves_no_secret_anywhere(planted: Planted) -> None:
    """Every playbook that no other test of secrets plays, and a set that is suspect."""
    world = planted.world
    with planted.watched() as watch:
        with emptied(world.sources["wst"]), emptied(world.sources["wst-api"]):
            played = planted.play("backup.yml")
            assert played.failed_with("content_anomaly"), played.output[-3000:]
        told = {"backup_set": world.artifacts()[-1], "backup_reason": "secrets are looked for"}
        runs: list[tuple[str, dict[str, Any]]] = [
            ("list.yml", {}),
            ("verify.yml", {}),
            ("accept.yml", {**told, **AS_L5}),
            ("pin.yml", told),
            ("pin.yml", {**told, **AS_L5, "backup_pin_state": "absent"}),
            ("repair.yml", {}),
            ("audit_verify.yml", {}),
            ("authority_check.yml", AS_L6),
            ("mirror_init.yml", {}),
            ("bootstrap.yml", {}),
        ]
        done = [played, *(planted.play(playbook, "--diff", extra=extra) for playbook, extra in runs)]
    for (playbook, _extra), one in zip(runs, done[1:]):
        assert one.code == 0, f"{playbook}: {one.output[-3000:]}"
    assert world.play("backup.yml").code == 0  # so that what was accepted is not what the next set is held against
    for one in done:
        planted.assert_unshown(one)
    planted.assert_nowhere(done[-1], watch)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("db_auth_failed", {"user": "nobody_of_that_name"}),
        ("db_not_found", {"name": "no_such_database"}),
    ],
)
def test_a_failed_login_leaves_no_secret_anywhere(planted: Planted, code: str, wrong: dict[str, str]) -> None:
    """What the server and libpq say about it is quoted."""
    with database(**wrong)(planted.world) as extra, planted.watched() as watch:
        played = planted.play("backup.yml", extra=extra)
    assert played.failed_with(code), played.output[-3000:]
    planted.assert_nowhere(played, watch)


def test_a_malformed_key_is_named_and_not_quoted(planted: Planted) -> None:
    """Two lines, quotes: what is wrong with it is said without saying it."""
    secret = planted.keys["db.key"]
    with key_holds(f'"{secret}"\r\n{secret}'.encode("ascii"))(planted.world), planted.watched() as watch:
        played = planted.play("backup.yml")
        assert played.failed_with("key_malformed"), played.output[-3000:]
        planted.assert_nowhere(played, watch)
