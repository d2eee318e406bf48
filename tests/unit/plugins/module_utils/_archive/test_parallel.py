# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the number of threads: the artifact equals the tree, its bytes are the same, and so is what goes wrong."""

from __future__ import annotations

import io
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import assemble, build, prepare
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import ACCELERATED, FAST, ZLIB
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import verify
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    Cancelled,
    NoSpace,
    SourceChanged,
    SourceUnreadable,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api

KIB, MIB = 1 << 10, 1 << 20
ENGINES = (ZLIB, ACCELERATED, FAST)
THREADS = pytest.mark.parametrize("threads", [1, 2, 4])
PATIENCE = 30  # seconds until a test that hangs has failed
# Around what is sampled, held whole by one engine or the other, and cut into blocks.
SIZES = sorted({0, 1, *(n + d for n in (64 * KIB, MIB, 2 * MIB, 4 * MIB) for d in (-1, 0, 1))})
WORDS = b"".join(b"%d: the quick brown fox %d\n" % (number, number * 7 % 1001) for number in range(1000))


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock, whose time stands in the manifest; and afterwards every thread that was begun."""
    monkeypatch.setattr(build, "utc_now", lambda: parse_time("2026-11-23T15:00:02Z"))
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def content(kind: str, size: int, seed: int) -> bytes:
    """Bytes of a kind."""
    noise = random.Random(seed)
    if kind == "text":
        return (WORDS * (size // len(WORDS) + 1))[:size]
    if kind == "mixed":  # blocks of it are of both sorts
        return ((WORDS * 40 + noise.randbytes(MIB)) * (size // MIB + 1))[:size]
    return bytes(size) if kind == "zeros" else noise.randbytes(size)


def stored(path: Path) -> dict[str, bytes]:
    """What the artifact has of the sources, by our strict reader."""
    with open(path, "rb") as file:
        reader = ZipReader(file, size=path.stat().st_size)
        return {
            entry.path: b"".join(reader.content(entry))
            for entry in reader.entries()
            if entry.path.startswith("wst/") and not entry.is_directory
        }


FILES = st.lists(
    st.tuples(
        st.sampled_from(SIZES),
        st.sampled_from(["text", "mixed", "zeros", "noise"]),
        st.sampled_from(["txt", "jpg"]),
        st.integers(0, 2),  # how deep
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES)
def test_the_artifact_equals_the_tree_and_its_bytes_do_not_depend_on_threads(
    kit: Any, tmp_path_factory: pytest.TempPathFactory, files: list[tuple[int, str, str, int]]
) -> None:
    top = tmp_path_factory.mktemp("tree")
    wanted = {}
    for number, (size, kind, suffix, depth) in enumerate(files):
        path = top.joinpath(*["d"] * depth, f"{number}.{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        wanted["wst/" + path.relative_to(top).as_posix()] = data = content(kind, size, number)
        path.write_bytes(data)
    for engine in ENGINES:
        archives = set()
        for threads in (1, 2, 4):
            path, built = kit.build(Source("wst", str(top)), engine=engine, threads=threads, level=1)
            archives.add(path.read_bytes())
        assert stored(path) == wanted
        assert len(archives) == 1 or engine == FAST, (engine, files)
        assert verify(str(path), level=2).level == 2
        assert built.totals.bytes == sum(map(len, wanted.values()))


def tree(kit: Any, **files: int) -> Source:
    """A source of texts of those sizes."""
    return Source("wst", str(kit.tree("src", {name: content("text", size, 0) for name, size in files.items()})))


@pytest.mark.parametrize("engine", ENGINES)
def test_small_and_large_ones_side_by_side(kit: Any, engine: str) -> None:
    source = Source(
        "wst",
        str(
            kit.tree(
                "src",
                {
                    **{f"small/{number:03d}.txt": b"%d" % number for number in range(300)},
                    "large.txt": content("mixed", 6 * MIB + 5, 1),
                    "large.png": content("noise", 5 * MIB, 2),
                    "small.png": content("noise", 5 * KIB, 3),
                    "z/last.txt": b"z",
                    "z/none": None,
                },
            )
        ),
    )
    archives = {kit.build(source, engine=engine, threads=n, level=1)[0].read_bytes() for n in (1, 4)}
    assert len(archives) == 1 or engine == FAST
    top = Path(source.path)
    wanted = {"wst/" + p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}
    assert stored(kit.root / "wst-backup-20261123-150000.zip") == wanted


def test_the_manifest_tells_what_compressed(kit: Any) -> None:
    source = kit.sample()
    zlib_told, accelerated_told, fast_told = (
        kit.build(source, engine=name)[1].manifest["compression"] for name in ENGINES
    )
    assert {kind: told["library"] for kind, told in zlib_told.items()} == {"small": "zlib", "large": "zlib"}
    libraries = {"small": "libdeflate", "large": "zlib-ng"}
    assert {kind: told["library"] for kind, told in accelerated_told.items()} == libraries
    assert {kind: told["library"] for kind, told in fast_told.items()} == {"small": "isa-l", "large": "isa-l"}
    assert set(fast_told["large"]) == {"library", "version", "level"}


def test_how_a_disk_reads_does_not_show(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network disk may give less than it was asked for."""
    source = tree(kit, a=3 * MIB, b=100_000)
    whole = kit.build(source)[0].read_bytes()
    real = api.open_source

    class Slow(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            return super().read(min(size or 0, 77_777)) or b""

    def open_source(path: str) -> Any:
        real(path).close()
        return Slow(path, "rb")

    monkeypatch.setattr(api, "open_source", open_source)
    assert kit.build(source)[0].read_bytes() == whole


# --- what the walk says is old by the time that a file is opened


def listed_as(monkeypatch: pytest.MonkeyPatch, sizes: Callable[[int], int]) -> None:
    """Directories tell other sizes than the files have."""
    real = api.scan
    monkeypatch.setattr(api, "scan", lambda path: (entry._replace(size=sizes(entry.size)) for entry in real(path)))


@THREADS
@pytest.mark.parametrize("sizes", [lambda size: 0, lambda size: 3 * MIB], ids=["as empty", "as large"])
def test_files_of_another_size_than_listed(
    kit: Any, monkeypatch: pytest.MonkeyPatch, threads: int, sizes: Callable[[int], int]
) -> None:
    source = tree(kit, a=10, b=3 * MIB, c=20, d=MIB + 1, e=0)
    listed_as(monkeypatch, sizes)
    path, built = kit.build(source, threads=threads)
    assert stored(path) == {f"wst/{p.name}": p.read_bytes() for p in Path(source.path).iterdir()}
    assert (built.totals.files, built.totals.bytes) == (5, 4 * MIB + 31)


def test_a_batch_of_files_that_all_grew_does_not_fill_the_memory(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tree(kit, **{f"{number:02d}.jpg": MIB - 1 for number in range(12)})
    listed_as(monkeypatch, lambda size: 0)
    held = []
    real = prepare.Preparer.prepare

    def watched(self: Any, batch: Any) -> Any:
        prepared = real(self, batch)
        held.append(sum(one.packed.size for one in prepared if one.packed))
        return prepared

    monkeypatch.setattr(prepare.Preparer, "prepare", watched)
    path, _built = kit.build(source)
    assert stored(path) == {f"wst/{p.name}": p.read_bytes() for p in Path(source.path).iterdir()}
    assert 7 * MIB < max(held) <= 8 * MIB


@THREADS
def test_a_large_file_that_changes_between_others_leaves_no_trace(
    kit: Any, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    source = tree(kit, a=5, b=3 * MIB, c=7)
    changed = []

    def progress(done: int, total: int | None = None, item: str = "") -> None:
        if item == "wst/b" and not changed:
            path = Path(source.path) / "b"
            changed.append(path.stat().st_mtime_ns)
            with open(path, "r+b") as file:
                file.write(b"NEW")
            os.utime(path, ns=(0, changed[0] + 10**9))

    monkeypatch.setattr(_jobs, "progress", progress)
    path, built = kit.build(source, threads=threads)
    assert changed
    assert stored(path) == {f"wst/{p.name}": p.read_bytes() for p in Path(source.path).iterdir()}
    assert built.manifest["notes"]["counts"] == {}
    monkeypatch.undo()
    monkeypatch.setattr(build, "utc_now", lambda: parse_time("2026-11-23T15:00:02Z"))
    assert path.read_bytes() == kit.build(source, to="again.zip")[0].read_bytes()


# --- files that somebody else has in hand


def meddle(monkeypatch: pytest.MonkeyPatch, name: str, do: Callable[[Path, int], None]) -> None:
    """``do`` is called after each read of the file of that name, with the number of reads."""
    real = api.open_source
    reads = [0]

    class Watched(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            data = super().read(size or 0) or b""
            reads[0] += 1
            do(Path(str(self.name)), reads[0])
            return data

    def open_source(path: str) -> Any:
        file = real(path)
        if Path(path).name != name:
            return file
        file.close()
        return Watched(path, "rb")

    monkeypatch.setattr(api, "open_source", open_source)


def spoil(path: Path, reads: int) -> None:
    """Other bytes each time, and a time that tells."""
    with open(path, "r+b") as file:
        file.write(b"%08d" % reads)
    os.utime(path, ns=(0, reads * 10**9))


def append(path: Path, _reads: int) -> None:
    with open(path, "ab") as file:
        file.write(b"more")


def break_down(_path: Path, reads: int) -> None:
    raise OSError(5, "the disk has gone")


def disappear(_path: Path, reads: int) -> None:
    raise FileNotFoundError(2, "gone")


SIZES_OF_B = pytest.mark.parametrize("size", [1000, 3 * MIB], ids=["small", "large"])


@THREADS
@SIZES_OF_B
@pytest.mark.parametrize(
    ("do", "failure", "option", "note", "kept"),
    [
        (spoil, SourceChanged, "allow_changed", "changed", True),
        (break_down, SourceUnreadable, "allow_unreadable", "unreadable", False),
        (disappear, SourceChanged, "allow_changed", "vanished", False),
    ],
    ids=["changes", "breaks", "vanishes"],
)
def test_what_is_not_whole_fails_the_run_or_is_remarked(
    kit: Any,
    monkeypatch: pytest.MonkeyPatch,
    threads: int,
    size: int,
    do: Callable[[Path, int], None],
    failure: type[Exception],
    option: str,
    note: str,
    kept: bool,
) -> None:
    source = tree(kit, a=5, b=size, c=3 * MIB, d=7)
    meddle(monkeypatch, "b", do)
    with pytest.raises(failure, match="wst/b"):
        kit.build(source, threads=threads)
    allowed = replace(source, **{option: Patterns(["b"])})
    path, built = kit.build(allowed, to="b.zip", threads=threads)
    assert built.manifest["notes"]["counts"] == {note: 1}
    assert set(stored(path)) == {"wst/a", "wst/c", "wst/d", *(["wst/b"] if kept else [])}
    assert built.totals.files == (4 if kept else 3)
    assert verify(str(path), level=2).level == 2


@THREADS
@SIZES_OF_B
def test_what_only_grows_is_stored_as_it_was_opened(
    kit: Any, monkeypatch: pytest.MonkeyPatch, threads: int, size: int
) -> None:
    source = tree(kit, a=5, b=size, c=3 * MIB)
    before = (Path(source.path) / "b").read_bytes()
    meddle(monkeypatch, "b", append)
    path, built = kit.build(source, threads=threads)
    assert stored(path)["wst/b"] == before
    assert built.manifest["notes"]["first"] == [{"kind": "grew", "path": "wst/b", "reason": ""}]
    assert verify(str(path), level=2).level == 2


@SIZES_OF_B
def test_secrets_of_any_size_stay_out(kit: Any, size: int) -> None:
    source = tree(kit, a=5, b=size, c=7)
    secret = kit.root / "control.key"
    os.link(Path(source.path) / "b", secret)
    path, built = kit.build(source, guard=Guard(files=[str(secret)], directories=[]))
    assert set(stored(path)) == {"wst/a", "wst/c"}
    assert built.manifest["notes"]["counts"] == {"secret": 1}


# --- the order in which things happen to others


class Ahead:
    """The first file's opening waits until the walk has listed the last directory: it is as far ahead as can be."""

    def __init__(self, kit: Any, monkeypatch: pytest.MonkeyPatch, first: Callable[[Path], None]) -> None:
        self.top = kit.tree("src", {"a.bin": content("noise", MIB, 0), "z/held.key": b"hunter2", "z/y": b"y"})
        self._listed = threading.Event()
        self._first = first
        self._scan, self._open = api.scan, api.open_source
        monkeypatch.setattr(api, "scan", self.scan)
        monkeypatch.setattr(api, "open_source", self.open_source)

    def scan(self, path: str) -> Any:
        if Path(path).name == "z":
            self._listed.set()
        return self._scan(path)

    def open_source(self, path: str) -> Any:
        if Path(path).name == "a.bin":
            assert self._listed.wait(PATIENCE)
            self._first(Path(path))
        return self._open(path)


@pytest.mark.parametrize("size", [1, MIB], ids=["in one batch", "a batch before"])
def test_remarks_stand_in_the_order_of_the_walk(kit: Any, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    ahead = Ahead(kit, monkeypatch, lambda path: path.unlink())
    (ahead.top / "a.bin").write_bytes(bytes(size))
    source = Source("wst", str(ahead.top), allow_changed=Patterns(["*.bin"]))
    guard = Guard(files=[str(ahead.top / "z" / "held.key")], directories=[])
    first = kit.build(source, guard=guard, threads=2)[1].manifest["notes"]["first"]
    assert [(one["kind"], one["path"]) for one in first] == [("vanished", "wst/a.bin"), ("secret", "wst/z/held.key")]


def test_of_two_failures_the_first_of_the_walk_is_told(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead(kit, monkeypatch, lambda path: path.unlink())
    listing = ahead.scan

    def scan(path: str) -> Any:
        entries = listing(path)
        if Path(path).name == "z":
            raise PermissionError(13, "denied", path)
        return entries

    monkeypatch.setattr(api, "scan", scan)
    with pytest.raises(SourceChanged, match=r"wst/a\.bin"):
        kit.build(Source("wst", str(ahead.top)), threads=2)
    monkeypatch.setattr(api, "open_source", ahead._open)
    (ahead.top / "a.bin").write_bytes(b"here")
    with pytest.raises(SourceUnreadable, match="wst/z"):
        kit.build(Source("wst", str(ahead.top)), to="b.zip", threads=2)


# --- what goes wrong


class Broken(Exception):
    """A defect."""


@THREADS
@pytest.mark.parametrize("size", [100, 3 * MIB], ids=["small", "large"])
def test_a_defect_in_a_thread_reaches_the_caller(
    kit: Any, monkeypatch: pytest.MonkeyPatch, threads: int, size: int
) -> None:
    def broken(*_arguments: Any, **_options: Any) -> Any:
        raise Broken

    monkeypatch.setattr("zlib.compressobj", broken)
    with pytest.raises(Broken):
        kit.build(tree(kit, a=size, b=size), threads=threads)


@THREADS
@pytest.mark.parametrize("room", [0, 2 * MIB, 6 * MIB])
def test_a_full_disk_has_its_name_and_no_thread_goes_on(
    kit: Any, monkeypatch: pytest.MonkeyPatch, threads: int, room: int
) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            if self.tell() + len(data) > room:
                raise OSError(28, "No space left on device")
            return super().write(data)

    top = kit.tree("src", {f"{n:02d}.jpg": content("noise", MIB - n, n) for n in range(12)})
    (top / "large.jpg").write_bytes(content("noise", 5 * MIB, 99))
    builder = build.Builder(
        Full(),
        central=io.BytesIO(),
        spool=io.BytesIO(),
        guard=Guard(files=[], directories=[]),
        level=1,
        expected=0,
        threads=threads,
    )
    with pytest.raises(NoSpace):
        builder._add_sources([Source("wst", str(top))])


def test_a_job_is_cancelled_while_a_file_hangs(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reports progress then; the one who waits asks."""
    released = threading.Event()
    real = api.open_source

    def open_source(path: str) -> Any:
        if path.endswith("a"):
            released.wait(PATIENCE)
        return real(path)

    def check() -> None:
        released.set()
        raise Cancelled("the job was asked to stop")

    monkeypatch.setattr(api, "open_source", open_source)
    monkeypatch.setattr(_jobs, "check", check)
    began = time.monotonic()
    with pytest.raises(Cancelled):
        kit.build(tree(kit, a=10, b=10), threads=1)
    assert time.monotonic() - began < PATIENCE


def test_batches_are_as_large_as_is_worth_handing_over(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    real = prepare.Preparer.prepare

    def prepared(self: Any, batch: Any) -> Any:
        batches.append(len(batch))
        return real(self, batch)

    monkeypatch.setattr(prepare.Preparer, "prepare", prepared)
    kit.build(tree(kit, **{f"{number:04d}": 10 for number in range(300)}), threads=1)
    assert batches == [128, 128, 45]  # with the source itself
    assert assemble._BATCH_ENTRIES == 128
