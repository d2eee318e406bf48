# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight's view of the database: every problem at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import DbAuthFailed, DbLimits, ToolMissing
from ansible_collections.wst.backup.plugins.module_utils._pg import checks
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tool, Tools

pytestmark = pytest.mark.posix  # needs a server of its own


def test_a_good_database(database: Any) -> None:
    database.run("CREATE TABLE t (a int)", "SELECT lo_from_bytea(0, 'x')")
    found = checks.check_login(database.options(), database.password, database.tools)
    assert (found.problems, found.warnings) == ([], [])
    assert found.facts["server_version_num"] // 10000 == database.server.major
    assert found.facts["tables"] == found.facts["large_objects"] == 1
    assert found.facts["database_size"] > 1_000_000
    assert found.facts["tls"] == ("TLSv1.3" if database.server.tls else None)


def test_every_problem_at_once(database17: Any) -> None:
    database17.run(
        "CREATE ROLE weak LOGIN PASSWORD 'Super-Secret-0'",
        "CREATE TABLE closed (a serial)",
        "CREATE TABLE guarded (a int)",
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
        "GRANT SELECT ON guarded TO weak",
    )
    try:
        old = Tools(Tool("pg_dump", "16.1", 16), Tool("pg_restore", "16.1", 16))
        found = checks.check_login(database17.options(user="weak"), database17.password, old)
        codes = [problem.code for problem in found.problems]
        assert codes == ["db_version_mismatch", "db_permission", "db_permission"]
        database17.run("GRANT SELECT ON closed, closed_a_seq TO weak")
        found = checks.check_login(database17.options(user="weak"), database17.password, database17.tools)
        assert [problem.code for problem in found.problems] == ["db_row_security"]
    finally:
        database17.run("DROP OWNED BY weak", "DROP ROLE weak")


def test_no_login_and_an_empty_database(database17: Any) -> None:
    with pytest.raises(DbAuthFailed):
        checks.check_login(database17.options(), "wrong", None)
    found = checks.check_login(database17.options(), database17.password, None)
    assert [problem.code for problem in found.problems] == ["dump_empty"]


def test_rows_that_copy_cannot_send(database17: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured by their pointers; the limits are made small, the arithmetic is the same."""
    database17.run(
        "CREATE TABLE wide (a int, b bytea, c text)",
        "ALTER TABLE wide ALTER b SET STORAGE EXTERNAL",
        "INSERT INTO wide VALUES (1, decode(repeat('00', 2000000), 'hex'), repeat('x', 5000))",
        "CREATE TABLE small (b bytea)",
    )
    found = checks.check_login(database17.options(), database17.password, None)
    assert (found.problems, found.warnings) == ([], [])
    monkeypatch.setattr(checks, "ROW_LARGE", 4_000_000)
    found = checks.check_login(database17.options(), database17.password, None)
    assert ["public.wide has 4005000 bytes" in warning for warning in found.warnings] == [True]
    monkeypatch.setattr(checks, "ROW_LIMIT", 4_000_000)
    found = checks.check_login(database17.options(), database17.password, None)
    assert [problem.code for problem in found.problems] == ["db_limits"]
    assert found.problems[0].facts["bytes"] == 4_005_000


def test_tools(tmp_path: Path, clusters: Any) -> None:
    with pytest.raises(ToolMissing, match="no pg_dump"):
        checks.check_tools(str(tmp_path))
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ToolMissing, match="does not tell its version"):
        checks.check_tools(str(tmp_path))
    (tmp_path / "pg_dump").write_text("not a program", encoding="ascii")
    with pytest.raises(ToolMissing):
        checks.check_tools(str(tmp_path))
    assert checks.check_tools(str(clusters(17).bin)).pg_restore.major == 17


def test_tools_that_are_no_pair(tmp_path: Path) -> None:
    from ansible_collections.wst.backup.plugins.module_utils._errors import DbVersionMismatch

    for name, version in (("pg_dump", "18.1"), ("pg_restore", "17.10")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version} (Debian)'\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(DbVersionMismatch):
        checks.check_tools(str(tmp_path))


@pytest.mark.slow
def test_a_large_json_is_measured_as_what_is_sent(database17: Any) -> None:
    database17.run(
        "CREATE TABLE told (a int, b json)",
        "INSERT INTO told SELECT 1, ('\"' || repeat('x', 288000000) || '\"')::json",
    )
    found = checks.check_login(database17.options(), database17.password, database17.tools)
    assert any(warning.startswith("a row of public.told has 288000002 bytes") for warning in found.warnings)


@pytest.mark.slow
def test_a_value_of_600_megabytes_is_named_before_pg_dump_stumbles_over_it(database17: Any) -> None:
    """Compressed it is small, so the size of what is stored out of line says little."""
    database17.run(
        "CREATE TABLE wide (a int, b bytea)",
        "INSERT INTO wide VALUES (1, convert_to(repeat('x', 600000000), 'UTF8'))",
        "CREATE DOMAIN photo AS bytea",
        "CREATE DOMAIN portrait AS photo",
        "CREATE TABLE pictures (a int, b portrait)",
        "INSERT INTO pictures SELECT a, b FROM wide",
    )
    found = checks.check_login(database17.options(), database17.password, database17.tools)
    told = {problem.facts["table"]: problem.code for problem in found.problems}
    assert told == {"public.wide": "db_limits", "public.pictures": "db_limits"}
    database17.run("DROP TABLE pictures")
    with pytest.raises(DbLimits) as caught:
        database17.produce()
    assert '"wide"' in caught.value.message
    assert database17.left() == []
