# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that grow, change, vanish, cannot be read or must not get in, while they are archived.

What happens meanwhile is done from the reader's own tick, between two chunks: a handshake, not a race.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive import sourcefile
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import ZLIB, choose
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import (
    CHANGED,
    GREW,
    READINGS,
    SECRET,
    STEADY,
    Reading,
    SourceReader,
    is_packed,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.streamed import Streamed
from ansible_collections.wst.backup.plugins.module_utils._archive.zipheaders import Attributes
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._archive.zipstream import Stream
from ansible_collections.wst.backup.plugins.module_utils._archive.zipwriter import Written, ZipWriter
from ansible_collections.wst.backup.plugins.module_utils._errors import NoSpace, SourceChanged, SourceUnreadable
from ansible_collections.wst.backup.plugins.module_utils._platform import api

SMALL, LARGE = b"0123456789" * 50, os.urandom(1 << 20) * 3
SIZES = pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])


class Meanwhile:
    """Archives one file; ``do`` is called after each chunk that was read, with how many there were."""

    def __init__(
        self, path: Path, do: Callable[[int], None] = lambda ticks: None, *, guard: Guard | None = None
    ) -> None:
        self.path = path
        self.do = do
        self.ticks = 0
        self.file = io.BytesIO()
        self.engine = choose(ZLIB, 6)
        self.writer = ZipWriter(self.file, central=io.BytesIO())
        self.reader = SourceReader(guard=guard or Guard(files=[], directories=[]), tick=self.tick)

    def tick(self, count: int) -> None:
        self.ticks += 1
        self.do(self.ticks)

    def copy(self, *, keep_changed: bool = False) -> Reading:
        entry = next(entry for entry in api.scan(str(self.path.parent)) if entry.name == self.path.name)
        reading = self.reader.whole(entry, limit=self.engine.whole_limit, keep_changed=keep_changed)
        if reading.outcome == sourcefile.LARGE:
            return self.stream(entry, keep_changed=keep_changed)
        if reading.sha256 is not None:
            self.writer.add_bytes("wst/f", reading.data, attributes=Attributes(reading.mtime_ns))
        return reading

    def stream(self, entry: api.Entry, *, keep_changed: bool) -> Reading:
        """As a large file, compressed by threads."""

        def begin(facts: api.FileFacts) -> Stream:
            return self.writer.begin("wst/f", attributes=Attributes(facts.mtime_ns), limit=facts.size)

        written: list[Written] = []
        with Ordered(threads=2, idle=lambda: None) as ordered:
            target = Streamed(self.writer, ordered, self.engine, begin=begin, done=written.append, compress=True)
            reading = self.reader.stream(entry, target, keep_changed=keep_changed)
            ordered.finish()
        assert [(one.size, one.sha256) for one in written] == [(reading.size, reading.sha256)][: len(written)]
        return reading

    def stored(self) -> dict[str, bytes]:
        """What the archive has in the end; proves that rolled back members left no trace."""
        self.writer.finish()
        reader = ZipReader(self.file, size=len(self.file.getvalue()))
        return {entry.path: b"".join(reader.content(entry)) for entry in reader.entries()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "f"


def overwrite(path: Path, at: int, data: bytes) -> None:
    """Change bytes in the middle, and make sure that the time tells (clocks tick slower than tests)."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


@SIZES
def test_a_steady_file(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    copying = Meanwhile(path)
    copied = copying.copy()
    assert (copied.outcome, copied.mtime_ns) == (STEADY, path.stat().st_mtime_ns)
    assert copying.stored() == {"wst/f": data}


@SIZES
def test_a_file_that_only_grows_is_stored_as_it_was(path: Path, data: bytes) -> None:
    path.write_bytes(data)

    def grow(ticks: int) -> None:
        with open(path, "ab") as file:
            file.write(b"more")

    copying = Meanwhile(path, grow)
    assert copying.copy().outcome == GREW
    assert copying.stored() == {"wst/f": data}


@SIZES
def test_a_file_that_was_only_touched_is_steady(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    copying = Meanwhile(path, lambda ticks: os.utime(path, ns=(0, ticks)))
    assert copying.copy().outcome == STEADY
    assert copying.stored() == {"wst/f": data}


@SIZES
def test_a_file_that_changed_once_is_read_again(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    copying = Meanwhile(path, lambda ticks: overwrite(path, 0, b"NEW") if ticks == 1 else None)
    assert copying.copy().outcome == STEADY
    assert copying.stored() == {"wst/f": b"NEW" + data[3:]}


@SIZES
def test_a_file_that_grew_and_changed_has_changed(path: Path, data: bytes) -> None:
    path.write_bytes(data)

    def rewrite(ticks: int) -> None:
        if ticks == 1:
            path.write_bytes(b"longer" + data)

    copying = Meanwhile(path, rewrite)
    assert copying.copy().outcome == STEADY
    assert copying.stored() == {"wst/f": b"longer" + data}


@SIZES
def test_a_file_that_shrinks_is_read_again(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    copying = Meanwhile(path, lambda ticks: os.truncate(path, 100) if ticks == 1 else None)
    assert copying.copy().outcome == STEADY
    assert copying.stored() == {"wst/f": data[:100]}


@SIZES
def test_a_file_that_keeps_changing_is_given_up(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    copying = Meanwhile(path, lambda ticks: overwrite(path, 0, b"%08d" % ticks))
    copied = copying.copy()
    assert (copied.outcome, copied.sha256) == (CHANGED, None)
    assert copying.ticks == READINGS * max(1, len(data) >> 20)
    assert copying.stored() == {}


@SIZES
def test_or_kept_where_that_is_allowed(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    copying = Meanwhile(path, lambda ticks: overwrite(path, 0, b"%08d" % ticks))
    copied = copying.copy(keep_changed=True)
    assert copied.outcome == CHANGED
    stored = copying.stored()["wst/f"]
    assert stored[8:] == data[8:]
    assert (copied.size, copied.sha256) == (len(stored), hashlib.sha256(stored).hexdigest())


def test_a_file_replaced_by_another_is_stored_as_it_was_opened(path: Path) -> None:
    path.write_bytes(LARGE)

    def deploy(ticks: int) -> None:
        if ticks == 1:
            # Windows lets nobody replace a file that is open, but renames it where all share modes were given.
            os.rename(path, path.with_name("old"))
            path.write_bytes(b"next release")

    copying = Meanwhile(path, deploy)
    assert copying.copy().outcome == STEADY
    assert copying.stored() == {"wst/f": LARGE}


def test_a_disk_that_runs_full_is_not_blamed_on_the_source(path: Path) -> None:
    path.write_bytes(LARGE)

    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    copying = Meanwhile(path)
    copying.writer._output._file = Full()
    with pytest.raises(NoSpace):
        copying.copy()


def test_secrets_stay_out_under_every_name(kit: Any) -> None:
    top = kit.tree("s", {"conf/db.key": b"hunter2", "plain.txt": b"x"})
    outside = kit.tree("control", {"db.key": b"swordfish"}) / "db.key"
    os.link(outside, top / "innocent.txt")
    if os.name != "nt":
        (top / "pointer").symlink_to(outside)
    guard = Guard(files=[str(outside), str(top / "conf" / ".." / "conf" / "db.key")], directories=[])
    path, built = kit.build(Source("wst", str(top)), guard=guard)
    content = path.read_bytes()
    assert b"hunter2" not in content
    assert b"swordfish" not in content
    assert built.manifest["notes"]["counts"] == {"secret": 2}
    assert built.totals.files == 1


def test_a_secret_reached_through_a_link_in_its_own_path(kit: Any) -> None:
    """The secret's path may be a link itself: what it leads to is the secret."""
    if os.name == "nt":
        return
    top = kit.tree("s", {"real.key": b"hunter2"})
    (kit.root / "db.key").symlink_to(top / "real.key")
    path, built = kit.build(Source("wst", str(top)), guard=Guard(files=[str(kit.root / "db.key")], directories=[]))
    assert b"hunter2" not in path.read_bytes()
    assert built.totals.files == 0


def test_the_reader_knows_a_secret_by_its_identity(path: Path) -> None:
    path.write_bytes(b"hunter2")
    alias = path.with_name("alias")
    os.link(path, alias)
    copying = Meanwhile(alias, guard=Guard(files=[str(path)], directories=[]))
    assert copying.copy().outcome == SECRET
    assert copying.stored() == {}


def test_an_unreadable_file(kit: Any, unreadable: Callable[[Path], None]) -> None:
    top = kit.tree("s", {"logs/held.txt": b"x", "ok.txt": b"y"})
    unreadable(top / "logs" / "held.txt")
    with pytest.raises(SourceUnreadable, match=r"wst/logs/held\.txt"):
        kit.build(Source("wst", str(top)), to="a.zip")
    _, built = kit.build(Source("wst", str(top), allow_unreadable=Patterns(["logs"])), to="b.zip")
    assert built.manifest["notes"]["counts"] == {"unreadable": 1}
    assert built.manifest["notes"]["first"][0]["path"] == "wst/logs/held.txt"
    assert built.totals.files == 1


@pytest.mark.posix
def test_a_link_that_vanishes(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    top = kit.tree("s", {"a": b""})
    (top / "z").symlink_to("a")
    real = api.explicit_aces

    def explicit_aces(path: str) -> Any:
        if path == str(top / "a"):
            (top / "z").unlink()
        return real(path)

    monkeypatch.setattr(api, "explicit_aces", explicit_aces)  # called for what is archived right before
    with pytest.raises(SourceChanged, match=r"wst/z \(gone since its directory was listed\)"):
        kit.build(Source("wst", str(top)))


@pytest.mark.parametrize(("allowed", "counts"), [(["*.tmp"], {"vanished": 1}), ([], None)])
def test_a_file_that_vanishes(
    kit: Any, monkeypatch: pytest.MonkeyPatch, allowed: list[str], counts: dict[str, int] | None
) -> None:
    top = kit.tree("s", {"a": b"", "z.tmp": b""})
    real = api.open_source

    def open_source(path: str) -> Any:
        (top / "z.tmp").unlink(missing_ok=True)
        return real(path)

    monkeypatch.setattr(api, "open_source", open_source)
    source = Source("wst", str(top), allow_changed=Patterns(allowed))
    if counts is None:
        with pytest.raises(SourceChanged, match=r"wst/z\.tmp"):
            kit.build(source)
    else:
        assert kit.build(source)[1].manifest["notes"]["counts"] == counts


@pytest.mark.parametrize(("name", "packed"), [("a.JPG", True), ("a.tar.gz", True), ("a.txt", False), ("zip", True)])
def test_what_is_packed_already(name: str, packed: bool) -> None:
    assert is_packed(name) is packed


def test_a_file_seen_empty_that_has_content_afterwards_is_being_written_anew(path: Path) -> None:
    path.write_bytes(SMALL)
    with api.open_source(str(path)) as file:
        emptied = api.facts_of(file)._replace(size=0)
        assert sourcefile._judge(file, emptied, size=0, sha256=hashlib.sha256(b"").hexdigest()) == CHANGED
