# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provokes failures on real servers and writes what psycopg and the tools say to ``recorded_failures.json``.

Run by hand (``python record_failures.py``) when a PostgreSQL release is added; the tests read the recording.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterator

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))  # tests/unit
import pgserver
import psycopg

RECORDING = HERE / "recorded_failures.json"
Record = dict[str, Any]


def main() -> None:
    """Record every failure on every major."""
    records: list[Record] = []
    for major in pgserver.MAJORS:
        with pgserver.running(major) as server:
            prepare(server)
            records += list(sessions(server))
            records += list(tools(server))
    text = json.dumps(records, indent=1, sort_keys=True, ensure_ascii=False)
    RECORDING.write_text(text + "\n", encoding="utf-8")
    print(f"{len(records)} failures recorded")


def prepare(server: pgserver.Server) -> None:
    """Roles and tables that get in the way."""
    server.run(
        "CREATE ROLE reader LOGIN PASSWORD 'reader'",
        "CREATE ROLE nologin NOLOGIN PASSWORD 'x'",
        "CREATE ROLE crowded LOGIN PASSWORD 'x' CONNECTION LIMIT 0",
        "CREATE ROLE expired LOGIN PASSWORD 'x' VALID UNTIL '2001-01-01'",
        "CREATE DATABASE shop",
        "CREATE DATABASE closed",
        "CREATE DATABASE private",
        "ALTER DATABASE closed ALLOW_CONNECTIONS false",
        "REVOKE CONNECT ON DATABASE private FROM PUBLIC",
    )
    server.run(
        "CREATE TABLE secret (a int)",
        "CREATE TABLE guarded (a int)",
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON guarded USING (a > 5)",
        "INSERT INTO guarded SELECT generate_series(1, 10)",
        "GRANT SELECT ON guarded TO reader",
        "CREATE TABLE big AS SELECT g, repeat(md5(g::text), 20) AS t FROM generate_series(1, 200000) g",
        "GRANT SELECT ON big TO reader",
        database="shop",
    )


def attempt(case: str, major: int, work: Callable[[], object]) -> Record:
    """What psycopg raises."""
    try:
        work()
    except psycopg.Error as error:
        said = {"class": type(error).__name__, "sqlstate": error.sqlstate, "text": str(error)}
        return {"by": "psycopg", "case": case, "major": major, **said}
    raise AssertionError(f"{case} did not fail")


def sessions(server: pgserver.Server) -> Iterator[Record]:
    """Failures of a login and inside of a session."""
    major, connect = server.major, server.connect
    reader = {"user": "reader", "password": "reader"}
    ca = str(server.authority.certificate)
    logins: dict[str, dict[str, Any]] = {
        "auth": {"password": "wrong"},
        "auth_user": {"user": "nobody-here"},
        "auth_nologin": {"user": "nologin", "password": "x"},
        "auth_expired": {"user": "expired", "password": "x"},
        "not_found": {"database": "nowhere"},
        "limit_role": {"user": "crowded", "password": "x"},
        "closed": {"database": "closed", **reader},
        "connect_denied": {"database": "private", **reader},
        "require_auth": {"require_auth": "md5"},
        "root_missing": {"sslmode": "verify-full", "sslrootcert": "/nonexistent/root.pem"},
    }
    if server.tls:
        logins["tls_unknown_ca"] = {"sslmode": "verify-full", "sslrootcert": "system"}
        logins["tls_hostname"] = {"sslmode": "verify-full", "sslrootcert": ca, "hostaddr": "127.0.0.1", "sslsni": "0"}
    else:
        logins["tls_refused"] = {"sslmode": "verify-full", "sslrootcert": ca}
    for case, options in logins.items():
        if case == "tls_hostname":
            yield attempt(
                case,
                major,
                lambda: psycopg.connect(
                    host="other.example",
                    hostaddr="127.0.0.1",
                    port=server.port,
                    user="postgres",
                    dbname="postgres",
                    sslmode="verify-full",
                    sslrootcert=ca,
                ),
            )
            continue
        yield attempt(case, major, lambda options=options: connect(**options))
    port = pgserver.free_port()
    yield attempt("refused", major, lambda: psycopg.connect(host="127.0.0.1", port=port, user="x", dbname="x"))
    yield attempt("resolve", major, lambda: psycopg.connect(host="no.such.host.invalid", user="x", dbname="x"))
    for case, sql in {
        "permission": "SELECT * FROM secret",
        "row_security": "SET row_security = off; SELECT count(*) FROM guarded",
        "statement_timeout": "SET statement_timeout = 50; SELECT pg_sleep(5)",
        "terminated": "SELECT pg_terminate_backend(pg_backend_pid())",
    }.items():
        with connect("shop", **(reader if case in ("permission", "row_security") else {})) as session:
            yield attempt(case, major, lambda session=session, sql=sql: session.execute(sql))
    with locked(server), connect("shop") as session:
        yield attempt("lock_timeout", major, lambda: session.execute("SET lock_timeout = 50; TABLE big"))
    with crowd(server):
        yield attempt("limit_server", major, lambda: connect(**reader))


