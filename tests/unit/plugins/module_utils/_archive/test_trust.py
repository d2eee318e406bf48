# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are taken over unread: only those of which nothing tells that they changed, and never with damage."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive import build, trust
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import MANIFEST, MEMBERS
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import CHANGED, GREW, STEADY, Reading
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import verify
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged, Cancelled
from ansible_collections.wst.backup.plugins.module_utils._platform import api

MIB = 1 << 20
CHECKER = str(Path(__file__).resolve().parents[5] / "roles" / "backup" / "files" / "check_artifact.py")
WORDS = b"".join(b"%d: the quick brown fox %d\n" % (number, number * 7 % 1001) for number in range(1000))
FILES: dict[str, bytes | None] = {
    "a.txt": WORDS,
    "b/c.txt": WORDS[7:],
    "b/empty.txt": b"",
    "big.log": WORDS * 45,
    "packed.png": random.Random(1).randbytes(5000),
    "packed.zip": random.Random(2).randbytes(MIB + 17),
    "tiny.txt": b"x",
}
NOW = datetime.now(timezone.utc).replace(microsecond=0)
LATER = NOW + timedelta(seconds=600)  # the files are older than this by far


class Clock:
    """What time the builder has."""

    now = LATER

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """One that stands still, and can be set."""
    clock = Clock()
    monkeypatch.setattr(build, "utc_now", clock)
    return clock


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose content was opened, in their order."""
    names: list[str] = []
    real = api.open_source

    def watch(path: str) -> Any:
        names.append(os.path.basename(path))
        return real(path)

    monkeypatch.setattr(api, "open_source", watch)
    return names


@pytest.fixture
def source(kit: Any) -> Source:
    """A tree of every kind of file."""
    return Source("wst", str(kit.tree("src", FILES)))


def made(kit: Any, source: Source, to: str, old: Path | None = None, *, days: int = 7, **options: Any) -> Any:
    """The path of an artifact, and what was built."""
    if old is None:
        return kit.build(source, to=to, trust_days=days, **options)
    with open(old, "rb") as file:
        return kit.build(source, to=to, trust_days=days, previous=file, **options)


def contents(path: Path) -> dict[str, bytes]:
    """Of the members, by another program; without what tells of the archive itself."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name not in (MANIFEST, MEMBERS)}


def of_sources(names: list[str]) -> set[str]:
    return set(names) & {os.path.basename(name) for name in FILES}


