# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults a world gets, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random

from tools.torture.fault import Fault, draw

HALF_A_DAY = timedelta(hours=12)  # by then each run has a set to remove


@dataclass
class Report:
    """What came of some rounds.

    :ivar changes: how often a run that nothing disturbed changed the disk, for each such run.
    :ivar hits: the changes before which a fault struck first.
    """

    rounds: int = 0
    drawn: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    changes: list[int] = field(default_factory=list)
    hits: set[int] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)

    def note(self, what: Fault, *, ended: str, struck: bool, hits: Sequence[int]) -> None:
        """One round."""
        self.rounds += 1
        self.drawn[what.kind] += 1
        self.struck[what.kind] += struck
        self.ended[ended] += 1
        self.hits.update(hits[:1])

    def add(self, other: Report) -> None:
        """Sum up."""
        self.rounds += other.rounds
        self.drawn += other.drawn
        self.struck.update(other.struck)  # keeps a kind that never struck
        self.ended += other.ended
        self.runs += other.runs
        self.changes += other.changes
        self.hits |= other.hits
        self.findings += other.findings


@dataclass(frozen=True)
class Order:
    """One world to torture.

    :ivar luck: seeds the world: the same world again (but for what the clock decides).
    :ivar rounds: so many faults drawn at random, of these ``kinds`` (all when empty).
    :ivar every: instead of these, this fault before the ``first`` change of a run, then ``stride`` further on, to the
        last one that an undisturbed run makes.
    :ivar show: print a line for each fault.
    """

    home: Path
    name: str
    luck: str
    number: int
    rounds: int = 0
    kinds: Sequence[str] = ()
    every: Fault | None = None
    first: int = 1
    stride: int = 1
    show: bool = False

    def __str__(self) -> str:
        """For people, who want to have it again."""
        return f"{self.name} world {self.number}"

    @property
    def deep(self) -> bool:
        """Whether tables are compared with their sources: in half of the worlds, and where all that happens counts."""
        return self.every is not None or self.number % 2 == 0

    def rest(self, chance: Random) -> timedelta:
        """The time between two runs; always the same where the runs are to be the same."""
        return HALF_A_DAY if self.every else timedelta(minutes=chance.randint(4 * 60, 20 * 60))


class Faults:
    """The faults of one world, one after the other."""

    def __init__(self, order: Order, chance: Random, *, steps: int) -> None:
        self._order, self._chance, self._steps = order, chance, steps

    def next(self, done: int, *, changes: int) -> Fault | None:
        """The one after so many; None where there is none any more.

        :param changes: how many changes of the disk the last good run made.
        """
        order = self._order
        if order.every is None:
            wanted = done < order.rounds
            return draw(self._chance, changes=changes, steps=self._steps, kinds=order.kinds) if wanted else None
        at = order.first + done * order.stride
        return replace(order.every, at=at) if at <= changes else None
