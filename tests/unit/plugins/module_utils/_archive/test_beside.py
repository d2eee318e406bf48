# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry has beside its content: told in the member list or as a remark, and never passed over in silence."""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive.members import Member, read_members
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import LIMIT, STREAMS, Notes
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._platform import api


def members(path: Path) -> dict[str, Member]:
    """The member list of an artifact."""
    return {member.path: member for member in read_members([zipfile.ZipFile(path).read("members.jsonl")])}


@pytest.fixture
def source(kit: Any) -> Source:
    """A directory with a file."""
    return Source(name="wst", path=str(kit.tree("src", {"d/a.txt": b"a", "b.txt": b"b"})))


def told_by(monkeypatch: pytest.MonkeyPatch, *, streams: bool | None) -> None:
    """The volume says so about streams."""
    real = api.volume
    monkeypatch.setattr(api, "volume", lambda path: replace(real(path), named_streams=streams))


@pytest.mark.parametrize("streams", [True, None])
def test_streams_are_named_as_not_kept(
    kit: Any, source: Source, monkeypatch: pytest.MonkeyPatch, streams: bool | None
) -> None:
    told_by(monkeypatch, streams=streams)
    many = tuple(f"s{number}" for number in range(7))
    of = {"a.txt": ("Zone.Identifier",), "d": many, "b.txt": ("\ud800\n",)}
    monkeypatch.setattr(api, "named_streams", lambda path: of.get(os.path.basename(path), ()))
    path, built = kit.build(source)
    assert built.manifest["notes"] == {
        "counts": {"streams": 3},
        "first": [
            {"kind": "streams", "path": "wst/b.txt", "reason": "not kept: \\ud800\\x0a"},
            {"kind": "streams", "path": "wst/d", "reason": "not kept: s0, s1, s2, s3, s4 and 2 more"},
            {"kind": "streams", "path": "wst/d/a.txt", "reason": "not kept: Zone.Identifier"},
        ],
    }
    assert zipfile.ZipFile(path).read("wst/d/a.txt") == b"a"


def test_nobody_is_asked_where_the_volume_has_none(kit: Any, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    told_by(monkeypatch, streams=False)
    monkeypatch.setattr(api, "named_streams", lambda path: pytest.fail("one more opening of each entry"))
    assert kit.build(source)[1].manifest["notes"]["counts"] == {}


def test_a_volume_that_tells_nothing_is_asked_about(kit: Any, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(path: str) -> api.Volume:
        raise OSError(5, "no answer")

    monkeypatch.setattr(api, "volume", silent)
    monkeypatch.setattr(api, "named_streams", lambda path: ("x",))
    assert kit.build(source)[1].manifest["notes"]["counts"] == {"streams": 4}


def test_what_cannot_be_told_is_a_remark(kit: Any, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> Any:
        raise PermissionError(13, "denied")

    told_by(monkeypatch, streams=True)
    monkeypatch.setattr(api, "named_streams", refuse)
    monkeypatch.setattr(api, "explicit_aces", refuse)
    path, built = kit.build(source)
    assert built.manifest["notes"]["counts"] == {"permissions": 4, "streams": 4}
    first = built.manifest["notes"]["first"]
    assert {"kind": "permissions", "path": "wst/b.txt", "reason": "denied"} in first
    reason = "it could not be told whether there are any: denied"
    assert {"kind": "streams", "path": "wst/b.txt", "reason": reason} in first
    assert members(path)["wst/b.txt"].sddl is None


def test_what_is_gone_by_then_is_none(kit: Any, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: str) -> Any:
        raise FileNotFoundError(2, "gone")

    told_by(monkeypatch, streams=True)
    monkeypatch.setattr(api, "named_streams", gone)
    assert kit.build(source)[1].manifest["notes"]["counts"] == {}
    monkeypatch.setattr(api, "explicit_aces", gone)
    assert kit.build(source, to="b.zip")[1].manifest["notes"]["counts"] == {}


def test_streams_do_not_crowd_out_other_remarks() -> None:
    notes = Notes()
    for number in range(LIMIT * 2):
        notes.add(STREAMS, f"wst/{number}", "not kept: Zone.Identifier")
    notes.add("grew", "wst/log")
    body = notes.body()
    assert body["counts"] == {"streams": LIMIT * 2, "grew": 1}
    assert len(body["first"]) == 101
    assert body["first"][-1]["kind"] == "grew"


def test_the_access_list_is_recorded_where_it_is_the_entry_s_own(
    kit: Any, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"d": "O:BAG:BAD:PAI(A;OICI;FA;;;BA)", "a.txt": "O:BAG:BAD:AI(A;;FR;;;BU)(A;ID;FA;;;BA)"}
    monkeypatch.setattr(api, "explicit_aces", lambda path: own.get(os.path.basename(path)))
    path, _built = kit.build(source)
    assert {name: member.sddl for name, member in members(path).items() if member.sddl} == {
        "wst/d": own["d"],
        "wst/d/a.txt": own["a.txt"],
    }


@pytest.mark.windows
def test_read_only_and_hidden_are_recorded(kit: Any, source: Source) -> None:
    import ctypes

    for name, attributes in (("b.txt", 0x1 | 0x2 | 0x20), ("d", 0x2)):
        path = os.path.join(source.path, name)
        assert ctypes.windll.kernel32.SetFileAttributesW(path, attributes)  # type: ignore[attr-defined]
    artifact, _built = kit.build(source)
    told = members(artifact)
    assert told["wst/b.txt"].attributes & 0x3 == 0x3
    assert told["wst/d"].attributes & 0x12 == 0x12
    assert told["wst/d/a.txt"].attributes & 0x3 == 0
    with zipfile.ZipFile(artifact) as zipped:
        assert zipped.getinfo("wst/b.txt").external_attr & 0x3 == 0x3  # for programs that know only the ZIP
    os.chmod(os.path.join(source.path, "b.txt"), stat.S_IWRITE)


@pytest.mark.windows
def test_a_protected_list_is_recorded_as_windows_tells_it(kit: Any, source: Source) -> None:
    protected = os.path.join(source.path, "d")
    api.protect(protected)
    told = members(kit.build(source)[0])
    sddl = told["wst/d"].sddl or ""
    assert sddl == api.sddl(protected)
    assert "(A;OICI;FA;;;SY)" in sddl
