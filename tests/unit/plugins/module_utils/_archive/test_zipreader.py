# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader against archives that others made, against lies, and against bytes gone wild."""

from __future__ import annotations

import contextlib
import io
import os
import random
import struct
import subprocess
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.zipend import Window
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactUnsafePath,
    ArtifactUnsupported,
)

NAMED = (ArtifactDamaged, ArtifactUnsafePath, ArtifactUnsupported)
MEMBERS = {"d/": b"", "d/a.txt": b"hello " * 500, "b.bin": bytes(range(256)) * 8}


def made(members: dict[str, bytes] | None = None, *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """An archive made by Python."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in (members if members is not None else MEMBERS).items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
        archive.comment = comment
    return buffer.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    """Everything in an archive; raises what the reader raises."""
    reader = ZipReader(io.BytesIO(data), size=len(data))
    return {e.path + "/" * e.is_directory: b"".join(reader.content(e)) for e in reader.entries()}


class Streamed(io.RawIOBase):
    """Cannot seek, so that zipfile writes data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data
        return len(data)


def test_archives_of_python() -> None:
    assert read(made()) == MEMBERS
    assert read(made(method=zipfile.ZIP_STORED, comment=b"made by hand")) == MEMBERS
    assert read(made({})) == {}


def test_archives_with_descriptors_and_forced_zip64() -> None:
    out = Streamed()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for force in (False, True):
            with archive.open(f"member{int(force)}", "w", force_zip64=force) as file:
                file.write(b"z" * 100_000)
    assert read(bytes(out.data)) == {"member0": b"z" * 100_000, "member1": b"z" * 100_000}


@pytest.mark.posix
@pytest.mark.parametrize(
    "argv",
    [
        ["7z", "a", "-bd", "-tzip", "{zip}", "d", "b.bin", "ä.txt"],
        ["7z", "a", "-bd", "-tzip", "-mx0", "{zip}", "d", "b.bin", "ä.txt"],
        ["bsdtar", "-a", "-c", "-f", "{zip}", "d", "b.bin", "ä.txt"],
    ],
    ids=["7z", "7z-store", "bsdtar"],
)
def test_archives_of_other_programs(tmp_path: Path, argv: list[str]) -> None:
    (tmp_path / "d").mkdir()
    contents = {"d/a.txt": b"hello " * 500, "b.bin": os.urandom(300_000), "ä.txt": b"umlaut"}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    path = tmp_path / "x.zip"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run([w.format(zip=path) for w in argv], cwd=tmp_path, check=True, capture_output=True, env=environment)
    assert {name: data for name, data in read(path.read_bytes()).items() if not name.endswith("/")} == contents


@pytest.mark.posix
@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["7z", "a", "-tzip", "-mm=Deflate64", "{zip}", "f"], "Deflate64"),
        (["7z", "a", "-tzip", "-mm=LZMA", "{zip}", "f"], "method 14"),
        (["7z", "a", "-tzip", "-psecret", "{zip}", "f"], "encrypted"),
        (["7z", "a", "-tzip", "-psecret", "-mem=AES256", "{zip}", "f"], "encrypted"),
    ],
)
def test_what_is_not_supported_is_named(tmp_path: Path, argv: list[str], words: str) -> None:
    (tmp_path / "f").write_bytes(b"content " * 50_000)
    path = tmp_path / "x.zip"
    subprocess.run([w.format(zip=path) for w in argv], cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(ArtifactUnsupported, match=words):
        read(path.read_bytes())


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "a/../../x", "/etc/passwd", "C:/x", "c:x", "a\\b", "a//b", "./a", "a/."),
        *("CON", "d/nul.txt", "a.", "a ", "x\x01", "a/b /c"),
    ],
)
def test_unsafe_names(name: str) -> None:
    data = made({"placeholder" + "_" * max(0, len(name) - 11): b""} if len(name) >= 11 else {"_" * len(name): b""})
    old = ("placeholder" + "_" * (len(name) - 11) if len(name) >= 11 else "_" * len(name)).encode()
    with pytest.raises(ArtifactUnsafePath):
        read(data.replace(old, name.encode()))


@pytest.mark.parametrize(
    "members",
    [
        {"a": b"", "A": b""},
        {"d/x": b"", "D/X": b""},
        {"d": b"", "d/x": b""},
        {"d/x": b"", "D": b""},
        {"ä": b"", "Ä": b""},
        {"d/": b"", "D/": b""},
    ],
)
def test_names_that_are_one_on_windows(members: dict[str, bytes]) -> None:
    with pytest.raises(ArtifactDamaged, match=r"same name|both file and directory"):
        read(made(members))


