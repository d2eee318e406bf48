# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof of dumps: whole ones pass by path, by handle and as chunks; every damage is found."""

from __future__ import annotations

import copy
import hashlib
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    DbVersionMismatch,
    DumpDamaged,
    DumpEmpty,
    DumpMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._pg import toc as toc_of
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import verify_dump

pytestmark = pytest.mark.posix  # makes its dumps with servers of its own


@pytest.fixture
def shop(database: Any) -> Any:
    """A dumped database on every major."""
    return fill(database)


@pytest.fixture
def shop17(database17: Any) -> Any:
    """A dumped database on 17."""
    return fill(database17)


def fill(database: Any) -> Any:
    """Incompressible rows, so that damage lies in data and not in the head."""
    database.run(
        "CREATE TABLE t (a int PRIMARY KEY, s serial, b text)",
        "INSERT INTO t (a, b) SELECT g, md5(g::text) || md5((g + 1)::text) FROM generate_series(1, 20000) g",
        "CREATE TABLE u AS SELECT g AS a FROM generate_series(1, 500) g",
        "SELECT lo_from_bytea(0, 'x')",
        "CREATE MATERIALIZED VIEW m AS SELECT 1",
    )
    database.body = database.produce()
    return database


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def test_by_path_handle_and_chunks(shop: Any) -> None:
    data = shop.dump.read_bytes()
    measured = (len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))
    with open(shop.dump, "rb") as file:
        sources: list[Any] = [str(shop.dump), file, chunks(data, 7001), chunks(data, 1 << 20)]
        for source in sources:
            proof = verify_dump(source, tools=shop.tools, name="shop.backup", expected=shop.body)
            assert (proof.size, proof.sha256, proof.crc32) == measured
            assert proof.rows_total == 20500
            assert (proof.large_objects, proof.sequences) == (1, 1)


def test_tools_of_another_major_prove_it_too(shop: Any) -> None:
    from unit import pgserver

    newest = find_tools(str(pgserver.bin_dir(pgserver.MAJORS[-1])))
    assert verify_dump(str(shop.dump), tools=newest, name="d", expected=shop.body).rows_total == 20500
    oldest = find_tools(str(pgserver.bin_dir(pgserver.MAJORS[0])))
    if shop.server.major > 15 and oldest.pg_restore.major == 15:
        with pytest.raises(DbVersionMismatch):
            verify_dump(str(shop.dump), tools=oldest, name="d")


