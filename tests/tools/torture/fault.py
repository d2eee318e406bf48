# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in a run, as chance has it. Decides only."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

KILL_JOB = "kill-job"  # the process of a step dies; the control node notices, records it and releases the host
KILL_ALL = "kill-all"  # so does the control node
POWER = "power"  # so does the host, and what was not flushed may be gone
KILL_LATER = "kill-any-time"  # the step is killed by the clock, not at a change of the disk
REFUSED = "refused"  # one change of the disk is refused by the system
REFUSED_ON = "refused-from-then-on"
TOOL = "tool-killed"  # pg_dump or pg_restore
SESSIONS = "sessions-ended"  # by the server
CLOCK = "clock-jumps"
SECOND = "second-run"  # while a step works: must be refused
TAKEOVER = "taken-over"  # between two steps, after a long silence: the first run must notice
READER = "reader"  # somebody reads a set during the whole run
MIRROR_GONE = "mirror-gone"  # before the run
MIRROR_VANISHES = "mirror-vanishes"  # within it
MIRROR_WRONG = "mirror-wrong"
MIRROR_SLOW = "mirror-slow"  # from a moment on each change of it takes its time
ROT = "rot"  # a byte of what stands on a layer turns over
NONE = "none"

# How often each is drawn: what can strike at two hundred places more often than what can strike at one.
WEIGHTS = {
    KILL_JOB: 12,
    KILL_ALL: 14,
    POWER: 22,
    KILL_LATER: 6,
    REFUSED: 14,
    REFUSED_ON: 12,
    TOOL: 3,
    SESSIONS: 3,
    CLOCK: 6,
    SECOND: 4,
    TAKEOVER: 4,
    READER: 3,
    MIRROR_GONE: 2,
    MIRROR_VANISHES: 4,
    MIRROR_WRONG: 2,
    MIRROR_SLOW: 3,
    ROT: 8,
}

AT_CHANGES = (KILL_JOB, KILL_ALL, POWER, REFUSED, REFUSED_ON)  # what can strike before any change of the disk
BY_CLOCK = (KILL_LATER, TOOL, SESSIONS)  # what strikes some time after a step or program began, if that still runs

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES)
PLACES = ("local", "mirror", "control", "")  # the last: anywhere
JUMPS = tuple(timedelta(minutes=m) for m in (-3 * 1440, -120, -10, 10, 120, 40 * 1440))


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    :ivar at: the number of the change of the disk, or of the step or program, before which it strikes; from 1 on.
    :ivar number: an ``errno``.
    :ivar place: on which of the host's places the system refuses.
    :ivar milliseconds: until it strikes, where the clock decides.
    :ivar luck: seeds what is decided when it strikes.
    """

    kind: str
    at: int = 0
    number: int = 0
    place: str = ""
    jump: timedelta = timedelta(0)
    milliseconds: int = 0
    luck: int = 0

    def __str__(self) -> str:
        """For people."""
        told = [f"{self.kind} at {self.at}"]
        if self.number:
            told.append(f"{errno.errorcode[self.number]} on {self.place or 'any place'}")
        if self.jump:
            told.append(f"by {self.jump}")
        if self.milliseconds:
            told.append(f"after {self.milliseconds} ms")
        return " ".join(told)


def draw(chance: Random, *, changes: int, steps: int, kinds: Sequence[str] = ()) -> Fault:
    """A fault.

    :param changes: how many changes of the disk the last good run made.
    :param steps: how many steps a run has.
    :param kinds: only these.
    """
    chosen = list(kinds) or list(WEIGHTS)
    kind = chance.choices(chosen, [WEIGHTS[one] for one in chosen])[0]
    refused = kind in (REFUSED, REFUSED_ON)
    by_clock = kind in BY_CLOCK
    numbers = {TAKEOVER: steps - 1, KILL_LATER: steps, TOOL: 6}
    return Fault(
        kind,
        at=chance.randint(1, numbers.get(kind, changes + 1)) + (kind == TAKEOVER),
        number=chance.choice(ERRORS) if refused else 0,
        place=chance.choice(PLACES) if refused else "",
        jump=chance.choice(JUMPS) if kind == CLOCK else timedelta(0),
        milliseconds=int(chance.expovariate(1 / 80)) + 1 if by_clock else 0,
        luck=chance.getrandbits(32),
    )
