# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressed bytes of the artifact before: taken over where nothing changed, and never with anything wrong in them.

The new artifact must be, byte for byte, what it is without an old one, whatever the old one is.
"""

from __future__ import annotations

import io
import os
import random
import threading
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive import build, codecs, previous
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import ACCELERATED, ZLIB
from ansible_collections.wst.backup.plugins.module_utils._archive.packing import Block, Packed
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import verify
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.module_utils._platform import api

KIB, MIB = 1 << 10, 1 << 20
WORDS = b"".join(b"%d: the quick brown fox %d\n" % (number, number * 7 % 1001) for number in range(1000))
LARGE = (WORDS * 64 + random.Random(5).randbytes(300 * KIB)) * 2 + WORDS  # some 4 MiB: large for every engine
ENOUGH = LARGE[: MIB + 50 * KIB]  # for zlib
EACH = pytest.mark.parametrize(("engine", "threads"), [(ZLIB, 1), (ZLIB, 3), (ACCELERATED, 2)])


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock, whose time stands in the manifest."""
    monkeypatch.setattr(build, "utc_now", lambda: parse_time("2026-11-23T15:00:02Z"))


def source_of(kit: Any, large: bytes = LARGE) -> Source:
    """Small and large files."""
    files: dict[str, bytes | None] = {
        f"small/{number}.txt": b"%d " % number + WORDS[: number * 100] for number in range(50)
    }
    files |= {"same.log": large, "changes.log": large[::-1], "grows.log": large[7:], "pic.png": large[: 100 * KIB]}
    return Source("wst", str(kit.tree("src", files)))


def made(kit: Any, source: Source, to: str, old: Path | None = None, **options: Any) -> tuple[bytes, Any]:
    """The artifact's bytes, and what was built."""
    if old is None:
        path, built = kit.build(source, to=to, **options)
    else:
        with open(old, "rb") as file:
            path, built = kit.build(source, to=to, previous=file, **options)
    return path.read_bytes(), built


def change(top: Path) -> None:
    """What happens between two runs."""
    (top / "small" / "7.txt").write_bytes(b"another")
    (top / "small" / "8.txt").unlink()
    (top / "small" / "new.txt").write_bytes(WORDS)
    (top / "small" / "9.txt").rename(top / "small" / "renamed.txt")
    os.utime(top / "small" / "10.txt", (1, 1))
    with open(top / "changes.log", "r+b") as file:
        file.seek(MIB)
        file.write(b"one line of another kind")
    with open(top / "grows.log", "ab") as file:
        file.write(b"one more line")


@EACH
def test_the_same_artifact_with_less_work(kit: Any, engine: str, threads: int) -> None:
    options = {"engine": engine, "threads": threads}
    source = source_of(kit)
    made(kit, source, "old.zip", **options)
    change(Path(source.path))
    fresh, built = made(kit, source, "fresh.zip", **options)
    assert (built.reused.files, built.reused.bytes) == (0, 0)
    again, built = made(kit, source, "again.zip", kit.root / "old.zip", **options)
    assert again == fresh
    # All but: two that are too small to be compressed, the changed, the new, two large ones, and the picture.
    assert 46 <= built.reused.files <= 48
    assert built.reused.bytes > len(LARGE)
    assert verify(str(kit.root / "again.zip"), level=2).level == 2


def test_nothing_is_compressed_that_is_known(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(kit, ENOUGH)
    old, _built = made(kit, source, "old.zip")
    seen: list[int] = []
    real_block, real_whole = codecs.Zlib.block, codecs.Zlib.whole

    def block(self: Any, data: bytes, before: bytes) -> bytes:
        seen.append(len(data))
        return real_block(self, data, before)

    def whole(self: Any, data: bytes) -> bytes:
        seen.append(len(data))
        return real_whole(self, data)

    monkeypatch.setattr(codecs.Zlib, "block", block)
    monkeypatch.setattr(codecs.Zlib, "whole", whole)
    again, _built = made(kit, source, "again.zip", kit.root / "old.zip")
    assert again == old
    # What deflate did not make smaller is tried again, and our own lists are new each time.
    assert max(seen) < 20 * KIB


REGIONS = ["small", "large", "large's end", "local header", "directory", "end"]


def places(path: Path, region: str) -> range:
    """The bytes of a region of the old artifact."""
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
        large, small = archive.getinfo("wst/same.log"), archive.getinfo("wst/small/20.txt")
    size = path.stat().st_size

    def content(info: zipfile.ZipInfo) -> range:
        begin = info.header_offset + 30 + len(info.filename) + 9
        return range(begin, begin + info.compress_size)

    return {
        "small": content(small),
        "large": content(large),
        "large's end": content(large)[-12:],
        "local header": range(small.header_offset, small.header_offset + 30),
        "directory": range(start, size - 22),
        "end": range(size - 22, size),
    }[region]


@pytest.mark.parametrize("region", REGIONS)
def test_no_damage_travels(kit: Any, region: str) -> None:
    """A few bits of each region; the fuzz below takes any."""
    source = source_of(kit, ENOUGH)
    old, _built = made(kit, source, "old.zip", level=1)
    where = places(kit.root / "old.zip", region)
    for seed in range(4):
        damaged = bytearray(old)
        damaged[random.Random(seed).choice(where)] ^= 1 << seed
        (kit.root / "damaged.zip").write_bytes(damaged)
        assert made(kit, source, "again.zip", kit.root / "damaged.zip", level=1)[0] == old, seed


@pytest.mark.slow
@settings(
    max_examples=60 if os.name == "posix" else 10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_the_old_artifact_is(kit: Any, data: st.DataObject) -> None:
    source = Source("wst", str(kit.root / "src"))
    if not (kit.root / "src").exists():
        kit.tree("src", {"a.log": WORDS * 45, **{f"{number}.txt": WORDS[number:] for number in range(5)}})
        made(kit, source, "old.zip", level=1)
    old = (kit.root / "old.zip").read_bytes()
    spoilt = bytearray(old)
    for _number in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "insert", "copy"]))
        if kind == "flip":
            spoilt[at] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del spoilt[at : at + data.draw(st.integers(1, 2000))]
        elif kind == "insert":
            spoilt[at:at] = data.draw(st.binary(min_size=1, max_size=50))
        else:
            other = data.draw(st.integers(0, len(spoilt) - 1))
            spoilt[at : at + 500] = spoilt[other : other + 500]
        if not spoilt:
            break
    (kit.root / "spoilt.zip").write_bytes(spoilt)
    assert made(kit, source, "again.zip", kit.root / "spoilt.zip", level=1)[0] == old


