# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the writer writes: read back by the programs that operators have, and by Python."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive.zipformat import dos_time
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._errors import NoSpace

SECOND = 10**9
PLAIN = Attributes(mtime_ns=1_700_000_001 * SECOND + 5)
RANDOM = os.urandom(1_500_000)
CONTENT: dict[str, bytes] = {
    "wst/Grüße/日本語.txt": b"hallo " * 1000,
    "wst/empty": b"",
    "wst/one": b"x",
    "wst/incompressible": RANDOM[:5000],
    "wst/streamed.txt": b"0123456789abcdef\n" * 100_000,
    "wst/streamed.png": RANDOM,
    "wst/forced64": b"y" * 70_000,
    "dump": RANDOM,
}


def write(path: Path, fill: Callable[[ZipWriter], None]) -> str:
    """An archive with what ``fill`` adds; its SHA-256 as the writer tells it."""
    with open(path, "w+b") as file, tempfile.TemporaryFile() as central:
        writer = ZipWriter(file, central=central)
        fill(writer)
        return writer.finish()


def everything(writer: ZipWriter) -> None:
    """A member of each kind that the writer knows."""
    for directory in ("wst", "wst/Grüße", "wst/leer"):
        writer.add_directory(directory, attributes=Attributes(mtime_ns=PLAIN.mtime_ns, mode=0o755))
    for path, data in CONTENT.items():
        chunks = iter([data[:400_000], data[400_000:]])
        if path == "dump":
            writer.add_stored(path, chunks, attributes=PLAIN, size=len(data), crc32=zlib.crc32(data))
        elif "forced64" in path:
            writer.add_stream(path, chunks, attributes=PLAIN, limit=1 << 40)
        elif "streamed" in path:
            writer.add_stream(path, chunks, attributes=PLAIN, limit=len(data), compress=path.endswith("txt"))
        else:
            writer.add_bytes(path, data, attributes=PLAIN)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of everything."""
    path = tmp_path / "all.zip"
    write(path, everything)
    return path


@pytest.mark.posix
@pytest.mark.parametrize(
    "argv",
    [
        ["unzip", "-q", "{zip}", "-d", "{out}"],
        ["7z", "x", "-bd", "-y", "-o{out}", "{zip}"],
        ["bsdtar", "-x", "-f", "{zip}", "-C", "{out}"],
        ["sh", "-c", 'exec bsdtar -x -f - -C "$1" < "$0"', "{zip}", "{out}"],  # as a stream: no directory to look at
    ],
    ids=["unzip", "7z", "bsdtar", "bsdtar-stream"],
)
def test_programs_extract_every_byte(archive: Path, tmp_path: Path, argv: list[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "America/New_York"}
    command = [word.format(zip=archive, out=out) for word in argv]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()} == CONTENT
    assert (out / "wst" / "leer").is_dir()
    assert (out / "wst" / "one").stat().st_mtime == 1_700_000_001  # UTC, whatever the zone: the timestamp field


@pytest.mark.posix
@pytest.mark.parametrize("argv", [["unzip", "-tqq"], ["7z", "t", "-bd"], ["bsdtar", "-tf"]])
def test_programs_find_nothing_wrong(archive: Path, argv: list[str]) -> None:
    done = subprocess.run([*argv, str(archive)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"arning" not in done.stdout + done.stderr


def test_zipfile_reads_every_byte(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        files = {info.filename: opened.read(info) for info in opened.infolist() if not info.is_dir()}
        assert files == CONTENT
        assert opened.getinfo("dump").compress_type == zipfile.ZIP_STORED
        assert not opened.getinfo("dump").flag_bits & 0x08
        assert opened.getinfo("wst/leer/").is_dir()


def test_our_reader_accepts_what_we_write(archive: Path) -> None:
    with open(archive, "rb") as file:
        reader = ZipReader(file, size=archive.stat().st_size)
        found = {e.path: b"".join(reader.content(e)) for e in reader.entries() if not e.is_directory}
    assert found == CONTENT
    assert (reader.files, reader.directories, reader.bytes) == (len(CONTENT), 3, sum(map(len, CONTENT.values())))


def test_the_digest_is_that_of_the_file_and_equal_input_is_equal_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    digest = write(first, everything)
    assert digest == write(second, everything)
    assert digest == hashlib.sha256(first.read_bytes()).hexdigest()
    assert first.read_bytes() == second.read_bytes()


def test_a_rolled_back_member_leaves_no_trace(tmp_path: Path) -> None:
    def torn(writer: ZipWriter) -> None:
        writer.add_directory("wst", attributes=PLAIN)
        mark = writer.mark()
        writer.add_stream("wst/x", [RANDOM], attributes=PLAIN, limit=len(RANDOM))
        writer.roll_back(mark)
        with pytest.raises(ValueError, match="more than"):
            writer.add_stream("wst/x", [b"too long"], attributes=PLAIN, limit=3)
        writer.roll_back(mark)
        writer.roll_back(writer.mark())
        writer.add_bytes("wst/x", b"good", attributes=PLAIN)

    def plain(writer: ZipWriter) -> None:
        writer.add_directory("wst", attributes=PLAIN)
        writer.add_bytes("wst/x", b"good", attributes=PLAIN)

    assert write(tmp_path / "torn.zip", torn) == write(tmp_path / "plain.zip", plain)
    assert (tmp_path / "torn.zip").read_bytes() == (tmp_path / "plain.zip").read_bytes()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-(10**10), (1980, 1, 1, 0, 0, 0)),
        (0, (1980, 1, 1, 0, 0, 0)),
        (1_700_000_001, (2023, 11, 14, 22, 13, 20)),
        (4_354_819_199, (2107, 12, 31, 23, 59, 58)),
        (10**12, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_times_are_utc_and_clamped(tmp_path: Path, seconds: int, text: tuple[int, ...]) -> None:
    path = tmp_path / "t.zip"
    write(path, lambda writer: writer.add_bytes("x", b"", attributes=Attributes(seconds * SECOND)) and None)
    with zipfile.ZipFile(path) as opened:
        assert opened.getinfo("x").date_time == text
    assert dos_time(seconds * SECOND)[1] >> 9 == text[0] - 1980


@pytest.mark.slow
@pytest.mark.posix
def test_more_members_than_16_bits_hold(tmp_path: Path) -> None:
    path, count = tmp_path / "many.zip", 66_000

    def fill(writer: ZipWriter) -> None:
        for number in range(count):
            writer.add_bytes(f"d/{number}", b"%d" % number, attributes=PLAIN)

    write(path, fill)
    listed = subprocess.run(["unzip", "-Z1", str(path)], capture_output=True, check=True).stdout.splitlines()
    assert len(listed) == count
    for argv in (["7z", "t", "-bd", str(path)], ["bsdtar", "-tf", str(path)]):
        assert subprocess.run(argv, capture_output=True, check=False).returncode == 0
    with zipfile.ZipFile(path) as opened:
        assert opened.read("d/65999") == b"65999"
    with open(path, "rb") as file:
        assert ZipReader(file, size=path.stat().st_size).files == count


class Void(io.RawIOBase):
    """A file that keeps only its last bytes; enough to see the headers of what would fill a disk."""

    def __init__(self) -> None:
        self.size = 0
        self.tail = b""

    def write(self, data: Any) -> int:
        self.size += len(data)
        self.tail = (self.tail + bytes(data[-400:]))[-400:]
        return len(data)


def zeros(total: int) -> Iterator[bytes]:
    """That many zero bytes."""
    block = bytes(1 << 24)
    for _ in range(total // len(block)):
        yield block


@pytest.mark.slow
def test_a_member_and_an_offset_beyond_32_bits_are_told_in_64() -> None:
    size = 4096 << 20  # 2^32, with zeros that nobody needs to keep
    crc = 0
    for block in zeros(size):
        crc = zlib.crc32(block, crc)
    void = Void()
    writer = ZipWriter(void, central=io.BytesIO())  # type: ignore[arg-type]
    writer.add_stored("huge", zeros(size), attributes=PLAIN, size=size, crc32=crc)
    writer.add_bytes("after", b"", attributes=PLAIN)
    writer.finish()
    # Reads only the end and the directory, which the tail has.
    window = Tail(void)
    with zipfile.ZipFile(window) as opened:
        huge, after = opened.infolist()
        assert (huge.file_size, huge.compress_size, huge.CRC) == (size, size, crc)
        assert after.header_offset > 1 << 32
    reader = ZipReader(Tail(void), size=void.size)  # type: ignore[arg-type]
    assert [(e.path, e.size) for e in reader.entries()] == [("huge", size), ("after", 0)]


class Tail(io.RawIOBase):
    """A readable view of a void's end."""

    def __init__(self, void: Void) -> None:
        self._void, self._at = void, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._void.size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        start = self._at - (self._void.size - len(self._void.tail))
        size = self._void.size - self._at if size < 0 else min(size, self._void.size - self._at)
        self._at += size
        return bytes(max(0, min(size, -start))) + self._void.tail[max(start, 0) : max(start + size, 0)]


class FullDisk(io.BytesIO):
    """A file on a disk that runs full."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 100_000:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_has_a_name() -> None:
    writer = ZipWriter(FullDisk(), central=io.BytesIO())
    with pytest.raises(NoSpace):
        writer.add_stream("x", [RANDOM], attributes=PLAIN, limit=len(RANDOM))


def test_a_full_disk_has_its_name_at_the_latest_in_the_end() -> None:
    """What is small waits to be written together."""
    writer = ZipWriter(FullDisk(), central=io.BytesIO())
    for number in range(11):
        writer.add_bytes(f"{number}", RANDOM[:10_000], attributes=PLAIN)
    with pytest.raises(NoSpace):
        writer.finish()


class Stuck(io.BytesIO):
    """A file that gives nothing back."""

    def truncate(self, size: int | None = None) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stuck", ["file", "central"])
def test_what_cannot_be_rolled_back_has_a_name(stuck: str) -> None:
    files = {"file": io.BytesIO(), "central": io.BytesIO(), stuck: Stuck()}
    writer = ZipWriter(files["file"], central=files["central"])
    mark = writer.mark()
    writer.add_bytes("x", RANDOM, attributes=PLAIN)
    with pytest.raises(NoSpace):
        writer.roll_back(mark)
