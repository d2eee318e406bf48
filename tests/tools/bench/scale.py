# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What grows: the number of files, which only the walk and the member list feel, and the size of one file."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench.corpus import MIB
from tools.bench.group import Group, engines, ours
from tools.bench.measure import Command, measured

A_DIRECTORY = 250  # files
PATTERN = 64 * MIB


@dataclass(frozen=True)
class Scale:
    """How far the growth is followed. ``big``: mebibytes of the one file."""

    files: Sequence[int]
    big: int


FULL = Scale((5_000, 43_000, 100_000, 1_000_000), 10 * 1024)
QUICK = Scale((1_000, 5_000), 256)


class Growth:
    """The groups of one scale, in a directory of its own."""

    def __init__(self, scale: Scale, work: Path) -> None:
        self.scale = scale
        self.work = work

    def groups(self) -> list[tuple[str, Callable[[], Group]]]:
        """Each made when its turn comes."""
        return [("files", self.many_files), ("big", self.one_file)]

    def many_files(self) -> Group:
        """Empty files are walked, opened and listed: what each costs besides its bytes."""
        commands = []
        for count in self.scale.files:
            tree = self._tree(count)
            out = self.work / "many.zip"
            argv = ours("build", "--corpus", str(tree), "--to", str(out), "--engine", engines()[-1])
            commands.append(Command(f"{count:,} files", [argv], makes=out))
        return Group("files", "Empty files: walk, list and manifest", commands[0].name, 0, commands, rounds=3)

    def one_file(self) -> Group:
        """Memory must not grow with it."""
        tree = self._big()
        out = self.work / "big.zip"
        parts = ["wst", "wst-api", "database.backup"]
        commands = [Command("zip -6", [["zip", "-q", "-6", "-r", str(out), *parts]], makes=out, cwd=tree)]
        for engine in engines():
            argv = ours("build", "--corpus", str(tree), "--to", str(out), "--engine", engine)
            commands.append(Command(f"ours, {engine}", [argv], makes=out))
        commands.append(Command("ours, verified", [ours("verify", "--source", str(self._built(tree)))]))
        size = self.scale.big * MIB
        return Group("big", f"One file of {size / 2**30:.2g} GiB", "zip -6", size, commands, rounds=1)

    def _tree(self, count: int) -> Path:
        root = self.work / f"files-{count}"
        if not root.exists():
            _skeleton(root)
            for number in range(count):
                place = root / "wst" / f"{number // A_DIRECTORY:05}"
                if number % A_DIRECTORY == 0:
                    place.mkdir()
                (place / f"file-{number:07}.txt").touch()
        return root

    def _big(self) -> Path:
        root = self.work / "big"
        if not root.exists():
            _skeleton(root)
            chance = random.Random("big")
            words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=8)) for _word in range(4096)]
            block = b" ".join(chance.choices(words, k=PATTERN // 9))
            with (root / "wst" / "big.log").open("wb") as file:
                written = 0
                while written < self.scale.big * MIB:
                    written += file.write(block[: self.scale.big * MIB - written])
        return root

    def _built(self, tree: Path) -> Path:
        """Its archive, made once."""
        path = self.work / "big-artifact.zip"
        if not path.exists():
            argv = ours("build", "--corpus", str(tree), "--to", str(path), "--engine", engines()[-1])
            measured(Command("big", [argv], makes=path))
        return path


def _skeleton(root: Path) -> None:
    """What every corpus has: two trees and a dump."""
    for name in ("wst", "wst-api"):
        (root / name).mkdir(parents=True)
    (root / "wst-api" / "app.py").write_text("pass\n")
    (root / "database.backup").write_bytes(b"PGDMP")
