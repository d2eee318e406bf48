# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources are walked as the archive will walk them, and every problem is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._mirror.volume import Tolerance
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._preflight import trees
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    (tmp_path / "wst" / "sub").mkdir(parents=True)
    (tmp_path / "wst" / "sub" / "a.txt").write_bytes(b"abc")
    (tmp_path / "wst" / "b.log").write_bytes(b"12345")
    return Request(
        root=str(tmp_path / "control"),
        key_file=str(tmp_path / "control" / "db.key"),
        sources=[Source(name="wst", path=str(tmp_path / "wst"))],
        local_dir=str(tmp_path / "c"),
        mirror_dir=str(tmp_path / "d"),
        mirror_volume_id="x",
        mirror_tolerance=Tolerance(),
        database=DatabaseOptions(host="localhost", name="wst_dev", user="wst"),
        tools_dir=str(tmp_path),
        prefix="wst-backup",
        min_free=0,
        operator=None,
        probe=True,
    )


def examined(request: Request) -> Report:
    report = Report()
    trees.check_sources(request, report)
    return report


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


def test_a_sound_tree_is_counted(request_: Request) -> None:
    report = examined(request_)
    assert not report.problems
    assert not report.warnings
    assert report.facts["sources"] == {"files": 2, "directories": 2, "links": 0, "bytes": 8}


def test_what_is_excluded_is_not_counted(request_: Request) -> None:
    source = dataclasses.replace(request_.sources[0], exclude=Patterns(["*.log"]))
    report = examined(dataclasses.replace(request_, sources=[source]))
    assert report.facts["sources"] == {"files": 1, "directories": 2, "links": 0, "bytes": 3}


def test_every_missing_source_is_named_at_once(request_: Request, tmp_path: Path) -> None:
    gone = [Source(name=name, path=str(tmp_path / name)) for name in ("web", "api")]
    report = examined(dataclasses.replace(request_, sources=gone))
    (problem,) = report.problems
    assert problem.code == "source_missing"
    assert [each["name"] for each in problem.facts["missing"]] == ["web", "api"]


@pytest.mark.posix  # Windows itself refuses such names
def test_all_bad_names_are_told_in_one_problem(request_: Request, tmp_path: Path) -> None:
    for name in ("CON", "aux.txt", "trailing.", "a:b"):
        (tmp_path / "wst" / name).write_bytes(b"")
    report = examined(request_)
    assert codes(report) == ["path_unusable"]
    assert report.problems[0].facts["count"] == 4


def test_what_the_archive_leaves_out_is_not_counted(request_: Request, tmp_path: Path) -> None:
    """Our directories, the key of the host root, the key in use, and the secrets."""
    kept_out = {"control": "db.key", "c": "a.zip", "d": "a.zip", "keys": "other.key", "tokens": "token"}
    for directory, name in kept_out.items():
        (tmp_path / directory).mkdir()
        (tmp_path / directory / name).write_bytes(b"x")
    source = Source(name="all", path=str(tmp_path))
    keys, tokens = str(tmp_path / "keys" / "other.key"), str(tmp_path / "tokens" / "token")
    request = dataclasses.replace(request_, sources=[source], key_file=keys, secrets=[tokens])
    report = examined(request)
    assert not report.problems
    assert (report.facts["sources"]["files"], report.facts["sources"]["bytes"]) == (2, 8)
