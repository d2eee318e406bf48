# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory is constant whatever the size of a file, and bounded by the number of files.

Each measurement is a process of its own, whose peak is the system's (``VmHWM``), interpreter included. ``ru_maxrss``
would not do: a process inherits in it the peak of its parent. The budget: 64 MiB, and 0.75 KiB for each file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.posix  # reads /proc

MIB = 1 << 20
BUDGET = 64 * MIB
PER_FILE = 768
SLOW = bool(os.environ.get("CI") or os.environ.get("WST_SLOW_TESTS"))

PROGRAM = """
import json, os, sys, tempfile
sys.path[:0] = {paths!r}
from ansible_collections.wst.backup.plugins.module_utils._archive.build import Builder, Description
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import StepFile
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import survey
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import verify

os.chdir({root!r})
what, dump = sys.argv[1], json.loads(sys.argv[2])
if what == "build":
    source, guard = Source("wst", "src"), Guard(files=[], directories=[])
    survey([source], guard=guard)
    description = Description("a", "r", "p", "e", {{}}, "d.backup", None)
    with open("a.zip", "w+b") as file, tempfile.TemporaryFile() as central, tempfile.TemporaryFile() as spool:
        Builder(
            file, central=central, spool=spool, guard=guard, level=1, expected=0, engine=sys.argv[3], threads=4
        ).build([source], [StepFile("d.backup", "d.backup", *dump)], description)
else:
    verdict = verify("a.zip", level=2)
    assert verdict.level == 2
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")))
"""


def peak(root: Path, what: str, dump: list[Any], engine: str = "zlib") -> int:
    """The peak of building or verifying, in bytes."""
    program = PROGRAM.format(paths=[p for p in sys.path if p], root=str(root))
    done = subprocess.run(
        [sys.executable, "-c", program, what, json.dumps(dump), engine], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.fixture
def dump(tmp_path: Path) -> list[Any]:
    """A small dump, and what it must be."""
    import hashlib

    data = b"PGDMP" * 100
    (tmp_path / "d.backup").write_bytes(data)
    (tmp_path / "src").mkdir()
    return [len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data)]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_large_file(tmp_path: Path, dump: list[Any]) -> None:
    size = (2048 if SLOW else 512) * MIB
    with open(tmp_path / "src" / "large.sql", "wb") as file:
        file.write(os.urandom(3 * MIB))
        file.truncate(size)  # the rest is a hole
    assert peak(tmp_path, "build", dump) < BUDGET
    assert peak(tmp_path, "verify", dump) < BUDGET


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["zlib", "accelerated"])
def test_four_threads_on_one_file_hold_no_more_than_their_share(tmp_path: Path, dump: list[Any], engine: str) -> None:
    """Beside what the same program needs for nothing at all, which is the interpreter with our modules."""
    idle = peak(tmp_path, "build", dump, engine)
    with open(tmp_path / "src" / "large.sql", "wb") as file:
        for _number in range(12):
            file.write(os.urandom(4 * MIB))
            file.write(b"0123456789abcdef" * (MIB >> 2))
    assert peak(tmp_path, "build", dump, engine) - idle < 32 * MIB


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("flat", [False, True], ids=["spread", "in one directory"])
def test_many_small_files(tmp_path: Path, dump: list[Any], flat: bool) -> None:
    count = 50_000 if SLOW else 10_000
    for number in range(count):
        directory = tmp_path / "src" if flat else tmp_path / "src" / (f"d{number // 100:03d}")
        if not flat and number % 100 == 0:
            directory.mkdir()
        (directory / (f"a file with a name of usual length {number:06d}.txt")).write_bytes(b"%d" % number)
    assert peak(tmp_path, "build", dump) < BUDGET + PER_FILE * count
    assert peak(tmp_path, "verify", dump) < BUDGET + PER_FILE * count


@pytest.mark.slow
@pytest.mark.skipif(not SLOW, reason="writes and reads 4 GiB: in CI, or with WST_SLOW_TESTS=1")
@pytest.mark.timeout(600)
def test_a_streamed_file_beyond_32_bits(tmp_path: Path, dump: list[Any]) -> None:
    size = 4096 * MIB + 12345
    with open(tmp_path / "src" / "huge.log", "wb") as file:
        file.truncate(size)
    assert peak(tmp_path, "build", dump) < BUDGET
    assert peak(tmp_path, "verify", dump) < BUDGET
    path = str(tmp_path / "a.zip")
    for argv in (["unzip", "-tqq", path], ["7z", "t", "-bd", path], ["bsdtar", "-tf", path]):
        assert subprocess.run(argv, capture_output=True, check=False).returncode == 0
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("wst/huge.log").file_size == size
