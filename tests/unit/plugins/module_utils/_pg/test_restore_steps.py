# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump is restored with owners beside production, on real servers, compared, and takes its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import psycopg
import pytest
from unit import pgserver
from unit.plugins.module_utils._pg import drill_kit
from unit.plugins.module_utils._pg.conftest import _database as make
from unit.plugins.module_utils._pg.restore_kit import SECRET, Restore

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DbRoleMissing,
    DrillMismatch,
    InputInvalid,
    NoSpace,
    NotProved,
    RestoreTargetBusy,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import scratch
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.scratch import Locale

pytestmark = [pytest.mark.posix, pytest.mark.slow]

ROLES = ("shop_owner", "shop_app", "shop_reader")
SHOP = """
CREATE SCHEMA app;
CREATE TABLE app.items (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO app.items SELECT n, 'item ' || n FROM generate_series(1, 100) n;
CREATE TABLE app.secrets (id int);
CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 2 * $1';
ALTER SCHEMA app OWNER TO shop_owner;
ALTER TABLE app.items OWNER TO shop_owner;
ALTER TABLE app.secrets OWNER TO shop_owner;
ALTER FUNCTION app.twice(int) OWNER TO shop_owner;
REVOKE EXECUTE ON FUNCTION app.twice(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.twice(int) TO shop_app;
GRANT USAGE, CREATE ON SCHEMA app TO shop_app;
CREATE TABLE app.of_the_app (id int);
ALTER TABLE app.of_the_app OWNER TO shop_app;
GRANT SELECT, INSERT ON app.items TO shop_app WITH GRANT OPTION;
SET ROLE shop_app; GRANT SELECT ON app.items TO shop_reader; RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA app GRANT SELECT ON TABLES TO shop_reader;
ALTER TABLE app.secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON app.secrets TO shop_app USING (id > 0);
SELECT lo_from_bytea(5001, 'one object');
GRANT SELECT ON LARGE OBJECT 5001 TO shop_app;
"""

LET_GO = (  # without their publishers
    "DO $$ DECLARE s name; BEGIN FOR s IN SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid "
    "WHERE d.datname = current_database() LOOP EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', s); "
    "EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', s); EXECUTE format('DROP SUBSCRIPTION %I', s); "
    "END LOOP; END $$"
)


def properties(name: str) -> list[str]:
    """Statements that give the database what a rename would lose."""
    quoted = '"' + name.replace('"', '""') + '"'
    return [
        f"ALTER DATABASE {quoted} OWNER TO shop_owner",
        f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {quoted} TO shop_app",
        f"ALTER DATABASE {quoted} CONNECTION LIMIT 57",
        f"ALTER DATABASE {quoted} SET search_path TO app, public",
        f"ALTER DATABASE {quoted} SET \"custom.thing\" TO 'it''s; -- odd \\ \"%s'",
        f"ALTER ROLE shop_app IN DATABASE {quoted} SET statement_timeout TO '77s'",
        f"COMMENT ON DATABASE {quoted} IS 'the shop''s; own'",
    ]


FACTS = """
SELECT pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, d.datlocprovider::text,
       d.datallowconn, d.datconnlimit, shobj_description(d.oid, 'pg_database'),
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(d.datacl, acldefault('d', d.datdba))) a),
       (SELECT array_agg(coalesce(r.rolname, '') || ' ' || array_to_string(s.setconfig, ' ') ORDER BY r.rolname)
          FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid)
  FROM pg_database d WHERE d.datname = '{}'
"""


def facts(database: Any) -> Any:
    """What belongs to the database itself."""
    return database.server.rows(FACTS.format(database.name))


def prepare(database: Any) -> Any:
    """Make the shop; what the manifest says of it."""
    for role in ROLES:
        database.server.run(f"CREATE ROLE {role} NOLOGIN")
    database.server.run(f"ALTER ROLE shop_app LOGIN PASSWORD '{SECRET}'")
    database.run(SHOP, *properties(database.name))
    return database.produce()


def tidy(database: Any, *roles: str) -> None:
    """The test's database as its fixture made it, and the roles gone."""
    quoted = '"' + database.name.replace('"', '""') + '"'
    if database.server.rows(f"SELECT 1 FROM pg_database WHERE datname = '{database.name}'"):
        database.server.run(f"ALTER DATABASE {quoted} ALLOW_CONNECTIONS true", f"DROP DATABASE {quoted} WITH (FORCE)")
    database.server.run(f"CREATE DATABASE {quoted}")
    for role in (*ROLES, *roles):
        database.server.run(f"DROP ROLE IF EXISTS {role}")


