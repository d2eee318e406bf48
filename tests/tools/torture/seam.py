# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every change of the disk in one process: counted, written down, and the place where a fault strikes.

It stands below the collection's own seam: real files, but each ``write``, ``fsync``, rename, removal and new name
passes through here. What was changed and not flushed can be taken back afterwards (``power``).
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.wst.backup.plugins.module_utils._audit import segments
from ansible_collections.wst.backup.plugins.module_utils._platform import _posix_files, api

Strike = Callable[[str, str, int], None]  # (operation, path, number of this change); may raise OSError or never return

WRITES = frozenset({"create", "write", "fsync", "rename", "mkdir"})  # what a full disk refuses; it lets go of things


class Seam:
    """Watches the process that it is installed in.

    :param root: what lies outside of it is none of our business.
    :param journal: an open descriptor that gets a line of JSON for each change that was made.
    :param stash: a directory on the same file system that keeps what lost its name.
    """

    def __init__(self, root: Path, *, counted: int, strike: Strike, journal: int, stash: Path) -> None:
        self.count = counted
        self._root = os.path.join(str(root), "")
        self._strike = strike
        self._journal = journal
        self._stash = stash
        self._write, self._link = os.write, os.link
        self._replace, self._unlink = os.replace, os.unlink
        self._rmdir, self._mkdir, self._rename = os.rmdir, os.mkdir, _posix_files._rename_noreplace

    def install(self) -> None:
        """From now on."""
        seam = self

        class Traced(io.FileIO):
            """A file whose every write to the system counts."""

            def write(self, data: Any) -> int:
                place = self.tell()
                size = seam.change("write", str(self.name), lambda: super(Traced, self).write(data), at=place)
                seam.note("write", str(self.name), at=place, size=size)
                return int(size)

            def truncate(self, size: int | None = None) -> int:
                end = self.tell() if size is None else size
                here = self.tell()
                self.seek(end)
                lost = base64.b64encode(self.read()).decode() if self.readable() else ""
                self.seek(here)
                result = seam.change("truncate", str(self.name), lambda: super(Traced, self).truncate(size))
                seam.note("truncate", str(self.name), at=end, lost=lost)
                return int(result)

        def create_new(path: str) -> BinaryIO:
            def opener(name: str, flags: int) -> int:
                return os.open(name, flags, 0o600)

            raw = seam.change("create", path, lambda: Traced(path, "x+b", opener=opener))
            seam.note("create", path)
            return io.BufferedRandom(raw)

        def traced_open(path: str, mode: str = "r", buffering: int = -1) -> Any:
            return Traced(path, mode) if mode == "r+b" and buffering == 0 else open(path, mode, buffering)

        api.create_new = create_new
        segments.open = traced_open  # type: ignore[attr-defined]
        os.fsync = self._on_fsync  # type: ignore[assignment]
        os.replace = self._on_replace  # type: ignore[assignment]
        os.unlink = self._on_unlink
        os.rmdir = self._on_rmdir
        os.mkdir = self._on_mkdir
        _posix_files._rename_noreplace = self._on_rename

    def change(self, operation: str, path: str, work: Callable[[], Any], **where: Any) -> Any:
        """Count it, let the fault strike, do it."""
        if self._ours(path):
            self.count += 1
            self._strike(operation, path, self.count)
        return work()

    def note(self, operation: str, path: str, **facts: Any) -> None:
        """Write down what was done."""
        if self._ours(path):
            line = json.dumps({"op": operation, "path": path, "n": self.count, **facts})
            self._write(self._journal, line.encode() + b"\n")

    def _ours(self, path: str) -> bool:
        return os.path.join(path, "").startswith(self._root)

    def _keep(self, path: str) -> str:
        """Another name for what is about to lose its own; empty for a directory or nothing."""
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.lstat(path).st_mode):
                kept = str(self._stash / f"{os.getpid()}-{self.count}")
                self._link(path, kept)
                return kept
        return ""

    def _on_fsync(self, descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        self.change("fsync", path, lambda: None)  # the disk need not work: what it would have kept is written down
        self.note("fsyncdir" if directory else "fsync", path)

    def _on_replace(self, source: Any, target: Any, **options: Any) -> None:
        kept: list[str] = []

        def work() -> None:
            kept.append(self._keep(target))
            self._replace(source, target, **options)

        self.change("rename", os.fspath(target), work)
        self.note("rename", os.fspath(target), source=os.fspath(source), kept=kept[0])

    def _on_rename(self, source: str, target: str) -> bool:
        done = bool(self.change("rename", target, lambda: self._rename(source, target)))
        self.note("rename", target, source=source, kept="")
        return done

    def _on_unlink(self, path: Any, **options: Any) -> None:
        name, kept = os.fspath(path), [""]

        def work() -> None:
            kept[0] = self._keep(name)
            self._unlink(path, **options)

        self.change("unlink", name, work)
        self.note("unlink", name, kept=kept[0])

    def _on_rmdir(self, path: Any, **options: Any) -> None:
        self.change("rmdir", os.fspath(path), lambda: self._rmdir(path, **options))
        self.note("rmdir", os.fspath(path))

    def _on_mkdir(self, path: Any, mode: int = 0o777, **options: Any) -> None:
        self.change("mkdir", os.fspath(path), lambda: self._mkdir(path, mode, **options))
        self.note("mkdir", os.fspath(path))
