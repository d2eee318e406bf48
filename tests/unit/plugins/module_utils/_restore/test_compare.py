# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restored tree held against its artifact: every change to it is found, and named by its kind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactIncomplete,
    BackupError,
    DrillMismatch,
    InputInvalid,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore.compare import Request, compare
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import DUMP_NAME, STEM
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.conftest import Scene
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.test_extract import foreign


class Drill:
    """An artifact, and the tree that was restored from it."""

    def __init__(self, scene: Scene, **changes: Any) -> None:
        self.scene = scene
        source = scene.kit.sample()
        if os.name == "posix":
            os.symlink("../leer", Path(source.path) / "a" / "there")
        self.path = scene.artifact(source)
        self.tree = scene.other / "new"
        scene.extract(self.path, self.tree, **changes)

    def compare(self, **changes: Any) -> dict[str, Any]:
        """Run the step."""
        told: dict[str, Any] = {
            "layout": self.scene.layout,
            "path": str(self.path),
            "tree": str(self.tree),
            "selection": Selection(),
        }
        return compare(Request(**{**told, **changes}))

    def found(self, **changes: Any) -> dict[str, Any]:
        """The facts of the failure that there must be."""
        with pytest.raises(DrillMismatch) as caught:
            self.compare(**changes)
        return caught.value.facts


@pytest.fixture
def drill(scene: Scene) -> Drill:
    """A good one."""
    return Drill(scene)


def keep_time(path: Path, action: Callable[[], object]) -> None:
    """Do something behind the back of who looks at times."""
    times = [(each, each.stat().st_mtime_ns) for each in (path, path.parent) if each.exists()]
    action()
    for each, mtime_ns in times:
        if each.exists():
            api.set_time(str(each), mtime_ns)


def test_what_was_restored_is_equal(drill: Drill) -> None:
    result = drill.compare()
    assert result["equal"] is True
    assert result["differences"] == {"counts": {}, "first": [], "ignored": {}}
    assert (result["files"], result["directories"]) == (9, 6)
    assert result["links"] == int(os.name == "posix")
    assert result["not_compared"] == ([] if os.name == "nt" else ["attributes", "permissions", "owner"])
    size = sum(path.stat().st_size for path in drill.tree.rglob("*") if path.is_file() and not path.is_symlink())
    assert result["bytes"] == size


