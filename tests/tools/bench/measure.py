# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands in rounds, each once a round and in an order that is drawn anew, and measures each."""

from __future__ import annotations

import contextlib
import os
import random
import re
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.samples import Sample
from tools.paths import environment

LOOK = 0.02  # seconds between two looks at a program's memory


class BenchError(Exception):
    """What was to be measured does not work, or made something wrong; there are no numbers then."""


@dataclass(frozen=True)
class Command:
    """What is measured.

    :ivar argv: the program; a list of lists is a chain, one after the other.
    :ivar makes: the file that it makes; removed before each run.
    :ivar prepare: done before each run, not timed.
    :ivar check: done after each run, not timed; raises ``BenchError`` where what it made is not right.
    :ivar extra: of its environment.
    """

    name: str
    argv: Sequence[Sequence[str]]
    makes: Path | None = None
    prepare: Callable[[], object] | None = None
    check: Callable[[], object] | None = None
    cwd: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Series:
    """The samples of a command, one a round."""

    command: Command
    samples: list[Sample] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The command's."""
        return self.command.name


def rounds(
    commands: Iterable[Command], *, count: int, chance: random.Random, say: Callable[[str], None]
) -> list[Series]:
    """Run all commands ``count`` times; series in the order of the commands."""
    series = [Series(command) for command in commands]
    for number in range(1, count + 1):
        order = list(series)
        chance.shuffle(order)
        for one in order:
            one.samples.append(measured(one.command))
            say(f"round {number} of {count}: {one.name}: {one.samples[-1].seconds:.2f} s")
    return series


def measured(command: Command) -> Sample:
    """One run. Dirty pages of whatever ran before are on the disk when it starts."""
    if command.makes is not None:
        _remove(command.makes)
    if command.prepare is not None:
        command.prepare()
    os.sync()
    seconds = cpu = 0.0
    peak = 0
    for argv in command.argv:
        taken, usage, most = _run(command, list(argv))
        seconds += taken
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, most)
    size = command.makes.stat().st_size if command.makes is not None and command.makes.is_file() else 0
    if command.check is not None:
        command.check()
    return Sample(seconds, cpu, peak, size)


def _run(command: Command, argv: list[str]) -> tuple[float, resource.struct_rusage, int]:
    """Seconds of the clock, what the system counted, and the most memory that the program had, in bytes."""
    found = shutil.which(argv[0], path=environment()["PATH"])
    if found is None:
        raise BenchError(f"{command.name}: there is no {argv[0]} on this machine")
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    where = os.getcwd()
    os.chdir(command.cwd or where)
    began = time.monotonic()
    try:
        child = os.posix_spawn(found, argv, environment(**command.extra), file_actions=quiet)
    finally:
        os.chdir(where)
    with _memory_of(child) as peak:
        status, usage = os.wait4(child, 0)[1:]
        seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise BenchError(f"{command.name}: {' '.join(argv)} ended with {code}")
    return seconds, usage, peak[0]


@contextlib.contextmanager
def _memory_of(process: int) -> Iterator[list[int]]:
    """The most memory that it has had so far, in bytes, looked at until the block is over.

    ``ru_maxrss`` would do if it did not begin with what the process had before it became the program: ours.
    """
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{process}/status").read_text()
                found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
                peak[0] = max(peak[0], int(found[1]) * 1024) if found else peak[0]

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def to_screen(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)
