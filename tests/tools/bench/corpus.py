# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is backed up in the benchmarks: trees of real packages, their compressed files, a log, and a real dump.

The packages are pinned and come from pip's index, so that everybody measures the same bytes. The log's lines and the
rows of the dump are drawn from a seed: their words compress about as those of real ones, and no more is claimed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tools.bench.measure import BenchError
from tools.paths import CACHE
from wstlab.packages import Package, fetch, unpack_once

MIB = 1 << 20
PURE = ("--only-binary=:all:",)
WEB = (
    Package("jupyterlab", "4.6.6", "none-any", PURE),
    Package("plotly", "7.1.0", "none-any", PURE),
    Package("bokeh", "3.9.2", "none-any", PURE),
    Package("django", "5.2.19", "none-any", PURE),
)
API = (
    Package("ansible", "12.0.0", "none-any", PURE),
    Package("botocore", "1.44.8", "none-any", PURE),
    Package("sympy", "1.14.0", "none-any", PURE),
)


@dataclass(frozen=True)
class Shape:
    """How large a corpus is. ``log`` and ``dump_rows``: mebibytes, and rows of some 200 bytes."""

    name: str
    web: tuple[Package, ...]
    api: tuple[Package, ...]
    log: int
    dump_rows: int


FULL = Shape("full", WEB, API, log=120, dump_rows=1_600_000)
QUICK = Shape("quick", WEB[1:2], API[1:2], log=12, dump_rows=100_000)


@dataclass(frozen=True)
class Corpus:
    """A corpus on the disk.

    :ivar root: holds ``wst``, ``wst-api`` and ``database.backup``.
    :ivar index: the size and CRC-32 of every file, by its path below ``root``.
    """

    root: Path
    index: dict[str, tuple[int, int]]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(size for size, _crc in self.index.values())

    def told(self) -> str:
        """A sentence about it."""
        sizes = sorted(size for size, _crc in self.index.values())
        small = sum(size < 4096 for size in sizes) / len(sizes)
        return (
            f"{len(sizes):,} files, {self.bytes / 1e6:,.1f} MB, the median file {sizes[len(sizes) // 2]:,} bytes, "
            f"{small:.0%} below 4 KiB, the dump {self.index['database.backup'][0] / 1e6:,.1f} MB"
        )


def corpus(shape: Shape) -> Corpus:
    """It is made once."""
    root = unpack_once(CACHE / "bench" / f"corpus-{shape.name}", lambda into: _make(shape, into))
    listed = json.loads((root.parent / f"{root.name}.json").read_text()) if _index_file(root).exists() else None
    if listed is None:
        listed = {str(path.relative_to(root)): list(_facts(path)) for path in _files(root)}
        _index_file(root).write_text(json.dumps(listed))
    return Corpus(root, {path: (size, crc) for path, (size, crc) in listed.items()})


def _index_file(root: Path) -> Path:
    return root.with_name(f"{root.name}.json")


def _files(root: Path) -> Iterator[Path]:
    return (Path(where) / name for where, _inner, names in os.walk(root) for name in sorted(names))


def _facts(path: Path) -> tuple[int, int]:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(MIB):
            crc = zlib.crc32(chunk, crc)
    return path.stat().st_size, crc


def _make(shape: Shape, into: Path) -> None:
    for tree, packages in (("wst", shape.web), ("wst-api", shape.api)):
        for package in packages:
            wheel = fetch(package, CACHE / "downloads")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(into / tree / "app")
            uploads = into / tree / "uploads"
            uploads.mkdir(exist_ok=True)
            shutil.copy(wheel, uploads / f"{package.name}.zip")  # compressed already, as pictures are
    _log(into / "wst" / "logs" / "access.log", shape.log * MIB)
    _dump(into / "database.backup", shape.dump_rows)


def _log(path: Path, size: int) -> None:
    chance = random.Random("log")
    pages = [
        f"/app/{chance.choice(['orders', 'customers', 'api/v2/items'])}/{chance.randrange(90000)}" for _n in range(4000)
    ]
    path.parent.mkdir()
    with path.open("w", encoding="ascii") as file:
        moment = datetime(2026, 11, 1, tzinfo=timezone.utc)
        while file.tell() < size:
            for _line in range(2000):
                moment += timedelta(seconds=chance.randrange(3))
                client = f"10.{chance.randrange(4)}.{chance.randrange(256)}.{chance.randrange(256)}"
                answer = f"{chance.choice((200, 200, 200, 304, 404))} {chance.randrange(90000)} {chance.randrange(900)}"
                file.write(f'{client} - - [{moment:%d/%b/%Y:%H:%M:%S %z}] "GET {chance.choice(pages)}" {answer}\n')


def _dump(path: Path, rows: int) -> None:
    """A custom-format dump, made by a real pg_dump of a real server, as it is by default: compressed."""
    with serving(rows) as server:
        done = subprocess.run(pg_dump(server, path), env={**os.environ, **server.environment()}, check=False)
        if done.returncode:
            raise BenchError("pg_dump could not make the dump of the corpus")


@contextlib.contextmanager
def serving(rows: int) -> Iterator[Any]:
    """A server with so many rows of some 200 bytes in it."""
    from ansible_collections.wst.backup.tests.unit import pgserver

    with pgserver.running(17) as server:
        server.run(
            "CREATE TABLE orders (id bigint, at timestamptz, customer text, note text, amount numeric)",
            "SELECT setseed(0.5); INSERT INTO orders SELECT n, timestamptz '2026-01-01' + n * interval '1 second', "
            "md5(random()::text), md5(random()::text) || ' ' || md5(random()::text) || ' delivered, paid by card', "
            f"(random() * 10000)::numeric(10, 2) FROM generate_series(1, {rows}) n",
        )
        yield server


def pg_dump(server: Any, path: Path, *options: str) -> list[str]:
    """The command line that dumps it."""
    return [str(server.bin / "pg_dump"), "--format=custom", f"--file={path}", "--dbname=postgres", *options]


def check_zip(path: Path, wanted: Corpus, *, beside: frozenset[str] = frozenset()) -> Callable[[], None]:
    """A check: the archive has every file of the corpus with its size and CRC-32, and none besides ``beside``."""

    def check() -> None:
        with zipfile.ZipFile(path) as archive:
            found = {
                info.filename: (info.file_size, info.CRC)
                for info in archive.infolist()
                if not info.is_dir() and info.filename not in beside
            }
        if found != wanted.index:
            differing = sorted(set(found.items()) ^ set(wanted.index.items()))[:3]
            raise BenchError(f"{path} is not the corpus: {differing}")

    return check
