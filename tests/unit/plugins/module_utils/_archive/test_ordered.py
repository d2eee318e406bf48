# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue: results come in order, what is held is bounded, failures come out in their turn, and no thread stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive import ordered as queue
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered, thread_count
from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled, InputInvalid

MIB = 1 << 20
PATIENCE = 30  # seconds until a test that hangs has failed


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """Whatever a test does."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def nothing() -> None:
    """No affairs of one's own."""


@settings(max_examples=50, deadline=None)
@given(
    steps=st.lists(st.one_of(st.integers(0, 9 * MIB), st.just("call"), st.just("nested")), max_size=40),
    threads=st.integers(1, 4),
)
def test_everything_comes_in_the_order_in_which_it_was_given(steps: list[Any], threads: int) -> None:
    taken: list[int] = []
    with Ordered(threads=threads, idle=nothing) as ordered:
        for number, step in enumerate(steps):
            if step == "call":
                ordered.in_order(partial(taken.append, number))
            elif step == "nested":  # what is given during a delivery has its turn then, whatever waits behind

                def nested(number: int) -> None:
                    assert ordered.delivering
                    ordered.submit(lambda: number, taken.append, cost=MIB)
                    ordered.in_order(lambda: taken.append(-number))

                ordered.submit(partial(int, number), nested, cost=0)
            else:
                ordered.submit(partial(int, number), taken.append, cost=step)
        ordered.finish()
        assert not ordered.delivering
    wanted = [n for number, step in enumerate(steps) for n in ((number, -number) if step == "nested" else (number,))]
    assert taken == wanted


def test_threads_work_beside_each_other() -> None:
    """Four that wait for each other would wait for ever otherwise."""
    barrier = threading.Barrier(4, timeout=PATIENCE)
    taken: list[int] = []
    with Ordered(threads=4, idle=nothing) as ordered:
        for _number in range(4):
            ordered.submit(barrier.wait, taken.append, cost=1)
        ordered.finish()
    assert sorted(taken) == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_more_is_held_than_there_is_room_for(threads: int) -> None:
    held = most = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal held, most
        with lock:
            held += MIB
            most = max(most, held)

    def done(_result: None) -> None:
        nonlocal held
        with lock:
            held -= MIB

    with Ordered(threads=threads, idle=nothing) as ordered:
        for _number in range(200):
            ordered.submit(work, done, cost=MIB)
        ordered.finish()
    assert held == 0
    assert most <= (threads + 1) * queue._SHARE + MIB


def test_something_larger_than_all_the_room_goes_through_alone() -> None:
    taken: list[int] = []
    with Ordered(threads=1, idle=nothing) as ordered:
        for number in range(3):
            ordered.submit(partial(int, number), taken.append, cost=1 << 40)
        ordered.finish()
    assert taken == [0, 1, 2]


def test_calls_alone_do_not_pile_up_behind_slow_work() -> None:
    """They cost something, too: a million of them behind one slow file would fill the memory."""
    go = threading.Event()
    taken: list[int] = []
    with Ordered(threads=1, idle=go.set) as ordered:  # looked after only when the queue makes the caller wait
        ordered.submit(lambda: go.wait(PATIENCE), lambda _: None, cost=1)
        for number in range(2 * 3 * queue._SHARE // queue.CALL_COST):
            ordered.in_order(partial(taken.append, number))
        assert go.is_set()
        ordered.finish()
    assert taken == sorted(taken)


class Broken(Exception):
    """What goes wrong."""


def fail() -> None:
    raise Broken


Fill = Callable[[Ordered], None]


def run(fill: Fill, *, threads: int = 2, idle: Callable[[], None] = nothing) -> None:
    """A whole life of a queue."""
    with Ordered(threads=threads, idle=idle) as ordered:
        fill(ordered)
        ordered.finish()


def test_a_failure_comes_in_its_turn_and_nothing_after_it() -> None:
    taken: list[int] = []

    def fill(ordered: Ordered) -> None:
        ordered.submit(lambda: 1, taken.append, cost=1)
        ordered.submit(fail, lambda _: taken.append(2), cost=1)
        ordered.submit(lambda: 3, taken.append, cost=1)

    with pytest.raises(Broken):
        run(fill, threads=4)
    assert taken == [1]


@pytest.mark.parametrize("where", ["done", "call", "block"])
def test_a_failure_where_results_are_taken(where: str) -> None:
    taken: list[int] = []

    def fill(ordered: Ordered) -> None:
        for number in range(10):
            ordered.submit(partial(int, number), taken.append, cost=MIB)
        if where == "done":
            ordered.submit(nothing, lambda _: fail(), cost=1)
        elif where == "call":
            ordered.in_order(fail)
        else:
            fail()
        ordered.submit(nothing, lambda _: taken.append(-1), cost=1)

    with pytest.raises(Broken):
        run(fill)
    assert taken == list(range(len(taken)))


def test_who_waits_for_a_worker_looks_after_other_things_and_can_give_up() -> None:
    """The worker hears of it, and is waited for: no thread outlives the block."""
    stopped = threading.Event()

    def fill(ordered: Ordered) -> None:
        def work() -> None:
            try:
                while True:
                    ordered.check()
            except Cancelled:
                stopped.set()
                raise

        ordered.submit(work, lambda _: None, cost=1)

    with pytest.raises(Broken):
        run(fill, idle=fail)
    assert stopped.is_set()


def test_what_was_not_begun_is_not_done_any_more() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def fill(ordered: Ordered) -> None:
        ordered.submit(fail, lambda _: None, cost=1)
        ordered.submit(lambda: gate.wait(0.1), lambda _: None, cost=1)
        for number in range(20):
            ordered.submit(partial(begun.append, number), lambda _: None, cost=1)

    with pytest.raises(Broken):
        run(fill, threads=1)
    assert len(begun) < 20


def test_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for processors, threads in ((None, 1), (1, 1), (3, 3), (64, 4)):
        monkeypatch.setattr(queue.os, "cpu_count", lambda processors=processors: processors)
        assert thread_count(0) == threads
        assert thread_count(7) == 7


@pytest.mark.parametrize("asked", [-1, 65])
def test_a_number_that_makes_no_sense(asked: int) -> None:
    with pytest.raises(InputInvalid):
        thread_count(asked)
