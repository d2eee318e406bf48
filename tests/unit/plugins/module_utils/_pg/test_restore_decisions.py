# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about a restore for good: names, statements, needs, and where a swap stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DbPermission,
    DbRoleMissing,
    DumpDamaged,
    NoSpace,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import (
    candidatename,
    grants,
    needs,
    properties,
    quote,
    sqltokens,
    swapplan,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.needs import Needs, Role, Server
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import in_passes, kept_kinds, select
from ansible_collections.wst.backup.plugins.module_utils._pg.swapplan import Database, Names, standing_of
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Entry, Toc

RUN = "20261130-101500-1f2e3d4c"
PLACE = "db.example:5432/shop"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=80)


def entry(description: str, tag: str, definition: str = "", **changes: Any) -> Entry:
    """One of a table of contents."""
    values = {"schema": "", "owner": "own", "copy": b"", "has_data": False, **changes}
    return Entry(description=description, tag=tag, definition=definition.encode(), **values)


def toc(*entries: Entry) -> Toc:
    """A table of contents."""
    return Toc("1.16", "gzip", "shop", "17.10", "17.10", list(entries))


# --- names


@given(NAMES)
def test_a_name_fits_and_tells_whose_it_is(target: str) -> None:
    made = candidatename.database_name(RUN, target)
    before = candidatename.before_name(RUN, target)
    for name, suffix in ((made, "_restore_20261130_101500"), (before, "_before_20261130_101500")):
        assert len(name.encode()) <= candidatename.LONGEST
        assert name.endswith(suffix)
        assert target.startswith(name[: -len(suffix)])
    assert made != before


def test_a_drills_database_has_the_whole_run_in_its_name() -> None:
    assert candidatename.database_name(RUN) == "wst_drill_20261130_101500_1f2e3d4c"


# --- statements


@given(st.lists(st.lists(st.tuples(st.sampled_from(["name", "string", "word"]), NAMES), min_size=1), max_size=5))
def test_what_is_quoted_is_taken_apart_as_it_was_put_together(made: list[list[tuple[str, str]]]) -> None:
    written = {"name": quote.identifier, "string": quote.literal, "word": lambda _text: "GRANT"}
    wanted = [tuple(written[kind](text) for kind, text in statement) for statement in made]
    assert sqltokens.statements("".join(" ".join(words) + ";\n" for words in wanted)) == wanted
    for statement, words in zip(made, wanted):
        for (kind, text), word in zip(statement, words):
            if kind == "name":
                assert sqltokens.name_of(word) == text


@given(st.text(max_size=40))
def test_any_text_is_statements_or_none(text: str) -> None:
    try:
        found = sqltokens.statements(text)
    except ValueError:
        return
    assert all(word and word != ";" for statement in found for word in statement)


def test_words_of_every_kind() -> None:
    text = "-- a comment; with a mark\nSELECT $$a;b$$, $x$ $$;'$x$, E'it\\'s;', 1.5, \"a;\"\"b\".c(d int[]);"
    (words,) = sqltokens.statements(text)
    assert words[1:4] == ("$$a;b$$", ",", "$x$ $$;'$x$")
    assert words[5:7] == ("E'it\\'s;'", ",")
    assert '"a;""b"' in words


@pytest.mark.parametrize("text", ["GRANT", "'open;", '"open;', "$a$ open;", "\\restrict x;", '"";'])
def test_what_does_not_end_or_begin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"character \d+ begins|without its end"):
        sqltokens.statements(text)