def test_the_same_name_twice() -> None:
    with pytest.raises(ArtifactDamaged, match="same name"):
        read(made({"aa": b"1", "ab": b"2"}).replace(b"ab", b"aa"))


def test_links_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArtifactUnsafePath, match="neither file nor directory"):
        read(buffer.getvalue())


CUT = made()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data[:-1], "no end record"),
        (lambda data: data[: len(data) // 2], "no end record"),
        (lambda data: b"", "too short"),
        (lambda data: b"text, not a ZIP at all" * 5, "no end record"),
        (lambda data: data + b"junk", "no end record"),
        (lambda data: b"junk" + data, "directory does not end"),
        (lambda data: data[: data.index(b"PK\x01\x02")] + b"gap!" + data[data.index(b"PK\x01\x02") :], "directory"),
    ],
)
def test_cut_and_padded_files(spoil: Callable[[bytes], bytes], words: str) -> None:
    with pytest.raises(ArtifactDamaged, match=words):
        read(spoil(CUT))


def parts(data: bytes) -> tuple[bytes, bytes, list[int]]:
    """Members, directory, and the end record's fields."""
    end = list(struct.unpack("<4s4H2LH", data[-22:]))
    return data[: end[6]], data[end[6] : -22], end


def joined(members: bytes, directory: bytes, end: list[int]) -> bytes:
    """An archive of these with an end record that fits."""
    end[5], end[6] = len(directory), len(members)
    return members + directory + struct.pack("<4s4H2LH", *end)


def test_bytes_between_members() -> None:
    members, directory, end = parts(made({"a": b"1" * 50}, method=0))
    with pytest.raises(ArtifactDamaged, match="belong to nothing"):
        read(joined(members + b"hidden", directory, end))


def test_bytes_before_the_first_member() -> None:
    members, directory, end = parts(made({"a": b"1" * 50}, method=0))
    directory = directory[:42] + struct.pack("<L", 4) + directory[46:]
    with pytest.raises(ArtifactDamaged, match="before the first member"):
        read(joined(b"MZ\x90\x00" + members, directory, end))


def test_members_that_overlap() -> None:
    members, directory, end = parts(made({"a": b"1" * 50, "b": b"2" * 50}, method=0))
    second = directory.index(b"PK\x01\x02", 4)
    quine = directory[: second + 42] + struct.pack("<L", 0) + directory[second + 46 :]
    with pytest.raises(ArtifactDamaged, match="share the same bytes"):
        read(joined(members, quine, end))
    inside = directory[: second + 42] + struct.pack("<L", 40) + directory[second + 46 :]
    with pytest.raises(ArtifactDamaged, match="overlaps"):
        read(joined(members, inside, end))


def test_a_directory_in_another_order_is_fine() -> None:
    members, directory, end = parts(made({"a": b"1" * 50, "b": b"2" * 60}))
    second = directory.index(b"PK\x01\x02", 4)
    assert read(joined(members, directory[second:] + directory[:second], end)) == {"a": b"1" * 50, "b": b"2" * 60}


def test_a_hidden_member_is_found() -> None:
    """A member in the file that the directory does not list: some programs would extract it."""
    members, directory, end = parts(made({"a": b"1" * 50, "b": b"2" * 50}, method=0))
    second = directory.index(b"PK\x01\x02", 4)
    end[3] = end[4] = 1
    with pytest.raises(ArtifactDamaged, match="belong to nothing"):
        read(joined(members, directory[:second], end))


@pytest.mark.parametrize("count", [0, 1, 3, 65534])
def test_a_wrong_count(count: int) -> None:
    members, directory, end = parts(made({"a": b"", "b": b""}))
    end[3] = end[4] = count
    with pytest.raises(ArtifactDamaged, match="members"):
        read(joined(members, directory, end))


def test_a_split_archive() -> None:
    members, directory, end = parts(made())
    end[1] = 1
    with pytest.raises(ArtifactUnsupported, match="split"):
        read(joined(members, directory, end))


def test_a_second_end_record_in_the_comment() -> None:
    inner = made({"other": b""})
    with pytest.raises(ArtifactUnsupported, match="second end record"):
        read(made(comment=inner[inner.index(b"PK\x05\x06") :]))


def bomb(size: int) -> bytes:
    """One member that announces less than it has."""
    data = zlib.compress(bytes(size), 9)[2:-4]
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, 0, len(data), 1000, 1, 0) + b"x"
    central = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, 0, len(data), 1000, 1, 0, 0, 0, 0, 0, 0
    ) + b"x"  # fmt: skip
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local) + len(data), 0)
    return local + data + central + end