@pytest.mark.parametrize("large", [bytes(3 * MIB + 5), WORDS * 90], ids=["nothing", "text"])
def test_what_unpacks_to_much_more_is_unpacked_step_by_step(kit: Any, large: bytes) -> None:
    source = Source("wst", str(kit.tree("src", {"a.log": large})))
    fresh, _built = made(kit, source, "fresh.zip")
    again, built = made(kit, source, "again.zip", kit.root / "fresh.zip")
    assert again == fresh
    assert built.reused.bytes == len(large)


@pytest.mark.parametrize("content", [b"", b"no ZIP", bytes(100_000)])
def test_what_is_no_artifact_is_not_used(kit: Any, content: bytes) -> None:
    source = kit.sample()
    fresh, _built = made(kit, source, "fresh.zip")
    (kit.root / "old.zip").write_bytes(content)
    assert made(kit, source, "again.zip", kit.root / "old.zip")[0] == fresh


class Failing:
    """A disk that gives up after so many reads, or cuts them short."""

    def __init__(self, path: Path, reads: int, *, short: bool) -> None:
        self._file = path.open("rb")
        self._left = reads
        self._short = short

    def fileno(self) -> int:
        return self._file.fileno()

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def read(self, size: int) -> bytes:
        self._left -= 1
        data = self._file.read(size)
        if self._left >= 0:
            return data
        if self._short:
            return data[:-1]
        raise OSError(5, "the disk has gone")

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("reads", [0, 2, 4, 6, 9, 20])
def test_a_disk_that_cannot_be_read_any_more_is_not_the_sources_fault(kit: Any, reads: int, short: bool) -> None:
    source = Source("wst", str(kit.tree("src", {"a.log": ENOUGH, "b.txt": WORDS, "c.log": ENOUGH[::-1]})))
    fresh, _built = made(kit, source, "fresh.zip", level=1)
    old = Failing(kit.root / "fresh.zip", reads, short=short)
    path, _built = kit.build(source, to="again.zip", previous=old, level=1)
    old.close()
    assert path.read_bytes() == fresh


def archive_of(kit: Any, fill: Callable[[ZipWriter], None]) -> Path:
    """An old artifact of somebody's making."""
    path: Path = kit.root / "other.zip"
    with open(path, "w+b") as file, open(kit.root / "central", "w+b") as central:
        writer = ZipWriter(file, central=central)
        fill(writer)
        writer.finish()
    return path


DEFLATER = zlib.compressobj(9, zlib.DEFLATED, -15)
STREAM = DEFLATER.compress(ENOUGH) + DEFLATER.flush()  # one stream that does not end as ours do


@pytest.mark.parametrize(
    "content",
    [
        STREAM,
        STREAM + b"\x03\x00",  # bytes after its end
        codecs.stored(ENOUGH),  # no end at all
        codecs.stored(ENOUGH) + b"\x03",
        codecs.stored(ENOUGH + b"more") + codecs.LAST,
        codecs.stored(ENOUGH[:-1]) + codecs.LAST,
        codecs.stored(ENOUGH[:-1] + b"?") + codecs.LAST,
        b"",
    ],
)
def test_a_large_file_of_somebody_elses_making_is_not_taken_over(kit: Any, content: bytes) -> None:
    """Its size and place are right; what it is, is not."""
    source = Source("wst", str(kit.tree("src", {"a.log": ENOUGH})))
    fresh, _built = made(kit, source, "fresh.zip", level=1)

    def fill(writer: ZipWriter) -> None:
        stream = writer.begin("wst/a.log", attributes=Attributes(0), limit=len(ENOUGH))
        stream.add(Block(content, len(ENOUGH), zlib.crc32(ENOUGH)))
        real, codecs.LAST = codecs.LAST, b""
        try:
            stream.end()
        finally:
            codecs.LAST = real

    again, built = made(kit, source, "again.zip", archive_of(kit, fill), level=1)
    assert again == fresh
    assert built.reused.files == 0


