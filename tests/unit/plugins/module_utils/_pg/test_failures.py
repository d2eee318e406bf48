# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real servers and tools said (see record_failures.py) gets its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg import failures
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import Warnings


def recorded(name: str) -> list[dict[str, Any]]:
    """Recordings beside this file."""
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return found


RECORDED = recorded("recorded_failures.json")
WINDOWS = recorded("recorded_failures_windows.json")  # pg_dump.exe and psycopg of Windows Python, in the lab
CODES = {
    "auth": "db_auth_failed",
    "auth_user": "db_auth_failed",
    "auth_nologin": "db_auth_failed",
    "auth_expired": "db_auth_failed",
    "no_password": "db_auth_failed",
    "require_auth": "db_auth_failed",
    "not_found": "db_not_found",
    "limit_role": "db_limits",
    "limit_server": "db_limits",
    "closed": "db_unreachable",
    "refused": "db_unreachable",
    "resolve": "db_unreachable",
    "connect_denied": "db_permission",
    "permission": "db_permission",
    "row_security": "db_row_security",
    "root_missing": "db_tls_failed",
    "tls_unknown_ca": "db_tls_failed",
    "tls_hostname": "db_tls_failed",
    "tls_refused": "db_tls_failed",
    "tls_unsupported": "db_tls_failed",
    "terminated": "db_lost",
    "snapshot": "db_lost",
    "lock_timeout": "db_lock_timeout",
    "no_space": "no_space",
    "version": "db_version_mismatch",
    "dump_truncated": "dump_damaged",
    "dump_flipped": "dump_damaged",
    "dump_header": "dump_damaged",
    "dump_foreign": "dump_damaged",
    "dump_zero": "dump_damaged",
    "dump_newer": "db_version_mismatch",
}
LOGINS = (
    {"auth", "auth_user", "auth_nologin", "auth_expired", "require_auth", "not_found", "limit_role", "closed"}
    | {"connect_denied", "root_missing", "tls_unknown_ca", "tls_hostname", "tls_refused", "refused", "resolve"}
    | {"limit_server"}
)
UNNAMED = {"statement_timeout"}  # no failure of ours has this one alone


def name(record: dict[str, Any]) -> str:
    """The code that a record gets."""
    if record["by"] == "psycopg":
        connecting = record["case"] in LOGINS
        error = failures.of_session(
            record["sqlstate"], record["text"], place="db:1/shop", connecting=connecting, broken=True
        )
    elif record["case"].startswith("dump_"):
        error = failures.of_restore_tool(record["by"], record["exit_code"], record["text"], name="shop.backup")
    else:
        error = failures.of_dump_tool(record["by"], record["exit_code"], record["text"], place="db:1/shop")
    return error.code


def label(record: dict[str, Any]) -> str:
    """A test's name."""
    return f"{record['by']}-{record['case']}-{record['major']}"


@pytest.mark.parametrize("record", [*RECORDED, *WINDOWS], ids=label)
def test_recorded(record: dict[str, Any]) -> None:
    if record["case"] in UNNAMED:
        return
    assert name(record) == CODES[record["case"]], record["text"]


def test_every_case_was_recorded_on_every_major() -> None:
    majors = {record["major"] for record in RECORDED}
    assert {15, 17, 18} <= majors
    assert set(CODES) == {record["case"] for record in RECORDED} - UNNAMED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('FATAL: no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no encryption', "db_tls_failed"),
        ('FATAL: no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", SSL encryption', "db_unreachable"),
        ("connection failed: SSL error: unexpected eof while reading", "db_unreachable"),
        ("FATAL:  the database system is starting up", "db_unreachable"),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen", "db_unreachable"),
        ("something that nobody has seen", "db_unreachable"),
    ],
)
def test_a_login_without_sqlstate(text: str, code: str) -> None:
    assert failures.of_session(None, text, place="p", connecting=True, broken=True).code == code


