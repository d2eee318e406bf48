# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files of a rotation: when the staged one is closed, and what is left where something fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    InputInvalid,
    KeyPermissions,
    NotProved,
    PathPermissions,
    PathUnusable,
)
from ansible_collections.wst.backup.plugins.module_utils._keychange.files import KeyFiles
from ansible_collections.wst.backup.plugins.module_utils._platform import api

OLD, NEW = "Planted-Old-0123456789", "Planted-New-0123456789"


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    """A key."""
    path = tmp_path / "control" / "db.key"
    api.make_private_directory(str(path.parent))
    path.write_text(OLD)
    api.protect(str(path))
    return KeyFiles(str(path), None)


def left(files: KeyFiles) -> List[str]:
    """What is in the directory."""
    return sorted(os.listdir(os.path.dirname(files.path)))


def test_the_staged_key_is_closed_before_its_first_byte(files: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: List[Tuple[str, int]] = []
    protect = api.protect

    def watch(path: str, operator: Any = None) -> None:
        seen.append((path, os.path.getsize(path)))
        protect(path, operator)

    monkeypatch.setattr(api, "protect", watch)
    files.stage(NEW)
    assert seen == [(files.staged_path, 0)]
    assert (files.staged(), files.current(), files.is_staged()) == (NEW, OLD, True)
    files.promote(NEW)
    assert (files.current(), left(files)) == (NEW, ["db.key"])
    assert files.is_closed()
    assert files.close() is False


def test_what_an_earlier_one_staged_is_replaced_as_a_whole(files: KeyFiles) -> None:
    Path(files.staged_path).write_text(NEW * 2)
    files.stage(NEW)
    assert files.staged() == NEW
    assert files.discard() is True
    assert files.discard() is False
    assert left(files) == ["db.key"]


@pytest.mark.parametrize(
    ("name", "raised", "error"),
    [
        ("create_new", OSError(errno.EACCES, "no"), PathPermissions),
        ("protect", OSError(errno.EIO, "no"), PathUnusable),
        ("protect", LookupError("no such account"), InputInvalid),
        ("flush_file", OSError(errno.EIO, "no"), PathUnusable),
        ("access_problems", OSError(errno.EIO, "no"), PathUnusable),
        ("access_problems", LookupError("no such account"), InputInvalid),
    ],
)
def test_what_cannot_be_staged_leaves_nothing(
    files: KeyFiles, monkeypatch: pytest.MonkeyPatch, name: str, raised: Exception, error: Any
) -> None:
    def fails(*_arguments: Any, **_options: Any) -> None:
        raise raised

    with monkeypatch.context() as patch:
        patch.setattr(api, name, fails)
        with pytest.raises(error):
            files.stage(NEW)
    assert (files.current(), left(files)) == (OLD, ["db.key"])


def test_a_staged_key_that_stays_open_is_never_written_into_place(
    files: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(api, "access_problems", lambda _path, _operator: ["Everyone may read"])
        with pytest.raises(KeyPermissions) as refused:
            files.stage(NEW)
        assert "Everyone may read" in refused.value.message
        assert left(files) == ["db.key"]
        Path(files.staged_path).write_text(NEW)
        with pytest.raises(KeyPermissions):
            files.promote(NEW)
    assert (files.current(), files.staged()) == (OLD, NEW)


def test_a_key_that_cannot_be_replaced_or_closed_is_told(files: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError(errno.EACCES, "somebody holds it")

    files.stage(NEW)
    with monkeypatch.context() as patch:
        patch.setattr(api, "replace", fails)
        with pytest.raises(PathPermissions):
            files.promote(NEW)
    assert (files.current(), files.staged()) == (OLD, NEW)
    with monkeypatch.context() as patch:
        patch.setattr(api, "protect", fails)
        with pytest.raises(PathPermissions):
            files.close()


@pytest.mark.parametrize("step", ["stage", "promote"])
def test_what_is_read_back_must_be_what_was_written(
    files: KeyFiles, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    files.stage(NEW)
    with monkeypatch.context() as patch:
        patch.setattr(
            "ansible_collections.wst.backup.plugins.module_utils._keychange.files.read_key", lambda _path: "x"
        )
        with pytest.raises(NotProved) as told:
            getattr(files, step)(NEW)
    assert isinstance(told.value, BackupError)
    assert NEW not in told.value.message
