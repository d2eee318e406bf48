# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was to be reached, held against what was measured; where it was not, what limits it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from tools.bench.measure import Series
from tools.bench.samples import Spread, times_as_fast

MIB = 1 << 20
Measured = Mapping[str, Sequence[Series]]  # the series of a group, by its name


@dataclass(frozen=True)
class Faster:
    """A command is so many times as fast as another one, in pairs of a round.

    :ivar no_larger: what it makes is no larger than what the other one makes.
    :ivar limit: what keeps it from being reached, for the case that it is not.
    """

    group: str
    command: str
    than: str
    times: float
    no_larger: bool = False
    limit: str = ""

    @property
    def wanted(self) -> str:
        """For people."""
        return f"{self.times:g} times as fast as {self.than}" + (", and no larger" if self.no_larger else "")

    def judge(self, measured: Measured) -> tuple[str, bool] | None:
        """What was measured, and whether that is enough; None where nothing was."""
        one, other = (_series(measured, self.group, name) for name in (self.command, self.than))
        if one is None or other is None:
            return None
        ratio = times_as_fast(one.samples, other.samples)
        larger = one.samples[-1].size > other.samples[-1].size
        told = f"{_told(ratio)} times" + (", larger" if self.no_larger and larger else "")
        return told, ratio.middle >= self.times and not (self.no_larger and larger)


@dataclass(frozen=True)
class Smaller:
    """A command never has more memory than so many MiB, and so many KiB for each file."""

    group: str
    command: str
    mib: float
    files: int = 0
    kib_a_file: float = 0.0
    limit: str = ""

    @property
    def wanted(self) -> str:
        """For people."""
        return f"at most {self._most / MIB:.0f} MiB of memory"

    @property
    def _most(self) -> float:
        return self.mib * MIB + self.files * self.kib_a_file * 1024

    def judge(self, measured: Measured) -> tuple[str, bool] | None:
        """The same."""
        one = _series(measured, self.group, self.command)
        if one is None:
            return None
        peak = max(sample.peak for sample in one.samples)
        return f"{peak / MIB:.0f} MiB", peak <= self._most


Target = Union[Faster, Smaller]


def table(targets: Iterable[Target], measured: Measured) -> str:
    """All targets of which something was measured, in Markdown."""
    lines = ["| what | wanted | measured | reached | what limits it |", "|---|---|---|---|---|"]
    for target in targets:
        judged = target.judge(measured)
        if judged is None:
            continue
        told, reached = judged
        cells = (target.command, target.wanted, told, "yes" if reached else "**no**", "" if reached else target.limit)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _series(measured: Measured, group: str, command: str) -> Series | None:
    return next((one for one in measured.get(group, ()) if one.name == command), None)


def _told(ratio: Spread) -> str:
    return f"{ratio.middle:.2f} ({ratio.least:.2f} to {ratio.greatest:.2f})"