@pytest.fixture
def restore(database: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    yield from shop(database, monkeypatch, tmp_path)


@pytest.fixture
def restore17(database17: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    yield from shop(database17, monkeypatch, tmp_path)


def shop(database: Any, monkeypatch: Any, tmp_path: Path, **options: Any) -> Iterator[Any]:
    """A restore whose production is the shop."""
    made = None
    try:
        body = prepare(database)
        made = Restore(monkeypatch, tmp_path / "host", database, **options)
        yield made, body
    finally:
        if made is not None:
            made.clean()
        tidy(database)


def as_application(restore: Restore, *statements: str) -> list[Any]:
    """What the application gets, with the password that it has always had."""
    port, found = restore.database.server.port, []
    with psycopg.connect(
        host="127.0.0.1", port=port, dbname=restore.database.name, user="shop_app", password=SECRET, autocommit=True
    ) as session:
        for statement in statements:
            cursor = session.execute(statement)
            found.append(cursor.fetchone() if cursor.description else None)
    return found


def test_a_restored_database_takes_the_place_of_production_as_it_was(restore: Any) -> None:
    run, body = restore
    before = facts(run.database)
    assert run.all(body)["control"]
    assert run.reachable() == [run.database.name, run.candidate]
    run.database.run("UPDATE app.items SET name = 'lost'")
    done = run.swap()
    assert (done["status"], done["old"], done["changed"]) == ("swapped", run.before, True)
    assert facts(run.database) == before
    assert run.reachable() == [run.database.name]
    assert run.named() == {run.database.name, run.before}
    found = as_application(
        run,
        "SELECT name FROM app.items WHERE id = 50",
        "INSERT INTO app.items VALUES (101, 'new')",
        "SELECT app.twice(21)",
        "CREATE TABLE app.made (id int)",
        "SHOW statement_timeout",
        "SHOW search_path",
        "SELECT relkind FROM pg_class WHERE relname = 'items' AND reltuples = 100",
    )
    assert found == [("item 50",), None, (42,), None, ("77s",), ("app, public",), ("r",)]
    run.database.server.run(f"ALTER ROLE shop_reader LOGIN PASSWORD '{SECRET}'")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        run.database.server.rows("SELECT 1", database=run.database.name, user="shop_reader", password=SECRET)
    assert run.swap()["changed"] is False
    assert run.remove()["removed"] == []
    run.end()
    assert not run.workspace.exists()
    run.begin("20261130-111500-00000002")
    gone = run.swap("absent", swap=done["swap"])
    assert (gone["status"], run.named()) == ("removed", {run.database.name})
    assert run.swap("absent", swap=done["swap"])["changed"] is False


def test_production_need_not_exist_any_more(restore17: Any) -> None:
    """And a dump alone will do."""
    run, _body = restore17
    before = facts(run.database)
    run.database.server.run(f'DROP DATABASE "{run.database.name}"')
    run.all(None)
    done = run.swap()
    assert (done["status"], done["old"]) == ("swapped", None)
    with pytest.raises(RestoreTargetRefused, match="there was no database before"):
        run.swap("undone", swap=done["swap"])
    assert facts(run.database) == before
    assert as_application(run, "SELECT count(*) FROM app.items") == [(100,)]


def test_nothing_unproved_is_swapped_in(restore17: Any) -> None:
    run, body = restore17
    with pytest.raises(NotProved, match="no scratch database"):
        run.swap()
    run.make()
    with pytest.raises(NotProved, match="restored no database"):
        run.swap()
    run.restore()
    with pytest.raises(NotProved, match="was not compared"):
        run.swap()
    run.database.server.run("UPDATE app.items SET name = 'other' WHERE id = 50", database=run.candidate)
    with pytest.raises(DrillMismatch, match=r"other rows of app\.items"):
        run.compare(body)
    with pytest.raises(NotProved, match="was not compared"):
        run.swap()
    run.database.server.run("UPDATE app.items SET name = 'item 50' WHERE id = 50", database=run.candidate)
    run.compare(body)
    run.database.server.run("REVOKE INSERT ON app.items FROM shop_app", database=run.candidate)
    with pytest.raises(DrillMismatch, match=r"ACL app\.TABLE items"):
        run.compare(body)
    with pytest.raises(NotProved, match="was not compared"):
        run.swap()
    with run.database.dump.open("ab") as dump:
        dump.write(b"x")
    with pytest.raises(NotProved, match="another dump"):
        run.compare(body)
    assert run.named() == {run.database.name, run.candidate}
    assert run.remove()["removed"] == [run.candidate]
    assert run.named() == {run.database.name}


def test_without_owners_it_takes_nobodys_place(restore17: Any) -> None:
    run, body = restore17
    run.make()
    run.restore(owners=False)
    run.compare(body)
    with pytest.raises(NotProved, match="without owners"):
        run.swap()


def test_a_target_is_typed_twice_and_is_the_one_that_was_restored_for(restore17: Any) -> None:
    run, body = restore17
    run.all(body)
    with pytest.raises(RestoreTargetRefused, match="was typed as"):
        run.swap(confirm=run.place + " ")
    other = run.place.replace(run.database.name, "postgres")
    with pytest.raises(RestoreTargetRefused, match="restores for"):
        run.swap(target=other, confirm=other)
    with pytest.raises(InputInvalid, match="reason is empty"):
        run.swap(reason=" ")
    assert as_application(run, "SELECT 1") == [(1,)]


def test_on_a_server_without_the_roles_they_are_named(restore17: Any, clusters: Any, tmp_path: Path) -> None:
    run, _body = restore17
    roles = str(run.database.workspace / "roles.sql")
    newer = clusters(18)
    elsewhere = Restore.__new__(Restore)
    elsewhere.__dict__.update(run.__dict__)
    elsewhere.server = DatabaseOptions("127.0.0.1", "postgres", "postgres", port=newer.port, sslmode="disable")
    elsewhere.make()
    try:
        with pytest.raises(
            DbRoleMissing, match="lacks the roles shop_app, shop_owner, shop_reader; of these log in"
        ) as e:
            elsewhere.restore(roles_sql=roles)
        assert e.value.facts["need_passwords"] == ["shop_app"]
        for role in ROLES:
            newer.run(f"CREATE ROLE {role} NOLOGIN")
        newer.run("ALTER ROLE shop_app LOGIN")
        assert "roles that log in and have no password: shop_app" in elsewhere.restore(roles_sql=roles)["remarks"]
    finally:
        elsewhere.remove()
        for role in ROLES:
            newer.run(f"DROP ROLE IF EXISTS {role}")


def test_what_acts_by_itself_comes_back_and_can_stay_behind(restore17: Any) -> None:
    run, _body = restore17
    run.database.run(
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "COMMENT ON PUBLICATION everything IS 'all of it'",
        "CREATE SUBSCRIPTION far CONNECTION 'host=198.51.100.1' PUBLICATION p WITH (connect = false, slot_name = NONE)",
        "CREATE FUNCTION app.no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
        "CREATE EVENT TRIGGER never ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION app.no()",
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE USER MAPPING FOR shop_app SERVER other OPTIONS (user 'x')",
        "CREATE USER MAPPING FOR PUBLIC SERVER other",
        "CREATE USER MAPPING FOR shop_reader SERVER other OPTIONS (user 'password', password 'Far-Secret-1')",
    )
    try:
        body = run.produce_again()
        run.make()
        mute = [each for each in run.restore()["remarks"] if "user mapping" in each]
        run.compare(body)
        assert [each.partition(": ")[2] for each in mute] == ["public on other, shop_app on other"]
        acting = (
            "SELECT pubname FROM pg_publication UNION SELECT subname FROM pg_subscription s JOIN pg_database d "
            "ON d.oid = s.subdbid WHERE d.datname = current_database() UNION SELECT evtname FROM pg_event_trigger "
            "UNION SELECT usename FROM pg_user_mappings ORDER BY 1"
        )
        wanted = [("everything",), ("far",), ("never",), ("public",), ("shop_app",), ("shop_reader",)]
        assert run.database.server.rows(acting, database=run.candidate) == wanted
        assert run.remove()["removed"] == [run.candidate]
        run.end()
        run.begin("20261130-111500-00000002")
        run.make()
        run.restore(leave_out=["event_triggers", "publications", "subscriptions", "user_mappings"])
        (candidate,) = run.named() - {run.database.name}
        assert run.database.server.rows(acting, database=candidate) == []
        run.compare(body)
        swapped = run.swap()["swap"]
        with pytest.raises(RestoreTargetBusy, match=r"has subscriptions .*: far. Drop them there first"):
            run.swap("absent", swap=swapped)
    finally:
        for name in run.named():
            run.database.server.run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            run.database.server.run(LET_GO, database=name)


def test_pg_cron_is_refused_by_name_unless_it_may_be_missing(restore17: Any) -> None:
    run, _body = restore17
    with drill_kit.extensions(run.database.server, "pg_cron"):
        run.database.run("CREATE EXTENSION pg_cron")
        body = run.produce_again()
        run.make()
        with pytest.raises(RestoreTargetRefused, match="it is not there"):
            run.restore()
        run.restore(allow_missing=["pg_cron"])
        run.compare(body, allow_missing=["pg_cron"])
        assert run.swap()["status"] == "swapped"


def test_too_little_room_is_refused_where_it_is_known(restore17: Any) -> None:
    run, _body = restore17
    run.make()
    with pytest.raises(NoSpace, match="has 1000000 bytes free"):
        run.restore(free=1000000)
    assert run.restore(free=10**12, size=10**9)["needed_bytes"] > 10**9


def test_a_locale_that_the_server_lacks_is_refused(restore17: Any, monkeypatch: Any) -> None:
    run, _body = restore17
    strange = Locale({"ENCODING": "'UTF8'", "LOCALE": "'xx_XX.UTF-8'", "LOCALE_PROVIDER": "libc"})
    monkeypatch.setattr(scratch, "locale_of", lambda _toc: strange)
    with pytest.raises(RestoreTargetRefused, match="has no locale as"):
        run.make()
    assert run.remove()["removed"] == []
    assert run.named() == {run.database.name}


def test_who_made_the_candidate_and_its_superusers_are_the_only_ones_who_reach_it(restore17: Any) -> None:
    run, body = restore17
    run.all(body)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        run.database.server.rows("SELECT 1", database=run.candidate, user="shop_app", password=SECRET)


@pytest.mark.parametrize(
    "made",
    [
        "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C' LOCALE 'C.UTF-8'",
    ],
)
def test_encoding_and_locale_are_those_of_the_dumped_database(restore17: Any, made: str) -> None:
    run, _body = restore17
    quoted = f'"{run.database.name}"'
    run.database.server.run(
        f"DROP DATABASE {quoted} WITH (FORCE)", f"CREATE DATABASE {quoted} TEMPLATE template0 {made}"
    )
    run.database.run(SHOP, "INSERT INTO app.items VALUES (1000, chr(228))")
    before = facts(run.database)
    locale = f"SELECT datlocale FROM pg_database WHERE datname = '{run.database.name}'"
    provided = run.database.server.rows(locale)
    run.all(run.produce_again())
    run.swap()
    assert facts(run.database) == before
    assert run.database.server.rows(locale) == provided
    assert run.database.rows("SELECT ascii(name) FROM app.items WHERE id = 1000") == [(228,)]


def test_6000_tables_and_30000_large_objects_with_owners_and_the_locks_that_every_server_has(
    monkeypatch: Any, tmp_path: Path
) -> None:
    with pgserver.running(17, max_locks_per_transaction="64", max_connections="100") as server:
        for database in make(lambda _major: server, 17, tmp_path):
            for run, _body in shop(database, monkeypatch, tmp_path):
                database.run(
                    "DO $$ BEGIN FOR n IN 1..6000 LOOP EXECUTE format('CREATE TABLE app.t%s (a int PRIMARY KEY)', n); "
                    "EXECUTE format('ALTER TABLE app.t%s OWNER TO shop_owner', n); "
                    "EXECUTE format('GRANT SELECT ON app.t%s TO shop_app', n); "
                    "IF n % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$",
                    "DO $$ BEGIN FOR n IN 10001..40000 LOOP PERFORM lo_from_bytea(n, 'object'::bytea); "
                    "EXECUTE format('ALTER LARGE OBJECT %s OWNER TO shop_owner', n); "
                    "EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO shop_app', n); "
                    "IF n % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$",
                )
                found = run.all(run.produce_again())
                assert (found["tables"], found["large_objects"]) == (6003, 30001)
                assert run.swap()["status"] == "swapped"
                assert as_application(run, "SELECT count(*) FROM app.t6000", "SELECT lo_get(40000)") == [
                    (0,),
                    (b"object",),
                ]
