# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walker over real trees: order, links, excludes, names, and what must never get in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source, check_names, resolve
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import survey
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Walker
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    InputInvalid,
    PathUnusable,
    SourceMissing,
    SourceUnreadable,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import _reparse, api

OPEN = Guard(files=[], directories=[])


def paths(source: Source, *, guard: Guard = OPEN, notes: Notes | None = None) -> list[str]:
    complaints: list[Any] = []

    def complain(*complaint: Any) -> None:
        complaints.append(complaint)

    walker = Walker(source, guard=guard, notes=notes or Notes(), complain=complain)
    found = [one.path for one in walker.walk()]
    assert complaints == []
    return found


def refuse(source: Source) -> None:
    """Raise the first problem that a survey of the source finds."""
    for problem in survey([source], guard=OPEN).problems:
        raise problem


def test_the_order_is_windows_own_and_depth_first(kit: Any) -> None:
    top = kit.tree("s", {"b/2": b"", "b/10": b"", "A": b"", "a1": b"", "leer": None, "Zoo/x": b"", "_": b""})
    assert paths(Source(name="wst", path=str(top))) == [
        "wst", "wst/A", "wst/a1", "wst/b", "wst/b/10", "wst/b/2", "wst/leer", "wst/Zoo", "wst/Zoo/x", "wst/_",
    ]  # fmt: skip


def test_excludes_prune(kit: Any) -> None:
    names = ["node_modules/.cache/x", "node_modules/y", "a.log", "d/b.LOG", "keep"]
    top = kit.tree("s", dict.fromkeys(names, b""))
    source = Source(name="wst", path=str(top), exclude=Patterns(["node_modules/.cache", "*.log"]))
    assert paths(source) == ["wst", "wst/d", "wst/keep", "wst/node_modules", "wst/node_modules/y"]


@pytest.mark.posix
def test_links_are_told_and_never_entered(kit: Any) -> None:
    top = kit.tree("s", {"real/x": b"1"})
    outside = kit.tree("outside", {"secret": b"s"})
    (top / "dirlink").symlink_to(outside, target_is_directory=True)
    (top / "loop").symlink_to(top, target_is_directory=True)
    (top / "dangling").symlink_to("nowhere")
    source = Source(name="wst", path=str(top))
    assert paths(source) == ["wst", "wst/dangling", "wst/dirlink", "wst/loop", "wst/real", "wst/real/x"]
    totals = survey([source], guard=OPEN).totals
    assert (totals.files, totals.directories, totals.links, totals.bytes) == (1, 2, 3, 1)


@pytest.mark.posix
def test_special_files_fail_by_name_unless_allowed(kit: Any) -> None:
    top = kit.tree("s", {"x": b""})
    os.mkfifo(top / "pipe")
    with pytest.raises(SourceUnreadable, match=r"wst/pipe \(a device, socket or pipe\)"):
        refuse(Source(name="wst", path=str(top)))
    notes = Notes()
    allowed = Source(name="wst", path=str(top), allow_unreadable=Patterns(["pipe"]))
    assert paths(allowed, notes=notes) == ["wst", "wst/x"]
    assert notes.body()["first"] == [{"kind": "unreadable", "path": "wst/pipe", "reason": "a device, socket or pipe"}]


@pytest.mark.posix
def test_every_unusable_name_is_reported_at_once(kit: Any) -> None:
    names = ["CON", "aux.txt", "trailing.", "sp ", "a:b", "Same", "SAME", "back\\slash", "new\nline"]
    top = kit.tree("s", dict.fromkeys(names, b""))
    Path(os.fsdecode(os.fsencode(str(top)) + b"/not-utf8-\xff")).write_bytes(b"")
    with pytest.raises(PathUnusable) as caught:
        refuse(Source(name="wst", path=str(top)))
    assert caught.value.facts["count"] == 9  # one of the twins is told
    told = {entry["path"] for entry in caught.value.facts["entries"]}
    assert {"wst/CON", "wst/aux.txt", "wst/Same", "wst/new\\x0aline", "wst/not-utf8-\\udcff"} <= told