def stream_of(data: bytes) -> bytes:
    """Compressed as a whole."""
    return codecs.standard(9).whole(data)


@pytest.mark.parametrize(
    "content",
    [
        stream_of(WORDS) + b"behind",
        stream_of(WORDS)[:-1],
        stream_of(WORDS[:-1]),
        stream_of(WORDS + b"more"),
        codecs.standard(9).block(WORDS, b""),  # all of it, and no end
        b"\x07",  # no stream
    ],
)
def test_nor_a_small_one(kit: Any, content: bytes) -> None:
    source = Source("wst", str(kit.tree("src", {"a.txt": WORDS})))
    fresh, _built = made(kit, source, "fresh.zip")

    def fill(writer: ZipWriter) -> None:
        packed = Packed(fmt.DEFLATED, content, size=len(WORDS), crc32=zlib.crc32(WORDS))
        writer.add_packed("wst/a.txt", packed, attributes=Attributes(0))

    again, built = made(kit, source, "again.zip", archive_of(kit, fill))
    assert again == fresh
    assert built.reused.files == 0


def test_a_file_that_is_read_again_is_taken_over_from_its_beginning(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("wst", str(kit.tree("src", {"a.log": ENOUGH})))
    path = Path(source.path) / "a.log"
    status = path.stat()
    fresh, _built = made(kit, source, "fresh.zip", level=1)
    real = api.open_source
    opened: list[str] = []

    class Watched(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            data = super().read(size or 0) or b""
            if len(opened) == 1:  # what was read is what the old artifact has, but it is no more when it is judged
                with open(path, "r+b") as file:
                    file.write(b"NEW")
                os.utime(path, ns=(1, 1))
            return data

    def open_source(name: str) -> Any:
        if name != str(path):
            return real(name)
        opened.append(name)
        path.write_bytes(ENOUGH)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return Watched(name, "rb")

    monkeypatch.setattr(api, "open_source", open_source)
    again, built = made(kit, source, "again.zip", kit.root / "fresh.zip", level=1)
    assert again == fresh
    assert (len(opened), built.reused.files) == (2, 1)


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_the_pieces_that_the_old_artifact_is_read_in_do_not_matter(piece: int) -> None:
    codec = codecs.standard(6)
    first, second = WORDS[:20_000], WORDS[20_000:]
    stream = codec.block(first, b"") + codec.block(second, first) + codecs.LAST
    unpacking = previous.Unpacking(codec, (stream[at : at + piece] for at in range(0, len(stream), piece)))
    taken = unpacking.packed_of(first) + unpacking.packed_of(second) + unpacking.rest()
    assert taken + codecs.LAST == stream


def test_one_thread_at_a_time_moves_in_the_old_artifact(kit: Any) -> None:
    """A second one between the seeking and the reading of the first would give it other bytes."""
    source = Source("wst", str(kit.tree("src", {"a.txt": WORDS, "b.txt": WORDS[1:]})))
    kit.build(source, to="old.zip")
    second = threading.Event()

    class Watched:
        def __init__(self, file: BinaryIO) -> None:
            self._file = file
            self.within = 0
            self.watching = False

        def seek(self, offset: int) -> None:
            self.within += 1
            if self.watching:
                if self.within > 1:
                    second.set()
                second.wait(0.1)
            self._file.seek(offset)

        def read(self, size: int) -> bytes:
            self.within -= 1
            return self._file.read(size)

    with open(kit.root / "old.zip", "rb") as file:
        watched = Watched(file)
        size = (kit.root / "old.zip").stat().st_size
        old = previous.Previous(watched, size=size, codec=codecs.standard(6))  # type: ignore[arg-type]
        old.index()
        watched.watching = True
        with ThreadPoolExecutor(2) as pool:
            asked = [(data, pool.submit(old.small, data, zlib.crc32(data))) for data in (WORDS, WORDS[1:])]
            for data, found in asked:
                assert zlib.decompress(found.result() or b"", -15) == data
    assert not second.is_set()


def test_the_memory_that_an_old_artifact_takes_is_small(kit: Any) -> None:
    """Some 200 bytes a file: numbers, no objects but the table's own."""

    def fill(writer: ZipWriter) -> None:
        for number in range(2000):
            packed = Packed(8, b"\x03\x00", size=1000, crc32=number)
            writer.add_packed(f"wst/a name of usual length {number}", packed, attributes=Attributes(0))

    path = archive_of(kit, fill)
    with open(path, "rb") as file:
        tracemalloc.start()
        try:
            old = previous.Previous(file, size=path.stat().st_size, codec=codecs.standard(6))
            old.index()
            held, _peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(old._rows) == 2000
    assert held / 2000 < 250
