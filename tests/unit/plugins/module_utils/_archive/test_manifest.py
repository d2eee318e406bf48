# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``manifest.json`` and ``members.jsonl`` must have to be believed."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import (
    SCHEMA_VERSION,
    decode_manifest,
    encode_manifest,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.members import (
    Member,
    MemberWriter,
    Stamped,
    read_members,
)
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, ArtifactUnsupported
from ansible_collections.wst.backup.plugins.module_utils._records import canonical

MEMBER = {"path": "wst/a", "kind": "file", "mtime_ns": 1, "size": 1, "sha256": "0a" * 32, "crc32": "000000ff"}


def test_a_manifest_comes_back_and_says_the_same_in_the_same_bytes(kit: Any) -> None:
    manifest = kit.build()[1].manifest
    data = encode_manifest(manifest)
    assert decode_manifest(data) == manifest
    assert encode_manifest(dict(reversed(list(manifest.items())))) == data


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0])
def test_a_manifest_without_a_version_is_none(kit: Any, version: Any) -> None:
    manifest = {**kit.build()[1].manifest, "schema_version": version}
    with pytest.raises(ArtifactDamaged, match="no schema version"):
        decode_manifest(encode_manifest(manifest))


def test_a_newer_manifest_is_not_guessed_at(kit: Any) -> None:
    manifest = {**kit.build()[1].manifest, "schema_version": SCHEMA_VERSION + 1}
    with pytest.raises(ArtifactUnsupported) as caught:
        decode_manifest(encode_manifest(manifest))
    assert caught.value.facts["schema"] == SCHEMA_VERSION + 1


@pytest.mark.parametrize("key", ["artifact", "run_id", "members", "sources", "dump", "database", "totals"])
@pytest.mark.parametrize("spoil", [lambda body, key: body.pop(key), lambda body, key: body.update({key: 7})])
def test_what_a_manifest_needs_is_named(kit: Any, key: str, spoil: Callable[[Any, str], Any]) -> None:
    manifest = dict(kit.build()[1].manifest)
    spoil(manifest, key)
    with pytest.raises(ArtifactDamaged, match=key):
        decode_manifest(encode_manifest(manifest))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"null"])
def test_what_is_no_manifest_at_all(data: bytes) -> None:
    with pytest.raises(ArtifactDamaged):
        decode_manifest(data)


def test_what_an_entry_has_comes_back() -> None:
    members = [
        Member("wst", "directory", -7, sddl="D:PAI(A;;FA;;;SY)", attributes=0x12),
        Member("wst/a", "file", 10**18 + 1, size=3, sha256="ab" * 32, crc32=255, note="grew"),
        Member("wst/b", "file", 7, size=3, sha256="ab" * 32, crc32=255, stamp=Stamped("10-2a", 10**18, 3)),
        Member("wst/l", "link", 0, target="../elsewhere"),
    ]
    spool = io.BytesIO()
    writer = MemberWriter(spool)
    for member in members:
        writer.add(member)
    data = writer.rewind().read()
    assert list(read_members([data])) == members
    assert (writer.count, writer.size, writer.sha256) == (4, len(data), hashlib.sha256(data).hexdigest())


TEXTS = st.text(min_size=1, max_size=30) | st.sampled_from(['"', "\\", "\ud800", "\x7f", "\u2028", "Grüße"])
NUMBERS = st.integers(-(1 << 70), 1 << 70)
CRCS = st.integers(0, (1 << 32) - 1)
STAMPS = st.none() | st.builds(Stamped, file_id=TEXTS, changed_ns=NUMBERS, packed_crc32=CRCS)
NOTHING = st.none()
BESIDE = {"path": TEXTS, "mtime_ns": NUMBERS, "attributes": st.integers(0, 1 << 32)}
FILES = st.builds(
    Member,
    kind=st.just("file"),
    size=st.integers(0, 1 << 70),
    sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    crc32=CRCS,
    target=NOTHING,
    sddl=NOTHING | TEXTS,
    note=NOTHING | TEXTS,
    stamp=STAMPS,
    **BESIDE,
)
OTHERS = st.builds(
    lambda kind, told, **beside: Member(kind=kind, **beside, **{"target" if kind == "link" else "sddl": told}),
    kind=st.sampled_from(["directory", "link"]),
    told=TEXTS,
    **BESIDE,
)


@given(st.lists(FILES | OTHERS, max_size=4))
def test_each_line_is_canonical_and_comes_back(members: list[Member]) -> None:
    """It is put together by hand; what an encoder would make of it is the same."""
    writer = MemberWriter(io.BytesIO())
    for member in members:
        writer.add(member)
    data = writer.rewind().read()
    assert list(read_members([data])) == members
    assert data == b"".join(canonical(json.loads(line)) + b"\n" for line in data.splitlines())


@pytest.mark.parametrize(
    "stamp",
    [
        7,
        {"file_id": "1-2", "changed_ns": 7},
        {"file_id": "1-2", "changed_ns": "7", "packed_crc32": "00000000"},
        {"file_id": 12, "changed_ns": 7, "packed_crc32": "00000000"},
        {"file_id": "1-2", "changed_ns": 7, "packed_crc32": "0"},
    ],
)
def test_a_stamp_that_is_none_proves_nothing_and_is_no_damage(stamp: Any) -> None:
    (member,) = read_members([json.dumps({**MEMBER, "stamp": stamp}).encode() + b"\n"])
    assert (member.path, member.stamp) == ("wst/a", None)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "socket"},
        {"path": 7},
        {"size": "much"},
        {"crc32": 7},
        {"sha256": ...},
        {"mtime_ns": None},
    ],
)
def test_a_line_that_is_no_member_is_numbered(change: dict[str, Any]) -> None:
    bad = {key: value for key, value in {**MEMBER, **change}.items() if value is not ...}
    lines = json.dumps(MEMBER) + "\n" + json.dumps(bad) + "\n"
    read = read_members([lines.encode()])
    assert next(read).path == "wst/a"
    with pytest.raises(ArtifactDamaged) as caught:
        next(read)
    assert caught.value.facts["line"] == 2
