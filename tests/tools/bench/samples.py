# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers out of samples. Ratios are of pairs: what was measured in the same round shares that minute's noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Sample:
    """One run of one command, a process with its children.

    :ivar seconds: of the clock; ``cpu``: of processor time.
    :ivar peak: bytes of memory at its most, of the largest single process.
    :ivar size: bytes of what it made, 0 where it makes nothing.
    """

    seconds: float
    cpu: float
    peak: int
    size: int = 0


@dataclass(frozen=True)
class Spread:
    """The middle of some numbers, with the least and the greatest."""

    middle: float
    least: float
    greatest: float


def spread(numbers: Sequence[float]) -> Spread:
    """Of at least one number."""
    return Spread(median(numbers), min(numbers), max(numbers))


def times_as_fast(one: Sequence[Sample], base: Sequence[Sample]) -> Spread:
    """How many times as fast ``one`` is as ``base``, by pairs of the same round."""
    return spread([other.seconds / own.seconds for own, other in zip(one, base, strict=True)])


def share_of_time(one: Sequence[Sample], base: Sequence[Sample]) -> Spread:
    """What part of ``base``'s time ``one`` takes, by pairs."""
    return spread([own.seconds / other.seconds for own, other in zip(one, base, strict=True)])
