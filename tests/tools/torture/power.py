# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power fails: what was not flushed may be gone, each part of it by chance.

Content: what was written to a file since its last flush may be there, may be zeros, or may be cut off. Names: of the
changes in a directory since its last flush, the last ones are undone, for each directory by itself (a file system with
a journal keeps their order; that two directories keep step is not promised).
"""

from __future__ import annotations

import base64
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any

NAMES = frozenset({"create", "rename", "unlink", "mkdir", "rmdir"})


@dataclass
class Dirty:
    """What a file has beyond its last flush: where it was written, and what a truncation took."""

    written: list[tuple[int, int]] = field(default_factory=list)
    cut: tuple[int, bytes] | None = None


def fail(journal: list[dict[str, Any]], chance: Random) -> list[str]:
    """Take back what chance takes; returns what was taken, for people."""
    dirty, names = _pending(journal)
    told = [_spoil(path, what, chance) for path, what in sorted(dirty.items())]
    for directory in sorted(names):
        pending = names[directory]
        kept = chance.choice((0, len(pending), chance.randint(0, len(pending))))
        for change in reversed(pending[kept:]):
            _undo(change)
            told.append("undone: {op} {path}".format(**change))
    return [line for line in told if line]


def _pending(journal: list[dict[str, Any]]) -> tuple[dict[str, Dirty], dict[str, list[dict[str, Any]]]]:
    dirty: dict[str, Dirty] = defaultdict(Dirty)
    names: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for change in journal:
        operation, path = change["op"], change["path"]
        if operation == "write":
            dirty[path].written.append((change["at"], change["size"]))
        elif operation == "truncate":
            dirty[path].cut = (change["at"], base64.b64decode(change["lost"]))
        elif operation == "fsync":
            dirty.pop(path, None)
        elif operation == "fsyncdir":
            names.pop(path, None)
        elif operation in NAMES:
            names[os.path.dirname(path)].append(change)
            moved = dirty.pop(change["source"], None) if operation == "rename" else None
            dirty.pop(path, None)
            if moved is not None:
                dirty[path] = moved
    return dirty, names


def _spoil(path: str, what: Dirty, chance: Random) -> str:
    fate = chance.choice(("kept", "zeros", "cut"))
    if fate == "kept" or not os.path.isfile(path):
        return ""
    with open(path, "r+b") as file:
        if what.cut is not None and not what.written:
            file.seek(what.cut[0])
            file.write(what.cut[1])
            return f"not shortened: {path}"
        if not what.written:
            return ""
        if fate == "zeros":
            for place, size in what.written:
                file.seek(place)
                file.write(bytes(size))
        else:
            first = min(place for place, _size in what.written)
            file.truncate(chance.randint(first, max(place + size for place, size in what.written)))
    return f"{fate}: {path}"


def _undo(change: dict[str, Any]) -> None:
    """Changes are undone from the last on, so each finds what it left."""
    operation, path = change["op"], change["path"]
    if operation == "create":
        _lose(path)
    elif operation == "mkdir":
        shutil.rmtree(path, ignore_errors=True)
    elif operation == "rmdir":
        os.makedirs(path, mode=0o700, exist_ok=True)
    elif operation == "unlink":
        _restore(change["kept"], path)
    else:
        if os.path.lexists(path):
            os.rename(path, change["source"])
        _restore(change["kept"], path)


def _lose(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)


def _restore(kept: str, path: str) -> None:
    if kept and os.path.isdir(os.path.dirname(path)) and not os.path.lexists(path):
        os.link(kept, path)
