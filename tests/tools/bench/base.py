# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the groups over one corpus have in common: its archives, and the commands that make them."""

from __future__ import annotations

import os
import shutil
import zlib
from pathlib import Path

from tools.bench.corpus import Corpus, check_zip
from tools.bench.group import ours
from tools.bench.measure import Command, measured
from tools.bench.ours import STEM

PARTS = ("wst", "wst-api", "database.backup")
OWN_MEMBERS = frozenset({"members.jsonl", "manifest.json"})
CHANGED = 100  # every so many-th file of the changed corpus is another
TRUST = ("--trust-days", "7")


class Base:
    """A corpus, and a directory to work in."""

    def __init__(self, corpus: Corpus, work: Path) -> None:
        self.corpus = corpus
        self.work = work
        work.mkdir(parents=True, exist_ok=True)

    def peer(self, name: str, *argv: str, corpus: Corpus | None = None) -> Command:
        corpus = corpus or self.corpus
        out = self.work / "peer.zip"
        filled = [word.format(out=out) for word in argv]
        return Command(name, [filled], makes=out, check=check_zip(out, corpus), cwd=corpus.root)

    def own_build(self, name: str, engine: str, corpus: Corpus, *more: str) -> Command:
        out = self.work / "own" / f"{STEM}.zip"
        out.parent.mkdir(exist_ok=True)
        argv = [*self.build_argv(engine, corpus, out), *more]
        return Command(name, [argv], makes=out, check=check_zip(out, corpus, beside=OWN_MEMBERS))

    @staticmethod
    def build_argv(engine: str, corpus: Corpus, out: Path) -> list[str]:
        return ours("build", "--corpus", str(corpus.root), "--to", str(out), "--engine", engine)

    def before(self, engine: str, *more: str) -> Path:
        """The archive before, made once: after the changed corpus, whose links change when a file was changed last."""
        self.changed()
        path = self.work / "-".join(["before", engine, *more]) / f"{STEM}.zip"
        path.parent.mkdir(exist_ok=True)
        self.once(path, [*self.build_argv(engine, self.corpus, path), *more], None)
        return path

    def artifact(self) -> Path:
        """One of ours, made once."""
        path = self.work / "artifact" / f"{STEM}.zip"
        path.parent.mkdir(exist_ok=True)
        self.once(path, self.build_argv("zlib", self.corpus, path), None)
        return path

    @staticmethod
    def once(path: Path, argv: list[str], cwd: Path | None) -> None:
        if not path.exists():
            measured(Command(path.name, [argv], cwd=cwd))

    def changed(self) -> Corpus:
        """The corpus with one file of a hundred another; the files that are not are links to the same."""
        root = self.work / "changed"
        index = dict(self.corpus.index)
        chosen = sorted(index)[CHANGED // 2 :: CHANGED]
        if not root.exists():
            shutil.copytree(self.corpus.root, root, copy_function=os.link)
        for path in chosen:
            data = (self.corpus.root / path).read_bytes() + b"\nchanged\n"
            (root / path).unlink(missing_ok=True)
            (root / path).write_bytes(data)
            index[path] = (len(data), zlib.crc32(data))
        return Corpus(root, index)

    @staticmethod
    def empty(directory: Path) -> None:
        for path in directory.iterdir():
            path.unlink()
