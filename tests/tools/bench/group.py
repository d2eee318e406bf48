# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group of commands that are run in turns, and how ours are called."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.measure import Command


@dataclass(frozen=True)
class Group:
    """Commands that are run in turns.

    :ivar base: the name of the command that the others are held against.
    :ivar bytes: that are worked on, for MB/s.
    :ivar rounds: at most so many, where one takes minutes; 0 for no limit.
    """

    name: str
    title: str
    base: str
    bytes: int
    commands: Sequence[Command]
    rounds: int = 0


def ours(what: str, *arguments: str) -> list[str]:
    """The command line of one of our functions."""
    return [sys.executable, "-m", "tools.bench.ours", what, *arguments]


def engines() -> list[str]:
    """Those that this Python has."""
    accelerated = all(importlib.util.find_spec(name) for name in ("deflate", "zlib_ng"))
    return ["zlib", "accelerated"] if accelerated else ["zlib"]


def has_fast() -> bool:
    """Whether it has the fast one."""
    return importlib.util.find_spec("isal") is not None