def test_truncated(shop: Any) -> None:
    data = shop.dump.read_bytes()
    size = len(data)
    for keep in (size // 10, size // 2, size * 999 // 1000, size - 200, size - 5, size - 1):
        damaged(shop, data[:keep])


def test_flipped_in_the_data(shop17: Any) -> None:
    for where in (0.3, 0.5, 0.7, 0.9):
        for bit in (1, 0x10, 0x80):
            data = bytearray(shop17.dump.read_bytes())
            data[int(len(data) * where)] ^= bit
            damaged(shop17, bytes(data))


def test_zero_filled_end(shop17: Any) -> None:
    data = shop17.dump.read_bytes()
    damaged(shop17, data[: len(data) * 6 // 10] + bytes(len(data) * 4 // 10))


def test_any_flip_in_the_head_fails_by_name_or_changes_nothing_that_counts(shop17: Any) -> None:
    """The table of contents has no checksum; what it says about tables is compared, and nothing may crash."""
    data = shop17.dump.read_bytes()
    names = set()
    for position in range(0, 1500, 31):
        flipped = bytearray(data)
        flipped[position] ^= 0x04
        try:
            verify_dump(chunks(bytes(flipped), 1 << 16), tools=shop17.tools, name="d", expected=shop17.body)
        except BackupError as error:
            names.add(error.code)
    assert "dump_damaged" in names
    assert names <= {"dump_damaged", "db_version_mismatch", "dump_empty"}


def damaged(shop: Any, data: bytes) -> None:
    path = shop.workspace / "damaged"
    path.write_bytes(data)
    for source in (str(path), chunks(data, 1 << 16)):
        with pytest.raises(DumpDamaged):
            verify_dump(source, tools=shop.tools, name="d", expected=shop.body)
        if isinstance(source, str):
            with pytest.raises(DumpDamaged):
                verify_dump(source, tools=shop.tools, name="d")


def test_missing_and_empty(shop17: Any, tmp_path: Path) -> None:
    with pytest.raises(DumpMissing):
        verify_dump(str(tmp_path / "none"), tools=shop17.tools, name="d")
    (tmp_path / "zero").write_bytes(b"")
    for source in (str(tmp_path / "zero"), iter(())):
        with pytest.raises(DumpEmpty):
            verify_dump(source, tools=shop17.tools, name="d")


def test_foreign_bytes(shop17: Any) -> None:
    for data in (b"PK\x03\x04" + bytes(500), b"PGDM", b"PGDMP", b"PGDMP\xff\xff\xff\x04\x08\x01", b"--\n-- PostgreSQL"):
        with pytest.raises((DumpDamaged, DbVersionMismatch)):
            verify_dump(iter([data]), tools=shop17.tools, name="d")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda body: body["tables"][1].update(rows=20001), "20000 rows of public.t instead of 20001"),
        (lambda body: body["tables"].pop(1), "unexpected public.t"),
        (lambda body: body["tables"].append({**body["tables"][1], "name": "v"}), "no data of public.v"),
        (lambda body: body["tables"].append({**body["tables"][0], "name": "n"}), "no definition of public.n"),
        (lambda body: body["large_objects"].update(count=2), "1 large objects instead of 2"),
        (lambda body: body["sequences"].append({"schema": "public", "name": "q"}), "no value of sequence public.q"),
        (lambda body: body["database"].update(name="other"), "not other"),
        (lambda body: body["tables"][1].update(fingerprint="0" * 64), "other rows of public.t than"),
        (lambda body: body["large_objects"].update(fingerprint="0" * 64, sha256=None), "of large objects$"),
        (
            lambda body: body["large_objects"].update(fingerprint="0" * 64, sha256={"4711": "0" * 64}),
            r"of large objects \(4711\)",
        ),
    ],
)
def test_what_is_expected_must_be_there(database17: Any, change: Callable[[Any], Any], text: str) -> None:
    database17.run(
        "CREATE TABLE t (a serial)",
        "INSERT INTO t SELECT generate_series(1, 20000)",
        "SELECT lo_from_bytea(4711, 'x')",
        "CREATE MATERIALIZED VIEW m AS SELECT 1",
    )
    body = copy.deepcopy(database17.produce())
    change(body)
    with pytest.raises(DumpDamaged, match=text):
        verify_dump(str(database17.dump), tools=database17.tools, name="d", expected=body)


def test_dumps_that_others_made(database: Any) -> None:
    database.run("CREATE TABLE t AS SELECT generate_series(1, 9) AS a", "CREATE TABLE e ()")
    inserts = verify_dump(iter([database.dumped("-Fc", "--inserts")]), tools=database.tools, name="d")
    assert inserts.rows_total is None
    assert {name: found for _schema, name, found in inserts.tables} == {"t": None, "e": None}
    plain = verify_dump(iter([database.dumped("-Fc", "-Z0")]), tools=database.tools, name="d")
    assert (plain.toc.compression, plain.rows_total) == ("none", 9)
    root = verify_dump(iter([database.dumped("-Fc", "--load-via-partition-root")]), tools=database.tools, name="d")
    assert root.rows_total == 9
    with pytest.raises(DumpDamaged):
        verify_dump(iter([database.dumped("-Fp")]), tools=database.tools, name="d")
    with pytest.raises(DumpDamaged):
        verify_dump(iter([database.dumped("-Ft")]), tools=database.tools, name="d")


MEASURE = """
import pathlib, re, sys
from ansible_collections.wst.backup.plugins.module_utils._pg import tools, verify
proof = verify.verify_dump(sys.argv[1], tools=tools.find_tools(sys.argv[2]), name="d")
status = pathlib.Path("/proc/self/status").read_text()  # getrusage() begins with what the parent had
print(proof.tables[0][2].text, re.search("VmHWM:[^0-9]*([0-9]+) kB", status)[1])
"""


