# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What compresses: zlib reads the streams of every library, and one that cannot be trusted is not used."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import random
import types
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs, crc, packing
from ansible_collections.wst.backup.plugins.module_utils._archive import zipformat as fmt
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import (
    ACCELERATED,
    AUTO,
    FAST,
    ZLIB,
    Engine,
    choose,
)
from ansible_collections.wst.backup.plugins.module_utils._errors import ToolMissing

ENGINES = pytest.mark.parametrize("name", [ZLIB, ACCELERATED, FAST])
TEXT = b"".join(b"line %d of %d\n" % (number, number % 13) for number in range(20_000))
NOISE = random.Random(1).randbytes(300_000)
# Around the sizes of windows, stored blocks and samples.
SIZES = sorted({0, *(n + d for n in (1, 9, 512, 32768, 65535, 65536, 131072) for d in (-1, 0, 1))})


def inflate(data: bytes, before: bytes = b"") -> bytes:
    """A whole stream's content; fails for one without an end, or with something behind it."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, before) if before else zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(data)
    assert inflater.eof
    assert not inflater.unused_data
    return content


def unpacked(packed: packing.Packed) -> bytes:
    """What a whole file had."""
    return packed.data if packed.method == fmt.STORED else inflate(packed.data)


@given(first=st.binary(max_size=300), second=st.binary(max_size=300))
def test_two_crcs_are_one(first: bytes, second: bytes) -> None:
    assert crc.combine(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@pytest.mark.parametrize("length", [1 << 20, (1 << 20) + 1, (1 << 24) - 1])
def test_of_long_pieces_too(length: int) -> None:
    piece = bytes(length)
    assert crc.combine(zlib.crc32(b"before"), zlib.crc32(piece), length) == zlib.crc32(b"before" + piece)


def test_and_beyond_32_bits() -> None:
    whole = 0
    mebibyte = zlib.crc32(bytes(1 << 20))
    for _number in range(5000):  # what is longer than 4 GiB, without touching so much
        whole = crc.combine(whole, mebibyte, 1 << 20)
    half = 0
    for _number in range(2500):
        half = crc.combine(half, mebibyte, 1 << 20)
    assert crc.combine(half, half, 2500 << 20) == whole


@ENGINES
@pytest.mark.parametrize("level", range(1, 10))
def test_every_level_is_read_by_zlib(name: str, level: int) -> None:
    engine = choose(name, level)
    for data in (b"", b"x", TEXT[:700], TEXT, NOISE[:70_000]):
        assert inflate(engine.small.whole(data)) == data
        stream = engine.blocks.block(data, b"") + engine.blocks.block(TEXT, codecs.window(b"", data)) + codecs.LAST
        assert inflate(stream) == data + TEXT


@ENGINES
@pytest.mark.parametrize("size", SIZES)
def test_whole_files_of_every_size(name: str, size: int) -> None:
    engine = choose(name, 6)
    for content in (TEXT, NOISE, bytes(size)):
        data = content[:size]
        for compress in (True, False):
            packed = packing.pack_whole(engine, data, compress=compress)
            assert unpacked(packed) == data
            assert (packed.size, packed.crc32) == (len(data), zlib.crc32(data))
            assert len(packed.data) <= len(data)


@pytest.mark.slow
@ENGINES
@given(
    cuts=st.lists(st.integers(0, 120_000), max_size=5),
    kinds=st.lists(st.sampled_from(["text", "noise", "stored"]), min_size=6, max_size=6),
)
def test_blocks_make_one_stream(name: str, cuts: list[int], kinds: list[str]) -> None:
    """However a file is cut, and whatever its parts are."""
    engine = choose(name, 6)
    mixed = TEXT[:60_000] + NOISE[:60_000]
    stream, content, before, whole_crc = b"", b"", b"", 0
    for begin, end, kind in zip([0, *sorted(cuts)], [*sorted(cuts), len(mixed)], kinds):
        part = (NOISE if kind == "noise" else mixed)[begin:end]
        block = packing.pack_block(engine, part, before, compress=kind != "stored")
        assert (block.size, block.crc32) == (len(part), zlib.crc32(part))
        before = codecs.window(before, part)
        stream, content = stream + block.data, content + part
        whole_crc = crc.combine(whole_crc, block.crc32, block.size)
        assert before == content[-codecs.WINDOW :]
    assert inflate(stream + codecs.LAST) == content
    assert whole_crc == zlib.crc32(content)


@ENGINES
def test_a_block_makes_use_of_what_stands_before_it(name: str) -> None:
    engine = choose(name, 6)
    part = NOISE[:30_000]
    alone, primed = (packing.pack_block(engine, part, before) for before in (b"", part))
    assert len(alone.data) > 30_000 > 20 * len(primed.data)


def test_what_does_not_compress_is_stored_without_being_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Any, *_data: bytes) -> bytes:
        raise AssertionError("the sample should have told")

    engine = choose(ZLIB, 6)
    monkeypatch.setattr(codecs.Zlib, "whole", refuse)
    monkeypatch.setattr(codecs.Zlib, "block", refuse)
    noise = NOISE + os.urandom(7)
    assert packing.pack_whole(engine, noise).method == fmt.STORED
    block = packing.pack_block(engine, noise, b"")
    assert inflate(block.data + codecs.LAST) == noise
    assert len(block.data) == len(noise) + 5 * 5  # five stored blocks of at most 65,535 bytes


def test_a_file_of_which_only_a_part_compresses_is_compressed() -> None:
    packed = packing.pack_whole(choose(ZLIB, 6), NOISE[:250_000] + TEXT[:50_000])
    assert packed.method == fmt.DEFLATED


@pytest.mark.parametrize("level", range(1, 10))
def test_an_engine_tells_what_it_is(level: int) -> None:
    zlib_body, fast_body = choose(ZLIB, level).body(), choose(ACCELERATED, level).body()
    assert zlib_body["small"] == {"library": "zlib", "version": zlib.ZLIB_RUNTIME_VERSION, "level": level}
    assert zlib_body["large"]["level"] in (level, level - 1)
    assert fast_body["small"]["library"] == "libdeflate"
    assert fast_body["small"]["version"] == importlib.metadata.version("deflate")
    assert fast_body["large"]["library"] == "zlib-ng"
    assert choose(AUTO, level) == choose(ACCELERATED, level)
    told = {"library": "isa-l", "version": importlib.metadata.version("isal"), "level": 2}
    assert choose(FAST, level).body() == {"small": told, "large": told}


# --- libraries that are not there, or not to be trusted


def hide(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """These are not installed."""
    real = importlib.metadata.version

    def version(package: str) -> str:
        if package in packages:
            raise importlib.metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(importlib.metadata, "version", version)


@pytest.mark.parametrize(
    ("missing", "small", "large"),
    [
        (["deflate"], "zlib", "zlib-ng"),
        (["zlib-ng"], "libdeflate", "zlib"),
        (["deflate", "zlib-ng"], "zlib", "zlib"),
    ],
)
def test_what_is_missing_is_made_up_for(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], small: str, large: str
) -> None:
    hide(monkeypatch, *missing)
    engine = choose(AUTO, 6)
    assert (engine.small.name, engine.blocks.name) == (small, large)
    with pytest.raises(ToolMissing) as caught:
        choose(ACCELERATED, 6)
    assert caught.value.facts["libraries"] == missing


def test_the_fast_engine_is_never_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "isal")
    with pytest.raises(ToolMissing) as caught:
        choose(FAST, 6)
    assert caught.value.facts["libraries"] == ["isal"]


def fake(monkeypatch: pytest.MonkeyPatch, package: str, module: Any, version: str = "9.9") -> None:
    """Another library under that name."""
    real = importlib.import_module
    names = {"deflate": "deflate", "zlib-ng": "zlib_ng.zlib_ng", "isal": "isal.isal_zlib"}

    def load(name: str) -> Any:
        if name != names[package]:
            return real(name)
        if isinstance(module, BaseException):
            raise module
        return module

    monkeypatch.setattr(importlib.metadata, "version", lambda _package: version)
    monkeypatch.setattr(importlib, "import_module", load)


def lie(data: bytes, level: int) -> bytearray:
    """A stream of something else."""
    return bytearray(zlib.compress(data[:-1], level)[2:-4])


def crash(data: bytes, level: int) -> bytearray:
    raise MemoryError


@pytest.mark.parametrize("compress", [lie, crash, lambda data, level: None, lambda data, level: bytearray(data)])
def test_a_library_that_does_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch, compress: Callable[..., Any]) -> None:
    fake(monkeypatch, "deflate", types.SimpleNamespace(deflate_compress=compress))
    assert codecs.libdeflate(5) is None
    assert choose(AUTO, 6).small.name == "zlib"


class Unfinished:
    """Answers as zlib does, and keeps the end to itself."""

    def __init__(self, *arguments: Any) -> None:
        self._real = zlib.compressobj(*arguments)

    def compress(self, data: bytes) -> bytes:
        return self._real.compress(data)

    def flush(self, mode: int = zlib.Z_FINISH) -> bytes:
        return self._real.flush(mode)[:-1]


def test_nor_one_whose_blocks_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, codec in (("zlib-ng", codecs.zlib_ng), ("isal", codecs.isal)):
        fake(monkeypatch, package, types.SimpleNamespace(compressobj=Unfinished))
        assert codec(2) is None
        monkeypatch.undo()


def test_nor_one_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, "zlib-ng", ImportError("DLL load failed"))
    assert codecs.zlib_ng(5) is None


@pytest.mark.parametrize(("version", "used"), [("0.8.1", False), ("0.9.0", True), ("0.10", True), ("1", True)])
def test_an_old_one_that_lets_no_thread_run_is_not_used(
    monkeypatch: pytest.MonkeyPatch, version: str, used: bool
) -> None:
    fake(monkeypatch, "deflate", importlib.import_module("deflate"), version)
    assert (codecs.libdeflate(5) is not None) is used


def test_the_engine_of_a_level_is_the_same_each_time() -> None:
    first, second = choose(AUTO, 6), choose(AUTO, 6)
    assert isinstance(first, Engine)
    assert first == second
    assert packing.pack_whole(first, TEXT) == packing.pack_whole(second, TEXT)