@pytest.mark.parametrize(
    ("sqlstate", "connecting", "broken", "code"),
    [
        ("53200", False, False, "db_limits"),
        ("53100", False, False, "db_limits"),
        ("25P03", False, True, "db_lost"),
        ("57014", False, False, "db_lost"),
        ("28P01", True, True, "db_auth_failed"),
        ("42P01", False, False, "tool_failed"),
        (None, False, True, "db_lost"),
        (None, False, False, "tool_failed"),
    ],
)
def test_states(sqlstate: str | None, connecting: bool, broken: bool, code: str) -> None:
    assert failures.of_session(sqlstate, "text", place="p", connecting=connecting, broken=broken).code == code


def test_a_killed_tool_is_told_as_such() -> None:
    error = failures.of_dump_tool("pg_dump", -9, "", place="p")
    assert (error.code, error.facts["exit_code"]) == ("tool_failed", -9)
    assert "signal 9" in error.message
    assert failures.of_restore_tool("pg_restore", 3221225477, "", name="d").code == "tool_failed"
    assert "0xC0000005" in failures.exit_text(3221225477)


def test_long_texts_are_cut() -> None:
    text = "pg_dump: error: " + "x" * 100_000
    error = failures.of_dump_tool("pg_dump", 1, text, place="p")
    assert len(error.message) < 600
    assert len(error.facts["detail"]) <= failures.MAX_QUOTE + 3


def test_noise_of_the_system_is_not_the_headline() -> None:
    text = "unrecognized win32 error code: 127\npg_dump: error: real\n"
    assert failures.headline(text) == "pg_dump: error: real"


def test_a_dump_that_says_that_data_is_missing_has_failed_and_other_warnings_have_not() -> None:
    harmless, lost = Warnings(), Warnings()
    for line in ("pg_dump: warning: subscriptions not dumped because current user is not a superuser", "noise"):
        harmless.hear(line)
    harmless.end()
    failures.require_all_data("pg_dump", harmless, place="db")
    lost.hear('pg_dump: warning: data of table "t" not dumped')
    lost.end()
    with pytest.raises(DumpDamaged, match="not dumped"):
        failures.require_all_data("pg_dump", lost, place="db")


# --- pg_restore while it restores

TOC = "pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry 215; 1259 16385 TABLE t owner\n"
RESTORING = [
    (TOC + 'pg_restore: error: could not execute query: ERROR:  relation "certificate" does not exist\nLINE 1: x',
     "restore_failed"),
    (TOC + 'pg_restore: error: COPY failed for table "t": ERROR:  duplicate key value\nDETAIL:  Key (a)=(4711) x',
     "restore_failed"),
    (TOC + "pg_restore: error: error returned by PQputCopyEnd: server closed the connection unexpectedly", "db_lost"),
    (TOC + "pg_restore: error: could not execute query: ERROR:  permission denied for schema app", "db_permission"),
    (TOC + "pg_restore: error: could not execute query: ERROR:  out of shared memory\nHINT: x", "db_limits"),
    ("pg_restore: error: could not execute query: ERROR:  syntax error", "restore_failed"),
    ('pg_restore: error: connection to server at "x" failed: FATAL:  password authentication failed for user "y"',
     "db_auth_failed"),
    ("pg_restore: error: could not read from input file: end of file", "dump_damaged"),
    ('pg_restore: error: could not open TOC file "restore.list": No such file or directory', "tool_failed"),
    ("unrecognized win32 error code: 127\nand more", "tool_failed"),
    ("C:\\\\x\\\\pg_restore.exe: error: could not uncompress data: (null)", "dump_damaged"),
]  # fmt: skip


@pytest.mark.parametrize(("stderr", "code"), RESTORING)
def test_a_restore_that_fails(stderr: str, code: str) -> None:
    error = failures.of_restoring("pg_restore", 1, stderr, name="d.backup", place="host:5432/scratch")
    assert error.code == code
    assert "4711" not in error.message + str(error.facts)
    if code == "restore_failed":
        assert error.message.startswith("host:5432/scratch does not take d.backup")
        assert ("(1259 16385 TABLE t owner)" in error.message) == ("from TOC entry" in stderr)


def test_a_restore_that_is_killed() -> None:
    assert failures.of_restoring("pg_restore", -9, "", name="d", place="p").code == "tool_failed"