def flip(path: Path) -> None:
    """One bit, and nothing else."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    keep_time(path, lambda: path.write_bytes(data))


def test_one_flipped_bit_is_found(drill: Drill) -> None:
    flip(drill.tree / "wst" / "movie.mp4")
    facts = drill.found()
    assert facts["differences"]["counts"] == {"content": 1}
    (first,) = facts["differences"]["first"]
    assert (first["kind"], first["path"]) == ("content", "wst/movie.mp4")
    assert first["expected"] != first["found"]


def test_the_dump_is_compared_too(drill: Drill) -> None:
    flip(drill.tree / DUMP_NAME)
    assert drill.found()["differences"]["counts"] == {"content": 1}


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda wst: (wst / "empty.txt").unlink(), {"missing": 1}),
        (lambda wst: (wst / "leer").rmdir(), {"missing": 1}),
        (lambda wst: shutil.rmtree(wst / "a" / "b"), {"missing": 3}),
        (lambda wst: (wst / "extra.txt").write_bytes(b"x"), {"extra": 1}),
        (lambda wst: (wst / "leer" / "extra").mkdir(), {"extra": 1}),
        (lambda wst: (wst / "empty.txt").write_bytes(b"x"), {"size": 1}),
        (lambda wst: ((wst / "leer").rmdir(), (wst / "leer").write_bytes(b"")), {"kind": 1}),
        (lambda wst: (wst / "empty.txt").rename(wst / "full.txt"), {"extra": 1, "missing": 1}),
        (lambda wst: (wst.parent / "wst-api").mkdir(), {"extra": 1}),
        (lambda wst: (wst.parent / "roles.sql").unlink(), {"missing": 1}),
        (shutil.rmtree, {"missing": 13 + (os.name == "posix")}),
    ],
)
def test_whatever_is_changed_is_found(drill: Drill, change: Callable[[Path], Any], counts: dict[str, int]) -> None:
    change(drill.tree / "wst")
    assert drill.found(ignore=("time",))["differences"]["counts"] == counts


def test_another_time_is_found_or_ignored(drill: Drill) -> None:
    api.set_time(str(drill.tree / "wst" / "leer"), 10**18)
    facts = drill.found()
    assert facts["differences"]["counts"] == {"time": 1}
    assert facts["differences"]["first"][0]["found"] == "2001-09-09T01:46:40Z (1000000000000000000 ns)"
    result = drill.compare(ignore=("time",))
    assert (result["equal"], result["differences"]["ignored"]) == (True, {"time": 1})
    assert result["differences"]["first"] == []


@pytest.mark.posix
def test_another_target_of_a_link_is_found(drill: Drill) -> None:
    link = drill.tree / "wst" / "a" / "there"
    mtime_ns = link.lstat().st_mtime_ns
    keep_time(link.parent, lambda: (link.unlink(), link.symlink_to("../elsewhere")))
    api.set_time(str(link), mtime_ns)
    assert drill.found()["differences"]["counts"] == {"target": 1}


@pytest.mark.posix
def test_a_link_in_the_place_of_a_file_is_not_followed(drill: Drill) -> None:
    """It holds the very bytes, elsewhere."""
    path = drill.tree / "wst" / "index.html"
    keep_time(path.parent, lambda: (path.rename(drill.tree.parent / "away"), path.symlink_to("../../away")))
    assert drill.found()["differences"]["counts"] == {"kind": 1}


@pytest.mark.windows
def test_other_attributes_and_access_lists_are_found(drill: Drill) -> None:
    api.set_attributes(str(drill.tree / "wst" / "index.html"), 0x2)
    api.protect(str(drill.tree / "wst" / "leer"))
    counts = drill.found()["differences"]["counts"]
    assert counts == {"attributes": 1, "permissions": 1}
    assert drill.compare(ignore=("attributes", "permissions"))["equal"]


def test_what_cannot_be_read_is_no_success(drill: Drill, unreadable: Callable[[Path], None]) -> None:
    drill.path.with_name(STEM + ".manifest.json").unlink()  # private, as the holds are
    unreadable(drill.tree / "wst" / "index.html")
    counts = drill.found(layout=HostLayout(str(drill.tree / "none")))["differences"]["counts"]
    assert counts == {"unreadable": 1}


@pytest.mark.posix
def test_a_directory_that_cannot_be_listed_is_no_success(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    real = api.scan

    def scan(path: str) -> Any:
        if path.endswith("leer"):
            raise PermissionError(13, "denied", path)
        return real(path)

    monkeypatch.setattr(api, "scan", scan)
    assert drill.found()["differences"]["counts"] == {"unreadable": 1}


def test_the_first_of_each_kind_are_named_and_all_are_counted(drill: Drill) -> None:
    for number in range(30):
        (drill.tree / "wst" / f"extra-{number:02}").write_bytes(b"x")
    flip(drill.tree / "wst" / "movie.mp4")
    facts = drill.found(ignore=("time",), show=3)
    assert facts["differences"]["counts"] == {"content": 1, "extra": 30}
    assert [each["kind"] for each in facts["differences"]["first"]] == ["extra", "extra", "extra", "content"]


def test_a_report_does_not_fail(drill: Drill) -> None:
    flip(drill.tree / "wst" / "movie.mp4")
    result = drill.compare(report_only=True)
    assert (result["equal"], result["differences"]["counts"]) == (False, {"content": 1})


PART = Selection(parts=frozenset(("files",)), include=Patterns(("wst/a/", "*.html")))


def test_a_part_is_compared_with_a_part(scene: Scene) -> None:
    drill = Drill(scene, selection=PART)
    assert drill.compare(selection=PART)["files"] == 2
    assert drill.found()["differences"]["counts"]["missing"] > 5
    (drill.tree / "wst" / "empty.txt").write_bytes(b"")
    assert drill.found(selection=PART, ignore=("time",))["differences"]["counts"] == {"extra": 1}


def test_a_comparison_with_nothing_is_no_success(drill: Drill) -> None:
    with pytest.raises(InputInvalid):
        drill.compare(selection=Selection(include=Patterns(("nothing",))))
    with pytest.raises(BackupError):
        drill.compare(tree=str(drill.tree / "gone"))


def test_a_zip_of_others_has_nothing_to_compare_with(scene: Scene) -> None:
    drill = Drill(scene)
    foreign(scene.kit.root / "bare.zip")
    with pytest.raises(ArtifactIncomplete):
        drill.compare(path=str(scene.kit.root / "bare.zip"))


def test_what_other_programs_extract_too_is_no_difference(drill: Drill) -> None:
    for name in ("manifest.json", "members.jsonl"):
        (drill.tree / name).write_bytes(b"{}")
    assert drill.compare()["equal"]
