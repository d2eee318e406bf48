# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives: from nothing, as quickly as it goes, from a cold disk, and after small changes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tools.bench.base import PARTS, TRUST, Base
from tools.bench.corpus import check_zip
from tools.bench.group import Group, engines, has_fast
from tools.bench.measure import Command

MAKE_ARCHIVE = "import shutil, sys; shutil.make_archive(sys.argv[1][:-4], 'zip', '.')"
CACHES = Path("/proc/sys/vm/drop_caches")
THREADS = (2, 4, 8)


class Builds(Base):
    """The groups that make archives."""

    def groups(self) -> list[tuple[str, Callable[[], Group]]]:
        """Each made when its turn comes."""
        cold = [("cold", self.cold)] if os.access(CACHES, os.W_OK) else []
        return [("build", self.build), ("fast", self.fast), *cold, ("rebuild", self.rebuild)]

    def build(self) -> Group:
        """The whole archive, from nothing."""
        peers = [
            self.peer("zip -6", "zip", "-q", "-6", "-r", "{out}", *PARTS),
            self.peer("zip -1", "zip", "-q", "-1", "-r", "{out}", *PARTS),
            self.peer("7z -mx1", "7z", "a", "-tzip", "-mx1", "-mmt2", "-bd", "-bso0", "{out}", *PARTS),
            self.peer("7z -mx5", "7z", "a", "-tzip", "-mx5", "-mmt2", "-bd", "-bso0", "{out}", *PARTS),
            self.peer("bsdtar", "bsdtar", "--format=zip", "-cf", "{out}", *PARTS),
            self.peer("shutil.make_archive", sys.executable, "-c", MAKE_ARCHIVE, "{out}"),
            self.peer("zip -0 (the limit)", "zip", "-q", "-0", "-r", "{out}", *PARTS),
        ]
        own = [self.own_build(f"ours, {engine}", engine, self.corpus) for engine in engines()]
        return Group("build", "Full build", "zip -6", self.corpus.bytes, [*peers, *own])

    def fast(self) -> Group:
        """As quickly as it goes, no larger than the quickest of zip."""
        peers = [
            self.peer("zip -1", "zip", "-q", "-1", "-r", "{out}", *PARTS),
            self.peer("7z -mx1", "7z", "a", "-tzip", "-mx1", "-mmt2", "-bd", "-bso0", "{out}", *PARTS),
        ]
        own = [self.own_build("ours, fast", "fast", self.corpus)] if has_fast() else []
        return Group("fast", "Full build, fast mode", "zip -1", self.corpus.bytes, [*peers, *own])

    def cold(self) -> Group:
        """Nothing is in the system's cache: more readers than processors keep the disk busy."""
        commands = [self.peer("zip -6", "zip", "-q", "-6", "-r", "{out}", *PARTS)]
        for threads in THREADS:
            name = f"ours, {engines()[-1]}, {threads} threads"
            commands.append(self.own_build(name, engines()[-1], self.corpus, "--threads", str(threads)))
        commands = [replace(command, prepare=_drop_caches) for command in commands]
        return Group("cold", "Full build, nothing in the cache", "zip -6", self.corpus.bytes, commands)

    def rebuild(self) -> Group:
        """One file in a hundred has changed since the archive before."""
        changed = self.changed()
        old = self.work / "old.zip"
        self.once(old, ["zip", "-q", "-6", "-r", str(old), *PARTS], self.corpus.root)
        out = self.work / "update.zip"
        update = Command(
            "zip -u",
            [["zip", "-q", "-u", "-6", "-r", str(out), *PARTS]],
            prepare=lambda: shutil.copy(old, out),
            check=check_zip(out, changed),
            cwd=changed.root,
        )
        commands = [self.peer("zip -6", "zip", "-q", "-6", "-r", "{out}", *PARTS, corpus=changed), update]
        for engine in engines():
            before = str(self.before(engine))
            commands.append(self.own_build(f"ours, {engine}, all anew", engine, changed))
            commands.append(self.own_build(f"ours, {engine}", engine, changed, "--previous", before))
            trusted = ("--previous", str(self.before(engine, *TRUST)), *TRUST)
            commands.append(self.own_build(f"ours, {engine}, what seems unchanged unread", engine, changed, *trusted))
        return Group("rebuild", "Rebuild, one file of a hundred changed", "zip -6", changed.bytes, commands)


def _drop_caches() -> None:
    """What was read before is on the disk alone."""
    os.sync()
    CACHES.write_text("3")
