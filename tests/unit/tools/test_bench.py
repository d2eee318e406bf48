# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks count and refuse; the numbers themselves are nobody's test."""

from __future__ import annotations

import random
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from tools.bench import page, scale
from tools.bench.base import Base
from tools.bench.builds import Builds
from tools.bench.copies import Copies
from tools.bench.corpus import Corpus, check_zip
from tools.bench.group import Group
from tools.bench.measure import BenchError, Command, Series, measured, rounds
from tools.bench.samples import Sample, Spread, spread, times_as_fast
from tools.bench.targets import Faster, Smaller, table
from tools.bench.wanted import TARGETS

CONTENT = {"wst/a.txt": b"aaa", "wst-api/b.txt": b"bb"}


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def a_corpus(root: Path) -> Corpus:
    return Corpus(root, {name: (len(data), zlib.crc32(data)) for name, data in CONTENT.items()})


def archive(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in content.items():
            file.writestr(name, data)
    return path


def test_ratios_are_of_pairs_and_not_of_medians() -> None:
    """A minute in which everything was slow says nothing about who is faster."""
    one = [Sample(seconds, 0, 0) for seconds in (1, 10, 3)]
    base = [Sample(seconds, 0, 0) for seconds in (2, 40, 3)]
    assert times_as_fast(one, base) == Spread(2, 1, 4)
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    with pytest.raises(ValueError):
        times_as_fast(one, base[:2])


@pytest.mark.parametrize(
    "content",
    [
        {"wst/a.txt": b"aaa"},
        {**CONTENT, "more.txt": b""},
        {**CONTENT, "wst/a.txt": b"aab"},
        {**CONTENT, "wst/a.txt": b"aa"},
    ],
)
def test_an_archive_that_is_not_the_corpus_gives_no_numbers(tmp_path: Path, content: dict[str, bytes]) -> None:
    wanted = a_corpus(tmp_path)
    check_zip(archive(tmp_path / "good.zip", CONTENT), wanted)()
    beside = archive(tmp_path / "beside.zip", {**CONTENT, "manifest.json": b"{}"})
    check_zip(beside, wanted, beside=frozenset({"manifest.json"}))()
    bad = archive(tmp_path / "bad.zip", content)
    with pytest.raises(BenchError, match="is not the corpus"):
        measured(Command("wrong", [program("pass")], check=check_zip(bad, wanted)))


def test_a_program_that_fails_or_is_not_there_gives_no_numbers() -> None:
    with pytest.raises(BenchError, match="ended with 3"):
        measured(Command("failing", [program("raise SystemExit(3)")]))
    with pytest.raises(BenchError, match="there is no"):
        measured(Command("missing", [["no-such-program-here"]]))


def test_a_run_is_measured_with_what_it_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = f"import time; data = bytearray(50_000_000); open({str(out)!r}, 'xb').write(b'x' * 1000); time.sleep(0.5)"
    sample = measured(Command("making", [program(text)], makes=out))
    again = measured(Command("making", [program(text)], makes=out))  # what the run before made is gone
    assert (sample.size, again.size) == (1000, 1000)
    assert 50_000_000 < sample.peak < 90_000_000
    mine = bytearray(200_000_000)  # what this process has is not the program's
    assert measured(Command("small", [program(text)], makes=out)).peak < len(mine)
    assert sample.cpu > 0
    assert sample.seconds > 0


def test_each_command_runs_once_a_round_in_changing_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = [Command(name, [program(f"open({str(log)!r}, 'a').write({name!r})")]) for name in "abcd"]
    series = rounds(commands, count=6, chance=random.Random("order"), say=lambda line: None)
    assert [one.name for one in series] == list("abcd")
    assert [len(one.samples) for one in series] == [6] * 4
    text = log.read_text()
    turns = [text[start : start + 4] for start in range(0, 24, 4)]
    assert all(sorted(turn) == list("abcd") for turn in turns)
    assert len(set(turns)) > 1


def test_the_page_has_the_table_and_its_picture(tmp_path: Path) -> None:
    base = Series(Command("zip -6", []), [Sample(2.0, 2.0, 10 << 20, 5_000_000)])
    own = Series(Command("ours, <fast>", []), [Sample(0.5, 0.9, 30 << 20, 4_000_000)])
    group = Group("build", "Full build", "zip -6", 100_000_000, [])
    page.write(tmp_path, [page.Result(group, [base, own])], about="two files", machine="2 cores", count=5)
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| ours, <fast> | 0.50 (0.50 to 0.50) | 200 | 4.00 (4.00 to 4.00) | 0.90 | 30 | 4.00 |" in text
    picture = (tmp_path / "benchmarks" / "build.svg").read_text()
    assert "ours, &lt;fast&gt;" in picture
    assert "4.00" in picture
    assert 'role="img"' in picture


def series_of(name: str, *samples: Sample) -> Series:
    return Series(Command(name, []), list(samples))


@pytest.mark.parametrize(
    ("seconds", "size", "told", "reached"),
    [(0.25, 90, "4.00 (4.00 to 4.00) times", True), (0.3, 90, "3.33", False), (0.2, 101, "times, larger", False)],
)
def test_a_target_is_reached_by_time_and_size(seconds: float, size: int, told: str, reached: bool) -> None:
    measured = {"build": [series_of("ours", Sample(seconds, 1, 0, size)), series_of("zip", Sample(1.0, 1, 0, 100))]}
    target = Faster("build", "ours", "zip", 4, no_larger=True, limit="the disk")
    judged = target.judge(measured)
    assert judged is not None
    assert (told in judged[0], judged[1]) == (True, reached)
    row = table([target, Faster("fast", "ours", "zip", 9)], measured).splitlines()[2:]
    assert len(row) == 1, "of what was not measured nothing is said"
    assert ("**no** | the disk" in row[0]) is not reached


def test_memory_is_bounded_by_a_constant_and_the_number_of_files() -> None:
    measured = {"files": [series_of("1,000 files", Sample(1, 1, 65 << 20))]}
    assert Smaller("files", "1,000 files", 64).judge(measured) == ("65 MiB", False)
    assert Smaller("files", "1,000 files", 64, 2048, 0.5).judge(measured) == ("65 MiB", True)
    assert Smaller("files", "2,000 files", 64).judge(measured) is None


def test_each_target_names_commands_that_are_measured(tmp_path: Path) -> None:
    """A name that nobody measures would be a target that is never missed."""
    empty = Corpus(tmp_path / "corpus", {})
    empty.root.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    named: dict[str, set[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.bench.base.measured", lambda command: command.makes and command.makes.touch())
        patch.setattr(Base, "once", staticmethod(lambda path, argv, cwd: path.touch()))
        patch.setattr(scale, "measured", lambda command: command.makes and command.makes.touch())
        for name, make in [*Builds(empty, work).groups(), *Copies(empty, work).groups()]:
            named[name] = {command.name for command in make().commands}
        tiny = scale.Scale(tuple(int(t.command.split()[0].replace(",", "")) for t in TARGETS if t.group == "files"), 1)
        patch.setattr(scale.Growth, "_tree", lambda self, count: work)
        for name, make in scale.Growth(tiny, work).groups():
            named[name] = {command.name for command in make().commands}
    for target in TARGETS:
        assert target.command in named[target.group], target
        if isinstance(target, Faster):
            assert target.than in named[target.group], target
