# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for a secret where it must not be: files, ZIPs, processes, what went over the wire."""

from __future__ import annotations

import base64
import contextlib
import re
import threading
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LOUD = "-vvvvv"
TOOLS = ("pg_dump", "pg_restore", "psql")
CHUNK = 1 << 20


def forms(secret: str) -> list[bytes]:
    """The secret as it could hide: plain, as UTF-16, in hexadecimal, and in base64 at each of its three offsets."""
    raw = secret.encode("ascii")
    shifted = [base64.b64encode(bytes(offset) + raw)[(offset * 8 + 5) // 6 + 1 : -4] for offset in range(3)]
    return [raw, secret.encode("utf-16-le"), raw.hex().encode("ascii"), *shifted]


@dataclass
class Watch:
    """Looks at the arguments and the environment of every process of this machine, again and again.

    A Windows process under wine is a process here too; its arguments are seen, its environment block only where wine
    hands it on.

    :ivar seen: what had one of the needles and must not.
    :ivar tools: how often a PostgreSQL program was met.
    :ivar handed: those that had a needle in their environment, where it belongs.
    """

    needles: list[bytes]
    seen: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)
    looks: int = 0
    tools: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until it is told to stop."""
        while not self._over.wait(0.02):
            self.looks += 1
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    self._look(process)

    def _look(self, process: Path) -> None:
        argv = (process / "cmdline").read_bytes()
        program = argv.partition(b"\0")[0].decode("utf-8", "replace")
        is_tool = any(name in program for name in TOOLS)
        self.tools += is_tool
        if self._has(argv):
            self.seen.add(f"arguments of {program}")
        if self._has((process / "environ").read_bytes()):
            (self.handed if is_tool else self.seen).add(f"environment of {program}")

    def _has(self, data: bytes) -> bool:
        return any(needle in data for needle in self.needles)

    def stop(self) -> None:
        """No look after this."""
        self._over.set()


@contextlib.contextmanager
def watched(needles: list[bytes]) -> Iterator[Watch]:
    """Processes are watched within the block."""
    watch = Watch(needles)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()


def holders(needles: list[bytes], *directories: Path) -> list[str]:
    """The files that hold one of the forms, members of ZIPs included."""
    found = []
    for directory in directories:
        for path in directory.rglob("*"):
            if not path.is_file() or path.is_symlink():
                continue
            with path.open("rb") as file:
                if has(needles, iter(lambda file=file: file.read(CHUNK), b"")):  # type: ignore[misc]
                    found.append(str(path))
            if path.suffix == ".zip":
                found += [f"{path}!{name}" for name in members_with(needles, path)]
    return found


def members_with(needles: list[bytes], path: Path) -> Iterator[str]:
    """The members of a ZIP that hold one of the forms."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                if has(needles, iter(lambda member=member: member.read(CHUNK), b"")):  # type: ignore[misc]
                    yield name


def has(needles: list[bytes], chunks: Iterator[bytes]) -> bool:
    """Whether one of the forms is in the data, also where it lies across two chunks."""
    longest = max(map(len, needles))
    tail = b""
    for chunk in chunks:
        data = tail + chunk
        if any(needle in data for needle in needles):
            return True
        tail = data[-longest:]
    return False


@dataclass(frozen=True)
class Wire:
    """What a tap has caught: program lines on the way in, answers on the way out."""

    path: Path
    taps: bool

    def assert_without(self, secret: str) -> None:
        """It was not in there, packed or unpacked."""
        if not self.taps:
            return
        needles = forms(secret)
        raw = [self.path.with_suffix(suffix).read_bytes() for suffix in (".in", ".out")]
        programs = [zlib.decompress(base64.b64decode(line)) for line in raw[0].split()]
        answers = [
            zlib.decompress(base64.b64decode(body))
            for body in re.findall(rb"wst-backup-reply:\w+:\d+:\w+:([^:]+):", raw[1])
        ]
        assert len(programs) > 4
        assert len(answers) > 4
        assert any(b"backup_root" in text or b"wst-control" in text for text in programs), "nothing was unpacked"
        assert not has(needles, iter([*raw, *programs, *answers])), "it went over the wire"
