# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of the database key through its playbook (F1): who may, what is in the file, and where it is not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.keys import Keys, fresh, put_back
from integration.searching import LOUD, forms, has, holders, watched
from integration.world import AS_L5, Played, World

CHANGE = {"key_rotation_change_server": True}


@pytest.fixture
def keys(world: World, tmp_path: Path) -> Iterator[Keys]:
    """The key and the server's password are put back at the end."""
    with put_back(world, tmp_path) as keys:
        yield keys


@pytest.fixture
def server_log(world: World) -> Iterator[Path]:
    """The server's log, in which every statement stands meanwhile."""
    with world.connect() as session:
        session.execute("ALTER SYSTEM SET log_statement = 'all'")
        session.execute("SELECT pg_reload_conf()")
    try:
        yield Path(world.record["postgres"]["data"]) / "server.log"
    finally:
        with world.connect() as session:
            session.execute("ALTER SYSTEM RESET log_statement")
            session.execute("SELECT pg_reload_conf()")


def test_l5_changes_it_here_and_on_the_server_and_it_is_nowhere_else(keys: Keys, server_log: Path) -> None:
    old, new = keys.file.read_text().strip(), fresh()
    begin = server_log.stat().st_size
    shown = keys.rotate(new, "--check", **CHANGE, **AS_L5)
    assert shown.code == 0, shown.output
    keys.assert_holds(old)
    needles = forms(new)
    with watched(needles) as watch:
        played = keys.rotate(new, LOUD, "--diff", **CHANGE, **AS_L5)
    assert played.code == 0, played.output[-3000:]
    assert "the key file holds the new password" in played.output
    keys.assert_holds(new)
    assert not keys.opens(old)

    log = server_log.read_bytes()[begin:]
    assert b"PASSWORD 'SCRAM-SHA-256$" in log
    assert not has(forms(new), iter([log]))
    assert not has(forms(old), iter([log]))
    assert not has(needles, iter([played.output.encode()])), "it is on the screen"
    assert watch.looks > 10
    assert watch.seen == set()
    places = [Path(keys.world.host["drive_c"]), Path(keys.world.host["drive_d"]), keys.world.records]
    assert holders(needles, *places) == [str(keys.file)]

    granted, done = keys.world.audit()[-2:]
    assert (granted["event"], granted["details"]["purpose"]) == ("authority_granted", "rotate_db_key")
    assert (done["event"], done["result"], done["details"]["proven"]) == (
        "rotate_db_key",
        "success",
        ["psycopg", "psql"],
    )
    again = keys.rotate(new, **CHANGE, **AS_L5)
    assert again.code == 0, again.output
    assert "nothing was to be done" in again.output
    backup = keys.world.play("backup.yml")
    assert backup.code == 0, backup.output


@pytest.mark.either_lane
def test_a_password_from_the_portal_is_taken(keys: Keys) -> None:
    new = fresh()
    keys.server_has(new)
    failed = keys.world.play("backup.yml")
    assert failed.failed_with("db_auth_failed"), failed.output
    assert "rotate_db_key.yml" in " ".join(failed.output.split())
    played = keys.rotate(new, **AS_L5)
    assert played.code == 0, played.output
    keys.assert_holds(new)


@pytest.mark.either_lane
@pytest.mark.parametrize("token", [{}, {"wst_backup_authority_token": "Planted-XX-0123456789-wrong!"}])
def test_an_operator_changes_no_key(keys: Keys, token: dict[str, str]) -> None:
    old = keys.file.read_text().strip()
    played = keys.rotate(fresh(), **CHANGE, **token, key_rotation_operator="nobody")
    assert played.failed_with("not_authorized"), played.output
    keys.assert_holds(old)
    assert keys.world.audit()[-2]["event"] == "authority_refused"


@pytest.mark.either_lane
def test_a_password_that_the_server_does_not_have_leaves_the_old_one_working(keys: Keys) -> None:
    old, new = keys.file.read_text().strip(), fresh()
    for arguments in (["--check"], []):
        played = keys.rotate(new, *arguments, **AS_L5)
        assert played.failed_with("db_auth_failed"), played.output
        assert new not in played.output
        keys.assert_holds(old)
    last = keys.world.audit()[-1]
    assert (last["event"], last["result"], last["code"]) == ("rotate_db_key", "failure", "db_auth_failed")
    malformed = keys.rotate("with a space", **CHANGE, **AS_L5)
    assert malformed.failed_with("key_malformed"), malformed.output
    keys.assert_holds(old)


@pytest.mark.either_lane
def test_what_a_killed_rotation_left_is_ended_by_the_next_without_the_password(keys: Keys) -> None:
    old, new = keys.file.read_text().strip(), fresh()
    keys.staged.write_text(new)  # it died before the server was told
    keys.staged.chmod(0o600)
    assert keys.rotate(None, **AS_L5).code == 0
    keys.assert_holds(old)
    keys.staged.write_text(new)
    keys.staged.chmod(0o600)
    keys.server_has(new)  # and here after that
    played = keys.rotate(None, **AS_L5)
    assert played.code == 0, played.output
    keys.assert_holds(new)
    nothing = keys.rotate(None, **AS_L5)
    assert nothing.failed_with("input_invalid"), nothing.output


