# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of ours are private and can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _errors
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight import targets


def private(path: Path) -> str:
    api.make_private_directory(str(path))
    return str(path)


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    path = private(tmp_path / "backups")
    targets.probe(path)
    targets.check_private_directory(path, None)
    assert list(Path(path).iterdir()) == []


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(_errors.PathUnusable) as failure:
        targets.check_private_directory(str(tmp_path / "gone"), None)
    assert failure.value.facts["path"] == str(tmp_path / "gone")
    with pytest.raises(_errors.BackupError):
        targets.probe(str(tmp_path / "gone"))


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(_errors.PathUnusable):
        targets.check_private_directory(str(tmp_path / "file"), None)


@pytest.mark.posix  # Windows has no modes; its access lists are tested with the platform
def test_who_else_may_enter_is_named(tmp_path: Path) -> None:
    path = Path(private(tmp_path / "backups"))
    path.chmod(0o755)
    with pytest.raises(_errors.PathPermissions) as failure:
        targets.check_private_directory(str(path), None)
    assert failure.value.facts["open_to"]