@pytest.mark.slow
def test_a_row_of_300_megabytes_is_never_held(database17: Any, tmp_path: Path) -> None:
    """Measured as the memory of a process that does nothing else."""
    database17.run("CREATE TABLE t AS SELECT convert_to(repeat('x', 150000000), 'UTF8') AS b")
    (tmp_path / "dump").write_bytes(database17.dumped("-Fc", "-Z1"))
    argv = [sys.executable, "-c", MEASURE, str(tmp_path / "dump"), str(database17.server.bin)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    digest, kilobytes = subprocess.run(argv, env=env, capture_output=True, check=True).stdout.split()
    row = hashlib.sha256(b"\\\\x")
    for _number in range(150):
        row.update(b"78" * 1_000_000)
    assert digest.decode() == row.hexdigest()
    assert int(kilobytes) < 100_000


def test_a_dump_of_an_empty_database(database17: Any) -> None:
    with pytest.raises(DumpEmpty):
        verify_dump(iter([database17.dumped("-Fc")]), tools=database17.tools, name="d")


def test_the_source_is_read_to_its_end_and_its_failure_is_kept(shop17: Any) -> None:
    data = shop17.dump.read_bytes()
    ended = []

    def source() -> Iterator[bytes]:
        yield from chunks(data, 1000)
        yield b"junk behind the dump" * 100_000
        ended.append(True)

    verify_dump(source(), tools=shop17.tools, name="d")
    assert ended == [True]

    def broken() -> Iterator[bytes]:
        yield data[: len(data) // 2]
        raise DumpMissing("the archive's member is damaged")

    with pytest.raises(DumpMissing):
        verify_dump(broken(), tools=shop17.tools, name="d")


def test_the_table_of_contents_is_that_of_pg_restore(shop: Any) -> None:
    head = toc_of.Head(chunks(shop.dump.read_bytes(), 100), name="d")
    toc = toc_of.read_toc(head, name="d")
    assert b"".join(head.whole()) == shop.dump.read_bytes()
    assert (toc.database, toc.compression) == (shop.name, "gzip")
    listed = shop.server.tool("pg_restore", "-l", str(shop.dump))
    lines = [line.split(" ", 3)[3] for line in listed.splitlines() if line and not line.startswith(";")]
    ours = [f"{e.description} {e.schema or '-'} {e.tag} {e.owner}".strip() for e in toc.entries]
    hidden = {"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE"}
    assert sorted(ours[i] for i, e in enumerate(toc.entries) if e.description not in hidden) == sorted(
        line.strip() for line in lines if line.split(" ")[0] not in hidden
    )


def test_no_process_and_no_file_is_left(shop17: Any) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(DumpDamaged):
        verify_dump(chunks(shop17.dump.read_bytes()[:30000], 1000), tools=shop17.tools, name="d")
    assert len(os.listdir("/proc/self/fd")) == len(before)


def warning_tools(directory: Path, tools: Any, text: str) -> Any:
    """Tools whose pg_restore is the real one, which somebody makes warn first."""
    program = directory / "pg_restore"
    program.write_text(f"#!/bin/sh\necho '{text}' >&2\nexec '{tools.pg_restore.path}' \"$@\"\n")
    program.chmod(0o755)
    return replace(tools, pg_restore=replace(tools.pg_restore, path=str(program)))


def test_what_pg_restore_warns_of_is_told(shop17: Any, tmp_path: Path) -> None:
    tools = find_tools(str(shop17.server.bin))
    odd = "pg_restore: warning: archive items not in correct section order"
    path = str(shop17.dump)
    proof = verify_dump(path, tools=warning_tools(tmp_path, tools, odd), name="d", expected=shop17.body)
    assert [(each.kind, each.text) for each in proof.warnings.first] == [("restore", odd.split(": ", 2)[2])]
    assert verify_dump(path, tools=tools, name="d").warnings.counts == {}


def test_a_pg_restore_that_says_that_data_is_missing_has_proved_nothing(shop17: Any, tmp_path: Path) -> None:
    lost = "pg_restore: warning: archive is compressed, but ... -- no data will be available"
    tools = warning_tools(tmp_path, find_tools(str(shop17.server.bin)), lost)
    with pytest.raises(DumpDamaged, match="no data will be available"):
        verify_dump(str(shop17.dump), tools=tools, name="d", expected=shop17.body)
