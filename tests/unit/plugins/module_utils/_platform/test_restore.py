# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry had beside its content, put back and read again; and who uses a tree."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._platform import _reparse, _windows_holders, api

READ_ONLY, HIDDEN, ARCHIVE = 0x1, 0x2, 0x20
NANOSECONDS = 1_000_000_000
TIMES = [1_700_000_000 * NANOSECONDS + 123_456_700, 0, 86_400 * NANOSECONDS, -1_000_000_000 * NANOSECONDS]


def entry(path: Path) -> api.Entry:
    """The path as its directory has it."""
    return next(each for each in api.scan(str(path.parent)) if each.name == path.name)


@pytest.mark.parametrize("mtime_ns", TIMES)
def test_a_time_is_set_to_a_hundred_nanoseconds(tmp_path: Path, mtime_ns: int) -> None:
    file, directory = tmp_path / "file", tmp_path / "directory"
    file.write_bytes(b"x")
    directory.mkdir()
    for path in (file, directory):
        api.set_time(str(path), mtime_ns)
        assert entry(path).mtime_ns // 100 == mtime_ns // 100


def test_a_time_that_no_file_can_have_is_an_oserror(tmp_path: Path) -> None:
    for mtime_ns in (1 << 90, 1 << 62):
        try:
            api.set_time(str(tmp_path), mtime_ns)
        except OSError:
            continue
        assert entry(tmp_path).mtime_ns // 1000 == mtime_ns // 1000  # or this file system can hold it


def test_a_missing_file_has_no_time_to_set(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        api.set_time(str(tmp_path / "gone"), 0)


@pytest.mark.windows
def test_attributes_that_can_be_set_are_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    api.set_attributes(str(path), READ_ONLY | HIDDEN | 0x800)
    mask = api.kept_metadata().attributes
    assert entry(path).attributes & mask == READ_ONLY | HIDDEN
    api.set_attributes(str(path), 0)
    assert entry(path).attributes & mask == 0


@pytest.mark.posix
def test_a_link_is_made_with_its_own_words_and_its_own_time(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"x")
    before = (tmp_path / "target").stat().st_mtime_ns
    link = tmp_path / "link"
    api.make_link(str(link), "target", directory=False)
    api.set_time(str(link), TIMES[0])
    assert api.read_link(str(link)) == "target"
    assert entry(link).mtime_ns == TIMES[0]
    assert (tmp_path / "target").stat().st_mtime_ns == before
    with pytest.raises(FileExistsError):
        api.make_link(str(link), "other", directory=False)


@pytest.mark.windows
def test_a_link_that_cannot_be_made_leaves_nothing_in_its_place(tmp_path: Path) -> None:
    """wine cannot make a junction before version 9; what matters is that no empty directory passes for one."""
    link = tmp_path / "link"
    try:
        api.make_link(str(link), str(tmp_path), directory=True)
    except OSError:
        assert not os.path.lexists(link)
    else:
        assert api.read_link(str(link)) == str(tmp_path)
    with pytest.raises(OSError):
        api.make_link(str(tmp_path / "volume"), "\\\\??\\Volume{0}", directory=True)
    assert not os.path.lexists(tmp_path / "volume")


@pytest.mark.windows
def test_an_access_list_comes_back(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    api.protect(str(first))
    kept = api.explicit_aces(str(first))
    assert kept is not None
    assert api.explicit_aces(str(second)) != kept
    assert api.apply_sddl(str(second), kept)
    assert api.explicit_aces(str(second)) == kept
    with pytest.raises(OSError):
        api.apply_sddl(str(second), "no descriptor")
    with pytest.raises(OSError):
        api.apply_sddl(str(tmp_path / "gone"), kept)


HOLD = "import os, sys; file = open(sys.argv[1]); os.chdir(sys.argv[2]); print('up', flush=True); sys.stdin.read()"


def test_who_has_a_file_open_is_told_with_its_path(tmp_path: Path) -> None:
    tree, beside = tmp_path / "tree", tmp_path / "tree-2"
    for directory in (tree / "a" / "b", beside):
        directory.mkdir(parents=True)
    held = tree / "a" / "b" / "held.txt"
    held.write_bytes(b"x")
    (tree / "free.txt").write_bytes(b"x")
    assert api.holders(str(tree), limit=5) == []
    argv = [sys.executable, "-c", HOLD, str(held), str(beside)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"up"
        (found,) = api.holders(str(tree), limit=5)
        assert Path(found.path) == held
        assert found.path in found.in_words()
        if os.name == "posix":
            assert f"(PID {process.pid})" in found.in_words()
            assert [holder.path for holder in api.holders(str(beside), limit=1)] == [str(beside)]
        process.kill()
    assert api.holders(str(tree), limit=5) == []


@pytest.mark.windows
def test_no_more_holders_are_told_than_asked_for(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    with open(tmp_path / "a", "rb"), open(tmp_path / "b", "rb"), open(tmp_path / "c", "rb"):
        assert len(api.holders(str(tmp_path), limit=2)) == 2


def process_info(pid: int, name: str) -> bytes:
    """An RM_PROCESS_INFO as Windows fills it."""
    return struct.pack("<IQ", pid, 7) + name.encode("utf-16-le").ljust(512, b"\0") + bytes(128 + 16)


def test_programs_are_read_from_the_restart_managers_answer() -> None:
    data = process_info(4711, "w3wp.exe") + process_info(12, "")
    assert _windows_holders.programs_in(data, 2) == ("w3wp.exe (PID 4711)", "a program (PID 12)")
    assert _windows_holders.programs_in(data, 9) == _windows_holders.programs_in(data, 2)
    assert _windows_holders.programs_in(b"", 1) == ()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=50))
def test_a_junction_reads_back(name: str) -> None:
    target = "C:\\" + name
    assert _reparse.link_target(_reparse.junction(target)) == target
    assert _reparse.is_drive_path(target)


@pytest.mark.parametrize("target", ["..\\x", "C:", "C:\\", "C:x\\y", "\\\\server\\share", "/x", "é:\\x", ""])
def test_what_is_no_path_on_a_drive_becomes_no_junction(target: str) -> None:
    assert not _reparse.is_drive_path(target)


def test_times_that_windows_cannot_hold() -> None:
    assert _reparse.filetime(0) == 116_444_736_000_000_000
    assert _reparse.filetime(1 << 90) is None
    assert _reparse.filetime(-12_000_000_000 * NANOSECONDS) is None