def test_a_bomb_stops_at_what_it_announced() -> None:
    data = bomb(50 << 20)
    reader = ZipReader(io.BytesIO(data), size=len(data))
    with pytest.raises(ArtifactDamaged, match="more bytes than it announces"):
        next(reader.content(next(reader.entries())))  # not even one piece is handed out


def test_an_impossible_ratio_is_refused_before_anything_is_inflated() -> None:
    data = bomb(2000)
    at = data.index(b"PK\x01\x02") + 24
    with pytest.raises(ArtifactDamaged, match="sizes that cannot be"):
        ZipReader(io.BytesIO(data[:at] + struct.pack("<L", 1 << 31) + data[at + 4 :]), size=len(data))


def deflated(final: bool, tail: bytes = b"") -> bytes:
    """A stored-block stream with or without its last-block bit, in an archive."""
    content = b"content of the block"
    block = bytes([final]) + struct.pack("<HH", len(content), len(content) ^ 0xFFFF) + content + tail
    crc, size = zlib.crc32(content), len(content)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, crc, len(block), size, 1, 0) + b"x" + block
    central = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, crc, len(block), size, 1, 0, 0, 0, 0, 0, 0
    ) + b"x"  # fmt: skip
    return local + central + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)


def test_bytes_after_the_end_of_a_stream_are_found_however_far_they_go() -> None:
    with pytest.raises(ArtifactDamaged, match="after the end of its stream"):
        read(deflated(True, bytes(3 << 20)))


def test_a_stream_that_does_not_inflate() -> None:
    data = bytearray(deflated(True))
    data[31] = 0x07  # the kind of block that there is not
    with pytest.raises(ArtifactDamaged, match="does not inflate"):
        read(bytes(data))


@pytest.mark.parametrize(("size", "words"), [(60, "has 20 bytes of the 60"), (19, "more bytes than it announces")])
def test_a_stream_with_fewer_or_more_bytes_than_announced(size: int, words: str) -> None:
    data = bytearray(deflated(True))
    for at in (22, data.index(b"PK\x01\x02") + 24):
        data[at : at + 4] = struct.pack("<L", size)
    with pytest.raises(ArtifactDamaged, match=words):
        read(bytes(data))


def test_bytes_that_a_record_refers_to_outside_of_the_file() -> None:
    members, directory, end = parts(made({"a": b"1" * 50}, method=0))
    end[5], end[6] = len(directory) + 9999, len(members)
    with pytest.raises(ArtifactDamaged):
        read(members + directory + struct.pack("<4s4H2LH", *end))
    with pytest.raises(ArtifactDamaged, match="outside of itself"):
        Window(io.BytesIO(b"12345"), size=5).read(3, 3)


def test_a_file_that_is_cut_while_it_is_read_is_damage() -> None:
    data = made()
    with pytest.raises(ArtifactDamaged, match="cutting it short"):
        ZipReader(io.BytesIO(data[:-5]), size=len(data))


def with_extra(extra: bytes, *, local: bytes = b"", size: int = 50) -> bytes:
    """One stored member of 50 bytes with these extra fields, and that size in the directory."""
    members, directory, end = parts(made({"a": b"1" * 50}, method=0))
    members = members[:28] + struct.pack("<H", len(local)) + members[30:31] + local + members[31:]
    directory = (
        directory[:20]
        + struct.pack("<2L", size, size)
        + directory[28:30]
        + struct.pack("<H", len(extra))
        + directory[32:]
        + extra
    )
    return joined(members, directory, end)


def field(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def with_saturated_local() -> bytes:
    """The local header points to 64-bit sizes that it does not have."""
    data = with_extra(b"")
    return data[:18] + b"\xff" * 8 + data[26:]


SIZES = struct.pack("<2Q", 50, 50)


def test_sizes_in_64_bits_are_used_where_they_are_announced() -> None:
    assert read(with_extra(field(1, SIZES), size=0xFFFFFFFF)) == {"a": b"1" * 50}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (with_extra(field(1, SIZES) * 2, size=0xFFFFFFFF), "two 64-bit fields"),
        (with_extra(b"", local=field(1, SIZES) * 2), "two 64-bit fields"),
        (with_extra(field(1, SIZES)), "does not announce"),
        (with_extra(b"", size=0xFFFFFFFF), "lacks the 64-bit values"),
        (with_extra(field(1, SIZES[:8]), size=0xFFFFFFFF), "lacks the 64-bit values"),
        (with_saturated_local(), "lacks the 64-bit sizes"),
        (with_extra(struct.pack("<2H", 1, 99)), "malformed"),
        (with_extra(b"", local=struct.pack("<2H", 1, 99)), "malformed"),
    ],
)
def test_lies_in_extra_fields(data: bytes, words: str) -> None:
    with pytest.raises(ArtifactDamaged, match=words):
        read(data)


