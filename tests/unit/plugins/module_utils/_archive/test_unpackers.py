# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every unpacker at hand reads what we write, names and bytes, and Windows' own would by its rules."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from tools.proof import explorer, programs
from tools.proof.artifact import small
from tools.proof.hostile_zip import two
from tools.proof.zipbytes import DEFLATED, DESCRIPTOR, UTF8, Part, Zip

from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import ZipWriter

SECOND = 10**9
NAMES = (
    "Grüße/日本語 – ф.txt", "emoji 😀👩\u200d👩\u200d👧.txt", "é", "e\u0301",
    "עברית \u200f.txt", "zero\u200bwidth", "%41 & ;$(x)`'.txt",
    "ß", "ss", "İstanbul", "…", "．．", "a" * 255, "ж" * 255, "😀" * 127, "lead ing", " leading space", "-dash", "~$x",
    "COM10", "nul_", "\ue000private",
)  # fmt: skip
TIMES = {
    "1653": -(10**10),
    "1970": 0,
    "1979": 315_532_799,
    "2038": 1 << 31,
    "2107": 4_354_819_199,
    "9999": 253_402_300_799,
}


def write(path: Path, *members: tuple[str, bytes | None, int]) -> None:
    """An archive of our writer; None stands for a directory."""
    with path.open("w+b") as file:
        writer = ZipWriter(file, central=io.BytesIO())
        for name, data, seconds in members:
            attributes = Attributes(mtime_ns=seconds * SECOND)
            if data is None:
                writer.add_directory(name, attributes=attributes)
            elif len(data) > 1000:
                writer.add_stream(name, [data], attributes=attributes, limit=len(data))
            else:
                writer.add_bytes(name, data, attributes=attributes)
        writer.finish()


def disagreement(path: Path) -> list[str]:
    """What any of them says against the archive."""
    return [*programs.differences(path), *explorer.problems(path)]


@pytest.mark.parametrize("streamed", [False, True])
def test_an_artifact(tmp_path: Path, streamed: bool) -> None:
    (tmp_path / "x.zip").write_bytes(small(streamed=streamed).zip)
    assert disagreement(tmp_path / "x.zip") == []


def test_odd_names(tmp_path: Path) -> None:
    write(tmp_path / "x.zip", *((f"wst/{name}", b"same content", 1_700_000_000) for name in NAMES))
    assert disagreement(tmp_path / "x.zip") == []
    assert len(programs.as_we_read_it(tmp_path / "x.zip")) == len(NAMES)


def test_long_paths_and_empty_directories(tmp_path: Path) -> None:
    deep = "/".join(["a directory"] * 40)
    long = "/".join(["b" * 250] * 10)
    members = [
        (deep, None, 0),
        (deep + "/empty", None, 0),
        (long + "/file", b"x", 0),
        (long + "/stream", b"y" * 5000, 0),
    ]
    write(tmp_path / "x.zip", *members)
    assert disagreement(tmp_path / "x.zip") == []


def test_times_that_a_zip_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    write(path, *((year, b"x", seconds) for year, seconds in TIMES.items()), ("d", None, -(10**10)))
    assert disagreement(path) == []
    with zipfile.ZipFile(path) as archive:
        years = {info.filename: info.date_time[0] for info in archive.infolist()}
    assert years == {"1653": 1980, "1970": 1980, "1979": 1980, "2038": 2038, "2107": 2107, "9999": 2107, "d/": 1980}


@pytest.mark.posix
def test_the_programs_are_here() -> None:
    assert programs.installed() == ["unzip", "7z", "bsdtar"]


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (two(name=b"c:x"), "relative"),
        (two(name=b"d/CON"), "device"),
        (two(name=b"d/x."), "the name"),
        (two(name=b"A.TXT"), "twice"),
        (two(name=b"\x84", flags=0), "code page"),
        (two(flags=UTF8 | DESCRIPTOR), "only behind it"),
        (two(method=12), "method 12"),
        (two(central={"external": 0x10}), "marked"),
        (two(central={"needed": 46}), "version"),
        (two(central={"date": 0}), "time"),
        (two(local={"flags": 0}), "local header"),
        (Zip([Part(b"x" * 256, method=DEFLATED).fill(b"")]), "more than 255"),
        (Zip([Part(b"d/").fill(b"x")]), "marked|content"),
    ],
)
def test_the_rules_of_windows_find_what_breaks_them(archive: Zip, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(archive.joined())
    found = "\n".join(explorer.problems(tmp_path / "x.zip"))
    assert any(word in found for word in words.split("|")), found
