# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members are proved by threads: all of them, from what the disk has, and the failure is always that of the first."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import codecs, ordered, proving, zipcontent
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import encode_manifest
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import verify
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    Cancelled,
    PathUnusable,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api

PATIENCE = 30  # seconds until a test that hangs has failed
NAMES = [f"{number:02d}.txt" for number in range(24)]
SHAPES = pytest.mark.parametrize(
    ("batch", "large"), [(1 << 20, 4 << 20), (3000, 4 << 20), (3000, 2000), (1, 0)], ids=["one", "some", "mixed", "all"]
)


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    """Afterwards every thread that was begun has ended."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small members of both methods, of others: they rest on their CRC alone."""
    path = tmp_path_factory.mktemp("proving") / "x.zip"
    chance = random.Random(3)
    with zipfile.ZipFile(path, "w") as made:
        for number, name in enumerate(NAMES):
            data = chance.randbytes(50 * number) + b"text " * 40 * number
            made.writestr(name, data, zipfile.ZIP_DEFLATED if number % 3 else zipfile.ZIP_STORED)
    return path


def spoil(path: Path, names: list[str]) -> bytes:
    """The archive with a bit turned over in the content of each of these members."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as made:
        for name in names:
            info = made.getinfo(name)
            data[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 0x10
    return bytes(data)


def shape(monkeypatch: pytest.MonkeyPatch, batch: int, large: int, threads: int = 4) -> None:
    monkeypatch.setattr(proving, "BATCH", batch)
    monkeypatch.setattr(proving, "LARGE", large)
    monkeypatch.setattr(ordered, "MAX_THREADS", threads)
    monkeypatch.setattr(ordered.os, "cpu_count", lambda: threads)


@SHAPES
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(bad=st.sets(st.sampled_from(NAMES[1:]), max_size=4), threads=st.sampled_from([1, 2, 4]))
def test_the_failure_is_the_first_members(
    archive: Path, tmp_path: Path, batch: int, large: int, bad: set[str], threads: int
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(spoil(archive, sorted(bad)))
    with pytest.MonkeyPatch.context() as patch:
        shape(patch, batch, large, threads)
        if not bad:
            assert verify(str(path), level=2).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            return
        with pytest.raises(ArtifactDamaged) as caught:
            verify(str(path), level=2)
    assert caught.value.facts["path"] == min(bad)


def test_a_slow_thread_with_the_first_fault_is_waited_for(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first bad member's thread does not even begin before the last one's has failed."""
    shape(monkeypatch, 1, 4 << 20)
    path = tmp_path / "x.zip"
    path.write_bytes(spoil(archive, [NAMES[5], NAMES[6]]))
    failed = threading.Event()
    real = zipcontent.content

    def content(extent: Any, entry: Any, codec: Any) -> Iterator[Any]:
        if entry.path == NAMES[5]:
            assert failed.wait(PATIENCE)
        try:
            yield from real(extent, entry, codec)
        except ArtifactDamaged:
            failed.set()
            raise

    monkeypatch.setattr(zipcontent, "content", content)
    with pytest.raises(ArtifactDamaged) as caught:
        verify(str(path), level=2)
    assert caught.value.facts["path"] == NAMES[5]


@SHAPES
def test_a_bad_content_comes_before_a_bad_line_behind_it(
    kit: Any, monkeypatch: pytest.MonkeyPatch, batch: int, large: int
) -> None:
    """The list fails in this thread, at once; the content in another one, when its turn comes."""
    shape(monkeypatch, batch, large)
    path, _ = kit.build(Source("wst", str(kit.tree("t", {"a.txt": b"text " * 200, "b.png": bytes(range(256))}))))
    with zipfile.ZipFile(path) as made:
        members = {name: made.read(name) for name in made.namelist()}
        infos = made.infolist()
    members["members.jsonl"] = members["members.jsonl"].replace(b'"path":"wst/b.png"', b'"path":"wst/c.png"')
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for info in infos:
            made.writestr(info, members[info.filename])
    with pytest.raises(ArtifactIncomplete, match=r"c\.png"):
        verify(str(path), level=2)
    data = path.read_bytes()
    at = data.index(b"wst/a.txt") + 25
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(ArtifactDamaged, match=r"a\.txt"):
        verify(str(path), level=2)


@SHAPES
def test_what_no_one_expected_is_raised_and_no_thread_stays(
    archive: Path, monkeypatch: pytest.MonkeyPatch, batch: int, large: int
) -> None:
    shape(monkeypatch, batch, large)

    def broken(*arguments: object) -> None:
        raise MemoryError("in a worker")

    monkeypatch.setattr(zipcontent, "_check_tail", broken)
    with pytest.raises(MemoryError, match="in a worker"):
        verify(str(archive), level=2)


