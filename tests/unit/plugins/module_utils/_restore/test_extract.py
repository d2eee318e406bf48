# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an artifact to a new directory: what comes back, what is refused, and what a failure leaves."""

from __future__ import annotations

import os
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.proof import corpus, hostile_ours

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    ArtifactUnsafePath,
    AuthorityMissing,
    BackupError,
    Cancelled,
    DumpEmpty,
    InputInvalid,
    NoSpace,
    NotAuthorized,
    PathUnusable,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import extract_step
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import entry_time
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_stems
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import DUMP_NAME, RUN_ID, STEM
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import recorded
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.conftest import Scene, tree_of


def chosen(*parts: str, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Selection:
    """A selection; all parts where none is named."""
    whole = frozenset(parts) if parts else Selection().parts
    return Selection(parts=whole, include=Patterns(include), exclude=Patterns(exclude))


def left(scene: Scene) -> list[str]:
    """What lies where things are restored to."""
    return sorted(os.listdir(scene.other))


def test_everything_comes_back_as_it_was(scene: Scene) -> None:
    source = scene.kit.sample()
    old = Path(source.path) / "a" / "b"
    os.utime(old / "c" / "d.json", ns=(10**18, 10**18 + 123_456_700))
    os.utime(old, ns=(10**18, 999_999_999_999_999_900))
    path = scene.artifact(source)
    result = scene.extract(path, scene.other / "new")
    new = scene.other / "new"
    assert tree_of(new / "wst") == tree_of(Path(source.path))
    assert (new / DUMP_NAME).read_bytes() == scene.kit.dump.read_bytes()
    assert (new / "roles.sql").read_bytes() == scene.kit.roles.read_bytes()
    for above, names, files in os.walk(source.path):
        for name in (".", *names, *files):
            was = Path(above) / name
            now = new / "wst" / was.relative_to(source.path)
            assert now.stat().st_mtime_ns // 100 == was.stat().st_mtime_ns // 100, now
    counts = {key: result[key] for key in ("files", "directories", "links")}
    assert counts == {"files": 9, "directories": 6, "links": 0}
    assert result["bytes"] == sum(len(data) for data in tree_of(new).values() if data is not None)
    assert (result["artifact"], result["target"], result["changed"]) == (STEM, str(new), True)
    assert result["not_restored"] == {"counts": {}, "first": []}
    assert result["remarks"] == result["unfinished"] == []
    assert left(scene) == ["new"]
    assert api.access_problems(str(new)) == []


@pytest.mark.posix
def test_links_come_back_with_their_words_and_are_not_followed(scene: Scene, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    source = scene.kit.sample()
    os.symlink("../leer", Path(source.path) / "a" / "there")
    os.symlink(str(outside), Path(source.path) / "away")
    os.utime(Path(source.path) / "away", ns=(10**18, 10**18), follow_symlinks=False)
    result = scene.extract(scene.artifact(source), scene.other / "new")
    new = scene.other / "new" / "wst"
    assert (os.readlink(new / "a" / "there"), os.readlink(new / "away")) == ("../leer", str(outside))
    assert os.lstat(new / "away").st_mtime_ns == 10**18
    assert result["links"] == 2
    assert list(outside.iterdir()) == []


@pytest.mark.posix
def test_a_link_that_cannot_be_made_is_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    source = scene.kit.sample()
    os.symlink("../leer", Path(source.path) / "a" / "there")
    path = scene.artifact(source)

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(1314, "a required privilege is not held")

    monkeypatch.setattr(api, "make_link", refuse)
    result = scene.extract(path, scene.other / "new")
    assert result["links"] == 0
    assert result["not_restored"]["counts"] == {"link": 1}
    assert result["not_restored"]["first"][0]["path"] == "wst/a/there"
    assert not os.path.lexists(scene.other / "new" / "wst" / "a" / "there")


@pytest.mark.windows
def test_attributes_and_access_lists_come_back(scene: Scene) -> None:
    source = scene.kit.sample()
    file, directory = Path(source.path) / "index.html", Path(source.path) / "a"
    api.protect(str(directory))
    api.set_attributes(str(file), 0x3)
    path = scene.artifact(source)
    result = scene.extract(path, scene.other / "new")
    new = scene.other / "new" / "wst"
    entry = next(each for each in api.scan(str(new)) if each.name == "index.html")
    assert entry.attributes & 0x7 == 0x3
    assert api.explicit_aces(str(new / "a")) == api.explicit_aces(str(directory))
    assert result["not_restored"]["counts"] == {}


@pytest.mark.posix
def test_what_this_system_does_not_have_is_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An artifact of a Windows host."""
    real = api.scan
    monkeypatch.setattr(api, "explicit_aces", lambda path: "D:P(A;;FA;;;SY)" if path.endswith("a") else None)
    monkeypatch.setattr(api, "scan", lambda path: (_hidden(entry) for entry in real(path)))
    path = scene.artifact()
    monkeypatch.undo()
    scene.be("L6")
    result = scene.extract(path, scene.other / "new")
    assert result["not_restored"]["counts"]["permissions"] == 1
    assert result["not_restored"]["counts"]["attributes"] == 12  # the root is not in a listing
    again = scene.extract(path, scene.other / "again", access_lists=False)
    assert "permissions" not in again["not_restored"]["counts"]


def _hidden(entry: api.Entry) -> api.Entry:
    return entry._replace(attributes=0x2)


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (chosen("dump"), {DUMP_NAME}),
        (chosen("roles", "dump"), {DUMP_NAME, "roles.sql"}),
        (chosen(include=("wst/a/",)), {"wst", "wst/a", "wst/a/b", "wst/a/b/c", "wst/a/b/c/d.json"}),
        (chosen(include=("*.JSON",)), {"wst", "wst/a", "wst/a/b", "wst/a/b/c", "wst/a/b/c/d.json"}),
        (chosen("files", include=("*.js", "*.mp4"), exclude=("big.*",)), {"wst", "wst/movie.mp4"}),
    ],
)
def test_a_part_comes_alone_with_the_directories_above_it(scene: Scene, selection: Selection, names: set[str]) -> None:
    source = scene.kit.sample()
    os.utime(Path(source.path) / "a", ns=(10**18, 10**18))
    result = scene.extract(scene.artifact(source), scene.other / "new", selection=selection)
    assert set(tree_of(scene.other / "new")) == names
    assert result["files"] == sum(data is not None for data in tree_of(scene.other / "new").values())
    if "wst/a" in names:
        assert (scene.other / "new" / "wst" / "a").stat().st_mtime_ns == 10**18


def test_nothing_selected_is_no_success(scene: Scene) -> None:
    path = scene.artifact()
    with pytest.raises(InputInvalid):
        scene.extract(path, scene.other / "new", selection=chosen(include=("wst/nothing",)))
    assert left(scene) == []


def test_check_mode_says_what_it_needs_and_writes_nothing(scene: Scene) -> None:
    path = scene.artifact()
    planned = scene.extract(path, scene.other / "new", dry_run=True)
    assert left(scene) == []
    real = scene.extract(path, scene.other / "new")
    same = ("files", "directories", "links", "bytes", "needed", "artifact", "target", "changed")
    assert {key: planned[key] for key in same} == {key: real[key] for key in same}


def test_a_target_that_is_there_is_left_alone(scene: Scene) -> None:
    path = scene.artifact()
    (scene.other / "new").mkdir()
    (scene.other / "new" / "mine").write_bytes(b"x")
    with pytest.raises(RestoreTargetRefused):
        scene.extract(path, scene.other / "new")
    assert tree_of(scene.other) == {"new": None, "new/mine": b"x"}


def test_a_target_that_somebody_makes_meanwhile_is_left_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scene.artifact()
    real = extract_step._publish

    def slower(partial: str, target: str) -> None:
        os.mkdir(target)
        real(partial, target)

    monkeypatch.setattr(extract_step, "_publish", slower)
    with pytest.raises(RestoreTargetRefused):
        scene.extract(path, scene.other / "new")
    assert tree_of(scene.other) == {"new": None}


@pytest.mark.parametrize("place", ["other/missing/new", "control/new", "control/holds/new"])
def test_a_target_in_the_wrong_place_is_refused(scene: Scene, tmp_path: Path, place: str) -> None:
    with pytest.raises(RestoreTargetRefused):
        scene.extract(scene.artifact(), tmp_path / place)


@pytest.mark.parametrize("target", ["new", "a/../b", ""])
def test_a_target_that_is_no_whole_path_is_refused(scene: Scene, target: str) -> None:
    with pytest.raises(InputInvalid):
        extract_step.extract(scene.request(scene.artifact(), target), dry_run=False)


def test_what_does_not_fit_is_refused_before_a_byte(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scene.artifact()
    monkeypatch.setattr(extract_step, "free_bytes", lambda path: 1000)
    with pytest.raises(NoSpace) as caught:
        scene.extract(path, scene.other / "new")
    assert caught.value.facts["needed"] > caught.value.facts["free"] == 1000
    assert left(scene) == []


def test_only_proven_authority_restores_and_it_is_on_record(scene: Scene) -> None:
    path = scene.artifact()
    scene.be(None)
    with pytest.raises(NotAuthorized):
        scene.extract(path, scene.other / "new")
    scene.be(L5)
    with pytest.raises(NotAuthorized):
        scene.extract(path, scene.production / "new")
    with pytest.raises(NotAuthorized):
        scene.extract(path, scene.production.parent / "unlisted", dry_run=True)
    scene.extract(path, scene.other / "new")
    scene.extract(path, Path(scene.layout.scratch_dir) / "new")
    events = [(record["event"], record["details"]["needed"]) for record in recorded(scene.layout)]
    assert events == [
        ("authority_refused", "L5"),
        ("authority_refused", "L6"),
        ("authority_refused", "L6"),
        ("authority_granted", "L5"),
        ("authority_granted", "L5"),
    ]
    os.unlink(scene.layout.authority_file)
    with pytest.raises(AuthorityMissing):
        scene.extract(path, scene.other / "later")
    assert left(scene) == ["new"]


def test_the_set_is_held_while_it_is_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scene.artifact()
    seen = []
    real = extract_step.survey
    monkeypatch.setattr(
        extract_step, "survey", lambda *arguments: seen.append(held_stems(scene.layout)) or real(*arguments)
    )
    scene.extract(path, scene.other / "new")
    assert seen == [{STEM}]
    assert held_stems(scene.layout) == set()


@pytest.mark.parametrize("place", range(20))
def test_a_damaged_artifact_leaves_nothing(scene: Scene, place: int) -> None:
    """A flipped bit anywhere in the members' bytes, the list among them."""
    path = scene.artifact(sidecar=False)
    data = bytearray(path.read_bytes())
    position = len(data) * place // 20 + 7
    data[position] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(BackupError) as caught:
        scene.extract(path, scene.other / "new")
    assert caught.value.code.startswith("artifact_")
    assert str(path) in caught.value.message
    assert left(scene) == []


def test_a_sidecar_of_another_artifact_is_seen(scene: Scene) -> None:
    path = scene.artifact()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("wst/planted.txt", b"x")
    with pytest.raises(ArtifactDamaged):
        scene.extract(path, scene.other / "new")
    with pytest.raises(ArtifactIncomplete):
        scene.extract(path, scene.other / "new", sidecar=str(scene.other / "none"))


def test_a_member_that_the_list_tells_otherwise_is_never_published(scene: Scene) -> None:
    """Its CRC is right; only the list's SHA-256 knows."""
    path = scene.artifact(sidecar=False)
    members = {}
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: (info, archive.read(info)) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, (info, data) in members.items():
            archive.writestr(info, data if name != "wst/index.html" else b"<evil>\n" * 300)
    with pytest.raises(ArtifactDamaged, match=r"index\.html"):
        scene.extract(path, scene.other / "new")
    assert left(scene) == []


@pytest.mark.parametrize("name", ["../out.txt", "/abs.txt", "a/CON", "a/b.", "C:/x", "a\\..\\b"])
def test_an_unsafe_name_is_refused_before_a_byte(scene: Scene, name: str) -> None:
    path = scene.kit.root / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.txt", b"x")
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"x")
    with pytest.raises(ArtifactUnsafePath):
        scene.extract(path, scene.other / "new")
    assert left(scene) == []


def foreign(path: Path) -> None:
    """A ZIP as other programs make it: no directories of its own, no times in UTC, no list."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("wst/a/x.txt", b"x" * 1000), ("db.backup", b"PGDMP..."), ("roles.sql", b"--")):
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 30, 10)), data)


def test_a_bare_zip_is_restored_with_a_remark(scene: Scene) -> None:
    path = scene.kit.root / "bare.zip"
    foreign(path)
    result = scene.extract(path, scene.other / "new")
    assert tree_of(scene.other / "new") == {
        "wst": None,
        "wst/a": None,
        "wst/a/x.txt": b"x" * 1000,
        "db.backup": b"PGDMP...",
        "roles.sql": b"--",
    }
    assert result["artifact"] is None
    assert result["remarks"] == [extract_step.UNLISTED]
    written = (scene.other / "new" / "wst" / "a" / "x.txt").stat().st_mtime
    assert time.localtime(written)[:6] == (2026, 3, 1, 12, 30, 10)
    only = scene.extract(path, scene.other / "only", selection=chosen("dump"))
    assert set(tree_of(scene.other / "only")) == {"db.backup"}
    assert only["files"] == 1


def test_files_alone_come_from_a_zip_without_a_dump(scene: Scene) -> None:
    path = scene.kit.root / "bare.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wst/x.txt", b"x")
    scene.extract(path, scene.other / "new", selection=chosen("files"))
    assert (scene.other / "new" / "wst" / "x.txt").read_bytes() == b"x"
    with pytest.raises(BackupError, match="dump"):
        scene.extract(path, scene.other / "none", selection=chosen("dump"))


def test_an_empty_dump_is_refused_by_name_and_the_files_beside_it_come_back(scene: Scene, tmp_path: Path) -> None:
    case = next(case for case in hostile_ours.cases() if case.name == "ours/empty-dump-and-told-so")
    path = corpus.place(case, tmp_path)
    for selection in (chosen(), chosen("dump")):
        with pytest.raises(DumpEmpty):
            scene.extract(path, scene.other / "new", selection=selection)
    assert left(scene) == []
    scene.extract(path, scene.other / "new", selection=chosen("files"))
    assert any(data for data in tree_of(scene.other / "new").values())


def test_an_artifact_without_a_sidecar_is_restored_with_a_remark(scene: Scene) -> None:
    result = scene.extract(scene.artifact(sidecar=False), scene.other / "new")
    assert result["remarks"] == [extract_step.UNVOUCHED]


def test_a_missing_artifact_is_named(scene: Scene) -> None:
    with pytest.raises(PathUnusable):
        scene.extract(scene.other / "none.zip", scene.other / "new")


def test_what_a_killed_run_left_is_named_and_our_own_goes(scene: Scene) -> None:
    dead, own = scene.other / "new.20261122-120000-0000cccc.partial", scene.other / f"new.{RUN_ID}.partial"
    for path in (dead, own):
        path.mkdir()
        (path / "half.txt").write_bytes(b"x")
    result = scene.extract(scene.artifact(), scene.other / "new")
    assert result["unfinished"] == [str(dead)]
    assert left(scene) == ["new", dead.name]


@pytest.mark.parametrize("failing", ["create_plain", "flush_file", "set_time", "flush_directory", "rename_new"])
@pytest.mark.parametrize("number", [28, 5])
def test_a_full_disk_leaves_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch, failing: str, number: int) -> None:
    """Whatever call meets it: the failure is no_space about the target, and nothing stays."""
    path = scene.artifact()
    real, calls = getattr(api, failing), []

    def fail(*arguments: Any, **options: Any) -> Any:
        calls.append(failing)
        named = arguments[0] if isinstance(arguments[0], str) else arguments[0].name
        if str(scene.other) in str(named):
            raise OSError(number, os.strerror(number), named)
        return real(*arguments, **options)

    monkeypatch.setattr(api, failing, fail)
    if failing == "set_time" and number == 5:
        assert scene.extract(path, scene.other / "new")["not_restored"]["counts"] == {"time": 15}
        return
    with pytest.raises(NoSpace if number == 28 else PathUnusable) as caught:
        scene.extract(path, scene.other / "new")
    assert "new" in str(caught.value.facts["path"])
    assert calls
    assert left(scene) == []


def test_a_cancelled_job_leaves_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scene.artifact()

    def cancel(done: int, total: int | None = None, item: str = "") -> None:
        if done > 200_000:
            raise Cancelled("the job was asked to stop")

    monkeypatch.setattr(_jobs, "progress", cancel)
    with pytest.raises(Cancelled):
        scene.extract(path, scene.other / "new")
    assert left(scene) == []


def test_a_deep_path_comes_back(scene: Scene) -> None:
    deep = "/".join(["directory-with-a-long-name"] * 20)
    top = scene.kit.root / "src" / "deep"
    os.makedirs(api.long_path(str(top / deep)))
    with open(api.long_path(str(top / deep / "file.txt")), "wb") as file:
        file.write(b"deep")
    scene.extract(scene.artifact(Source(name="wst", path=str(top))), scene.other / "new")
    with open(api.long_path(str(scene.other / "new" / "wst" / deep / "file.txt")), "rb") as file:
        assert file.read() == b"deep"


def entry_with(extra: bytes, date: int, clock: int) -> ZipEntry:
    """A member with these times."""
    return ZipEntry("x", False, b"x", 0, 0, clock, date, 0, 0, 0, 0, extra)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_any_dos_time_is_some_time(date: int, clock: int) -> None:
    moment = entry_time(entry_with(b"", date, clock))
    assert abs(moment) < 1 << 63


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_time_in_utc_wins(seconds: int) -> None:
    extra = struct.pack("<HHBl", zipformat.EXTRA_TIMESTAMP, 5, 1, seconds)
    assert entry_time(entry_with(extra, 33, 0)) == seconds * 10**9
    without = struct.pack("<HHB", zipformat.EXTRA_TIMESTAMP, 1, 0)
    assert time.localtime(entry_time(entry_with(without, 33, 0)) // 10**9)[:3] == (1980, 1, 1)
