# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for those who hold a file: with patience, and only for them."""

from __future__ import annotations

from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._platform._retry import BUSY, while_busy


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: List[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def windows_error(code: int) -> OSError:
    error = OSError(13, "constructed")
    error.winerror = code  # type: ignore[attr-defined,unused-ignore]
    return error


@given(failures=st.integers(0, 60), code=st.sampled_from(sorted(BUSY)))
def test_it_goes_on_once_the_file_is_free(failures: int, code: int) -> None:
    time, left = Time(), [windows_error(code)] * failures

    def action() -> str:
        if left:
            raise left.pop()
        return "done"

    assert while_busy(action, patience=120, clock=time.clock, sleep=time.sleep) == "done"
    assert len(time.pauses) == failures


@given(patience=st.floats(0, 300), code=st.sampled_from(sorted(BUSY)))
def test_patience_ends(patience: float, code: int) -> None:
    time = Time()

    def action() -> None:
        raise windows_error(code)

    with pytest.raises(OSError, match="constructed"):
        while_busy(action, patience=patience, clock=time.clock, sleep=time.sleep)
    assert time.now == pytest.approx(patience)
    assert max(time.pauses, default=0) <= 2


@pytest.mark.parametrize("code", [2, 80, 112, 183, 225])
def test_other_errors_are_not_waited_out(code: int) -> None:
    time = Time()

    def action() -> None:
        raise windows_error(code)

    with pytest.raises(OSError, match="constructed"):
        while_busy(action, clock=time.clock, sleep=time.sleep)
    assert time.pauses == []


def test_more_errors_can_be_waited_out() -> None:
    time, left = Time(), [windows_error(145)] * 3

    def action() -> None:
        if left:
            raise left.pop()

    while_busy(action, also=frozenset((145,)), clock=time.clock, sleep=time.sleep)
    assert len(time.pauses) == 3