@contextlib.contextmanager
def locked(server: pgserver.Server) -> Iterator[None]:
    """Somebody alters a table and does not commit."""
    with server.connect("shop") as session:
        session.execute("BEGIN")
        session.execute("LOCK TABLE big IN ACCESS EXCLUSIVE MODE")
        yield
        session.execute("ROLLBACK")


@contextlib.contextmanager
def crowd(server: pgserver.Server) -> Iterator[None]:
    """All connections are taken."""
    taken = []
    try:
        while True:
            taken.append(server.connect())
    except psycopg.OperationalError:
        yield
    finally:
        for session in taken:
            session.close()


def tools(server: pgserver.Server) -> Iterator[Record]:
    """Failures of pg_dump and pg_restore."""
    reader = {"PGUSER": "reader", "PGPASSWORD": "reader"}
    base = [str(server.bin / "pg_dump"), "-w", "-Fc", "-d", "shop"]
    yield run("auth", server, base, PGPASSWORD="wrong")
    yield run("no_password", server, base, PGPASSWORD="")
    yield run("not_found", server, [*base[:-1], "nowhere"])
    yield run("refused", server, base, PGPORT=str(pgserver.free_port()))
    yield run("resolve", server, base, PGHOST="no.such.host.invalid")
    yield run("permission", server, base, **reader)
    yield run("row_security", server, [*base, "-t", "guarded"], **reader)
    yield run("snapshot", server, [*base, "--snapshot=00000003-0000001B-1"])
    yield run("root_missing", server, base, PGSSLMODE="verify-full", PGSSLROOTCERT="/nonexistent/root.pem")
    yield run("statement_timeout", server, base, PGOPTIONS="-c idle_session_timeout=1 -c nosuch=1")
    if server.tls:
        yield run("tls_unknown_ca", server, base, PGSSLMODE="verify-full", PGSSLROOTCERT=str(other_ca(server)))
    else:
        ca = str(server.authority.certificate)
        yield run("tls_unsupported", server, base, PGSSLMODE="verify-full", PGSSLROOTCERT=ca)
    with locked(server):
        yield run("lock_timeout", server, [*base, "--lock-wait-timeout=100"])
    with crowd(server):
        yield run("limit_server", server, base, **reader)
    yield terminated(server, base)
    with open("/dev/full", "wb") as full:
        yield run("no_space", server, base, stdout=full)
    older = [major for major in pgserver.MAJORS if major < server.major]
    if older:
        yield run("version", server, [str(pgserver.bin_dir(older[0]) / "pg_dump"), *base[1:]])
    yield from restores(server, base, older)


def restores(server: pgserver.Server, base: list[str], older: list[int]) -> Iterator[Record]:
    """pg_restore and bad dumps."""
    dump = subprocess.run(base, env=server.environment(), capture_output=True, check=True).stdout
    decode = [str(server.bin / "pg_restore"), "--section=data", "-f", "-"]
    damaged = bytearray(dump)
    damaged[len(dump) * 2 // 3] ^= 0x10
    yield run("dump_truncated", server, decode, stdin=dump[: len(dump) // 2])
    yield run("dump_flipped", server, decode, stdin=bytes(damaged))
    yield run("dump_header", server, decode, stdin=dump[:20])
    yield run("dump_foreign", server, decode, stdin=b"PK\x03\x04" + bytes(1000))
    yield run("dump_zero", server, decode, stdin=b"")
    if older and older[0] == 15:
        yield run("dump_newer", server, [str(pgserver.bin_dir(15) / "pg_restore"), *decode[1:]], stdin=dump)


def run(
    case: str, server: pgserver.Server, argv: list[str], *, stdin: bytes = b"", stdout: Any = None, **extra: str
) -> Record:
    """What a tool says."""
    env = server.environment(LC_ALL="C", **extra)
    done = subprocess.run(
        argv, input=stdin, stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, check=False
    )
    assert done.returncode != 0, case
    return record(case, server, argv, done.returncode, done.stderr)


def record(case: str, server: pgserver.Server, argv: list[str], exit_code: int, stderr: bytes) -> Record:
    """A tool's failure as it is stored."""
    tool = Path(argv[0]).name
    text = stderr.decode("utf-8", "backslashreplace")
    return {"by": tool, "case": case, "major": server.major, "exit_code": exit_code, "text": text}


def terminated(server: pgserver.Server, base: list[str]) -> Record:
    """The administrator ends pg_dump's session in the middle."""
    argv = [*base, "-Z9"]
    env = server.environment(PGAPPNAME="victim")
    child = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.read(4096)
    server.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'")
    _rest, stderr = child.communicate()
    return record("terminated", server, argv, child.returncode, stderr)


def other_ca(server: pgserver.Server) -> Path:
    """A CA that did not sign the server's certificate."""
    directory = Path(tempfile.mkdtemp(dir=server.home))
    return pgserver.make_authority(directory).certificate


if __name__ == "__main__":
    main()
