# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that the whole dump step does not show."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any, Iterator

import pytest
from unit import pgserver

from ansible_collections.wst.backup.plugins.module_utils._errors import DbLost
from ansible_collections.wst.backup.plugins.module_utils._pg import facts, snapshot
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect
from ansible_collections.wst.backup.plugins.module_utils._pg.live import fingerprint_table
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import Order, produce
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import list_tables
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import verify_dump

pytestmark = pytest.mark.posix  # needs servers of its own


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that the server's account can reach; any pytest that starts closes the one above ``tmp_path``."""
    with tempfile.TemporaryDirectory(prefix="wst-extension-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.slow
def test_configuration_tables_of_extensions(open_path: Path, tmp_path: Path) -> None:
    """A dump has the rows that the extension's condition selects; its other tables come with CREATE EXTENSION."""
    extension = open_path / "extension"
    extension.mkdir()
    extension.chmod(0o755)
    (extension / "wst_test.control").write_text("default_version = '1'\nrelocatable = false\nschema = conf\n")
    (extension / "wst_test--1.sql").write_text(
        "CREATE TABLE part (a int);\nCREATE TABLE whole (a int);\nCREATE TABLE own (a int);\n"
        "SELECT pg_extension_config_dump('part', 'WHERE a > 7');\nSELECT pg_extension_config_dump('whole', '');\n"
    )
    with pgserver.running(18, extension_control_path=str(open_path)) as server:
        server.run("CREATE DATABASE shop")
        server.run(
            "CREATE EXTENSION wst_test CASCADE",
            "INSERT INTO conf.part SELECT generate_series(1, 10)",
            "INSERT INTO conf.whole SELECT generate_series(1, 5)",
            "INSERT INTO conf.own VALUES (1)",
            "CREATE TABLE t AS SELECT 1 AS a",
            database="shop",
        )
        options = DatabaseOptions(host="127.0.0.1", port=server.port, name="shop", user="postgres", sslmode="disable")
        out = tmp_path / "out"
        out.mkdir()
        body = produce(
            Order(options=options, tools=find_tools(str(server.bin)), dump_name="d"), pgserver.PASSWORD, str(out)
        )
        proof = verify_dump(str(out / "d"), tools=find_tools(str(server.bin)), name="d")
        with contextlib.closing(connect(options, pgserver.PASSWORD)) as session:
            for table, entry in zip(list_tables(session), proof.toc.table_data()):
                assert (table.name, fingerprint_table(session, table, entry.copy).text) in {
                    (found["name"], found["fingerprint"]) for found in body["tables"]
                }
    rows = {(table["name"], table["kind"]): table["rows"] for table in body["tables"]}
    assert rows == {("part", "configuration"): 3, ("whole", "configuration"): 5, ("t", "table"): 1}
    assert body["rows_total"] == body["proof"]["rows_total"] == 9
    assert {entry["name"] for entry in body["extensions"]} == {"plpgsql", "wst_test"}


def test_counts_give_the_locks_of_indexes_back(database17: Any) -> None:
    database17.run(*(f"CREATE TABLE t{number} (a int PRIMARY KEY)" for number in range(120)))
    with database17.session() as session, snapshot.hold(session, database17.options(), lock_timeout=5) as held:
        found = facts.survey(held, database17.options())
        assert len(facts.count(held, database17.options(), found).tables) == 120
        indexes = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE relkind = 'i'"
        mine = " AND pid = pg_backend_pid() AND relname LIKE 't%'"
        assert session.execute(indexes + mine).fetchone() == (0,)


def test_other_locales(clusters: Any) -> None:
    server = clusters(17)
    server.run("CREATE DATABASE other TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
    try:
        with server.connect("other") as session:
            found = facts.server_facts(session)
        assert (found["locale_provider"], found["locale"], found["encoding"]) == ("builtin", "C.UTF-8", "UTF8")
    finally:
        server.run("DROP DATABASE other")


def test_a_database_in_another_encoding(clusters: Any, tmp_path: Path) -> None:
    """-E UTF8: names and rows arrive as Unicode whatever the database's own encoding is."""
    server = clusters(17)
    server.run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        server.run("CREATE TABLE \"grün\" AS SELECT 'Größe'::text AS a", database="latin", client_encoding="UTF8")
        options = DatabaseOptions(
            host="127.0.0.1",
            port=server.port,
            name="latin",
            user="postgres",
            sslrootcert=str(server.authority.certificate),
        )
        order = Order(options=options, tools=find_tools(str(server.bin)), dump_name="d")
        body = produce(order, pgserver.PASSWORD, str(tmp_path))
        assert [(table["name"], table["rows"]) for table in body["tables"]] == [("grün", 1)]
    finally:
        server.run("DROP DATABASE latin WITH (FORCE)")


def test_the_session_is_lost_while_it_holds_the_snapshot(database17: Any) -> None:
    database17.run("CREATE TABLE t (a int)")
    options = database17.options()
    with database17.session() as session, snapshot.hold(session, options, lock_timeout=5) as held:
        database17.run(f"SELECT pg_terminate_backend({session.info.backend_pid})")
        with pytest.raises(DbLost):
            facts.survey(held, options)
