# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, locks and names, on the system that the tests run on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import api

HOLD = """
import sys
sys.path[:0] = %r
from ansible_collections.wst.backup.plugins.module_utils._platform import api
lock = api.FileLock(sys.argv[1], first_byte=sys.argv[2] == "1")
print(lock.try_acquire(), flush=True)
sys.stdin.read()
"""


def holder(path: Path, *, first_byte: bool = False) -> subprocess.Popen[bytes]:
    """Another process that has the lock, until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD % sys.path, str(path), str(int(first_byte))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path.cwd(),
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"True"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.parametrize("first_byte", [False, True])
def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path, first_byte: bool) -> None:
    path = tmp_path / "lock"
    process = holder(path, first_byte=first_byte)
    lock = api.FileLock(str(path), first_byte=first_byte)
    try:
        assert not lock.try_acquire()
        assert path.read_bytes() == b""
    finally:
        end(process)
    assert lock.try_acquire()
    assert lock.try_acquire()  # having it is having it
    lock.release()
    lock.release()


def test_one_process_does_not_get_a_lock_twice(tmp_path: Path) -> None:
    first, second = api.FileLock(str(tmp_path / "lock")), api.FileLock(str(tmp_path / "lock"))
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 1 << 20, (1 << 20) + 7, 3 << 20])
def test_reading_past_the_cache_gives_every_byte(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    reader = api.read_uncached(str(path))
    assert isinstance(reader.bypassed, bool)
    assert b"".join(reader) == data


def test_reading_past_the_cache_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        api.read_uncached(str(tmp_path / "none"))


def test_a_source_may_be_replaced_and_removed_while_it_is_read(tmp_path: Path) -> None:
    path, other = tmp_path / "source", tmp_path / "other"
    path.write_bytes(b"old")
    with api.open_source(str(path)) as file:
        path.rename(other)
        path.write_bytes(b"new")
        other.unlink()
        assert file.read() == b"old"


def test_a_new_file_is_never_an_old_one(tmp_path: Path) -> None:
    path = str(tmp_path / "new")
    with api.create_new(path) as file:
        file.write(b"abc")
        api.flush_file(file)
        file.seek(0)
        assert file.read() == b"abc"
        assert api.facts_of(file).size == 3
    with pytest.raises(FileExistsError):
        api.create_new(path)
    assert Path(path).read_bytes() == b"abc"


def test_replace_takes_the_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    api.replace(str(tmp_path / "a"), str(tmp_path / "b"))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b").read_bytes() == b"new"


def test_rename_new_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        api.rename_new(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "b").read_bytes() == b"old"
    api.rename_new(str(tmp_path / "a"), str(tmp_path / "c"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


@pytest.mark.posix
def test_rename_new_where_the_system_call_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.wst.backup.plugins.module_utils._platform import _posix_files

    monkeypatch.setattr(_posix_files, "_rename_noreplace", lambda source, target: False)
    test_rename_new_never_overwrites(tmp_path)


def test_scanning_tells_kinds_without_following(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "ünïcode 文").mkdir()
    entries = {entry.name: entry for entry in api.scan(str(tmp_path))}
    assert {name: entry.kind for name, entry in entries.items()} == {"file": "file", "ünïcode 文": "directory"}
    file = entries["file"]
    assert file.size == 5
    assert file.path == str(tmp_path / "file")
    assert file.mtime_ns == (tmp_path / "file").stat().st_mtime_ns
    with api.open_source(file.path) as opened:
        assert api.facts_of(opened).file_id == file.file_id
    assert file.target() is None
    assert api.read_link(file.path) is None


@pytest.mark.posix
def test_links_and_pipes_on_posix(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/nowhere/at all")
    os.mkfifo(tmp_path / "pipe")
    entries = {entry.name: entry for entry in api.scan(str(tmp_path))}
    assert entries["link"].kind == "link"
    assert entries["link"].target() == "/nowhere/at all"
    assert entries["pipe"].kind == "special"


def test_long_paths_work(tmp_path: Path) -> None:
    deep = str(tmp_path)
    for _ in range(6):
        deep = os.path.join(deep, "d" * 60)
        os.mkdir(api.long_path(deep))
    path = os.path.join(deep, "file")
    with api.create_new(path) as file:
        file.write(b"x")
    assert [entry.path for entry in api.scan(deep)] == [path]
    with api.open_source(path) as source:
        assert source.read() == b"x"
    api.rename_new(path, path + "2")
    assert b"".join(api.read_uncached(path + "2")) == b"x"


def test_the_whole_path_of_a_name(tmp_path: Path) -> None:
    path = os.path.join(str(tmp_path), "a", "..", "b")
    assert api.absolute_path(path) == os.path.join(str(tmp_path), "b")
    assert api.absolute_path("b") == os.path.join(os.getcwd(), "b")
    assert os.path.normcase(api.real_path(str(tmp_path))) == os.path.normcase(os.path.realpath(tmp_path))


@pytest.mark.windows
def test_a_trailing_dot_belongs_to_the_name(tmp_path: Path) -> None:
    """``os.path.abspath`` makes another file's name of it."""
    dotted = os.path.join(str(tmp_path), "db.key.")
    assert os.path.abspath(dotted) == os.path.join(str(tmp_path), "db.key")
    assert api.absolute_path(dotted) == dotted
    assert api.real_path(api.long_path(dotted)) == dotted