def test_a_unicode_path_counts_where_it_belongs_to_the_name() -> None:
    """Info-ZIP's field (4.6.9): it holds the name that the code page could not."""
    right = struct.pack("<BL", 1, zlib.crc32(b"a")) + "ж".encode()
    stale = struct.pack("<BL", 1, zlib.crc32(b"b")) + "ж".encode()
    for content, name in ((right, "ж"), (stale, "a")):
        both = field(0x7075, content)
        assert list(read(with_extra(both, local=both))) == [name]
    with pytest.raises(ArtifactDamaged, match="malformed"):
        read(with_extra(field(0x7075, right[:5] + b"\xff")))


def test_a_stream_without_its_end_is_damage_though_zipfile_passes_it() -> None:
    good, bad = deflated(True), deflated(False)
    assert read(good) == {"x": b"content of the block"}
    assert zipfile.ZipFile(io.BytesIO(bad)).testzip() is None
    with pytest.raises(ArtifactDamaged, match="before the end of its stream"):
        read(bad)


@pytest.mark.parametrize("tail", [b"x", b"\x03\x00"])
def test_bytes_after_the_end_of_a_stream(tail: bytes) -> None:
    with pytest.raises(ArtifactDamaged, match="after the end of its stream"):
        read(deflated(True, tail))


@pytest.mark.parametrize("at", [6, 8, 10, 12, 14, 18, 22, 30])
def test_a_local_header_that_contradicts_the_directory(at: int) -> None:
    data = bytearray(made({"a": b"1" * 50}, method=0))
    data[at] ^= 1
    with pytest.raises(ArtifactDamaged):
        read(bytes(data))


def zip64_archive() -> bytes:
    """A small archive with 64-bit end records."""
    members, directory, _ = parts(made({"a": b"1"}, method=0))
    start, size = len(members), len(directory)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return members + directory + end64 + locator + end


def test_zip64_and_its_lies() -> None:
    good = zip64_archive()
    assert read(good) == {"a": b"1"}
    end64, locator, end = good.index(b"PK\x06\x06"), good.index(b"PK\x06\x07"), good.index(b"PK\x05\x06")
    lies = {
        end + 8: 3,  # counts that contradict each other
        end + 12: 7,  # sizes that do
        end64 + 4: 45,  # an impossible record length
        end64 + 24: 2,  # count on this disk
        end64 + 32: 9,
        end64 + 40: 1,
        end64 + 48: 1,
        locator + 8: 0,  # not where the record is
        locator + 16: 9,  # many disks
        locator: 0,  # no locator at all
    }
    for at, value in lies.items():
        with pytest.raises(NAMED):
            read(good[:at] + bytes([value]) + good[at + 1 :])


@pytest.mark.parametrize("seed", range(4))
def test_mutated_archives_are_read_or_refused_by_name_and_quickly(seed: int) -> None:
    chance = random.Random(seed)
    out = Streamed()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("streamed", b"s" * 3000)
    sources = [made(), made(method=0, comment=b"c" * 40), zip64_archive(), deflated(True), bytes(out.data)]
    end = time.monotonic() + 1.5
    tried = 0
    while time.monotonic() < end:
        data = bytearray(chance.choice(sources))
        for _ in range(chance.choice((1, 1, 2, 8))):
            mutate(data, chance)
        try:
            read(bytes(data))
        except NAMED:
            pass
        tried += 1
    assert tried > 100


def mutate(data: bytearray, chance: random.Random) -> None:
    """One change of the kinds that find parsers out."""
    at = chance.randrange(len(data) + 1)
    kind = chance.randrange(6)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        width = chance.choice((2, 4, 8))
        data[at : at + width] = chance.choice((b"\xff" * width, bytes(width), b"\x01" + bytes(width - 1)))
    elif kind == 2:
        del data[at : at + chance.randrange(40)]
    elif kind == 3:
        data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
    elif kind == 4:
        other = chance.randrange(len(data) + 1)
        data[at:at] = data[other : other + chance.randrange(80)]
    else:
        signature = chance.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"))
        data[at : at + 4] = signature
    if not data:
        data += b"P"


@given(st.binary(max_size=400))
def test_any_bytes_at_all(data: bytes) -> None:
    with contextlib.suppress(*NAMED):
        read(data)


@given(st.dictionaries(st.text("abcxyz/é ", min_size=1, max_size=12), st.binary(max_size=200), max_size=5))
def test_what_python_writes_is_read_alike_or_refused(members: dict[str, bytes]) -> None:
    data = made({name: b"" if name.endswith("/") else content for name, content in members.items()})
    try:
        found = read(data)
    except NAMED:
        return
    assert found == {name: b"" if name.endswith("/") else content for name, content in members.items()}