@SHAPES
def test_a_cancelled_verification_ends(archive: Path, monkeypatch: pytest.MonkeyPatch, batch: int, large: int) -> None:
    shape(monkeypatch, batch, large)

    def cancel(*arguments: object) -> None:
        raise Cancelled("asked to stop")

    monkeypatch.setattr(_jobs, "progress", cancel)
    with pytest.raises(Cancelled):
        verify(str(archive), level=2)


class Disk:
    """What the disk gives, and then fails."""

    bypassed = True

    def __init__(self, data: bytes, error: OSError | None = None) -> None:
        self._data, self._error = data, error

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), 500):
            yield self._data[start : start + 500]
        if self._error is not None:
            raise self._error


@SHAPES
@pytest.mark.parametrize("spoilt", [False, True])
def test_a_disk_that_fails_in_the_middle(
    archive: Path, monkeypatch: pytest.MonkeyPatch, batch: int, large: int, spoilt: bool
) -> None:
    """A fault of a member that lies before is told first, where there is one."""
    shape(monkeypatch, batch, large)
    data = spoil(archive, [NAMES[2]]) if spoilt else archive.read_bytes()
    monkeypatch.setattr(
        api, "read_uncached", lambda _path: Disk(data[: len(data) // 2], OSError(5, "Input/output error"))
    )
    with pytest.raises((PathUnusable, ArtifactDamaged)) as caught:
        verify(str(archive), level=2)
    whole_batch = batch > 3000  # nothing of it could be proved: it was never read in full
    assert isinstance(caught.value, PathUnusable if not spoilt or whole_batch else ArtifactDamaged)


def test_a_thread_is_waited_for_when_the_disk_fails(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies before the place where it failed was read, and is judged first."""
    shape(monkeypatch, 1, 4 << 20)
    data = spoil(archive, [NAMES[2]])
    failed = threading.Event()
    real = zipcontent.content

    class Failing(Disk):
        def __iter__(self) -> Iterator[bytes]:
            try:
                yield from super().__iter__()
            finally:
                failed.set()

    def content(extent: Any, entry: Any, codec: Any) -> Iterator[Any]:
        if entry.path == NAMES[2]:
            assert failed.wait(PATIENCE)
        yield from real(extent, entry, codec)

    monkeypatch.setattr(zipcontent, "content", content)
    error = OSError(5, "Input/output error")
    monkeypatch.setattr(api, "read_uncached", lambda _path: Failing(data[: len(data) // 2], error))
    with pytest.raises(ArtifactDamaged) as caught:
        verify(str(archive), level=2)
    assert caught.value.facts["path"] == NAMES[2]


@SHAPES
@pytest.mark.parametrize("named", ["wst/a.txt", "wst/b.png"])
def test_a_member_with_another_digest_than_the_list_has(
    kit: Any, monkeypatch: pytest.MonkeyPatch, batch: int, large: int, named: str
) -> None:
    """Its size and CRC-32 are right: what a list says that was made from other bytes with the same CRC."""
    shape(monkeypatch, batch, large)
    path, _ = kit.build(Source("wst", str(kit.tree("t", {"a.txt": b"text " * 200, "b.png": bytes(range(256))}))))
    with zipfile.ZipFile(path) as made:
        members = {name: made.read(name) for name in made.namelist()}
        infos = made.infolist()
    right = hashlib.sha256(members[named]).hexdigest()
    lines = members["members.jsonl"].replace(right.encode(), b"0" * 64)
    manifest = json.loads(members["manifest.json"])
    manifest["members"]["sha256"] = hashlib.sha256(lines).hexdigest()
    members.update({"members.jsonl": lines, "manifest.json": encode_manifest(manifest)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for info in infos:
            made.writestr(info, members[info.filename])
    with pytest.raises(ArtifactDamaged, match="not what the member list says") as caught:
        verify(str(path), level=2)
    assert {key: caught.value.facts[key] for key in ("path", "expected", "found")} == {
        "path": named,
        "expected": "0" * 64,
        "found": right,
    }


@SHAPES
@pytest.mark.parametrize("change", ["cut", "longer", "flipped", "end"])
def test_the_disk_has_something_else_than_the_cache(
    archive: Path, monkeypatch: pytest.MonkeyPatch, batch: int, large: int, change: str
) -> None:
    """Members are proved from what was read past the cache: that is what would be restored one day."""
    shape(monkeypatch, batch, large)
    data = archive.read_bytes()
    other = {
        "cut": data[:-1500],
        "longer": data + b"x",
        "flipped": spoil(archive, [NAMES[7]]),
        "end": data[:-1] + b"\1",
    }[change]
    monkeypatch.setattr(api, "read_uncached", lambda _path: Disk(other))
    if change == "end":  # of an archive that nobody described, only members are proved; the digest tells the rest
        assert verify(str(archive), level=2).sha256 == hashlib.sha256(other).hexdigest()
        return
    with pytest.raises(ArtifactDamaged):
        verify(str(archive), level=2)


@SHAPES
def test_members_that_do_not_lie_as_the_directory_has_them(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, large: int
) -> None:
    shape(monkeypatch, batch, large)
    path = tmp_path / "x.zip"
    path.write_bytes(archive.read_bytes())
    with zipfile.ZipFile(path, "a") as made:
        made.writestr("last", b"x")
        made.filelist.reverse()
    with open(path, "rb") as file:
        assert not ZipReader(file, size=path.stat().st_size).is_ordered
    verdict = verify(str(path), level=2)
    assert (verdict.members, verdict.sha256) == (25, hashlib.sha256(path.read_bytes()).hexdigest())
    path.write_bytes(spoil(path, [NAMES[3], NAMES[9]]))
    with pytest.raises(ArtifactDamaged) as caught:
        verify(str(path), level=2)
    assert caught.value.facts["path"] == NAMES[9]  # the first of the directory


@pytest.mark.parametrize("large", [0, 1 << 30])
def test_a_member_that_swells_is_unpacked_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    shape(monkeypatch, 1 << 20, large)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", bytes(64 << 20))
    seen: list[int] = []
    real = zipcontent.content

    def content(*arguments: Any) -> Iterator[Any]:
        for piece in real(*arguments):
            seen.append(len(piece))
            yield piece

    monkeypatch.setattr(zipcontent, "content", content)
    assert verify(str(path), level=2).totals.bytes == sum(seen) == 64 << 20
    assert max(seen) <= 1 << 20


def outcome(codec: codecs.Zlib, stream: bytes, size: int) -> tuple[Any, ...]:
    """All that can be known of a stream."""
    inflater = codec.inflater()
    try:
        data = inflater.decompress(stream, size + 1)
    except codec.error as error:
        return (str(error),)
    return (inflater.eof, inflater.unused_data, data)


@given(
    data=st.one_of(st.binary(max_size=600), st.text("abc \n", max_size=2000).map(str.encode)),
    level=st.integers(1, 9),
    strategy=st.integers(0, 4),
    flips=st.lists(st.integers(0, 1 << 20), max_size=3),
    cut=st.integers(0, 3),
    tail=st.binary(max_size=3),
)
def test_what_zlib_refuses_is_refused_whatever_unpacks(
    data: bytes, level: int, strategy: int, flips: list[int], cut: int, tail: bytes
) -> None:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 8, strategy)
    stream = bytearray(deflater.compress(data) + deflater.flush())
    for flip in flips:
        stream[flip // 8 % len(stream)] ^= 1 << flip % 8
    spoilt = bytes(stream[: len(stream) - cut]) + tail
    assert outcome(codecs.inflating(), spoilt, len(data)) == outcome(codecs.standard(1), spoilt, len(data))


def lonely(code: int) -> bytes:
    """259 times the letter a, as one letter and a match whose distance has the only code there is, of one bit: 0.

    The other value of that bit stands for nothing (RFC 1951, 3.2.7). libdeflate takes it for the same distance.
    """
    bits = [1, 0, 1]  # the last block, with codes of its own

    def number(value: int, count: int) -> None:
        bits.extend(value >> place & 1 for place in range(count))

    def word(text: str) -> None:
        bits.extend(map(int, text))

    number(286 - 257, 5)
    number(0, 5)  # one distance
    number(14, 4)  # 18 lengths of code lengths: zeros have one bit, lengths of 1 and 2 have two
    for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
        number({18: 1, 1: 2, 2: 2}.get(symbol, 0), 3)
    one, two = "10", "11"
    for zeros, length in ((97, one), (138, ""), (20, two), (28, two), (0, one)):
        if zeros:
            word("0")
            number(zeros - 11, 7)
        word(length)
    word("0" + "11" + str(code) + "10")  # a, the longest match, its distance, the end
    octets = [bits[place : place + 8] for place in range(0, len(bits), 8)]
    return bytes(sum(bit << place for place, bit in enumerate(octet)) for octet in octets)


def test_a_code_that_stands_for_nothing_is_refused() -> None:
    """Why libdeflate does not unpack here, though it is faster."""
    want = b"a" * 259
    for codec in (codecs.standard(1), codecs.inflating()):
        assert outcome(codec, lonely(0), 259) == (True, b"", want)
        assert outcome(codec, lonely(1), 259) == ("Error -3 while decompressing data: invalid distance code",)
    deflate = pytest.importorskip("deflate")
    assert bytes(deflate.deflate_decompress(lonely(1), 259)) == want


def test_an_empty_archive_has_nothing_to_prove(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w"):
        pass
    assert verify(str(path), level=2).members == 0


@SHAPES
def test_a_local_header_that_eats_into_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, large: int
) -> None:
    """A field that only the local header has is allowed; but then the content must still end before what follows."""
    shape(monkeypatch, batch, large)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a", b"\x99\x99\0\0 and the rest")
    data = bytearray(path.read_bytes())
    assert verify(str(path), level=2).members == 1
    data[28] = 4  # the length of its extra fields
    path.write_bytes(data)
    with pytest.raises(ArtifactDamaged, match="overlaps what follows it"):
        verify(str(path), level=2)
