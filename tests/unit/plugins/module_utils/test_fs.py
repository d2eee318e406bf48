# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever fails while a file is written: the old one is whole, no part has a final name, the failure has its own."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any, Callable, List, Type

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    NoSpace,
    PathPermissions,
    PathUnusable,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api


def os_error(code: int = 0, windows: int = 0) -> OSError:
    error = OSError(code or errno.EACCES, "constructed")
    if windows:
        error.winerror = windows  # type: ignore[attr-defined,unused-ignore]
    return error


FAILURES = [
    (os_error(errno.ENOSPC), NoSpace),
    (os_error(errno.EDQUOT), NoSpace),
    (os_error(windows=112), NoSpace),
    (os_error(errno.EINVAL, 39), NoSpace),
    (os_error(errno.EINVAL, 1295), NoSpace),
    (os_error(errno.EIO), PathUnusable),
    (os_error(errno.EROFS), PathUnusable),
    (os_error(errno.ENOENT), PathUnusable),
    (os_error(errno.EACCES), PathPermissions),
    (os_error(windows=5), PathPermissions),
    (os_error(windows=32), PathUnusable),
    (os_error(windows=33), PathUnusable),
    (os_error(errno.EINVAL, 225), PathUnusable),
    (os_error(errno.EINVAL, 665), PathUnusable),
    (os_error(errno.EINVAL, -2144272384), PathUnusable),
]


@pytest.mark.parametrize(("error", "named"), FAILURES)
def test_what_the_system_says_gets_a_name(error: OSError, named: Type[BackupError]) -> None:
    translated = _fs.translate_oserror(error, "C:\\x")
    assert type(translated) is named
    assert "C:\\x" in translated.message
    assert translated.facts["winerror"] == getattr(error, "winerror", None)


def test_antivirus_is_named() -> None:
    assert "antivirus" in _fs.translate_oserror(os_error(errno.EINVAL, 225), "x").message


def fail_at(step: str, error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one call to the system fail, as a full disk or a holder of the file would."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    def fail_after_half(path: str) -> Any:
        file = original(path)
        file.write(b"half")
        file.flush()
        file.close()
        raise error

    original: Callable[[str], Any] = api.create_new
    if step == "write":
        monkeypatch.setattr(api, "create_new", fail_after_half)
    else:
        monkeypatch.setattr(api, step, fail)


@pytest.mark.parametrize("old", [None, b"old content"])
@pytest.mark.parametrize("step", ["create_new", "write", "flush_file", "replace"])
@pytest.mark.parametrize(("error", "named"), FAILURES)
def test_a_failed_write_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: Any, step: str, error: OSError, named: Type[BackupError]
) -> None:
    path = tmp_path / "state.json"
    if old is not None:
        path.write_bytes(old)
    fail_at(step, error, monkeypatch)
    with pytest.raises(named) as failure:
        _fs.atomic_write(str(path), b"new content")
    assert failure.value.__cause__ is error
    assert (path.read_bytes() if path.exists() else None) == old
    assert list(tmp_path.iterdir()) == ([path] if old is not None else [])


@pytest.mark.posix
def test_a_disk_that_is_really_full() -> None:
    """/dev/full answers every write with ENOSPC."""
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="No space") as full:
        file.write(b"x")
    assert isinstance(_fs.translate_oserror(full.value, "/dev/full"), NoSpace)


def test_writing_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"one", b"", b"three" * 1000):
        _fs.atomic_write(str(path), data)
        assert path.read_bytes() == data
        assert list(tmp_path.iterdir()) == [path]


def test_records_come_back_and_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    assert _fs.read_record(str(path)) is None
    _fs.write_record(str(path), {"a": [1, "ü"]})
    assert _fs.read_record(str(path)) == {"a": [1, "ü"]}
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    with pytest.raises(RecordDamaged):
        _fs.read_record(str(path))


def test_reading_what_cannot_be_read_has_a_name(tmp_path: Path) -> None:
    with pytest.raises((PathUnusable, PathPermissions)):
        _fs.read_record(str(tmp_path))


def test_removing_tells_whether_it_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    path.chmod(0o444)  # read-only, which Windows does not remove
    assert _fs.remove_file(str(path)) is True
    assert _fs.remove_file(str(path)) is False


def test_a_tree_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    root = tmp_path / "scratch"
    (root / "run" / "a" / "b").mkdir(parents=True)
    (root / "run" / "a" / "file").write_bytes(b"x")
    (root / "run" / "a" / "file").chmod(0o444)
    (root / "other").mkdir()
    assert _fs.remove_tree(str(root / "run"), inside=str(root)) is True
    assert [path.name for path in root.iterdir()] == ["other"]
    assert _fs.remove_tree(str(root / "run"), inside=str(root)) is False


@pytest.mark.posix
def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    tree = tmp_path / "scratch" / "run"
    tree.mkdir(parents=True)
    (tree / "link").symlink_to(outside)
    (tree / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "scratch" / "linked").symlink_to(outside)
    assert _fs.remove_tree(str(tree), inside=str(tmp_path / "scratch"))
    assert _fs.remove_tree(str(tmp_path / "scratch" / "linked"), inside=str(tmp_path / "scratch"))
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (outside / "precious").read_bytes() == b"x"


@pytest.mark.posix
def test_a_parent_that_leads_outside_stops_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "run").mkdir(parents=True)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "way").symlink_to(outside)
    with pytest.raises(PathUnusable):
        _fs.remove_tree(str(tmp_path / "scratch" / "way" / "run"), inside=str(tmp_path / "scratch"))
    assert (outside / "run").is_dir()


@pytest.mark.parametrize(
    "parts", [("scratch",), ("scratch", ".."), ("scratch", "..", "other"), ("scratchy",), ("other",), ()]
)
def test_what_is_not_below_is_not_removed(tmp_path: Path, parts: List[str]) -> None:
    for name in ("scratch", "scratchy", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x")
    with pytest.raises(PathUnusable):
        _fs.remove_tree(os.path.join(str(tmp_path), *parts), inside=str(tmp_path / "scratch"))
    assert len(list(tmp_path.rglob("file"))) == 3


def test_private_directories_are_made_with_their_parents(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    assert _fs.ensure_private_directory(str(path)) is True
    assert _fs.ensure_private_directory(str(path)) is False
    assert api.access_problems(str(path)) == []
    assert api.access_problems(str(path.parent)) == []


def test_a_file_in_the_way_of_a_directory_has_a_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(PathUnusable):
        _fs.ensure_private_directory(str(tmp_path / "a"))


def test_free_space(tmp_path: Path) -> None:
    assert _fs.free_bytes(str(tmp_path)) > 0
    with pytest.raises(BackupError):
        _fs.free_bytes(str(tmp_path / "none" / "none"))


class Endless(io.RawIOBase):
    """A file that grows while it is read; who reads more than a few MiB of it never stops."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert self.given < 4 << 20
        self.given += size
        return bytes(size)


def test_a_record_is_not_read_beyond_what_one_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Endless()
    monkeypatch.setattr(_fs.api, "open_source", lambda path: file)
    monkeypatch.setattr(_fs, "MAX_RECORD", 2 << 20)
    with pytest.raises(RecordDamaged, match="larger than any record"):
        _fs.read_record("x")
    assert file.given == (2 << 20) + 1
