# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``roles.sql`` says what pg_dumpall says, and replays."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit import pgserver

from ansible_collections.wst.backup.plugins.module_utils._pg import roles

pytestmark = pytest.mark.posix  # needs servers of its own

ROLES = (
    """CREATE ROLE "Odd ""name'" LOGIN PASSWORD 'x' CONNECTION LIMIT 3 VALID UNTIL '2030-01-01 00:00:00+02'""",
    "CREATE ROLE grp NOINHERIT CREATEDB",
    "CREATE ROLE mem LOGIN BYPASSRLS PASSWORD 'TopSecret'",
    'CREATE ROLE "ünïcode rôle"',
    'CREATE ROLE "line\nend"',
    'CREATE ROLE "user"',
    "CREATE ROLE repl REPLICATION VALID UNTIL 'infinity'",
    "CREATE ROLE adm CREATEROLE",
    "CREATE ROLE aaa",
    "COMMENT ON ROLE grp IS 'it''s a \\ comment\ntwo lines; CREATE ROLE no;'",
    "GRANT grp TO mem WITH ADMIN OPTION",
    """GRANT mem TO "Odd ""name'" """,
    "GRANT pg_read_all_data TO mem",
    'GRANT grp TO "ünïcode rôle"',
    "ALTER ROLE mem SET search_path TO 'a b', public, '', 'q\"q', 'c,d'",
    "ALTER ROLE mem SET statement_timeout TO '5s'",
    "ALTER ROLE mem SET \"my.custom\" TO 'x''y\\z'",
    'ALTER ROLE "Odd ""name\'" SET DateStyle TO \'ISO, DMY\'',
    "ALTER ROLE mem IN DATABASE postgres SET work_mem = '8MB'",
    "ALTER ROLE grp SET temp_tablespaces TO '', 'pg_default'",
    "GRANT SET ON PARAMETER log_min_duration_statement TO mem WITH GRANT OPTION",
    "GRANT ALTER SYSTEM, SET ON PARAMETER work_mem TO grp",
    "GRANT SET ON PARAMETER my.custom TO grp",
    "GRANT SET ON PARAMETER lc_messages TO PUBLIC",
)
ROLES_16 = (
    "GRANT grp TO adm WITH ADMIN TRUE",
    "GRANT mem TO adm WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
    "SET ROLE adm; GRANT mem TO aaa WITH INHERIT TRUE",  # granted by adm, whose own grant sorts behind it
    'SET ROLE adm; GRANT grp TO "user" WITH SET FALSE',
)


def statements(script: bytes) -> list[str]:
    """The statements of a script in one spelling: no comments, no quotes where they mean nothing, no session's SET."""
    text = script.decode("utf-8").replace("\r\n", "\n")
    text = re.sub(r"^(--.*|\\(un)?restrict .*)$", "", text, flags=re.MULTILINE)
    tokens = re.findall(r"E?'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[\w.]+|[^\s\w]", text)
    found, current = [], []
    for token in tokens:
        if token == ";":
            found.append(" ".join(current))
            current = []
        else:
            current.append(token.strip('"') if re.fullmatch(r'"[a-z_][a-z0-9_.]*"', token) else token.strip())
    return [statement for statement in found if not statement.startswith("SET ")]


def prepare(server: pgserver.Server, tablespace: Path) -> None:
    server.run(*ROLES)
    if server.major >= 16:
        server.run(*ROLES_16)
    tablespace.mkdir()
    if os.geteuid() == 0:
        status = server.home.stat()
        os.chown(tablespace, status.st_uid, status.st_gid)
    server.run(
        f"CREATE TABLESPACE \"T s\" OWNER mem LOCATION '{tablespace}' WITH (random_page_cost = 1.5)",
        'GRANT CREATE ON TABLESPACE "T s" TO grp WITH GRANT OPTION',
        "COMMENT ON TABLESPACE \"T s\" IS 'ts'",
    )


def ours(server: pgserver.Server) -> bytes:
    """What our code makes of that server, in a session as the dump step has it."""
    with server.connect(options="-c TimeZone=UTC -c search_path=") as session:
        return roles.roles_sql(session)


def theirs(server: pgserver.Server) -> bytes:
    """What pg_dumpall makes of it."""
    return server.tool("pg_dumpall", "--globals-only", "--no-role-passwords", PGTZ="UTC").encode("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("major", pgserver.MAJORS)
def test_the_same_statements_as_pg_dumpall_and_they_replay(major: int) -> None:
    with pgserver.running(major) as server, pgserver.running(major) as fresh:
        prepare(server, server.home / "tablespace")
        script = ours(server)
        assert b"TopSecret" not in script
        assert b"SCRAM" not in script
        assert sorted(statements(script)) == sorted(statements(theirs(server)))
        server.run('DROP TABLESPACE "T s"')  # its directory can belong to one server only
        replay(ours(server), fresh)
        assert sorted(statements(ours(fresh))) == sorted(statements(ours(server)))
        assert sorted(statements(theirs(fresh))) == sorted(statements(theirs(server)))


def replay(script: bytes, server: pgserver.Server) -> None:
    """Run the script in a clean cluster; only the role that every cluster has may be there already."""
    psql = next(path for path in (server.bin / "psql", Path("/usr/bin/psql")) if path.exists())
    text = script.replace(b'CREATE ROLE "postgres";\n', b"")
    argv = [str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    done = subprocess.run(argv, input=text, env=server.environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_settings_of_all_roles_are_more_than_pg_dumpall_has(clusters: Any) -> None:
    server = clusters(17)
    server.run("ALTER ROLE ALL SET lock_timeout = '1min'")
    try:
        assert "ALTER ROLE ALL SET \"lock_timeout\" TO '1min';" in ours(server).decode("utf-8")
    finally:
        server.run("ALTER ROLE ALL RESET lock_timeout")


def test_an_ordinary_role_sees_the_same(clusters: Any) -> None:
    server = clusters(17)
    server.run("CREATE ROLE ordinary LOGIN PASSWORD 'x'")
    try:
        with server.connect(user="ordinary", password="x", options="-c TimeZone=UTC") as session:
            assert roles.roles_sql(session) == ours(server)
    finally:
        server.run("DROP ROLE ordinary")


@given(st.lists(st.text(min_size=1, max_size=10), max_size=5))
def test_quoted_lists_are_split_as_they_were_joined(elements: list[str]) -> None:
    joined = ", ".join('"{}"'.format(element.replace('"', '""')) for element in elements)
    assert roles.split_list(joined) == elements


@pytest.mark.parametrize("value", ['"', '"a', '"a""', ",", " , ", 'a"b', "a,,b"])
def test_a_malformed_list_ends(value: str) -> None:
    assert isinstance(roles.split_list(value), list)


def test_grants_wait_for_their_grantor() -> None:
    rows = [("r", "a", "b", False), ("r", "b", "c", True), ("r", "c", "super", True), ("r", "z", "gone", False)]
    ordered = list(roles.in_grantable_order(rows, bootstrap="super", checked=True))
    assert [row[1] for row in ordered] == ["c", "b", "a", "z"]
    assert list(roles.in_grantable_order(rows, bootstrap="super", checked=False)) == rows
