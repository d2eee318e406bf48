# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes are taken from front to back, however they are cut, and never more than there are."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.extent import Extent
from ansible_collections.wst.backup.plugins.module_utils._archive.ondisk import OnDisk
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged
from ansible_collections.wst.backup.plugins.module_utils._platform import api

PIECES = st.lists(st.binary(max_size=9), max_size=9)


@given(PIECES, st.data())
def test_what_is_taken_is_what_was_there(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    extent = Extent(pieces, len(whole))
    taken = b""
    while len(taken) < len(whole):
        left = len(whole) - len(taken)
        assert extent.left == left
        count = data.draw(st.integers(0, left))
        if data.draw(st.booleans()):
            part = extent.take(count)
            assert len(part) == count
        else:
            part = bytes(extent.some(count))
            assert len(part) <= count
            assert part or not count
        taken += part
    assert (taken, extent.left) == (whole, 0)


@given(PIECES, st.integers(1, 5))
def test_no_more_than_there_is(pieces: list[bytes], more: int) -> None:
    whole = b"".join(pieces)
    with pytest.raises(ArtifactDamaged, match="outside of itself"):
        Extent(pieces, len(whole)).take(len(whole) + more)
    with pytest.raises(ArtifactDamaged, match="before its end"):
        Extent(pieces, len(whole) + more).take(len(whole) + more)


def test_members_that_overlap_have_less_than_nothing() -> None:
    with pytest.raises(ArtifactDamaged):
        Extent((b"x",), -1).take(0)


@given(st.lists(st.integers(0, 5_000_000), max_size=6))
def test_the_disk_is_read_once_and_hashed_in_full(tmp_path_factory: pytest.TempPathFactory, places: list[int]) -> None:
    path = tmp_path_factory.getbasetemp() / "some bytes"
    if not path.exists():
        path.write_bytes(b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(100_000)))
    data = path.read_bytes()
    marks = sorted(places)
    told: list[int] = []
    with OnDisk(str(path)) as disk:
        for start, end in zip(marks[::2], marks[1::2]):
            assert b"".join(disk.pieces(start, end)) == data[start:end]  # fewer where the file has ended
        assert disk.digest(told.append) == (hashlib.sha256(data).hexdigest(), len(data))
    assert told == sorted(told)


def test_what_has_passed_does_not_come_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(100))
    with OnDisk(str(tmp_path / "x")) as disk:
        assert b"".join(disk.pieces(10, 20)) == bytes(10)
        with pytest.raises(ValueError, match="has passed"):
            list(disk.pieces(19, 30))


def test_who_leaves_early_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(20 << 20))
    before = set(threading.enumerate())
    with OnDisk(str(tmp_path / "x")) as disk:
        assert next(disk.pieces(0, 10)) == bytes(10)
    assert set(threading.enumerate()) <= before


def test_a_disk_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="none"):
        OnDisk(str(tmp_path / "none"))

    class Broken:
        bypassed = True

        def __iter__(self) -> object:
            yield b"x" * 10
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(api, "read_uncached", lambda _path: Broken())
    with OnDisk("x") as disk:
        assert b"".join(disk.pieces(0, 10)) == b"x" * 10
        with pytest.raises(OSError, match="Input/output"):
            disk.digest(lambda _position: None)
