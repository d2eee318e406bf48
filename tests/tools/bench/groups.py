# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is compared with what: the groups of commands, each with the one that the others are held against."""

from __future__ import annotations

import os
import shutil
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from tools.bench.corpus import Corpus, check_zip
from tools.bench.group import Group, engines, has_fast, ours
from tools.bench.measure import Command, measured
from tools.bench.ours import STEM

PARTS = ("wst", "wst-api", "database.backup")
OWN_MEMBERS = frozenset({"members.jsonl", "manifest.json"})
MAKE_ARCHIVE = "import shutil, sys; shutil.make_archive(sys.argv[1][:-4], 'zip', '.')"
CHANGED = 100  # every so many-th file of the changed corpus is another


class Bench:
    """All groups over one corpus, in a directory of its own."""

    def __init__(self, corpus: Corpus, work: Path) -> None:
        self.corpus = corpus
        self.work = work
        work.mkdir(parents=True, exist_ok=True)

    def groups(self) -> list[tuple[str, Callable[[], Group]]]:
        """Each made when its turn comes: some need what those before them have left."""
        return [
            ("build", self.build),
            ("fast", self.fast),
            ("rebuild", self.rebuild),
            ("verify", self.verify),
            ("read", self.read),
            ("mirror", self.mirror),
            ("chain", self.chain),
        ]

    def build(self) -> Group:
        """The whole archive, from nothing."""
        peers = [
            self._peer("zip -6", "zip", "-q", "-6", "-r", "{out}", *PARTS),
            self._peer("zip -1", "zip", "-q", "-1", "-r", "{out}", *PARTS),
            self._peer("7z -mx1", "7z", "a", "-tzip", "-mx1", "-mmt2", "-bd", "-bso0", "{out}", *PARTS),
            self._peer("7z -mx5", "7z", "a", "-tzip", "-mx5", "-mmt2", "-bd", "-bso0", "{out}", *PARTS),
            self._peer("bsdtar", "bsdtar", "--format=zip", "-cf", "{out}", *PARTS),
            self._peer("shutil.make_archive", sys.executable, "-c", MAKE_ARCHIVE, "{out}"),
            self._peer("zip -0 (the limit)", "zip", "-q", "-0", "-r", "{out}", *PARTS),
        ]
        own = [self._own_build(f"ours, {engine}", engine, self.corpus) for engine in engines()]
        return Group("build", "Full build", "zip -6", self.corpus.bytes, [*peers, *own])

    def fast(self) -> Group:
        """As quickly as it goes, no larger than the quickest of zip."""
        peers = [
            self._peer("zip -1", "zip", "-q", "-1", "-r", "{out}", *PARTS),
            self._peer("7z -mx1", "7z", "a", "-tzip", "-mx1", "-mmt2", "-bd", "-bso0", "{out}", *PARTS),
        ]
        own = [self._own_build("ours, fast", "fast", self.corpus)] if has_fast() else []
        return Group("fast", "Full build, fast mode", "zip -1", self.corpus.bytes, [*peers, *own])

    def rebuild(self) -> Group:
        """One file in a hundred has changed since the archive before."""
        changed = self._changed()
        old = self.work / "old.zip"
        self._once(old, ["zip", "-q", "-6", "-r", str(old), *PARTS], self.corpus.root)
        out = self.work / "update.zip"
        update = Command(
            "zip -u",
            [["zip", "-q", "-u", "-6", "-r", str(out), *PARTS]],
            prepare=lambda: shutil.copy(old, out),
            check=check_zip(out, changed),
            cwd=changed.root,
        )
        commands = [self._peer("zip -6", "zip", "-q", "-6", "-r", "{out}", *PARTS, corpus=changed), update]
        for engine in engines():
            before = str(self._before(engine))
            commands.append(self._own_build(f"ours, {engine}, all anew", engine, changed))
            commands.append(self._own_build(f"ours, {engine}", engine, changed, "--previous", before))
        return Group("rebuild", "Rebuild, one file of a hundred changed", "zip -6", changed.bytes, commands)

    def verify(self) -> Group:
        """Every member of the same archive, which is one of ours."""
        path = str(self._artifact())
        testzip = f"import sys, zipfile; sys.exit(zipfile.ZipFile({path!r}).testzip() is not None)"
        commands = [
            Command("unzip -t", [["unzip", "-tqq", path]]),
            Command("7z t", [["7z", "t", "-bd", "-bso0", path]]),
            Command("zipfile.testzip", [[sys.executable, "-c", testzip]]),
            Command("ours (SHA-256 of every member, and the disk read again)", [ours("verify", "--source", path)]),
        ]
        return Group("verify", "Verification of every member", "unzip -t", Path(path).stat().st_size, commands)

    def read(self) -> Group:
        """The artifact's digest, from the disk."""
        path = str(self._artifact())
        commands = [
            Command("dd, past the cache, no digest", [["dd", f"if={path}", "of=/dev/null", "bs=1M", "iflag=direct"]]),
            Command("ours, SHA-256, past the cache", [ours("reread", "--source", path)]),
        ]
        return Group("read", "Reading it back", commands[0].name, Path(path).stat().st_size, commands)

    def mirror(self) -> Group:
        """A second copy, proved."""
        path, copy = self._artifact(), self.work / "copy" / "copy.zip"
        copy.parent.mkdir(exist_ok=True)
        plain = [
            ["dd", f"if={path}", f"of={copy}", "bs=1M", "conv=fsync"],
            ["dd", f"if={copy}", "of=/dev/null", "bs=1M", "iflag=direct"],
        ]
        hashed = [["cp", str(path), str(copy)], ["sha256sum", str(path), str(copy)]]
        own = ours("mirror", "--source", str(path.parent), "--to", str(copy.parent))
        commands = [
            Command("dd, flushed, read past the cache, no digest", plain, makes=copy),
            Command("cp; sha256sum of both (from the cache)", hashed, makes=copy),
            Command("ours", [own], prepare=lambda: self._empty(copy.parent)),
        ]
        return Group("mirror", "Mirror", commands[0].name, path.stat().st_size, commands)

    def chain(self) -> Group:
        """Build, verification, mirror, digests of both."""
        out, copy = self.work / "chain.zip", self.work / "copy" / "chain.zip"
        copy.parent.mkdir(exist_ok=True)
        tail = [["cp", str(out), str(copy)], ["sha256sum", str(out), str(copy)]]
        packers = {
            "zip -6; unzip -t; cp; sha256sum": (
                ["zip", "-q", "-6", "-r", str(out), *PARTS],
                ["unzip", "-tqq", str(out)],
            ),
            "7z -mx1; 7z t; cp; sha256sum": (
                ["7z", "a", "-tzip", "-mx1", "-mmt2", "-bd", "-bso0", str(out), *PARTS],
                ["7z", "t", "-bd", "-bso0", str(out)],
            ),
        }
        commands = [
            Command(name, [build, test, *tail], makes=out, cwd=self.corpus.root)
            for name, (build, test) in packers.items()
        ]
        changed = self._changed()
        for engine in engines():
            before = str(self._before(engine))
            commands.append(self._own_chain(f"ours, {engine}", engine, self.corpus))
            name = f"ours, {engine}, one file of a hundred changed"
            commands.append(self._own_chain(name, engine, changed, "--previous", before))
        return Group("chain", "The whole chain", commands[0].name, self.corpus.bytes, commands)

    def _own_chain(self, name: str, engine: str, corpus: Corpus, *more: str) -> Command:
        made, copies = self.work / "chain" / f"{STEM}.zip", self.work / "copy"
        for directory in (made.parent, copies):
            directory.mkdir(exist_ok=True)
        steps = [
            [*self._build_argv(engine, corpus, made), *more],
            ours("verify", "--source", str(made)),
            ours("mirror", "--source", str(made.parent), "--to", str(copies)),
        ]
        check = check_zip(made, corpus, beside=OWN_MEMBERS)
        return Command(name, steps, makes=made, prepare=lambda: self._empty(copies), check=check)

    # --- parts of them

    def _peer(self, name: str, *argv: str, corpus: Corpus | None = None) -> Command:
        corpus = corpus or self.corpus
        out = self.work / "peer.zip"
        filled = [word.format(out=out) for word in argv]
        return Command(name, [filled], makes=out, check=check_zip(out, corpus), cwd=corpus.root)

    def _own_build(self, name: str, engine: str, corpus: Corpus, *more: str) -> Command:
        out = self.work / "own" / f"{STEM}.zip"
        out.parent.mkdir(exist_ok=True)
        argv = [*self._build_argv(engine, corpus, out), *more]
        return Command(name, [argv], makes=out, check=check_zip(out, corpus, beside=OWN_MEMBERS))

    @staticmethod
    def _build_argv(engine: str, corpus: Corpus, out: Path) -> list[str]:
        return ours("build", "--corpus", str(corpus.root), "--to", str(out), "--engine", engine)

    def _before(self, engine: str) -> Path:
        """The archive before, made once."""
        path = self.work / f"before-{engine}" / f"{STEM}.zip"
        path.parent.mkdir(exist_ok=True)
        self._once(path, self._build_argv(engine, self.corpus, path), None)
        return path

    def _artifact(self) -> Path:
        """One of ours, made once."""
        path = self.work / "artifact" / f"{STEM}.zip"
        path.parent.mkdir(exist_ok=True)
        self._once(path, self._build_argv("zlib", self.corpus, path), None)
        return path

    @staticmethod
    def _once(path: Path, argv: list[str], cwd: Path | None) -> None:
        if not path.exists():
            measured(Command(path.name, [argv], cwd=cwd))

    def _changed(self) -> Corpus:
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
    def _empty(directory: Path) -> None:
        for path in directory.iterdir():
            path.unlink()
