# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a file that is being written: what it has is the file's beginning, and it is in nobody's way."""

from __future__ import annotations

import errno
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils import _secondcopy
from ansible_collections.wst.backup.plugins.module_utils._archive.zipoutput import Output
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._secondcopy import SecondCopy

KIB, MIB = 1 << 10, 1 << 20
BYTES = random.Random(11).randbytes(3 * MIB)


def following() -> list[threading.Thread]:
    """The threads of copies that are not over."""
    return [thread for thread in threading.enumerate() if thread.name == "follow"]


def until(condition: Callable[[], bool]) -> None:
    """Wait for a thread; it has half a minute."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """What is written, and its copy."""
    (tmp_path / "d").mkdir()
    return tmp_path / "source", tmp_path / "d" / "copy"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), st.integers(1, 600 * KIB)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("back"), st.just(0)),
        st.tuples(st.just("drain"), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, drained=st.booleans())
def test_it_has_the_beginning_of_what_was_written(paths: tuple[Path, Path], steps: Any, drained: bool) -> None:
    """However often that was cut off and written otherwise meanwhile."""
    source, target = paths
    source.unlink(missing_ok=True)
    target.unlink(missing_ok=True)
    number = 0
    with open(source, "x+b") as file, SecondCopy(str(source), str(target)) as second:
        output = Output(file, watch=second.reached)
        mark = output.end()
        for step, size in steps:
            number += 1
            if step == "emit":
                output.emit(BYTES[number * 1000 :][:size])
            elif step == "mark":
                mark = output.end()
            elif step == "back":
                output.roll_back(mark)
            else:
                output.end()
                until(lambda: second.copied == output.position)
        output.finish()
        if drained:
            until(lambda: second.copied == output.position)
    assert second.error is None
    written = source.read_bytes()
    assert target.read_bytes() == written[: second.copied]
    assert not drained or second.copied == len(written)
    assert following() == []


def test_what_was_read_before_it_was_cut_off_does_not_stay(
    paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy has read the old bytes, and writes them only after the file has others there."""
    source, target = paths
    has_read, may_write = threading.Event(), threading.Event()
    real = api.create_new

    class Late:
        def __init__(self, file: BinaryIO) -> None:
            self._file = file

        def __enter__(self) -> Late:
            return self

        def __exit__(self, *error: object) -> None:
            self._file.close()

        def write(self, data: bytes) -> int:
            has_read.set()
            assert may_write.wait(30)
            return self._file.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    monkeypatch.setattr(api, "create_new", lambda path: Late(real(path)))
    with open(source, "x+b") as file, SecondCopy(str(source), str(target)) as second:
        output = Output(file, watch=second.reached)
        mark = output.end()
        output.emit(b"a" * MIB)
        assert has_read.wait(30)
        output.roll_back(mark)
        output.emit(b"b" * MIB)
        may_write.set()
        until(lambda: second.copied == MIB and target.stat().st_size == MIB)
        output.finish()
    assert target.read_bytes() == b"b" * MIB


def write_all(source: Path, target: Path) -> SecondCopy:
    """A file, with a copy meanwhile."""
    with open(source, "x+b") as file, SecondCopy(str(source), str(target)) as second:
        output = Output(file, watch=second.reached)
        for number in range(4):
            output.emit(BYTES[number * MIB // 2 :][: MIB // 2])
        output.finish()
        until(lambda: second.copied == 2 * MIB or second.error is not None)
    return second


class Bad:
    """A file on a disk that runs full, or fails in another way."""

    def __init__(self, file: BinaryIO, *, at: str, code: int) -> None:
        self._file = file
        self._at = at
        self._code = code

    def _may(self, what: str) -> None:
        if what == self._at:
            raise OSError(self._code, os.strerror(self._code))

    def __enter__(self) -> Bad:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self._may("close")

    def write(self, data: bytes) -> int:
        self._may("write")
        return self._file.write(data)


@pytest.mark.parametrize("at", ["write", "close"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_bad_disk_ends_the_copy_and_nothing_else(
    paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, at: str, code: int
) -> None:
    source, target = paths
    real = api.create_new
    monkeypatch.setattr(api, "create_new", lambda path: Bad(real(path), at=at, code=code))
    second = write_all(source, target)
    assert source.read_bytes() == BYTES[: 2 * MIB]
    assert second.error is not None
    assert (second.error.errno, second.copied, target.exists()) == (code, 0, False)


def test_where_there_is_no_disk_there_is_no_copy(paths: tuple[Path, Path]) -> None:
    source, target = paths
    target.parent.rmdir()
    second = write_all(source, target)
    assert source.read_bytes() == BYTES[: 2 * MIB]
    assert isinstance(second.error, FileNotFoundError)


def test_what_has_the_name_of_the_copy_stays(paths: tuple[Path, Path]) -> None:
    source, target = paths
    target.write_bytes(b"theirs")
    second = write_all(source, target)
    assert source.read_bytes() == BYTES[: 2 * MIB]
    assert (type(second.error), target.read_bytes()) == (FileExistsError, b"theirs")


def test_with_the_failure_of_what_it_follows_it_goes(paths: tuple[Path, Path]) -> None:
    source, target = paths
    second = SecondCopy(str(source), str(target))

    def fail() -> None:
        with open(source, "x+b") as file, second:
            output = Output(file, watch=second.reached)
            output.emit(BYTES)
            output.end()
            until(lambda: second.copied == len(BYTES))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not target.exists()
    assert following() == []


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that does not answer before the event."""
    event = threading.Event()
    real = api.create_new

    def create(path: str) -> BinaryIO:
        event.wait(60)
        return real(path)

    monkeypatch.setattr(api, "create_new", create)
    monkeypatch.setattr(_secondcopy, "_PATIENCE", 0.1)
    yield event
    event.set()
    until(lambda: following() == [])


def test_a_disk_that_hangs_is_left_to_itself(paths: tuple[Path, Path], hanging: threading.Event) -> None:
    source, target = paths
    with open(source, "x+b") as file, SecondCopy(str(source), str(target)) as second:
        output = Output(file, watch=second.reached)
        output.emit(BYTES)
        output.finish()
    assert source.read_bytes() == BYTES
    assert second.copied == 0
    assert not hanging.is_set()
