# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with real servers: who is trusted, what is pinned, what is not inherited."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    DbAuthFailed,
    DbNotFound,
    DbTlsFailed,
    DbUnreachable,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import connect, dump

pytestmark = pytest.mark.posix  # needs a server of its own


def test_the_session_is_encrypted_verified_and_pinned(database: Any) -> None:
    database.server.run(f"ALTER DATABASE \"{database.name}\" SET TimeZone = 'Asia/Tokyo'")
    database.server.run(f"ALTER DATABASE \"{database.name}\" SET bytea_output = 'escape'")
    database.server.run(f"ALTER DATABASE \"{database.name}\" SET statement_timeout = '1s'")
    with database.session() as session:
        for name, value in connect.SETTINGS.items():
            shown = session.execute(f"SELECT current_setting('{name}')").fetchone()[0]
            assert shown.split(",")[0] == value, name
        assert session.execute("SHOW search_path").fetchone() == ("",)
        if database.server.major >= 17:
            assert session.execute("SHOW transaction_timeout").fetchone() == ("0",)
        assert session.pgconn.ssl_in_use == database.server.tls


def test_another_name_than_the_certificate_s(database17: Any) -> None:
    """127.0.0.2 is the same server, and not in its certificate."""
    refused(database17, DbTlsFailed, host="127.0.0.2")


def test_another_authority(database17: Any, tmp_path: Path) -> None:
    from unit import pgserver

    other = pgserver.make_authority(tmp_path).certificate
    refused(database17, DbTlsFailed, sslrootcert=str(other))
    refused(database17, DbTlsFailed, sslrootcert="system")


def test_system_roots_can_be_named_by_the_environment(database17: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(database17.server.authority.certificate))
    with database17.session(sslrootcert="system") as session:
        assert session.pgconn.ssl_in_use
    database17.run("CREATE TABLE t (a int)")
    environment = dump.environment(database17.options(sslrootcert="system"), database17.password)
    assert environment["SSL_CERT_FILE"] == str(database17.server.authority.certificate)
    assert database17.produce(options=database17.options(sslrootcert="system"))["rows_total"] == 0


def test_a_server_without_tls(clusters: Any) -> None:
    from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions

    server = clusters(18)
    options = DatabaseOptions(
        host="127.0.0.1",
        port=server.port,
        name="postgres",
        user="postgres",
        sslrootcert=str(server.authority.certificate),
    )
    with pytest.raises(DbTlsFailed):
        connect.connect(options, "Super-Secret-0")


def test_refusals_by_name(database17: Any) -> None:
    refused(database17, DbNotFound, name="nowhere")
    refused(database17, DbUnreachable, port=1)
    refused(database17, DbUnreachable, host="no.such.host.invalid")
    refused(database17, DbAuthFailed, user="nobody-here")
    database17.password = "wrong-Secret"
    refused(database17, DbAuthFailed)


def refused(database: Any, error: type[BackupError], **changes: Any) -> None:
    with pytest.raises(error) as caught, database.session(**changes):
        pass
    assert database.password not in caught.value.message + repr(caught.value.facts)


@pytest.mark.slow
def test_a_server_that_asks_for_the_password_itself_does_not_get_it(clusters: Any) -> None:
    from unit import pgserver

    with pgserver.running(17) as server:
        hba = server.home / "data" / "pg_hba.conf"
        hba.write_text("host all all 127.0.0.1/32 password\n", encoding="ascii")
        server.process.send_signal(signal.SIGHUP)
        from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions

        options = DatabaseOptions(
            host="127.0.0.1",
            port=server.port,
            name="postgres",
            user="postgres",
            sslrootcert=str(server.authority.certificate),
        )
        code = ""
        while code != "db_auth_failed":  # until the server has read its file
            try:
                connect.connect(options, "Super-Secret-0").close()
            except BackupError as error:
                code = error.code


def test_inherited_settings_lead_nowhere(database17: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"PGHOSTADDR": "192.0.2.1", "PGSERVICE": "nope", "PGOPTIONS": "-c nosuch=1", "PGSSLCERT": "/nope"}
    database17.run("CREATE TABLE t (a int)")
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with database17.session() as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert database17.produce()["proof"]["tables"] == 1
    assert {name: os.environ[name] for name in wrong} == wrong
    monkeypatch.undo()


def test_odd_names_of_databases_and_roles(clusters: Any, tmp_path: Path) -> None:
    """They travel in variables, where nothing of them is a connection string."""
    from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
    from ansible_collections.wst.backup.plugins.module_utils._pg.produce import Order, produce
    from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools

    server = clusters(17)
    name, user = "host=nowhere 'x\\", "us er='\\ü"
    quoted = [value.replace('"', '""') for value in (name, user)]
    server.run(f"CREATE ROLE \"{quoted[1]}\" LOGIN SUPERUSER PASSWORD 'p=w\\ '", f'CREATE DATABASE "{quoted[0]}"')
    try:
        server.run("CREATE TABLE t AS SELECT 1 AS a", database=name)
        options = DatabaseOptions(
            host="127.0.0.1", port=server.port, name=name, user=user, sslrootcert=str(server.authority.certificate)
        )
        order = Order(options=options, tools=find_tools(str(server.bin)), dump_name="d")
        assert produce(order, "p=w\\ ", str(tmp_path))["database"]["name"] == name
    finally:
        server.run(f'DROP DATABASE "{quoted[0]}" WITH (FORCE)', f'DROP ROLE "{quoted[1]}"')
