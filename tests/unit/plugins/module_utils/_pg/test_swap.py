# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The swap of a database is killed at every statement, begun under a crowd, and refused; production is always there."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import psycopg
import pytest
from unit import pgserver
from unit.plugins.module_utils._authority import authority_kit
from unit.plugins.module_utils._pg.conftest import _database as make
from unit.plugins.module_utils._pg.restore_kit import SECRET
from unit.plugins.module_utils._pg.test_restore_steps import as_application, facts, shop

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DbLost,
    DbPermission,
    NotAuthorized,
    NotProved,
    RestoreTargetBusy,
    RestoreTargetRefused,
    SwapUnfinished,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import occupants, swap, swap_step, swapend
from ansible_collections.wst.backup.plugins.module_utils._pg.swapjournal import find_journal

pytestmark = [pytest.mark.posix, pytest.mark.slow]

KILLED = 77  # an exit code
CLIENTS = 40
OTHER_RUN = "20261130-111500-00000002"


@pytest.fixture
def proved(database17: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    """A restore that only lacks the swap."""
    for run, body in shop(database17, monkeypatch, tmp_path):
        run.all(body)
        yield run


@pytest.fixture
def crowded(monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    """The same on a server that takes so many clients."""
    with pgserver.running(17, max_connections=str(CLIENTS + 20), wal_level="logical") as server:
        for database in make(lambda _major: server, 17, tmp_path):
            for run, body in shop(database, monkeypatch, tmp_path):
                run.all(body)
                yield run


@pytest.fixture
def trusted(proved: Any, monkeypatch: Any) -> Any:
    """The same, and authority is not the question: proving it takes long by intent."""
    monkeypatch.setattr(swap_step, "require_for", lambda *_a, **_o: None)
    return proved


class Stops:
    """Every session's statements are counted, and the process ends, or the session breaks, before the nth of them."""

    def __init__(self, at: int, *, kill: bool) -> None:
        self.at, self.kill, self.done = at, kill, 0
        self._execute = psycopg.Connection.execute

    def __enter__(self) -> Stops:
        stops, execute = self, self._execute

        def counted(session: Any, *arguments: Any, **options: Any) -> Any:
            if stops.done == stops.at:
                if stops.kill:
                    os._exit(KILLED)
                stops.done += 1
                session.close()  # the server sees a client that is gone
            stops.done += 1
            return execute(session, *arguments, **options)

        psycopg.Connection.execute = counted  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_exception: object) -> None:
        psycopg.Connection.execute = self._execute  # type: ignore[method-assign]


def in_a_child(work: Any, at: int) -> int:
    """The exit code of a process that does it and is ended before the nth statement: 0 where it had fewer."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            with Stops(at, kill=True):
                work()
            os._exit(0)
        os._exit(1)
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def swap_back(run: Any) -> None:
    """Everything as it was before the swap, for another try: by hand, as no module does it."""
    server, name = run.database.server, run.database.name
    if run.before in run.named():
        server.run(
            f'ALTER DATABASE "{name}" RENAME TO "{run.candidate}"',
            f"COMMENT ON DATABASE \"{run.candidate}\" IS 'wst.backup scratch of run {run.run_id}'",
            f'ALTER DATABASE "{run.before}" RENAME TO "{name}"',
            f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true',
        )
    for path in Path(run.layout.swaps_dir).glob("*.json"):
        path.unlink()


@pytest.mark.parametrize("rerun", ["swapped", "resumed"])
def test_killed_before_any_statement_a_rerun_leaves_one_production(trusted: Any, rerun: str) -> None:
    run, at, outcomes = trusted, 0, set()
    before = facts(run.database)
    while True:
        code = in_a_child(run.swap, at)
        assert code in (0, KILLED)
        if code == 0:
            break
        done = run.swap(rerun)
        renamed = run.before in run.named()
        outcomes.add((done["status"], renamed))
        assert run.reachable() == ([run.database.name] if renamed else [run.database.name, run.candidate])
        assert facts(run.database) == before
        assert as_application(run, "SELECT count(*) FROM app.items") == [(100,)]
        swap_back(run)
        at += 1
    assert at > 20
    assert outcomes == (
        {("swapped", True)} if rerun == "swapped" else {(None, False), ("undone", False), ("swapped", True)}
    )


def test_a_connection_that_breaks_at_any_statement_leaves_one_open_production(trusted: Any, monkeypatch: Any) -> None:
    run, at, outcomes = trusted, 0, set()
    before = facts(run.database)
    while True:
        with Stops(at, kill=False) as stops:
            try:
                done = run.swap()["status"]
            except DbLost:
                done = "lost"
        if stops.done <= at:
            break
        outcomes.add(done)
        assert run.database.name in run.reachable()
        assert facts(run.database) == before
        journal = find_journal(run.layout, run.run_id)
        if done == "lost" and journal is not None:
            assert (journal.status, run.before in run.named()) == ("undone", False)
        swap_back(run)
        at += 1
    assert outcomes == {"lost", "swapped"}


def test_under_40_clients_that_connect_again_and_again(crowded: Any) -> None:
    """And somebody reads its changes, from a slot that does not follow the name."""
    run = crowded
    run.database.rows("SELECT pg_create_logical_replication_slot('readers', 'pgoutput')")
    run.database.run("UPDATE app.items SET name = 'old' WHERE id = 1")
    stop, seen, guard = threading.Event(), [], threading.Lock()
    arguments = {"host": "127.0.0.1", "port": run.database.server.port, "user": "shop_app", "password": SECRET}

    def client(number: int) -> None:
        while not stop.is_set():
            with contextlib.suppress(psycopg.Error):
                with psycopg.connect(dbname=run.database.name, autocommit=True, **arguments) as session:
                    while not stop.is_set():
                        row = session.execute("SELECT name FROM app.items WHERE id = 1").fetchone()
                        with guard:
                            seen.append((time.monotonic(), number, row))
                        stop.wait(0.01)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        assert eventually(lambda: {number for _at, number, row in list(seen) if row == ("old",)} == set(range(CLIENTS)))
        began = time.monotonic()
        done = run.swap()
        assert done["status"] == "swapped"
        (told,) = done["remarks"]
        assert (told.partition(" ")[0], told.partition(": ")[2]) == ("replication", "readers")
        assert time.monotonic() - began < 20
        ended = time.monotonic()
        assert eventually(lambda: {n for at, n, _row in list(seen) if at > ended} == set(range(CLIENTS)))
        assert {row for at, _number, row in seen if at > ended} == {("item 1",)}
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def eventually(condition: Any) -> bool:
    """Whether it comes true within a minute."""
    end = time.monotonic() + 60
    event = threading.Event()
    while time.monotonic() < end:
        if condition():
            return True
        event.wait(0.05)
    return False


def untouched(run: Any) -> None:
    """Production is open, under its name, and nothing says otherwise."""
    assert run.named() == {run.database.name, run.candidate}
    assert run.reachable() == [run.database.name, run.candidate]
    assert as_application(run, "SELECT count(*) FROM app.items") == [(100,)]


def test_a_prepared_transaction_is_named(proved: Any) -> None:
    run = proved
    with run.database.server.connect(run.database.name) as session:
        session.autocommit = False
        session.execute("UPDATE app.items SET name = 'pending' WHERE id = 1")
        session.execute("PREPARE TRANSACTION 'of the shop'")
    try:
        with pytest.raises(RestoreTargetBusy, match="transaction 'of the shop' is prepared"):
            run.swap()
        untouched(run)
        assert find_journal(run.layout, run.run_id) is None
    finally:
        with run.database.server.connect(run.database.name) as session:
            session.execute("ROLLBACK PREPARED 'of the shop'")
    assert run.swap()["status"] == "swapped"


def test_a_transaction_that_is_prepared_at_the_last_moment_opens_production_again(
    proved: Any, monkeypatch: Any
) -> None:
    run, server = proved, proved.database.server
    monkeypatch.setattr(swap, "rehearse", lambda *_: prepare_now())

    def prepare_now() -> None:
        with server.connect(run.database.name) as session:
            session.execute("BEGIN; UPDATE app.items SET name = 'pending' WHERE id = 1")
            session.execute("PREPARE TRANSACTION 'late'")

    try:
        with pytest.raises(RestoreTargetBusy, match="'late' is prepared"):
            run.swap()
        untouched(run)
        journal = find_journal(run.layout, run.run_id)
        assert journal is not None
        assert journal.status == "undone"
    finally:
        with server.connect(run.database.name) as session:
            session.execute("ROLLBACK PREPARED 'late'")


@pytest.fixture
def administered(database: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    """A restore by an administrator who is no superuser, as on a managed server."""
    server = database.server
    server.run(f"CREATE ROLE shop_admin LOGIN CREATEDB CREATEROLE PASSWORD '{SECRET}'")
    made = shop(database, monkeypatch, tmp_path, user="shop_admin")
    try:
        run, body = next(made)
        server.run("GRANT shop_owner, shop_app, shop_reader TO shop_admin WITH ADMIN OPTION")
        yield run, body
    finally:
        made.close()
        server.run("DROP ROLE shop_admin")


def test_an_administrator_who_is_no_superuser_restores_and_swaps(administered: Any) -> None:
    """A grant by another than the owner comes back, too, for which pg_restore would have to be one."""
    run, _body = administered
    run.make()
    with pytest.raises(DbPermission, match="it may not become postgres"):
        run.restore()  # the large object is his
    run.database.run("ALTER LARGE OBJECT 5001 OWNER TO shop_owner")
    body = run.produce_again()
    with pytest.raises(DbPermission, match=r'permission denied to set parameter "custom\.thing"'):
        run.restore()
    told = run.restore(leave_out=["settings"])["remarks"]
    assert 'not restored: setting "custom.thing" of the database' in told
    run.compare(body)
    run.database.run(f'ALTER DATABASE "{run.database.name}" RESET "custom.thing"')
    before = facts(run.database)
    superuser = run.database.server.connect(run.database.name, application_name="backup of the shop")
    with (
        superuser,
        pytest.raises(RestoreTargetBusy, match=r"of superuser postgres .backup of the shop. cannot be ended"),
    ):
        run.swap()
    untouched(run)
    assert run.swap()["status"] == "swapped"
    assert facts(run.database) == before
    assert as_application(run, "SELECT app.twice(4)") == [(8,)]
    granted = "SELECT grantor FROM information_schema.role_table_grants WHERE grantee = 'shop_reader'"
    assert run.database.rows(granted) == [("shop_app",)]


def test_an_administrator_on_a_new_server_is_told_whose_passwords_are_to_be_set(administered: Any) -> None:
    """He cannot see who has one: the roles that log in are named, where the database is new there, and not else."""
    run, _body = administered
    run.database.run("ALTER LARGE OBJECT 5001 OWNER TO shop_owner")
    run.produce_again()
    roles, ours = str(run.database.workspace / "roles.sql"), "no backup holds passwords"
    run.make()
    known = run.restore(leave_out=["settings"], roles_sql=roles)["remarks"]
    assert not [each for each in known if ours in each]
    run.remove()
    run.database.server.run(f'DROP DATABASE "{run.database.name}"')
    run.make()
    (told,) = [each for each in run.restore(leave_out=["settings"], roles_sql=roles)["remarks"] if ours in each]
    named = told.partition(": ")[2].split(", ")
    assert "shop_app" in named
    assert not {"shop_admin", "shop_owner"} & set(named), "who restores, and who does not log in"


def test_an_administrator_who_may_not_rename_is_refused(administered: Any) -> None:
    run, body = administered
    run.database.server.run("ALTER ROLE shop_admin SUPERUSER")
    run.all(body)
    run.database.server.run("ALTER ROLE shop_admin NOSUPERUSER NOCREATEDB")
    with pytest.raises(DbPermission, match="lacks CREATEDB"):
        run.swap()
    run.database.server.run("ALTER ROLE shop_admin CREATEDB", "REVOKE shop_owner FROM shop_admin")
    with pytest.raises(DbPermission, match="no member of the database's owner"):
        run.swap()
    untouched(run)


def test_where_connections_cannot_be_forbidden_a_limit_closes(administered: Any, monkeypatch: Any) -> None:
    """As a managed server may have it: simulated, because PostgreSQL itself refuses this to no owner."""
    run, body = administered
    run.database.server.run("ALTER ROLE shop_admin SUPERUSER")
    run.all(body)
    run.database.server.run("ALTER ROLE shop_admin NOSUPERUSER")
    monkeypatch.setattr(swap, "_allow", refuse)
    before = facts(run.database)
    assert run.swap()["status"] == "swapped"
    assert facts(run.database) == before
    assert as_application(run, "SELECT count(*) FROM app.items") == [(100,)]
    ((limit,),) = run.database.server.rows(f"SELECT datconnlimit FROM pg_database WHERE datname = '{run.before}'")
    assert limit == 0


def refuse(*_arguments: Any, **_options: Any) -> None:
    """What such a server would say."""
    raise psycopg.errors.InsufficientPrivilege("ALLOW_CONNECTIONS is not for you")


def test_who_does_not_leave_keeps_production_open(proved: Any, monkeypatch: Any) -> None:
    run = proved
    monkeypatch.setattr(swap, "PATIENCE", 0.2)
    monkeypatch.setattr(occupants, "_terminate", lambda *_a, **_o: None)
    with run.database.server.connect(run.database.name):
        with pytest.raises(RestoreTargetBusy, match="1 sessions are still there"):
            run.swap()
    untouched(run)


def test_a_server_that_stays_away_is_said_to_have_left_production_closed(proved: Any, monkeypatch: Any) -> None:
    run = proved
    with monkeypatch.context() as patched:
        patched.setattr(swapend, "PATIENCE", 0.0)
        patched.setattr(swap, "_rename_both", lost)
        patched.setattr(swap, "back", lost)
        with pytest.raises(SwapUnfinished, match="could not be ended") as caught:
            run.swap()
    assert caught.value.facts["swap"] == run.run_id
    assert run.reachable() == []
    with pytest.raises(SwapUnfinished, match="was interrupted"):
        run.remove()
    assert run.swap("resumed")["status"] == "undone"
    untouched(run)


def lost(*_arguments: Any, **_options: Any) -> None:
    """The server is gone."""
    raise DbLost("the server is gone")


def test_another_run_ends_what_a_dead_one_began(proved: Any) -> None:
    run = proved
    statements = next(at for at in range(200) if in_a_child(run.swap, at) == 0 or run.reachable() == [])
    assert statements > 5
    run.end()
    run.begin(OTHER_RUN)
    assert run.remove()["problems"][0]["code"] == "swap_unfinished"
    for refused in (run.swap, run.make):
        with pytest.raises(SwapUnfinished, match="was interrupted"):
            refused()
    assert run.swap("resumed")["status"] == "undone"
    untouched(run)
    assert run.remove()["removed"] == [run.candidate]
    assert run.named() == {run.database.name}


def test_a_swap_is_taken_back(trusted: Any) -> None:
    """Killed at every statement, too."""
    run, at = trusted, 0
    before = facts(run.database)
    run.swap()
    new = facts(run.database)
    while True:
        code = in_a_child(lambda: run.swap("undone", swap=run.run_id), at)
        assert code in (0, KILLED)
        if code == 0:
            break
        run.swap("resumed")
        renamed = run.candidate in run.named()
        assert run.reachable() == [run.database.name]
        assert facts(run.database) == (before if renamed else new)
        if renamed:
            with pytest.raises(NotProved, match="was not compared"):
                run.swap()
            run.database.server.run(f'ALTER DATABASE "{run.candidate}" ALLOW_CONNECTIONS true')
            run.compare()
            run.swap()
        at += 1
    assert at > 10
    assert run.reachable() == [run.database.name]
    assert as_application(run, "SELECT count(*) FROM app.items") == [(100,)]
    assert facts(run.database) == before
    assert run.swap("undone", swap=run.run_id)["changed"] is False
    assert run.candidate in run.named()
    assert run.swap("absent", swap=run.run_id)["changed"] is True
    assert run.named() == {run.database.name}
    assert facts(run.database) == before
    assert run.swap("absent", swap=run.run_id)["changed"] is False
    assert run.remove()["removed"] == []


def test_authority(proved: Any, monkeypatch: Any) -> None:
    run = proved
    authority_kit.carry(monkeypatch, authority_kit.TOKENS["L5"])
    for dry_run in (True, False):
        with pytest.raises(NotAuthorized, match="needs L6"):
            run.swap(dry_run=dry_run)
    untouched(run)
    authority_kit.carry(monkeypatch, authority_kit.TOKENS["L6"])
    assert run.swap(dry_run=True)["changed"] is True
    untouched(run)
    swapped = run.swap()["swap"]
    authority_kit.carry(monkeypatch, authority_kit.TOKENS["L5"])
    with pytest.raises(NotAuthorized, match="needs L6"):
        run.swap("absent", swap=swapped)
    assert run.before in run.named()
    details = [each["details"] for each in authority_kit.recorded(run.layout) if each["event"] == "authority_granted"]
    assert details[-1]["target"] == run.place
    assert details[-1]["reason"] == "a test"
    assert len(details[-1]["dump_sha256"]) == 64


def test_a_database_that_came_into_being_under_one_of_the_names_is_refused(proved: Any) -> None:
    run, server = proved, proved.database.server
    server.run(f'CREATE DATABASE "{run.before}"')
    with pytest.raises(RestoreTargetRefused, match=r"there is a database .*_before_.* already"):
        run.swap()
    server.run(f'DROP DATABASE "{run.before}"', f"COMMENT ON DATABASE \"{run.candidate}\" IS 'mine'")
    with pytest.raises(RestoreTargetRefused, match="does not carry the mark"):
        run.swap()
    server.run(f'ALTER DATABASE "{run.candidate}" RENAME TO "{run.candidate}x"', f'CREATE DATABASE "{run.candidate}"')
    with pytest.raises(RestoreTargetRefused, match="is not the one that was restored"):
        run.swap()
    assert as_application(run, "SELECT 1") == [(1,)]
