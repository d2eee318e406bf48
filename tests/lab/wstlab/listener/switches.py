# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, and a tap on the wire, that a test can switch on while the listener runs."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, fields


@dataclass
class State:
    """What is switched on. Counters count down as they are used."""

    stall_seconds: float = 0.0  # the next Receive waits this long before it answers
    cut_receives: int = 0  # so many Receives end in a closed TCP connection
    refuse_signal: bool = False
    noise: bool = False  # lines of a chatty profile around the program's output
    bom: bool = False  # EF BB BF before the child's input, as .NET Framework writes it under code page 65001
    constrained: bool = False  # ConstrainedLanguage, as AppLocker sets it
    idle_seconds: float = 0.0  # shells idle out after so long; 0 is WinRM's own two hours
    unreachable: bool = False
    tap: str = ""  # a path: what commands are given is appended to <path>.in, what they answer to <path>.out


class Switches:
    """The state behind a lock."""

    def __init__(self) -> None:
        self._state = State()
        self._lock = threading.Lock()

    def set(self, **values: object) -> dict[str, object]:
        """Change some switches; the whole state as it is now."""
        known = {field.name for field in fields(State)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        with self._lock:
            for name, value in values.items():
                setattr(self._state, name, value)
            return asdict(self._state)

    def clear(self) -> dict[str, object]:
        """Everything off."""
        with self._lock:
            self._state = State()
            return asdict(self._state)

    def snapshot(self) -> State:
        """A copy to look at."""
        with self._lock:
            return State(**asdict(self._state))

    def take_stall(self) -> float:
        """The seconds that this Receive must wait; only one Receive gets them."""
        with self._lock:
            stall, self._state.stall_seconds = self._state.stall_seconds, 0.0
            return stall

    def take_cut(self) -> bool:
        """Whether this Receive ends in a cut connection."""
        with self._lock:
            if self._state.cut_receives < 1:
                return False
            self._state.cut_receives -= 1
            return True
