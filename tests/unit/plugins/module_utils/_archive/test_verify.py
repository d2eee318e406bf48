# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Artifacts are proved, and whatever is wrong with one is found and named."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import decode_manifest, encode_manifest
from ansible_collections.wst.backup.plugins.module_utils._archive.members import Member, mtime_text, read_members
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import DumpCounts, verify
from ansible_collections.wst.backup.plugins.module_utils._archive.wanted import Expected
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    ArtifactUnsupported,
    BackupError,
    DumpEmpty,
    DumpMissing,
    InputInvalid,
    PathUnusable,
)


def expected_of(path: Path) -> Expected:
    """What a sidecar would say of that file."""
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read("manifest.json")
    return Expected(
        size=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
    )


def test_an_artifact_of_ours_passes_every_level(kit: Any) -> None:
    source = kit.sample()
    path, built = kit.build(source)
    seen: list[tuple[bytes, str, Any]] = []

    def check(chunks: Iterator[bytes], name: str, database: Mapping[str, Any] | None) -> DumpCounts:
        seen.append((b"".join(chunks), name, database))
        return DumpCounts(tables=1, rows=7)

    verdict = verify(str(path), level=3, expected=expected_of(path), check_dump=check)
    assert (verdict.level, verdict.ours, verdict.remarks) == (3, True, [])
    assert verdict.sha256 == built.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert verdict.totals == built.totals
    assert (verdict.totals.files, verdict.totals.directories) == (7, 6)
    assert seen == [(kit.dump.read_bytes(), "wst_dev_database.backup", built.manifest["database"])]
    assert verdict.dump == DumpCounts(1, 7)