@pytest.mark.posix
def test_excluded_names_do_not_matter(kit: Any) -> None:
    top = kit.tree("s", {"CON": b"", "Same": b"", "SAME": b""})
    assert paths(Source(name="wst", path=str(top), exclude=Patterns(["con", "same"]))) == ["wst"]


@pytest.mark.posix  # on Windows a directory cannot be locked away by sharing
def test_an_unreadable_directory(kit: Any, unreadable: Callable[[Path], None]) -> None:
    top = kit.tree("s", {"shut/x": b"", "y": b""})
    unreadable(top / "shut")
    with pytest.raises(SourceUnreadable, match="wst/shut"):
        refuse(Source(name="wst", path=str(top)))
    notes = Notes()
    source = Source(name="wst", path=str(top), allow_unreadable=Patterns(["shut"]))
    assert paths(source, notes=notes) == ["wst", "wst/shut", "wst/y"]
    assert notes.body()["counts"] == {"unreadable": 1}


def test_secrets_and_our_own_directories_stay_out_by_path(kit: Any) -> None:
    top = kit.tree("s", {"conf/db.key": b"pw", "control/x": b"", "keep": b""})
    notes = Notes()
    guard = Guard(files=[str(top / "conf" / "db.key")], directories=[str(top / "control")])
    assert paths(Source(name="wst", path=str(top)), guard=guard, notes=notes) == ["wst", "wst/conf", "wst/keep"]
    assert notes.body()["counts"] == {"secret": 2}


def test_sources_must_be_there_all_of_them_are_named(kit: Any) -> None:
    top = kit.tree("s", {"file": b""})
    with pytest.raises(SourceMissing) as caught:
        resolve([Source("a", str(top)), Source("b", str(top / "no")), Source("c", str(top / "file"))])
    assert [entry["name"] for entry in caught.value.facts["missing"]] == ["b", "c"]


@pytest.mark.posix
def test_a_root_that_is_a_link_must_be_declared(kit: Any) -> None:
    top = kit.tree("release-7", {"x": b""})
    link = kit.root / "current"
    link.symlink_to("release-7", target_is_directory=True)
    for path in (str(link), str(link) + "/"):
        with pytest.raises(InputInvalid, match="release-7"):
            resolve([Source("wst", path)])
        assert [s.path for s in resolve([Source("wst", path, follow_root=True)])] == [str(top)]


@pytest.mark.parametrize("names", [["a", "A"], ["roles.SQL"], ["x/y"], [".."], ["con"], []])
def test_names_at_the_top_must_be_distinct_and_usable(names: list[str]) -> None:
    with pytest.raises(InputInvalid):
        check_names([Source(name, "x") for name in names], reserved=["roles.sql"])


@pytest.fixture
def listed(kit: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Source]:
    """A source that lists entries which only NTFS can have: name to attributes and reparse tag."""

    def make(entries: dict[str, tuple[int, int]], **options: Any) -> Source:
        top = kit.tree("s", {})

        def scan(directory: str) -> list[api.Entry]:
            if directory != str(top):
                return []
            return [
                api.Entry(name, os.path.join(directory, name), _reparse.classify(*kinds), 3, 0, kinds[0])
                for name, kinds in entries.items()
            ]

        monkeypatch.setattr(api, "scan", scan)
        monkeypatch.setattr(api.Entry, "file_id", property(lambda entry: entry.path))
        return Source(name="wst", path=str(top), **options)

    return make


FILE, REPARSE, DIRECTORY, OFFLINE, RECALL = 0x20, 0x400, 0x10, 0x1000, 0x400000
DEDUP, WOF, SIS, CLOUD, JUNCTION = 0x80000013, 0x80000017, 0x80000007, 0x9000001A, 0xA0000003