@pytest.mark.either_lane
def test_the_key_of_who_restores_is_rotated_by_the_same_playbook(keys: Keys, server_log: Path) -> None:
    """Open to others it stops the next backup; a rotation closes it, and the backup's own key stays as it was."""
    key, other = keys.file.read_bytes(), keys.world.control / "restore.key"
    old, new, begin = other.read_text(), fresh(), server_log.stat().st_size
    which = {"key_rotation_key": "restore", "restore_database": "{{ lab_restore_database }}"}
    other.chmod(0o604)
    try:
        failed = keys.world.play("backup.yml", "--check")
        assert failed.failed_with("key_permissions"), failed.output
        assert "restore.key" in failed.output
        judged = keys.world.play("compliance.yml")
        assert (judged.code, "restore.key is open" in " ".join(judged.output.split())) == (2, True), judged.output
        played = keys.rotate(new, LOUD, **which, **CHANGE, **AS_L5)
        assert played.code == 0, played.output[-3000:]
        assert (other.read_text(), keys.file.read_bytes()) == (new, key)
        assert not (keys.world.control / "restore.key.new").exists()
        assert stat.S_IMODE(other.stat().st_mode) == 0o600
        assert keys.world.audit()[-1]["details"]["key"] == "restore"
        needles = forms(new)
        assert not has(needles, iter([played.output.encode(), server_log.read_bytes()[begin:]]))
        places = [Path(keys.world.host["drive_c"]), Path(keys.world.host["drive_d"]), keys.world.records]
        assert holders(needles, *places) == [str(other)]
        again = keys.world.play("backup.yml", "--check")
        assert again.code == 0, again.output
        back = keys.rotate(old, **which, **CHANGE, **AS_L5)
        assert back.code == 0, back.output
        assert other.read_text() == old
    finally:
        other.write_text(old)
        with keys.world.connect() as session:
            session.execute(f"ALTER ROLE wst_restore PASSWORD '{old}'")


def opened(keys: Keys) -> None:
    """The key and a layer stand open to everybody."""
    keys.file.chmod(0o644)
    keys.world.local.chmod(0o755)


def assert_closed_by(keys: Keys, played: Played, operator: str) -> None:
    """The rotation ended well, everybody else is out, and for whom that was done is on record."""
    assert played.code == 0, played.output
    for path in (keys.file, keys.world.local, keys.world.control):
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0, path
    last = keys.world.audit()[-1]
    assert (last["event"], last["result"], last["details"]["operator"]) == ("rotate_db_key", "success", operator)


def test_a_handover_to_another_account_of_windows(keys: Keys) -> None:
    """Whose list that is, wine does not keep: unit tests of ``host_directories`` look at what Windows is told."""
    if not keys.world.windows:
        pytest.skip("NOT EXERCISED: a handover to another account of Windows, on the POSIX lane")
    old = keys.file.read_text().strip()
    opened(keys)
    other = "S-1-5-21-1004336348-1177238915-682003330-1107"
    assert_closed_by(keys, keys.rotate(None, key_rotation_operator=other, **AS_L5), other)
    keys.assert_holds(old)
    back = keys.rotate(None, key_rotation_operator=keys.world.host["operator_sid"], **AS_L5)
    assert_closed_by(keys, back, keys.world.host["operator_sid"])


@pytest.mark.either_lane  # wine has one account
def test_a_handover_gives_everything_to_the_new_account(keys: Keys) -> None:
    """What was closed before, too: all directories of the host's, and the workspaces in them. And back."""
    old, me = keys.file.read_text().strip(), os.geteuid()
    other = 65534 if me == 0 else me  # only root gives anything away
    workspace = keys.world.control / "drills" / "left"
    workspace.mkdir(0o700, parents=True, exist_ok=True)
    opened(keys)
    kept = ("", "audit", "drills", "drills/left", "lock", "runs", "scratch", "db.key", "restore.key")
    for operator in (other, me):
        handover = {"key_rotation_operator": str(operator)}
        assert_closed_by(keys, keys.rotate(None, **handover, **AS_L5), str(operator))
        paths = [keys.world.control / name for name in kept] + [keys.world.local, keys.world.mirror]
        assert {str(path): path.stat().st_uid for path in paths} == dict.fromkeys(map(str, paths), operator)
        assert stat.S_IMODE(keys.world.local.stat().st_mode) == 0o700
    keys.assert_holds(old)
    assert "nothing was to be done" in keys.rotate(None, **handover, **AS_L5).output
    workspace.rmdir()
    backup = keys.world.play("backup.yml")
    assert backup.code == 0, backup.output