@pytest.mark.parametrize("word", ["'text'", "1", "(", "$$x$$", "E'x'"])
def test_what_is_no_name(word: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        sqltokens.name_of(word)
    assert sqltokens.name_of("Own") == "own"


# --- properties

QUOTED = '"Sh ""op"'
MADE = entry("DATABASE", 'Sh "op', f"CREATE DATABASE {QUOTED} WITH TEMPLATE = template0 ENCODING = 'UTF8';\n")
ABOUT = f"DATABASE {QUOTED}"


def described(*entries: Entry) -> Properties:
    """What a dump says of its database."""
    return properties.properties_of(toc(entry("TABLE", "t"), MADE, *entries))


def test_a_database_without_anything_of_its_own() -> None:
    found = described()
    assert found == Properties("own")
    assert properties.grants_for(found, "new") == [b'GRANT CONNECT ON DATABASE "new" TO PUBLIC']
    assert properties.opening_for(found, "new") == [
        b'ALTER DATABASE "new" CONNECTION LIMIT -1',
        b'COMMENT ON DATABASE "new" IS NULL',
    ]


def test_statements_are_about_the_new_name() -> None:
    found = described(
        entry(
            "ACL",
            ABOUT,
            f"REVOKE ALL ON DATABASE {QUOTED} FROM PUBLIC;\nSET SESSION AUTHORIZATION app;\n"
            f'GRANT CONNECT ON DATABASE {QUOTED} TO "FROM" WITH GRANT OPTION;\nRESET SESSION AUTHORIZATION;\n',
        ),
        entry("COMMENT", ABOUT, f"COMMENT ON DATABASE {QUOTED} IS 'it''s; {QUOTED}';\n"),
        entry("SECURITY LABEL", ABOUT, f"SECURITY LABEL FOR x ON DATABASE {QUOTED} IS 'y';\n"),
        entry(
            "DATABASE PROPERTIES",
            'Sh "op',
            f"ALTER DATABASE {QUOTED} CONNECTION LIMIT = -1;\nALTER DATABASE {QUOTED} IS_TEMPLATE = true;\n"
            f"ALTER DATABASE {QUOTED} SET search_path TO 'a', 'b';\n"
            f"ALTER ROLE {QUOTED} IN DATABASE {QUOTED} SET work_mem TO '8MB';\n",
        ),
    )
    assert properties.grants_for(found, "n") == [
        b'GRANT CONNECT ON DATABASE "n" TO PUBLIC',
        b'REVOKE ALL ON DATABASE "n" FROM PUBLIC',
        b"SET ROLE app",
        b'GRANT CONNECT ON DATABASE "n" TO "FROM" WITH GRANT OPTION',
        b"RESET ROLE",
    ]
    assert [properties.for_database(form, "n") for form in found.settings] == [
        b"ALTER DATABASE \"n\" SET search_path TO 'a' , 'b'",
        b'ALTER ROLE "Sh ""op" IN DATABASE "n" SET work_mem TO \'8MB\'',
    ]
    assert [properties.setting_of(form) for form in found.settings] == [
        "setting search_path of the database",
        'setting work_mem of role "Sh ""op" in it',
    ]
    assert properties.opening_for(found, "n")[1] == b'COMMENT ON DATABASE "n" IS \'it\'\'s; "Sh ""op"\''
    assert len(found.unknown) == 2
    assert properties.properties_from(found.as_body()) == found


@pytest.mark.parametrize(
    ("description", "statement"),
    [
        ("ACL", "GRANT CONNECT ON DATABASE other TO app;"),
        ("ACL", f"GRANT CONNECT ON DATABASE {QUOTED}, other TO app;"),
        ("ACL", "DROP TABLE t;"),
        ("ACL", "GRANT SELECT ON TABLE t TO app;"),
        ("ACL", "GRANT 'open"),
        ("COMMENT", "COMMENT ON DATABASE other IS 'x';"),
        ("COMMENT", f"COMMENT ON DATABASE {QUOTED} IS 'x' 'y';"),
        ("COMMENT", f"COMMENT ON SCHEMA {QUOTED} IS 'x';"),
        ("COMMENT", "COMMENT;"),
        ("DATABASE PROPERTIES", "ALTER DATABASE other SET work_mem TO '8MB';"),
        ("DATABASE PROPERTIES", "ALTER DATABASE other CONNECTION LIMIT = 5;"),
        ("DATABASE PROPERTIES", "ALTER ROLE app IN DATABASE 'x' SET work_mem TO '8MB';"),
    ],
)
def test_a_statement_about_something_else_is_refused(description: str, statement: str) -> None:
    with pytest.raises(DumpDamaged) as caught:
        described(entry(description, ABOUT if description != "DATABASE PROPERTIES" else 'Sh "op', statement))
    assert "8MB" not in caught.value.message


def test_a_dump_without_its_database_is_refused() -> None:
    with pytest.raises(DumpDamaged, match="how its database was made"):
        properties.properties_of(toc(entry("TABLE", "t")))


# --- grants

SPOKEN = entry(
    "ACL",
    "TABLE t",
    "GRANT SELECT ON TABLE public.t TO app WITH GRANT OPTION;\nSET SESSION AUTHORIZATION app;\n"
    'GRANT SELECT("to") ON TABLE public.t TO "Read, er", PUBLIC GRANTED BY app;\nRESET SESSION AUTHORIZATION;\n',
)
DEFAULT = entry(
    "DEFAULT ACL",
    "DEFAULT PRIVILEGES FOR TABLES",
    "ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA s REVOKE ALL ON TABLES FROM old CASCADE;\n",
)


def test_who_gives_and_who_gets() -> None:
    plain = entry("ACL", "x", "GRANT ALL ON TABLE s.x TO plain;")
    assert grants.receivers([SPOKEN, DEFAULT, plain, entry("TABLE", "t")]) == {"app", "Read, er", "old", "plain"}
    assert grants.givers([SPOKEN, DEFAULT, entry("TABLE", "t")]) == {"app", "maker"}
    assert grants.spoken([SPOKEN, DEFAULT, entry("ACL", "x", "GRANT ALL ON TABLE s.x TO app;")]) == [SPOKEN]
    assert grants.as_roles(SPOKEN)[1:] == [
        b"SET ROLE app",
        b'GRANT SELECT ( "to" ) ON TABLE public . t TO "Read, er" , PUBLIC GRANTED BY app',
        b"RESET ROLE",
    ]


@pytest.mark.parametrize(
    "statement", ["GRANT SELECT ON TABLE t;", "GRANT SELECT ON t TO 'x';", "SET SESSION AUTHORIZATION;", "GRANT 'open"]
)
def test_grants_that_are_none(statement: str) -> None:
    strange = [entry("ACL", "TABLE t", statement)]
    read = grants.givers if statement.startswith("SET") else grants.receivers
    with pytest.raises(DumpDamaged):
        read(strange)


# --- needs

OWN = Properties(
    "owner",
    grants=(
        ("GRANT", "CONNECT", "ON", "DATABASE", None, "TO", "app", ",", "PUBLIC", "WITH", "GRANT", "OPTION"),
        ("SET", "ROLE", "app"),
        ("REVOKE", "ALL", "ON", "DATABASE", None, "FROM", "other"),
        ("RESET", "ROLE"),
    ),
    settings=(
        ("ALTER", "DATABASE", None, "SET", "work_mem", "TO", "'8MB'"),
        ("ALTER", "ROLE", "batch", "IN", "DATABASE", None, "SET", "work_mem", "TO", "'8MB'"),
    ),
)


def test_what_a_dump_needs() -> None:
    found = needs.needs_of(
        [
            entry("TABLE", "t", owner="maker"),
            entry("SCHEMA", "public", owner="pg_database_owner"),
            entry("EXTENSION", "pg_cron", owner=""),
            entry("EXTENSION", "citext", owner=""),
            entry("COMMENT", "TABLE t", owner="nobody"),
            SPOKEN,
            entry("POLICY", "t p", "CREATE POLICY p ON public.t TO pol USING (true);"),
            entry("USER MAPPING", "USER MAPPING map SERVER s", "CREATE USER MAPPING FOR map SERVER s;"),
            entry("USER MAPPING", "USER MAPPING public SERVER s", "CREATE USER MAPPING FOR public SERVER s;"),
            entry("PUBLICATION", "all", "CREATE PUBLICATION all_of FOR ALL TABLES WITH (publish = 'insert');"),
            entry("PUBLICATION", "one", "CREATE PUBLICATION one WITH (publish = 'insert');"),
            entry("SUBSCRIPTION", "far"),
        ],
        OWN,
    )
    assert found.assumed == {"maker", "owner", "own", "app"}
    assert found.named == {*found.assumed, "Read, er", "pol", "map", "other", "batch"}
    assert found.superuser_only == ["publication all", "subscription far"]
    assert found.cron


def test_user_mappings_without_a_password_are_named() -> None:
    """An option of that name, however it is written; a value that reads so is none."""
    texts = [
        "CREATE USER MAPPING FOR app SERVER far;",
        'CREATE USER MAPPING FOR "Read, er" SERVER "S 1" OPTIONS (\n    "user" \'password\'\n);',
        "CREATE USER MAPPING FOR public SERVER far OPTIONS (\n    password 'x',\n    \"user\" 'y'\n);",
        "CREATE USER MAPPING FOR own SERVER far OPTIONS (\n    \"password\" 'x'\n);",
    ]
    listed = [entry("USER MAPPING", "", text) for text in texts]
    assert needs.mute_mappings([entry("TABLE", "t"), *listed]) == ["app on far", "Read, er on S 1"]


ALL = Role(may_become=True, may_use=True)


def server(superuser: bool = False, **roles: Role) -> Server:
    """A server as an administrator sees it."""
    return Server("admin", superuser, roles, None)


def told(needed: Needs, known: Server, **options: Any) -> list[Any]:
    """The problems."""
    return needs.problems(needed, known, place=PLACE, **options)


def test_a_server_that_has_everything() -> None:
    needed = Needs(frozenset({"own"}), frozenset({"own", "app"}))
    assert told(needed, server(own=ALL, app=Role(False, False))) == []
    assert told(needed, server(True, own=Role(False, False), app=Role(False, False))) == []


def test_missing_roles_come_first_with_those_that_need_passwords() -> None:
    needed = Needs(frozenset({"own"}), frozenset({"own", "app", "x"}), ["publication all"], cron=True)
    missing, barred, cron = told(needed, server(x=ALL), logins={"app", "x"})
    assert isinstance(missing, DbRoleMissing)
    assert missing.facts["roles"] == ["app", "own"]
    assert missing.facts["need_passwords"] == ["app"]
    assert isinstance(barred, DbPermission)
    assert barred.facts["problems"] == ["only a superuser can make publication all"]
    assert isinstance(cron, RestoreTargetRefused)
    assert "it is not there" in cron.message
    (first,) = told(Needs(frozenset(), frozenset({"a"})), server())
    assert "passwords" not in first.message


def test_owners_that_cannot_be_assumed() -> None:
    needed = Needs(frozenset({"a", "b", "c"}), frozenset({"a", "b", "c"}))
    (barred,) = told(needed, server(a=Role(False, True), b=Role(True, False), c=ALL))
    assert barred.facts["problems"] == ["it may not become a", "it does not inherit from b"]
    assert told(needed, server(True, a=ALL, b=ALL, c=ALL)) == []


def test_pg_cron_is_told_where_it_lives() -> None:
    known = Server("admin", True, {}, "postgres")
    (cron,) = told(Needs(frozenset(), frozenset(), cron=True), known)
    assert "for database postgres only" in cron.message


def test_room() -> None:
    assert needs.space(size=10, wal=5, free=15, place=PLACE) == 15
    assert needs.space(size=10, wal=5, free=None, place=PLACE) == 15
    with pytest.raises(NoSpace) as caught:
        needs.space(size=10, wal=5, free=14, place=PLACE)
    assert caught.value.facts["needed"] == 15


def test_who_logs_in_by_the_script_of_roles() -> None:
    script = (
        'CREATE ROLE "a;";\nALTER ROLE "a;" WITH NOSUPERUSER LOGIN CONNECTION LIMIT 5;\n'
        "ALTER ROLE b WITH NOLOGIN;\nCOMMENT ON ROLE b IS 'LOGIN; x';\nALTER ROLE login SET x TO 'LOGIN';\n"
    )
    assert needs.logins_of(script) == {"a;"}
    assert needs.logins_of("\\restrict x\n") == set()


# --- selection


def test_schemas_and_their_grants_come_first_where_owners_do() -> None:
    entries = [
        entry("TABLE", "t", number=1),
        entry("SCHEMA", "s", number=2),
        entry("ACL", "SCHEMA s", number=3),
        entry("ACL", "TABLE SCHEMA s", number=4),
    ]
    assert [[each.number for each in part] for part in in_passes(entries, owners=True)] == [[2, 3], [1, 4]]
    assert in_passes(entries, owners=False) == [entries]
    assert in_passes(entries[:1], owners=True) == [entries[:1]]


def test_what_acts_by_itself_is_kept_with_what_belongs_to_it() -> None:
    entries = [
        entry("PUBLICATION", "p"),
        entry("COMMENT", "PUBLICATION p"),
        entry("EVENT TRIGGER", "e"),
        entry("COMMENT", "EVENT TRIGGER e"),
        entry("COMMENT", "EXTENSION x"),
    ]
    kept = select(entries, available=(), keep=kept_kinds(["event_triggers", "settings"]))
    assert kept.entries == entries[:2]
    assert select(entries, available=()).entries == []


# --- where a swap stands

SWAP = Names("shop", "shop_restore", "shop_before", candidate_oid=2, target_oid=1)
FIRST = Names("shop", "shop_restore", "shop_before", candidate_oid=2, target_oid=None)


def base(oid: int, name: str) -> Database:
    """One that is open."""
    return Database(oid, name, True, -1)


@pytest.mark.parametrize(
    ("names", "databases", "at", "obstacles"),
    [
        (SWAP, {1: "shop", 2: "shop_restore"}, swapplan.UNTOUCHED, 0),
        (SWAP, {1: "shop_before", 2: "shop"}, swapplan.DONE, 2),
        (SWAP, {2: "shop"}, swapplan.DONE, 1),
        (SWAP, {1: "shop"}, swapplan.UNTOUCHED, 1),
        (SWAP, {1: "shop", 2: "shop_restore", 3: "shop_before"}, swapplan.UNTOUCHED, 1),
        (SWAP, {1: "shop", 2: "elsewhere", 3: "shop_restore"}, swapplan.UNTOUCHED, 1),
        (SWAP, {3: "shop", 2: "shop_restore"}, None, 1),
        (SWAP, {2: "shop_restore"}, None, 1),
        (FIRST, {2: "shop_restore"}, swapplan.UNTOUCHED, 0),
        (FIRST, {2: "shop"}, swapplan.DONE, 1),
        (FIRST, {2: "shop_restore", 3: "shop"}, None, 1),
    ],
)
def test_stages(names: Names, databases: dict[int, str], at: str | None, obstacles: int) -> None:
    now = standing_of([base(oid, name) for oid, name in databases.items()])
    assert swapplan.stage(names, now) == at
    assert len(swapplan.obstacles(names, now)) == obstacles
    old = now.old(names)
    assert old is None or old.oid == 1


@pytest.mark.parametrize(
    ("names", "databases", "obstacles"),
    [
        (SWAP, {1: "shop_before", 2: "shop"}, 0),
        (SWAP, {1: "shop", 2: "shop_restore"}, 3),
        (SWAP, {2: "shop"}, 1),
        (SWAP, {1: "elsewhere", 2: "shop", 3: "shop_before"}, 1),
        (FIRST, {2: "shop"}, 1),
    ],
)
def test_ways_back(names: Names, databases: dict[int, str], obstacles: int) -> None:
    now = standing_of([base(oid, name) for oid, name in databases.items()])
    assert len(swapplan.obstacles_back(names, now)) == obstacles