def test_the_manifest_and_the_list_say_what_is_there(kit: Any) -> None:
    source = kit.sample()
    path, built = kit.build(source)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names[-2:] == ["members.jsonl", "manifest.json"]
        lines = [json.loads(line) for line in archive.read("members.jsonl").splitlines()]
        manifest = decode_manifest(archive.read("manifest.json"))
        assert [line["path"] + "/" * (line["kind"] == "directory") for line in lines] == names[:-2]
        for line in lines:
            if line["kind"] == "file":
                data = archive.read(line["path"])
                assert (line["size"], line["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
                assert line["crc32"] == "{:08x}".format(archive.getinfo(line["path"]).CRC)
    on_disk = Path(source.path) / "index.html"
    told = next(line for line in lines if line["path"] == "wst/index.html")
    assert told["mtime_ns"] == on_disk.stat().st_mtime_ns
    assert manifest == built.manifest
    assert manifest["schema_version"] == 1
    assert manifest["audit_head"] == {"seq": 3, "hash": "ab" * 32}
    assert manifest["times"]["database_snapshot"] == "2026-11-23T15:00:01Z"
    assert manifest["totals"] == {"files": 7, "directories": 6, "links": 0, "bytes": manifest["totals"]["bytes"]}
    assert manifest["sources"][0]["name"] == "wst"
    assert manifest["dump"]["sha256"] == hashlib.sha256(kit.dump.read_bytes()).hexdigest()


@pytest.mark.posix
def test_links_are_in_the_list_and_not_in_the_zip(kit: Any) -> None:
    source = kit.sample()
    (Path(source.path) / "current").symlink_to("../elsewhere")
    path, _ = kit.build(source)
    verdict = verify(str(path), level=2)
    assert verdict.totals.links == 1
    with zipfile.ZipFile(path) as archive:
        assert "wst/current" not in archive.namelist()
        line = next(one for one in map(json.loads, archive.read("members.jsonl").splitlines()) if one["kind"] == "link")
    assert (line["path"], line["target"]) == ("wst/current", "../elsewhere")


def test_every_flipped_bit_is_found_with_the_sidecar(kit: Any) -> None:
    """A bit in each region, and many anywhere."""
    top = kit.tree("t", {"a.txt": b"text " * 200, "b.png": bytes(range(256)), "d": None})
    path, _ = kit.build(Source("wst", str(top)))
    expected, data = expected_of(path), path.read_bytes()
    chance = random.Random(7)
    directory = data.index(b"PK\x01\x02")
    places = [*range(30), *range(directory, directory + 60), *range(len(data) - 22, len(data))]
    places += [data.index(name) + 2 for name in (b"PGDMP", b"manifest.json", b"members.jsonl", b"roles.sql")]
    places += [chance.randrange(len(data)) for _ in range(150)]
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(BackupError) as caught:
            verify(str(path), level=2, expected=expected)
        assert caught.value.code.startswith("artifact_") or caught.value.code == "dump_missing", place
        assert str(path) in caught.value.message or caught.value.code == "dump_missing"
    path.write_bytes(data)
    assert verify(str(path), level=2, expected=expected).level == 2


def test_flips_in_contents_are_found_without_a_sidecar_too(kit: Any) -> None:
    path, _ = kit.build(Source("wst", str(kit.tree("t", {"a.txt": b"text " * 200, "b.png": bytes(range(256))}))))
    data = path.read_bytes()
    for place in (data.index(b"PGDMP") + 99, data.index(bytes(range(200))), data.index(b"wst/a.txt") + 40):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises(ArtifactDamaged):
            verify(str(path), level=2)


def test_a_cut_file_is_found_at_level_1(kit: Any) -> None:
    path, _ = kit.build(kit.sample())
    data = path.read_bytes()
    for length in (0, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ArtifactDamaged):
            verify(str(path), level=1)


def repacked(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Write the artifact anew with other members; every CRC is right again, and the times are as they were."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        infos = {info.filename: info for info in archive.infolist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(infos.get(name, name), data)


def with_manifest(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    """A change of the manifest alone."""

    def apply(members: dict[str, bytes]) -> None:
        body = json.loads(members["manifest.json"])
        change(body)
        members["manifest.json"] = encode_manifest(body)

    return apply


def put(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update({name: data})


def drop(name: str) -> Callable[[dict[str, bytes]], None]:
    def apply(members: dict[str, bytes]) -> None:
        del members[name]

    return apply


@pytest.mark.parametrize(
    ("change", "failure", "words"),
    [
        (drop("wst/index.html"), ArtifactIncomplete, "wst/index.html"),
        (drop("wst/leer/"), ArtifactIncomplete, "wst/leer"),
        (drop("roles.sql"), ArtifactIncomplete, "roles.sql"),
        (drop("manifest.json"), ArtifactIncomplete, "manifest.json"),
        (drop("members.jsonl"), ArtifactIncomplete, "members.jsonl"),
        (drop("wst_dev_database.backup"), DumpMissing, "wst_dev_database.backup"),
        (put("wst_dev_database.backup", b""), DumpEmpty, "no bytes"),
        (put("wst/index.html", b"defaced"), ArtifactDamaged, "wst/index.html"),
        (put("wst_dev_database.backup", b"PGDMP other"), ArtifactDamaged, "wst_dev_database.backup"),
        (put("wst/planted.aspx", b"evil"), ArtifactDamaged, "wst/planted.aspx is not in the member list"),
        (put("members.jsonl", b'{"kind":"file"}\n'), ArtifactDamaged, "line 1"),
        (put("members.jsonl", b""), ArtifactDamaged, "not in the member list"),
        (put("manifest.json", b"[]"), ArtifactDamaged, "not a manifest"),
        (put("manifest.json", b"{"), ArtifactDamaged, "not JSON"),
        (with_manifest(lambda body: body.pop("totals")), ArtifactDamaged, "totals"),
        (with_manifest(lambda body: body.update(schema_version=2)), ArtifactUnsupported, "schema 2"),
        (with_manifest(lambda body: body["totals"].update(files=99)), ArtifactDamaged, "totals"),
        (with_manifest(lambda body: body["members"].update(sha256="0" * 64)), ArtifactDamaged, "members.jsonl"),
        (with_manifest(lambda body: body["sources"].append({"name": "wst-api"})), ArtifactIncomplete, "wst-api"),
    ],
)
def test_what_does_not_fit_together_is_named(
    kit: Any, change: Callable[[dict[str, bytes]], None], failure: type[BackupError], words: str
) -> None:
    path, _ = kit.build(kit.sample())
    repacked(path, change)
    with pytest.raises(failure, match=words):
        verify(str(path), level=2)


def test_another_archive_of_ours_is_not_this_one(kit: Any) -> None:
    path, _ = kit.build(kit.sample())
    other, _ = kit.build(Source("wst", str(kit.tree("o", {"x": b"1"}))), to="other.zip")
    with pytest.raises(ArtifactDamaged, match=r"bytes instead of|manifest.json is not the one"):
        verify(str(other), level=1, expected=expected_of(path))


def test_a_manifest_of_another_set_is_found_at_level_1(kit: Any) -> None:
    path, _ = kit.build(kit.sample())
    with pytest.raises(ArtifactDamaged, match=r"manifest\.json is not the one of its set"):
        verify(str(path), level=1, expected=replace(expected_of(path), manifest_sha256="0" * 64))


def test_required_paths(kit: Any) -> None:
    path, _ = kit.build(kit.sample())
    assert verify(str(path), level=1, required=["wst/a/", "WST/index.html"]).level == 1
    with zipfile.ZipFile(path) as archive:
        last = archive.namelist()[-1]
    assert verify(str(path), level=1, required=[last]).level == 1
    with pytest.raises(ArtifactIncomplete, match=r"it lacks wst-api, wst/web\.config"):
        verify(str(path), level=1, required=["wst", "wst/web.config", "wst-api"])


def foreign(path: Path, members: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return str(path)


def test_an_archive_of_others_is_proved_as_far_as_that_goes(tmp_path: Path) -> None:
    path = foreign(tmp_path / "x.zip", {"wst/a": b"1", "old.backup": b"PGDMP...", "notes.backup": b"text"})
    verdict = verify(path, level=3, check_dump=lambda chunks, name, database: DumpCounts(len(b"".join(chunks)), None))
    assert (verdict.level, verdict.ours, verdict.members) == (3, False, 3)
    assert verdict.dump == DumpCounts(8, None)
    assert verdict.remarks == ["no member list: contents rest on their CRC-32 alone"]
    with pytest.raises(ArtifactIncomplete, match="it has no manifest"):
        verify(path, level=1, expected=Expected(Path(path).stat().st_size, "", ""))


@pytest.mark.parametrize(
    ("members", "failure"),
    [
        ({"a": b"1"}, DumpMissing),
        ({"notes.backup": b"text"}, DumpMissing),
        ({"below/x.backup": b"PGDMP"}, DumpMissing),
        ({"x.backup": b""}, DumpEmpty),
        ({"x.backup": b"PGDMP", "y.dump": b"PGDMP"}, ArtifactUnsupported),
    ],
)
def test_a_level_that_cannot_be_reached_is_no_success(
    tmp_path: Path, members: dict[str, bytes], failure: type[Exception]
) -> None:
    path = foreign(tmp_path / "x.zip", members)
    assert verify(path, level=2).level == 2
    with pytest.raises(failure):
        verify(path, level=3, check_dump=lambda chunks, name, database: DumpCounts(0, 0))


def test_the_dump_level_needs_the_programs(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="tools_dir"):
        verify(foreign(tmp_path / "x.zip", {"x.backup": b"PGDMP"}), level=3)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PathUnusable):
        verify(str(tmp_path / "no.zip"), level=1)


def test_bytes_written_while_it_is_verified(kit: Any) -> None:
    path, _ = kit.build(kit.sample())

    def check(chunks: Iterator[bytes], name: str, database: Any) -> DumpCounts:
        for _ in chunks:
            pass
        with open(path, "ab") as file:
            file.write(b"x")
        return DumpCounts(0, 0)

    with pytest.raises(ArtifactDamaged, match="while it was verified"):
        verify(str(path), level=3, check_dump=check)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_member_lines_are_read_or_refused_by_name(chunks: list[bytes]) -> None:
    try:
        for member in read_members(chunks):
            assert isinstance(member, Member)
    except ArtifactDamaged:
        pass


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    endless = (b"x" * (1 << 18) for _ in range(10**9))
    with pytest.raises(ArtifactDamaged, match="too long"):
        list(read_members(endless))


@pytest.mark.parametrize(
    ("mtime_ns", "text"),
    [(0, "1970-01-01T00:00:00Z"), (-(10**30), "1601-01-01T00:00:00Z"), (10**30, "9999-12-31T23:59:59Z")],
)
def test_any_mtime_has_a_text(mtime_ns: int, text: str) -> None:
    assert mtime_text(mtime_ns) == text


def test_the_last_two_members_are_told_by_the_reader(kit: Any) -> None:
    path, built = kit.build(kit.sample())
    with open(path, "rb") as file:
        reader = ZipReader(file, size=path.stat().st_size)
        entry = reader.find("manifest.json")
        assert entry is not None
        assert b"".join(reader.content(entry)) == encode_manifest(built.manifest)
        assert reader.find("wst") is None  # a directory is no file
