# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of ours are private and can be written."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _errors
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight import targets
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report


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
    assert failure.value.facts["commands"] == api.closing_commands(str(path), None)
    for command in failure.value.facts["commands"]:
        assert command in failure.value.message
        subprocess.run(["sh", "-c", command], check=True)
    targets.check_private_directory(str(path), None)


@pytest.mark.windows
def test_the_commands_for_a_directory_are_inherited_by_what_is_in_it(tmp_path: Path) -> None:
    """By SID, since names of groups are translated; icacls is a stub here, so a person runs them on a real host."""
    path = tmp_path / "back ups"
    path.mkdir()
    with pytest.raises(_errors.PathPermissions) as failure:
        targets.check_private_directory(str(path), None)
    me = failure.value.facts["identity"]["sid"]
    grants = f'"*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" "*{me}:(OI)(CI)F"'
    assert f"icacls '{path}' /inheritance:r /grant:r {grants}" in failure.value.message
    assert failure.value.facts["open_to"]


@pytest.mark.parametrize("name", ["lock", "audit", "runs", "holds"])
def test_every_directory_of_the_host_is_looked_at(tmp_path: Path, name: str) -> None:
    root, local = private(tmp_path / "control"), private(tmp_path / "c")
    private(tmp_path / "control" / "scratch")
    Path(root, name).mkdir()
    Path(root, name).chmod(0o755)
    request = SimpleNamespace(root=root, local_dir=local, operator=None, probe=False)
    report = Report()
    targets.check_targets(cast(Any, request), report)
    assert [problem.facts["path"] for problem in report.problems] == [str(Path(root, name))]
