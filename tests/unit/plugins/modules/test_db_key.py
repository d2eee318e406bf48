# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of the database key on a real server: what is in the file, who logs in, what the server's log has."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import psycopg
import pytest
from unit import pgserver

from ansible_collections.wst.backup.plugins.module_utils._errors import DbLimits, DbLost, LeaseLost
from ansible_collections.wst.backup.plugins.module_utils._keychange import rotate
from ansible_collections.wst.backup.plugins.module_utils._keychange.step import CARRIED
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import Held
from ansible_collections.wst.backup.plugins.module_utils._pg import login, scram
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    provisioned,
    recorded,
)
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

pytestmark = pytest.mark.posix  # needs a server of its own

RUN = "20261123-150000-0123abcd"
ROLE = "wst backup"
OLD, NEW, THIRD = "Planted-Old-0123456789", "Planted-New-0123456789", "Planted-Third-0123456789"


@pytest.fixture(scope="module")
def clusters() -> Iterator[Any]:
    """A server that logs every statement."""
    with pgserver.running(17, log_statement="all", log_min_messages="info", log_connections="on") as server:
        server.run(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD '{OLD}'")
        yield server


@dataclass
class Rotating:
    """A host with a key, and the server that it opens."""

    host: Host
    server: Any

    @property
    def key(self) -> Path:
        """The key file."""
        return Path(self.host.layout.key_file)

    @property
    def staged(self) -> Path:
        """Where the new one would lie."""
        return Path(self.host.layout.key_file + ".new")

    def params(self, **changes: Any) -> Dict[str, Any]:
        """The module's."""
        database = {"host": "127.0.0.1", "port": self.server.port, "name": "postgres", "user": ROLE}
        database["sslrootcert"] = str(self.server.authority.certificate)
        return {"database": database, "tools_dir": str(self.server.bin), **changes}

    def rotate(
        self, new: Optional[str] = NEW, *, token: Optional[str] = TOKENS["L5"], **options: Any
    ) -> Dict[str, Any]:
        """Run the module with that new password."""
        self.host.carry(token, **({CARRIED: new} if new is not None else {}))
        check = options.pop("check", False)
        return self.host.run("db_key", check=check, **self.params(**options))

    def four(self, new: Optional[str] = NEW, **options: Any) -> List[Dict[str, Any]]:
        """Check, run, check again, run again."""
        return [self.rotate(new, check=check, **options) for check in (True, False, True, False)]

    def server_has(self, password: str) -> None:
        """An administrator gives the role a password."""
        secret = scram.verifier(password, salt=os.urandom(16))
        self.server.run(f"ALTER ROLE \"{ROLE}\" PASSWORD '{secret}'")

    def opens(self, password: str) -> bool:
        """Whether the role logs in with it."""
        try:
            self.server.connect(user=ROLE, password=password).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            return False
        return True

    def assert_holds(self, password: str) -> None:
        """The key file has it, nobody else reads it, and nothing is staged."""
        assert self.key.read_bytes().strip() == password.encode()
        assert stat.S_IMODE(self.key.stat().st_mode) == 0o600
        assert not self.staged.exists()
        assert not [path.name for path in self.key.parent.iterdir() if path.name.startswith("db.key.")]

    def log(self) -> str:
        """The server's."""
        return (self.server.home / "log").read_text()


@pytest.fixture
def rotating(host: Host, clusters: Any) -> Rotating:
    """The key is the server's, and L5 is at work."""
    provisioned(host.layout)
    host.begin(RUN)
    world = Rotating(host, clusters)
    world.key.write_text(OLD + "\n")
    world.key.chmod(0o600)
    world.server_has(OLD)
    return world


def changes(results: List[Dict[str, Any]]) -> List[bool]:
    """What each said about changes; none may have failed."""
    assert [one["msg"] for one in results if one.get("failed")] == []
    return [one["changed"] for one in results]


def test_a_password_that_the_server_has_already_is_taken(rotating: Rotating) -> None:
    rotating.server_has(NEW)
    results = rotating.four()
    assert changes(results) == [True, True, False, False]
    assert [one["proven"] for one in results] == [["psycopg", "psql"]] * 4
    rotating.assert_holds(NEW)
    assert recorded(rotating.host.layout)[-1]["details"]["purpose"] == "rotate_db_key"


def test_a_password_that_the_server_refuses_changes_nothing(rotating: Rotating) -> None:
    before = rotating.key.read_bytes()
    for check in (True, False):
        refused = rotating.rotate(check=check)
        assert refused["code"] == "db_auth_failed"
        assert "still opens" in refused["msg"]
        assert NEW not in str(refused)
        rotating.assert_holds(OLD)
    assert rotating.key.read_bytes() == before
    assert rotating.opens(OLD)


def test_where_no_password_works_that_is_said(rotating: Rotating) -> None:
    rotating.server_has(THIRD)
    for change in (True, False):
        refused = rotating.rotate(change_server=change)
        assert refused["code"] == "db_auth_failed"
        assert "still opens" not in refused["msg"]
    rotating.assert_holds(OLD)


def test_the_server_is_told_and_its_log_has_no_password(rotating: Rotating) -> None:
    rotating.server.run(f'ALTER ROLE "{ROLE}" SET scram_iterations = 8192')
    rotating.server.run(f'ALTER ROLE "{ROLE}" SET default_transaction_read_only = on')
    try:
        results = rotating.four(change_server=True)
    finally:
        rotating.server.run(f'ALTER ROLE "{ROLE}" RESET ALL')
    assert changes(results) == [True, True, False, False]
    assert results[0]["changes"] == results[1]["changes"]
    assert results[1]["proven"] == ["psycopg", "psql"]
    rotating.assert_holds(NEW)
    assert (rotating.opens(NEW), rotating.opens(OLD)) == (True, False)
    ((secret,),) = rotating.server.rows(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ROLE}'")
    assert secret.startswith("SCRAM-SHA-256$8192:")
    log = rotating.log()
    assert "ALTER ROLE SESSION_USER PASSWORD 'SCRAM-SHA-256$8192:" in log
    assert NEW not in log.replace(f"PASSWORD '{OLD}'", "")


def test_a_role_that_becomes_another_at_its_login_changes_its_own_password(rotating: Rotating) -> None:
    rotating.server.run(
        f"CREATE ROLE \"the owner\" LOGIN PASSWORD '{THIRD}'",
        f'GRANT "the owner" TO "{ROLE}"',
        f"ALTER ROLE \"{ROLE}\" SET role = 'the owner'",
    )
    try:
        assert rotating.rotate(change_server=True)["changed"] is True
        rotating.server.connect(user="the owner", password=THIRD).close()
    finally:
        rotating.server.run(f'ALTER ROLE "{ROLE}" RESET ALL', 'DROP ROLE "the owner"')
    rotating.assert_holds(NEW)
    assert rotating.opens(NEW)


def test_a_new_password_that_then_does_not_work_is_taken_back(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the verifier had been wrong: what counts is that the server ends with the old one."""
    right = scram.verifier

    def wrong(password: str, **how: Any) -> str:
        return right("another" if password == NEW else password, **how)

    monkeypatch.setattr(login.scram, "verifier", wrong)
    refused = rotating.rotate(change_server=True)
    assert refused["code"] == "db_auth_failed"
    assert rotating.opens(OLD)
    rotating.assert_holds(OLD)


@pytest.mark.parametrize("done", [True, False])
def test_a_session_that_breaks_while_the_server_is_told_leaves_both_keys_for_the_next_run(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    tell = login.set_password

    def breaks(session: Any, options: Any, password: str) -> None:
        if done:
            tell(session, options, password)
        session.close()
        raise DbLost("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(rotate, "set_password", breaks)
        assert rotating.rotate(change_server=True)["code"] == "db_lost"
    assert rotating.staged.read_text() == NEW
    assert stat.S_IMODE(rotating.staged.stat().st_mode) == 0o600
    again = rotating.rotate(None)
    assert again["changed"] is True
    rotating.assert_holds(NEW if done else OLD)
    assert rotating.opens(NEW if done else OLD)


def test_a_server_that_lets_nobody_else_in_leaves_nothing_staged(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_options: Any, _key: str) -> Any:
        raise DbLimits("too many connections")

    monkeypatch.setattr(rotate, "connect", full)
    assert rotating.rotate(change_server=True)["code"] == "db_limits"
    rotating.assert_holds(OLD)
    assert rotating.opens(OLD)


def test_a_server_that_refuses_the_change_leaves_nothing_staged(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "_ITERATIONS", "SELECT * FROM pg_catalog.pg_authid")
    assert rotating.rotate(change_server=True)["code"] == "db_permission"
    rotating.assert_holds(OLD)
    assert rotating.opens(OLD)


@pytest.mark.parametrize("token", [None, "Planted-XX-0123456789-wrong!"])
def test_an_operator_changes_no_key(rotating: Rotating, token: Optional[str]) -> None:
    rotating.server_has(NEW)
    log = rotating.log()
    for check in (True, False):
        assert rotating.rotate(token=token, check=check)["code"] == "not_authorized"
    rotating.assert_holds(OLD)
    assert rotating.log() == log, "the server was asked"


@pytest.mark.parametrize("new", ['Planted"0123456789', "Planted 0123456789", "Pl\u00e4nted-0123456789", "P\nlanted"])
def test_what_can_be_no_key_is_refused_and_not_quoted(rotating: Rotating, new: str) -> None:
    refused = rotating.rotate(new)
    assert refused["code"] == "key_malformed"
    assert new not in str(refused)
    rotating.assert_holds(OLD)


@pytest.mark.parametrize("content", [None, b"", b'"quoted"', b"two\nlines"])
def test_a_key_file_that_is_gone_or_holds_no_key_is_mended(rotating: Rotating, content: Optional[bytes]) -> None:
    rotating.key.unlink()
    if content is not None:
        rotating.key.write_bytes(content)
    rotating.server_has(NEW)
    assert rotating.rotate(change_server=True)["changed"] is True
    rotating.assert_holds(NEW)


def test_without_psql_it_is_said_that_it_was_not_tried(rotating: Rotating, tmp_path: Path) -> None:
    rotating.server_has(NEW)
    result = rotating.rotate(tools_dir=str(tmp_path))
    assert (result["changed"], result["proven"]) == (True, ["psycopg"])
    assert "not tried with psql" in str(result["warnings"])
    rotating.assert_holds(NEW)


def test_where_psql_fails_the_right_key_is_in_place_and_the_task_fails(rotating: Rotating, tmp_path: Path) -> None:
    """psycopg has logged in with the new one, so the old one opens nothing any more."""
    program = tmp_path / "psql"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "psql (PostgreSQL) 17.1" && exit 0\nexit 7\n')
    program.chmod(0o755)
    failed = rotating.rotate(change_server=True, tools_dir=str(tmp_path))
    assert failed["code"] == "tool_failed"
    assert "psycopg logs in with it" in failed["msg"]
    rotating.assert_holds(NEW)
    assert rotating.opens(NEW)
    assert rotating.rotate(tools_dir=str(tmp_path))["code"] == "tool_failed"  # and so it stays until psql works
    rotating.assert_holds(NEW)


def test_the_password_is_in_no_argument_of_psql(rotating: Rotating, tmp_path: Path) -> None:
    program, seen = tmp_path / "psql", tmp_path / "seen"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {seen}\n[ "$1" = --version ] && echo "psql (PostgreSQL) 17.1" && exit 0\necho 1\n'
    )
    program.chmod(0o755)
    rotating.server_has(NEW)
    assert rotating.rotate(tools_dir=str(tmp_path))["proven"] == ["psycopg", "psql"]
    assert "SELECT 1" in seen.read_text()
    assert NEW not in seen.read_text()


def test_nothing_to_do_is_said(rotating: Rotating) -> None:
    assert rotating.rotate(None)["code"] == "input_invalid"
    rotating.assert_holds(OLD)


def test_a_handover_closes_the_key_to_everybody_else(rotating: Rotating) -> None:
    other = Path(rotating.host.layout.restore_key_file)
    other.write_text(THIRD)
    for path in (rotating.key, other):
        path.chmod(0o644)
    results = rotating.four(None, operator=str(os.geteuid()))
    assert changes(results) == [True, True, False, False]
    assert results[0]["changes"] == results[1]["changes"]
    assert f"{other} is closed to others" in results[1]["changes"]
    assert (other.read_text(), stat.S_IMODE(other.stat().st_mode)) == (THIRD, 0o600)
    other.unlink()
    rotating.assert_holds(OLD)
    assert rotating.rotate(None, operator="nobody_of_that_name")["code"] == "path_unusable"
    rotating.key.unlink()
    assert rotating.rotate(None, operator=str(os.geteuid()))["code"] == "key_missing"


@pytest.mark.skipif(os.geteuid() != 0, reason="!!! only root gives a file to somebody else: run it as root")
def test_a_handover_gives_the_key_to_the_new_account(rotating: Rotating) -> None:
    other = Path(rotating.host.layout.restore_key_file)
    other.write_text(THIRD)
    other.chmod(0o600)
    rotating.server_has(NEW)
    assert rotating.rotate(operator="nobody")["changed"] is True
    rotating.assert_holds(NEW)
    import pwd

    assert {path.stat().st_uid for path in (rotating.key, other)} == {pwd.getpwnam("nobody").pw_uid}
    assert rotating.rotate(None, operator="nobody")["changed"] is False


def test_an_open_directory_is_refused(rotating: Rotating) -> None:
    os.chmod(rotating.host.root, 0o755)
    try:
        assert rotating.rotate()["code"] == "path_permissions"
    finally:
        os.chmod(rotating.host.root, 0o700)
    rotating.assert_holds(OLD)


def test_a_server_that_does_not_answer_changes_nothing(rotating: Rotating) -> None:
    database = {**rotating.params()["database"], "port": pgserver.free_port()}
    assert rotating.rotate(database=database, change_server=True)["code"] == "db_unreachable"
    rotating.assert_holds(OLD)
    rotating.staged.write_text(NEW)  # of an earlier run: it is not thrown away unasked
    assert rotating.rotate(THIRD, database=database)["code"] == "db_unreachable"
    assert rotating.staged.read_text() == NEW


def test_a_full_disk_stops_it_before_the_server_is_told(rotating: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = api.flush_file

    def full(file: Any) -> None:
        if str(file.name) == str(rotating.staged):
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(file)

    monkeypatch.setattr(api, "flush_file", full)
    assert rotating.rotate(change_server=True)["code"] == "no_space"
    rotating.assert_holds(OLD)
    assert rotating.opens(OLD)


def test_a_key_file_that_cannot_be_replaced_leaves_the_new_one_for_the_next_run(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = api.replace

    def held(source: str, target: str, **how: Any) -> None:
        if target == str(rotating.key):
            raise PermissionError(errno.EACCES, "somebody holds it")
        replace(source, target, **how)

    with monkeypatch.context() as patch:
        patch.setattr(api, "replace", held)
        assert rotating.rotate(change_server=True)["code"] == "path_permissions"
    assert rotating.opens(NEW)
    assert rotating.staged.read_text() == NEW
    assert changes([rotating.rotate()]) == [True]
    rotating.assert_holds(NEW)


def test_a_run_that_lost_the_host_replaces_nothing(rotating: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_self: Any) -> None:
        raise LeaseLost("another run has the host")

    rotating.server_has(NEW)
    with monkeypatch.context() as patch:
        patch.setattr(Held, "check", lost)
        assert rotating.rotate()["code"] == "lease_lost"
    assert rotating.key.read_text().strip() == OLD
    assert changes([rotating.rotate(None)]) == [True]
    rotating.assert_holds(NEW)


@pytest.mark.parametrize(
    ("staged", "on_server", "new", "held"),
    [
        (NEW, NEW, None, NEW),  # died after the server was told
        (NEW, NEW, NEW, NEW),
        (NEW, NEW, THIRD, THIRD),
        (NEW, OLD, None, OLD),  # died before
        (NEW, OLD, NEW, NEW),
        (NEW, OLD, THIRD, THIRD),
        (NEW[:5], OLD, NEW, NEW),  # died while it was written
        ("", OLD, None, OLD),
        (OLD, OLD, None, OLD),
        (NEW, NEW, OLD, OLD),  # somebody changed their mind
    ],
)
def test_whatever_an_earlier_rotation_left_the_next_one_ends_with_a_key_that_works(
    rotating: Rotating, staged: str, on_server: str, new: Optional[str], held: str
) -> None:
    rotating.server_has(on_server)
    rotating.staged.write_text(staged)
    before = (rotating.key.read_bytes(), rotating.staged.read_bytes())
    shown = rotating.rotate(new, change_server=True, check=True)
    assert (rotating.key.read_bytes(), rotating.staged.read_bytes()) == before
    done = rotating.rotate(new, change_server=True)
    assert changes([shown, done]) == [True, True]
    assert shown["changes"] == done["changes"]
    rotating.assert_holds(held)
    assert rotating.opens(held)
    assert changes([rotating.rotate(held, change_server=True)]) == [False]


def test_where_neither_opens_the_server_both_stay_until_a_new_one_comes(rotating: Rotating) -> None:
    rotating.server_has(THIRD)
    rotating.staged.write_text(NEW)
    assert rotating.rotate(None)["code"] == "db_auth_failed"
    assert (rotating.key.read_text().strip(), rotating.staged.read_text()) == (OLD, NEW)
    assert rotating.rotate(THIRD)["changed"] is True
    rotating.assert_holds(THIRD)


# --- the server is told by somebody else


def test_a_password_that_somebody_else_gives_to_the_server_waits_for_it(rotating: Rotating) -> None:
    waits = rotating.four(await_server=True)
    assert changes(waits) == [True, True, False, False]
    assert waits[0]["changes"] == waits[1]["changes"] == ["the new password is staged until the server has it"]
    assert [one["awaits_server"] for one in waits] == [True] * 4
    assert (rotating.key.read_text(), rotating.staged.read_text()) == (OLD + "\n", NEW)
    assert stat.S_IMODE(rotating.staged.stat().st_mode) == 0o600
    rotating.server_has(NEW)
    results = rotating.four(await_server=True)
    assert changes(results) == [True, True, False, False]
    assert [(one["awaits_server"], one["proven"]) for one in results] == [(False, ["psycopg", "psql"])] * 4
    assert results[1]["changes"] == ["the key file holds the new password"]
    rotating.assert_holds(NEW)


@pytest.mark.parametrize("content", [None, OLD.encode(), NEW.encode(), b"two\nlines"])
def test_the_old_password_may_be_lost(rotating: Rotating, content: Optional[bytes]) -> None:
    """Also where the key file has the new one already, which the server does not take."""
    rotating.key.unlink()
    if content is not None:
        rotating.key.write_bytes(content)
        rotating.key.chmod(0o600)
    rotating.server_has(THIRD)
    assert rotating.rotate(await_server=True)["awaits_server"] is True
    assert (rotating.key.read_bytes() if rotating.key.exists() else None) == content
    rotating.server_has(NEW)
    assert rotating.rotate(await_server=True)["awaits_server"] is False
    rotating.assert_holds(NEW)


def test_a_server_that_does_not_answer_takes_no_key_away_that_it_may_have(rotating: Rotating) -> None:
    database = {**rotating.params()["database"], "port": pgserver.free_port()}
    assert rotating.rotate(database=database, await_server=True)["code"] == "db_unreachable"
    rotating.assert_holds(OLD)  # nobody was told it
    assert rotating.rotate(await_server=True)["awaits_server"] is True
    assert rotating.rotate(database=database, await_server=True)["code"] == "db_unreachable"
    assert rotating.staged.read_text() == NEW
    rotating.staged.chmod(0o644)
    rotating.server_has(NEW)
    assert rotating.rotate(await_server=True)["changed"] is True
    rotating.assert_holds(NEW)


def test_a_key_that_waits_is_taken_away_where_the_server_was_not_told(rotating: Rotating) -> None:
    assert rotating.rotate(await_server=True)["awaits_server"] is True
    assert rotating.rotate()["code"] == "db_auth_failed"
    rotating.assert_holds(OLD)
    assert rotating.rotate(await_server=True)["awaits_server"] is True
    other = rotating.rotate(THIRD, await_server=True)  # somebody changed their mind
    assert other["awaits_server"] is True
    assert rotating.staged.read_text() == THIRD
    assert rotating.rotate(None, await_server=True)["awaits_server"] is False
    rotating.assert_holds(OLD)


def test_two_ways_at_once_are_refused(rotating: Rotating) -> None:
    assert rotating.rotate(change_server=True, await_server=True)["code"] == "input_invalid"
    rotating.assert_holds(OLD)


def test_an_operator_stages_no_key(rotating: Rotating) -> None:
    assert rotating.rotate(token=None, await_server=True)["code"] == "not_authorized"
    rotating.assert_holds(OLD)


def test_the_key_of_who_restores_is_another_file_and_goes_the_same_way(rotating: Rotating) -> None:
    """It is made where there is none, and the other one is not touched, though here one role has both."""
    other = Path(rotating.host.layout.restore_key_file)
    before = rotating.key.read_bytes()
    rotating.server_has(NEW)
    made = rotating.four(key="restore")
    assert changes(made) == [True, True, False, False]
    assert [one["key_file"] for one in made] == [str(other)] * 4
    assert recorded(rotating.host.layout)[-1]["details"]["key"] == "restore"
    replaced = rotating.rotate(THIRD, key="restore", change_server=True)
    assert (replaced["changed"], replaced["proven"]) == (True, ["psycopg", "psql"])
    assert other.read_text() == THIRD
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    assert rotating.opens(THIRD)
    assert rotating.rotate("Planted-Not-The-Server-s", key="restore")["code"] == "db_auth_failed"
    assert (other.read_text(), rotating.key.read_bytes()) == (THIRD, before)
    assert sorted(path.name for path in other.parent.glob("*.key*")) == ["db.key", "restore.key"]


def test_the_staged_key_stays_out_of_archives(rotating: Rotating, tmp_path: Path) -> None:
    from ansible_collections.wst.backup.plugins.module_utils._archive.guard import own_guard

    elsewhere = tmp_path / "site" / "db.key"
    elsewhere.parent.mkdir()
    staged = elsewhere.with_name("db.key.new")
    staged.write_text(NEW)
    guard = own_guard(rotating.host.layout, layers=[], secrets=[str(elsewhere)])
    assert guard.knows(str(staged))
    shutil.rmtree(elsewhere.parent)
