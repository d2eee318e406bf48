# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread makes what its consumer takes: all of it, in order, no more than may wait, and nothing outlives the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._ahead import ahead, watched

PATIENCE = 30  # seconds; a test that hangs shall say so


def lanes() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


class Source:
    """Counts what was made of it, and knows whether it was closed."""

    def __init__(self, count: int, *, fails_at: int | None = None, error: BaseException | None = None) -> None:
        self.made = 0
        self.closed = threading.Event()
        self._count, self._fails_at, self._error = count, fails_at, error

    def items(self) -> Iterator[int]:
        try:
            for number in range(self._count):
                if number == self._fails_at and self._error is not None:
                    raise self._error
                self.made += 1
                yield number
        finally:
            self.closed.set()


@given(st.lists(st.integers(), max_size=40), st.integers(1, 5), st.integers(0, 3))
def test_the_same_items_in_the_same_order(items: list[int], depth: int, stages: int) -> None:
    stream: Iterator[int] = iter(items)
    for _stage in range(stages):
        stream = ahead(stream, depth=depth)
    assert list(stream) == items
    assert not lanes()


@given(st.integers(0, 20), st.integers(1, 5))
def test_what_making_an_item_raises_comes_after_those_before_it(good: int, depth: int) -> None:
    source = Source(30, fails_at=good, error=OSError(5, "the disk"))
    taken: list[int] = []
    with pytest.raises(OSError, match="the disk"):
        taken.extend(ahead(ahead(source.items()), depth=depth))
    assert taken == list(range(good))
    assert source.closed.is_set()
    assert not lanes()


def test_an_interrupt_of_the_maker_is_not_the_end_of_the_stream() -> None:
    """Whatever it is: a stream that was cut must never look like one that is whole."""
    source = Source(3, fails_at=2, error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(ahead(source.items()))
    assert not lanes()


def test_no_more_is_made_than_may_wait() -> None:
    source = Source(1000)
    stream = ahead(source.items(), depth=3)
    assert next(stream) == 0
    for expected in range(1, 200):
        assert source.made <= expected + 3 + 1  # one taken before, three waiting, one in the maker's hand
        assert next(stream) == expected
    stream.close()
    assert source.made < 210


@pytest.mark.parametrize("taken", [1, 2, 7])
def test_who_leaves_early_leaves_no_thread_and_no_open_source(taken: int) -> None:
    source = Source(1_000_000)
    with closing(ahead(ahead(source.items()), depth=2)) as stream:
        for _number in range(taken):
            next(stream)
    assert source.closed.wait(PATIENCE)
    assert not lanes()
    assert source.made < taken + 20


def test_a_failure_of_the_consumer_ends_the_maker() -> None:
    source = Source(1_000_000)

    def consume() -> None:
        with closing(ahead(source.items())) as stream:
            for item in stream:
                if item == 5:
                    raise ValueError("the consumer")

    with pytest.raises(ValueError, match="the consumer"):
        consume()
    assert source.closed.is_set()
    assert not lanes()


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_a_watched_stream_tells_every_item_and_closes_what_it_watches(taken: int) -> None:
    source, seen = Source(10), []
    with closing(ahead(watched(ahead(source.items()), seen.append))) as stream:
        first = [next(stream) for _number in range(taken)]
        assert seen[:taken] == first == list(range(taken))
    assert source.closed.is_set() == (taken > 0)
    assert not lanes()
    seen.clear()
    assert list(watched(ahead(Source(10).items()), seen.append)) == seen == list(range(10))


def test_nothing_begins_before_it_is_asked_for() -> None:
    source = Source(3)
    stream = ahead(source.items())
    assert (source.made, lanes()) == (0, [])
    stream.close()
    assert (source.made, lanes()) == (0, [])


def test_maker_and_consumer_work_at_the_same_time() -> None:
    """The maker makes the second item while the consumer still holds the first one."""
    second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    stream = ahead(items())
    assert next(stream) == 1
    assert second.wait(PATIENCE)
    assert list(stream) == [2]