def test_only_what_stands_for_another_name_is_a_link(listed: Callable[..., Source]) -> None:
    source = listed(
        {
            "cloud here": (REPARSE | FILE, CLOUD),
            "dedup": (REPARSE | FILE, DEDUP),
            "junction": (REPARSE | DIRECTORY, JUNCTION),
            "single instance": (REPARSE | FILE, SIS),
            "wof": (REPARSE | FILE, WOF),
        }
    )
    found = Walker(source, guard=OPEN, notes=Notes(), complain=lambda *told: pytest.fail(str(told))).walk()
    assert {one.path: one.entry.kind for one in found} == {
        "wst": "directory",
        "wst/cloud here": "file",
        "wst/dedup": "file",
        "wst/junction": "link",
        "wst/single instance": "file",
        "wst/wof": "file",
    }


def test_what_is_not_on_this_disk_fails_by_name_unless_allowed(listed: Callable[..., Source]) -> None:
    away = {"a.doc": (REPARSE | RECALL, CLOUD), "dir": (REPARSE | DIRECTORY | RECALL, CLOUD), "tape": (OFFLINE, 0)}
    with pytest.raises(SourceUnreadable) as caught:
        refuse(listed({**away, "here": (FILE, 0)}))
    assert {entry["path"] for entry in caught.value.facts["entries"]} == {"wst/a.doc", "wst/dir", "wst/tape"}
    assert {entry["reason"] for entry in caught.value.facts["entries"]} == {
        "its content is not on this disk (cloud or archive placeholder)"
    }
    notes = Notes()
    source = listed({**away, "here": (FILE, 0)}, allow_unreadable=Patterns(["a.doc", "dir", "tape"]))
    assert paths(source, notes=notes) == ["wst", "wst/here"]
    assert notes.body()["counts"] == {"unreadable": 3}


ODD = {
    "composed": "\u00e9.txt",
    "decomposed": "e\u0301.txt",
    "emoji": "\U0001f600" * 127 + "x",  # 255 UTF-16 units
    "right to left": "\u202ecod.exe",
    "hebrew": "\u05e9\u05dc\u05d5\u05dd",
    "long": "n" * 255,
    "sharp s": "stra\u00dfe",
    "double s": "strasse",
    "leading space": " x",
    "only dots inside": "a..b",
}


def test_odd_names_are_kept_to_the_letter(listed: Callable[..., Source]) -> None:
    """No normalisation anywhere: the two forms of one letter are two files on NTFS."""
    found = paths(listed(dict.fromkeys(ODD.values(), (FILE, 0))))
    assert sorted(found) == sorted(["wst", *("wst/" + name for name in ODD.values())])


@pytest.mark.parametrize("name", ["\ud800.txt", "a\udfff", "\U0001f600" * 128, "name.", "name ", "nul.txt"])
def test_names_that_no_zip_can_hold_fail_and_are_never_bent(listed: Callable[..., Source], name: str) -> None:
    with pytest.raises(PathUnusable) as caught:
        refuse(listed({"name": (FILE, 0), name: (FILE, 0)}))
    assert caught.value.facts["count"] == 1
    caught.value.facts["entries"][0]["path"].encode("utf-8")  # a message can be printed, whatever the name


def test_names_that_differ_in_case_only_fail(listed: Callable[..., Source]) -> None:
    """A directory of WSL may have both; a ZIP that is unpacked on Windows would lose one of them."""
    with pytest.raises(PathUnusable, match="the same name as 'README'"):
        refuse(listed({"README": (FILE, 0), "Readme": (FILE, 0)}))


def test_a_secret_with_a_dot_behind_is_another_file(listed: Callable[..., Source]) -> None:
    """It cannot be archived, and says so; as a spelling of the secret it would be left out in silence."""
    source = listed({"db.key": (FILE, 0), "db.key.": (FILE, 0)})
    guard = Guard(files=[os.path.join(source.path, "db.key")], directories=[])
    problems = survey([source], guard=guard).problems
    assert [problem.facts["entries"][0]["path"] for problem in problems] == ["wst/db.key."]