@pytest.mark.parametrize("threads", [1, 3])
def test_nothing_is_read_of_what_did_not_change(
    kit: Any, source: Source, clock: Clock, opened: list[str], threads: int
) -> None:
    old, first = made(kit, source, "old.zip", threads=threads)
    assert first.manifest["trust"] == {
        "days": 7,
        "read_in_full": first.manifest["times"]["files_started"],
        "files": 0,
        "bytes": 0,
    }
    assert of_sources(opened) == {os.path.basename(name) for name in FILES}
    opened.clear()
    clock.now += timedelta(days=1)
    new, built = made(kit, source, "new.zip", old, threads=threads)
    assert of_sources(opened) == set()
    assert contents(new) == contents(old)
    told = built.manifest["trust"]
    assert told["files"] == len(FILES) == built.reused.files
    assert told["bytes"] == built.totals.bytes == sum(len(data or b"") for data in FILES.values())
    assert told["read_in_full"] == first.manifest["times"]["files_started"]
    assert verify(str(new), level=2).level == 2
    kit.sidecar(new, built)
    checked = subprocess.run([sys.executable, CHECKER, new], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout
    assert made(kit, source, "again.zip", new, threads=4 - threads)[0].read_bytes() == new.read_bytes()


def test_without_it_nothing_is_told_and_all_is_read(kit: Any, source: Source, clock: Clock, opened: list[str]) -> None:
    old, _built = made(kit, source, "old.zip")
    opened.clear()
    new, built = made(kit, source, "new.zip", old, days=0)
    assert of_sources(opened) == {os.path.basename(name) for name in FILES}
    assert "trust" not in built.manifest
    with zipfile.ZipFile(new) as archive:
        assert not [line for line in archive.read(MEMBERS).splitlines() if "stamp" in json.loads(line)]
    opened.clear()
    made(kit, source, "next.zip", new)  # one that tells no stamps
    assert of_sources(opened) == {os.path.basename(name) for name in FILES}


def touched(path: Path) -> None:
    """Another content of the same size, and the time set back."""
    status = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def exchanged(path: Path) -> None:
    """Another file of that name, size and time."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    shutil.copystat(path, other)
    os.replace(other, path)


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def time_set(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize("name", ["a.txt", "big.log", "packed.zip"])
@pytest.mark.parametrize("change", [touched, exchanged, longer, time_set])
def test_whatever_tells_of_a_change_has_the_file_read(
    kit: Any, source: Source, clock: Clock, opened: list[str], name: str, change: Callable[[Path], None]
) -> None:
    old, _built = made(kit, source, "old.zip")
    change(Path(source.path) / name)
    opened.clear()
    new, built = made(kit, source, "new.zip", old)
    assert of_sources(opened) == {name}
    assert contents(new)["wst/" + name] == (Path(source.path) / name).read_bytes()
    assert built.manifest["trust"]["files"] == len(FILES) - 1
    assert verify(str(new), level=2).level == 2


def test_what_changed_about_when_the_run_before_read_is_read(
    kit: Any, source: Source, clock: Clock, opened: list[str]
) -> None:
    """A change within the tick of the clock in which the file was read would leave no trace."""
    time_set(Path(source.path) / "a.txt")  # which says nothing of when that was done
    clock.now = datetime.now(timezone.utc) + timedelta(seconds=1)
    old, _built = made(kit, source, "old.zip")
    clock.now = LATER
    opened.clear()
    second, built = made(kit, source, "second.zip", old)
    assert (of_sources(opened), built.manifest["trust"]["files"]) == ({os.path.basename(name) for name in FILES}, 0)
    opened.clear()
    clock.now += timedelta(hours=1)
    made(kit, source, "third.zip", second)  # which has them old enough
    assert of_sources(opened) == set()


@pytest.mark.parametrize(
    ("later", "is_read"), [(timedelta(days=6, hours=23), False), (timedelta(days=7), True), (-timedelta(hours=1), True)]
)
def test_after_so_many_days_everything_is_read(
    kit: Any, source: Source, clock: Clock, opened: list[str], later: timedelta, is_read: bool
) -> None:
    old, _built = made(kit, source, "old.zip")
    opened.clear()
    clock.now = LATER + later
    _new, built = made(kit, source, "new.zip", old)
    assert bool(of_sources(opened)) is is_read
    started = clock.now if is_read else LATER
    assert built.manifest["trust"]["read_in_full"] == started.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_days_are_counted_from_the_last_full_reading(kit: Any, source: Source, clock: Clock) -> None:
    old, _built = made(kit, source, "0.zip")
    for day in range(1, 9):
        clock.now = LATER + timedelta(days=day)
        old, built = made(kit, source, f"{day}.zip", old)
        assert (built.manifest["trust"]["files"] == 0) is (day == 7), day


def test_what_became_a_secret_stays_out(kit: Any, source: Source, clock: Clock) -> None:
    """By its identity, though the artifact before has it under another name."""
    old, _built = made(kit, source, "old.zip")
    os.rename(Path(source.path) / "a.txt", kit.root / "db.key")
    os.link(kit.root / "db.key", Path(source.path) / "a.txt")
    stamp = api.stamp(str(Path(source.path) / "a.txt"))
    rows = {"wst/a.txt": trust._Row(stamp, trust.Known(trust.Extent(0, 1, 1), 0, False, 0, "", 0))}
    guard = Guard(files=[str(kit.root / "db.key")], directories=[])
    assert trust.Trust(7, Guard(files=[], directories=[]), rows).known("wst/a.txt", stamp) is not None
    assert trust.Trust(7, guard, rows).known("wst/a.txt", stamp) is None
    new, built = made(kit, source, "new.zip", old, guard=guard)
    assert "wst/a.txt" not in contents(new)
    assert built.manifest["notes"]["counts"] == {"secret": 1}


@pytest.mark.parametrize("name", ["a.txt", "big.log", "packed.png", "packed.zip"])
@pytest.mark.parametrize("place", ["begin", "middle", "end"])
def test_damage_of_the_old_bytes_does_not_travel(
    kit: Any, source: Source, clock: Clock, opened: list[str], name: str, place: str
) -> None:
    old, _built = made(kit, source, "old.zip")
    with zipfile.ZipFile(old) as archive:
        info = archive.getinfo("wst/" + name)
    begin = info.header_offset + 30 + len(info.filename) + 9
    at = {"begin": begin, "middle": begin + info.compress_size // 2, "end": begin + info.compress_size - 1}[place]
    data = bytearray(old.read_bytes())
    data[at] ^= 4
    old.write_bytes(data)
    opened.clear()
    new, built = made(kit, source, "new.zip", old)
    assert of_sources(opened) == {name}
    assert contents(new) == {**contents(new), "wst/" + name: FILES[name]}
    assert built.manifest["trust"]["files"] == len(FILES) - 1
    assert verify(str(new), level=2).level == 2


@pytest.mark.parametrize("member", [MANIFEST, MEMBERS, "wst/a.txt"])
def test_an_artifact_whose_description_is_damaged_is_not_believed(
    kit: Any, source: Source, clock: Clock, opened: list[str], member: str
) -> None:
    old, _built = made(kit, source, "old.zip")
    with zipfile.ZipFile(old) as archive:
        info = archive.getinfo(member)
        directory = archive.start_dir
    data = bytearray(old.read_bytes())
    begin = info.header_offset + 30 + len(info.filename) + 9
    at = begin + 3 if member != "wst/a.txt" else data.index(b"wst/a.txt", directory) - 30  # its CRC in the directory
    data[at] ^= 4
    old.write_bytes(data)
    opened.clear()
    new, built = made(kit, source, "new.zip", old)
    assert of_sources(opened) == {os.path.basename(name) for name in FILES}
    assert built.manifest["trust"]["files"] == 0
    assert verify(str(new), level=2).level == 2


@pytest.mark.slow
@settings(
    max_examples=60 if os.name == "posix" else 10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_the_old_artifact_is_the_new_one_is_right(kit: Any, source: Source, data: st.DataObject) -> None:
    path: Path = kit.root / "first.zip"
    if not path.exists():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "utc_now", lambda: LATER)
            made(kit, source, "first.zip")
    spoilt = bytearray(path.read_bytes())
    for _number in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        if data.draw(st.booleans()):
            spoilt[at] ^= data.draw(st.integers(1, 255))
        else:
            del spoilt[at : at + data.draw(st.integers(1, 2000))]
    (kit.root / "spoilt.zip").write_bytes(spoilt)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "utc_now", lambda: LATER + timedelta(hours=4))
        new, _built = made(kit, source, "new.zip", kit.root / "spoilt.zip")
    assert {name: content for name, content in contents(new).items() if "wst/" + name[4:] == name and content} == {
        f"wst/{name}": content for name, content in FILES.items() if content
    }
    assert verify(str(new), level=2).level == 2


@pytest.mark.parametrize(
    ("reading", "stamp", "is_kept"),
    [
        ({}, {}, True),
        ({"outcome": GREW}, {}, False),
        ({"outcome": CHANGED}, {}, False),
        ({"size": 6}, {}, False),
        ({"mtime_ns": 8}, {}, False),
        ({}, {"changed_ns": 0}, False),
        ({}, {"file_id": "12-0"}, False),
    ],
)
def test_only_what_a_later_run_can_rely_on_is_kept(reading: Any, stamp: Any, is_kept: bool) -> None:
    read = Reading(STEADY, mtime_ns=7, size=5, sha256="ab" * 32)._replace(**reading)
    seen = api.Stamp(size=5, mtime_ns=7, changed_ns=9, file_id="12-10")._replace(**stamp)
    assert (trust.stamp_of(read, seen, 3) is not None) is is_kept


@pytest.mark.parametrize("error", [OSError(5, "gone"), ArtifactDamaged("short")])
def test_a_disk_that_fails_meanwhile_has_the_file_read(
    kit: Any, source: Source, clock: Clock, opened: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    old, _built = made(kit, source, "old.zip")

    def fail(_previous: Any, extent: Any) -> Any:
        raise error
        yield b""

    monkeypatch.setattr(trust.Previous, "packed", fail)
    opened.clear()
    new, _built = made(kit, source, "new.zip", old)
    assert of_sources(opened) == {os.path.basename(name) for name in FILES}
    assert contents(new) == contents(old)


def test_a_large_file_that_is_taken_over_unread_can_be_cancelled(
    kit: Any, source: Source, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _built = made(kit, source, "old.zip")
    told: list[tuple[str, int]] = []

    def cancel(done: int, _total: int, item: str) -> None:
        told.append((item, done))
        if item == "wst/big.log":
            raise Cancelled("in the middle of it")

    monkeypatch.setattr(build._jobs, "progress", cancel)
    with pytest.raises(Cancelled):
        made(kit, source, "new.zip", old, threads=1)
    item, done = told[-1]
    assert item == "wst/big.log"
    assert done < len(FILES["big.log"] or b""), "it was told only when all of it was over"


@pytest.mark.parametrize("listed", [0, 100])
def test_a_large_file_that_is_listed_as_a_small_one_is_not_held_whole(
    kit: Any, source: Source, clock: Clock, opened: list[str], monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    """Windows tells late in a listing that a file has grown."""
    old, _built = made(kit, source, "old.zip")
    real, held = api.scan, []
    small = trust.Trust.small
    monkeypatch.setattr(api, "scan", lambda path: (entry._replace(size=listed) for entry in real(path)))
    monkeypatch.setattr(trust.Trust, "small", lambda self, known: held.append(known.extent.size) or small(self, known))
    opened.clear()
    new, built = made(kit, source, "new.zip", old)
    assert contents(new) == contents(old)
    assert built.manifest["trust"]["files"] == len(FILES)
    assert max(held) <= MIB < len(FILES["big.log"] or b"")
    assert verify(str(new), level=2).level == 2


def test_links_are_read_anew(kit: Any, source: Source, clock: Clock) -> None:
    """They have no bytes in the ZIP, so there is nothing to take over."""
    link = api.Entry(name="b.txt", path="", kind=api.LINK, size=0, mtime_ns=0, read_target=lambda _path: "a.txt")
    real = api.scan
    with pytest.MonkeyPatch.context() as patch:  # wine makes no link as Windows does

        def scan(directory: str) -> Any:
            yield from real(directory)
            if os.path.samefile(directory, source.path):
                yield link

        patch.setattr(api, "scan", scan)
        old, _built = made(kit, source, "old.zip")
        _new, built = made(kit, source, "new.zip", old)
    assert built.totals.links == 1
    assert built.manifest["trust"]["files"] == len(FILES)


def test_a_file_that_is_gone_is_no_file_to_take_over(kit: Any, source: Source, clock: Clock) -> None:
    old, _built = made(kit, source, "old.zip")
    (Path(source.path) / "a.txt").unlink()
    new, _built = made(kit, source, "new.zip", old)
    assert "wst/a.txt" not in contents(new)


def test_a_stamp_changes_with_whatever_is_done_to_a_file(tmp_path: Path) -> None:
    """On this system, with its real clock."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    before = api.stamp(str(path))
    assert (before.size, before.mtime_ns) == (5, path.stat().st_mtime_ns)
    deadline = time.monotonic() + 30
    while api.stamp(str(path)) == before and time.monotonic() < deadline:
        touched(path)  # until the clock has ticked
    after = api.stamp(str(path))
    assert after.changed_ns > before.changed_ns > 0
    assert (after.size, after.mtime_ns, after.file_id) == (before.size, before.mtime_ns, before.file_id)
    with pytest.raises(FileNotFoundError):
        api.stamp(str(tmp_path / "nothing"))
