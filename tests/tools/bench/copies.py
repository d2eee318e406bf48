# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs and second copies of an archive."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tools.bench.base import OWN_MEMBERS, PARTS, TRUST, Base
from tools.bench.corpus import Corpus, check_zip
from tools.bench.group import Group, engines, ours
from tools.bench.measure import Command
from tools.bench.ours import STEM

UNPACKERS = (("zlib", ("--without", "zlib_ng")), ("zlib-ng", ()))


class Copies(Base):
    """The groups that prove and copy archives."""

    def groups(self) -> list[tuple[str, Callable[[], Group]]]:
        """Each made when its turn comes: some need what those before them have left."""
        return [
            ("verify", self.verify),
            ("read", self.read),
            ("mirror", self.mirror),
            ("both", self.both),
            ("chain", self.chain),
        ]

    def verify(self) -> Group:
        """Every member of the same archive, which is one of ours. Ours hashes each with SHA-256, past the cache."""
        path = str(self.artifact())
        testzip = f"import sys, zipfile; sys.exit(zipfile.ZipFile({path!r}).testzip() is not None)"
        commands = [
            Command("unzip -t", [["unzip", "-tqq", path]]),
            Command("7z t", [["7z", "t", "-bd", "-bso0", path]]),
            Command("zipfile.testzip", [[sys.executable, "-c", testzip]]),
            *(
                Command(f"ours, {name}", [ours("verify", "--source", path, *more)])
                for name, more in UNPACKERS
                if name == "zlib" or "accelerated" in engines()
            ),
        ]
        return Group("verify", "Verification of every member", "unzip -t", Path(path).stat().st_size, commands)

    def read(self) -> Group:
        """The artifact's digest, from the disk."""
        path = str(self.artifact())
        commands = [
            Command("dd, past the cache, no digest", [["dd", f"if={path}", "of=/dev/null", "bs=1M", "iflag=direct"]]),
            Command("ours, SHA-256, past the cache", [ours("reread", "--source", path)]),
        ]
        return Group("read", "Reading it back", commands[0].name, Path(path).stat().st_size, commands)

    def mirror(self) -> Group:
        """A second copy, proved."""
        path, copy = self.artifact(), self.work / "copy" / "copy.zip"
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
            Command("ours", [own], prepare=lambda: self.empty(copy.parent)),
        ]
        return Group("mirror", "Mirror", commands[0].name, path.stat().st_size, commands)

    def both(self) -> Group:
        """An archive, its copy on the mirror, and each read back: what the second copy and the proofs add."""
        made, copies = self.work / "both" / f"{STEM}.zip", self.work / "copy"
        for directory in (made.parent, copies):
            directory.mkdir(exist_ok=True)
        commands = []
        for engine in engines():
            build = self.build_argv(engine, self.corpus, made)
            commands.append(Command(f"ours, {engine}, the archive alone", [build], makes=made))
            proved = [
                [*build, "--feed", str(copies)],
                ours("reread", "--source", str(made)),
                ours("mirror", "--source", str(made.parent), "--to", str(copies)),
            ]
            name = f"ours, {engine}, both copies, both read back"
            commands.append(Command(name, proved, makes=made, prepare=lambda: self.empty(copies)))
        return Group("both", "Two copies", commands[0].name, self.corpus.bytes, commands)

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
        changed = self.changed()
        for engine in engines():
            before = str(self.before(engine))
            commands.append(self._own_chain(f"ours, {engine}", engine, self.corpus))
            name = f"ours, {engine}, one file of a hundred changed"
            commands.append(self._own_chain(name, engine, changed, "--previous", before))
            trusted = ("--previous", str(self.before(engine, *TRUST)), *TRUST)
            commands.append(self._own_chain(f"{name}, the rest unread", engine, changed, *trusted))
        return Group("chain", "The whole chain", commands[0].name, self.corpus.bytes, commands)

    def _own_chain(self, name: str, engine: str, corpus: Corpus, *more: str) -> Command:
        made, copies = self.work / "chain" / f"{STEM}.zip", self.work / "copy"
        for directory in (made.parent, copies):
            directory.mkdir(exist_ok=True)
        steps = [
            [*self.build_argv(engine, corpus, made), *more, "--feed", str(copies)],
            ours("verify", "--source", str(made)),
            ours("mirror", "--source", str(made.parent), "--to", str(copies)),
        ]
        check = check_zip(made, corpus, beside=OWN_MEMBERS)
        return Command(name, steps, makes=made, prepare=lambda: self.empty(copies), check=check)
