# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody did to the log is told exactly: which record was altered, removed, put in, moved or cut off."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, List, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._audit.chain import Head, read_line, seal
from ansible_collections.wst.backup.plugins.module_utils._audit.examine import Anchor, Examined, examine
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)
COUNT = 9
Lines = List[bytes]


def made(directory: Path, count: int = COUNT, largest: int = 1 << 20) -> Anchor:
    return heads_of(directory, count, largest)[-1]


def heads_of(directory: Path, count: int, largest: int = 1 << 20) -> List[Anchor]:
    """A log of so many records, and the head that it had after each."""
    log = AuditLog(str(directory), clock=lambda: NOW, largest=largest)
    heads = [log.append(Event("backup_start", details={"number": number})) for number in range(1, count + 1)]
    return [Anchor(each.seq, each.hash, "the control node", "2026-11-23T15:00:00Z") for each in heads]


def told(found: Examined) -> Set[Tuple[str, int, int]]:
    return {(flaw.kind, flaw.first, flaw.last) for flaw in found.flaws}


def after(directory: Path, change: Callable[[Lines], Lines], anchor: Anchor) -> Examined:
    path = directory / "audit.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    return examine(Segments(str(directory)), [anchor])


def with_message(line: bytes, text: str) -> bytes:
    """The record with another message and a hash that fits."""
    return seal({**read_line(line), "message": text})[0]


def put_in(lines: Lines, index: int) -> Lines:
    forged = seal({**read_line(lines[index]), "message": "forged"})[0]
    return [*lines[:index], forged, *lines[index:]]


CHANGES = {
    "altered": (lambda o: [*o[:3], o[3].replace(b"backup_start", b"backup_start_"), *o[4:]], {("altered", 4, 4)}),
    "the first altered": (lambda o: [o[0].replace(b"backup", b"backuq"), *o[1:]], {("altered", 1, 1)}),
    "the last altered": (
        lambda o: [*o[:8], o[8].replace(b"backup", b"backuq")],
        {("altered", 9, 9), ("cut_off", 9, 9)},
    ),
    "two altered": (
        lambda o: [*o[:3], *(line.replace(b"backup", b"backuq") for line in o[3:5]), *o[5:]],
        {("altered", 4, 4), ("altered", 5, 5)},
    ),
    "altered with its hash": (lambda o: [*o[:3], with_message(o[3], "x"), *o[4:]], {("altered", 4, 4)}),
    "removed": (lambda o: [*o[:3], *o[4:]], {("removed", 4, 4)}),
    "three removed": (lambda o: [*o[:3], *o[6:]], {("removed", 4, 6)}),
    "removed in two places": (lambda o: [o[0], *o[2:5], *o[6:]], {("removed", 2, 2), ("removed", 6, 6)}),
    "the first removed": (lambda o: o[1:], {("removed", 1, 1)}),
    "inserted": (lambda o: put_in(o, 4), {("inserted", 5, 5)}),
    "the same twice": (lambda o: [*o[:4], o[3], *o[4:]], {("inserted", 4, 4)}),
    "noise inserted": (lambda o: [*o[:4], b"noise\n", *o[4:]], {("inserted", 5, 5)}),
    "two lines of noise": (lambda o: [*o[:4], b"noise\n", b"{}\n", *o[4:]], {("inserted", 5, 5), ("inserted", 6, 6)}),
    "reordered": (lambda o: [*o[:3], o[4], o[3], *o[5:]], {("reordered", 4, 4)}),
    "moved to the end": (lambda o: [*o[:3], *o[4:], o[3]], {("reordered", 4, 4)}),
    "cut off": (lambda o: o[:6], {("cut_off", 7, 9)}),
    "emptied": (lambda o: [], {("emptied", 0, 0), ("cut_off", 1, 9)}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_done_is_told(tmp_path: Path, name: str) -> None:
    change, expected = CHANGES[name]
    anchor = made(tmp_path)
    assert told(examine(Segments(str(tmp_path)), [anchor])) == set()
    assert told(after(tmp_path, change, anchor)) == expected


def test_a_log_that_was_written_anew_is_told_from_where(tmp_path: Path) -> None:
    anchor = made(tmp_path / "old")
    made(tmp_path / "new", 4)
    log = AuditLog(str(tmp_path / "new"), clock=lambda: NOW)
    for _number in range(6):
        log.append(Event("forged"))
    assert told(examine(Segments(str(tmp_path / "new")), [anchor])) == {("rewritten", 9, 9)}


def test_a_torn_line_is_no_flaw_without_an_anchor_and_a_cut_with_one(tmp_path: Path) -> None:
    anchor = made(tmp_path)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    found = examine(Segments(str(tmp_path)))
    assert (found.flaws, found.torn > 0, found.head.seq) == ((), True, 8)
    assert told(examine(Segments(str(tmp_path)), [anchor])) == {("cut_off", 9, 9)}


def test_full_segments_are_linked(tmp_path: Path) -> None:
    anchor = made(tmp_path, 12, largest=1500)
    names = Segments(str(tmp_path)).names()
    assert len(names) > 2
    found = examine(Segments(str(tmp_path)), [anchor])
    assert (found.flaws, found.known) == ((), ())
    assert found.head.seq == found.records, "the rotation is a record too, and no number is missing"
    first = json.loads((tmp_path / names[1]).read_bytes().splitlines()[0])
    assert (first["event"], first["prev"]["segment"]) == ("audit_rotated", "audit.jsonl")

    (tmp_path / "kept").mkdir()
    shutil.move(tmp_path / names[1], tmp_path / "kept")
    assert ("segment_gone", 0, 0) in told(examine(Segments(str(tmp_path)), [anchor]))


@pytest.mark.parametrize("name", ["audit.jsonl", "audit-2.jsonl"])
def test_a_change_of_a_closed_segment_is_told_by_the_next_one(tmp_path: Path, name: str) -> None:
    """Also one that rewrites all of it, so that its own chain holds."""
    anchor = made(tmp_path, 12, largest=1500)
    path = tmp_path / name
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], with_message(lines[-1], "x")]))
    assert ("segment_changed", 0, 0) in told(examine(Segments(str(tmp_path)), [anchor]))


def test_what_a_run_has_found_and_closed_is_known(tmp_path: Path) -> None:
    anchor = made(tmp_path)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"number":4', b'"number":5', 1))
    log = AuditLog(str(tmp_path), clock=lambda: NOW)
    assert log.append(Event("backup_start"), whole=True).broken is not None
    found = examine(Segments(str(tmp_path)), [anchor])
    assert (found.flaws, [flaw.kind for flaw in found.known]) == ((), ["altered"])
    path.write_bytes(path.read_bytes() + b"more\n")
    assert ("segment_changed", 0, 0) in told(examine(Segments(str(tmp_path)), [anchor]))


def test_a_loss_that_is_known_hides_no_later_one(tmp_path: Path) -> None:
    """The whole log was lost once, which a run recorded; then the new one loses its end, with lower numbers."""
    old = made(tmp_path, 20)
    (tmp_path / "audit.jsonl").unlink()
    later = datetime(2026, 11, 24, 15, 0, tzinfo=timezone.utc)
    log = AuditLog(str(tmp_path), clock=lambda: later)
    assert log.append(Event("backup_start"), whole=True, anchor=Head(old.seq, old.hash)).broken is not None
    for _number in range(5):
        done = log.append(Event("backup_start"))
    new = Anchor(done.seq, done.hash, "the control node", "2026-11-24T16:00:00Z")
    found = examine(Segments(str(tmp_path)), [old, new])
    assert (found.flaws, [flaw.kind for flaw in found.known]) == ((), ["cut_off"])
    assert told(after(tmp_path, lambda lines: lines[:4], new)) == {("cut_off", 5, 7)}
    found = examine(Segments(str(tmp_path)), [old, new])
    assert [(flaw.kind, flaw.last) for flaw in found.flaws] == [("cut_off", 7)]


def test_an_anchor_without_a_time_is_never_known(tmp_path: Path) -> None:
    anchor = made(tmp_path)
    timeless = Anchor(anchor.seq, anchor.hash, anchor.where)
    assert told(after(tmp_path, lambda lines: lines[:-1], timeless)) == {("cut_off", 9, 9)}


@settings(deadline=None)
@given(data=st.data(), largest=st.sampled_from([1500, 1 << 20]))
def test_any_change_of_any_byte_is_found_given_one_anchor(data: st.DataObject, largest: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        anchors = heads_of(directory, 6, largest)
        anchor = data.draw(st.sampled_from(anchors))
        names = Segments(name).names()
        whole = examine(Segments(name), [anchor]).records  # with what links segments
        chosen = data.draw(st.sampled_from(names))
        content = bytearray((directory / chosen).read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        (directory / chosen).write_bytes(bytes(content))
        found = examine(Segments(name), [anchor])
        end = chosen == names[-1] and place == len(content) - 1
        if end and anchor is not anchors[-1]:  # it looks like a crash, and costs the last record: only its head tells
            assert (found.flaws, found.records) == ((), whole - 1)
            assert found.torn > 0
        else:
            assert found.flaws


@pytest.mark.parametrize("head", range(6))
def test_a_last_line_feed_that_is_gone_is_found_by_the_last_head_alone(tmp_path: Path, head: int) -> None:
    anchor = heads_of(tmp_path, 6)[head]
    found = after(tmp_path, lambda lines: [*lines[:-1], lines[-1][:-1] + b"x"], anchor)
    assert (found.torn > 0, bool(found.flaws)) == (True, head == 5)


@settings(deadline=None)
@given(data=st.data())
def test_any_loss_or_move_of_records_is_found_given_one_anchor(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        anchor = data.draw(st.sampled_from(heads_of(directory, 7)))
        lines = (directory / "audit.jsonl").read_bytes().splitlines(keepends=True)
        any_records = st.lists(st.sampled_from(lines), max_size=9)
        cut = st.integers(0, 6).map(lambda kept: lines[:kept])
        other = data.draw((any_records | cut).filter(lambda some: some != lines))
        found = after(directory, lambda _lines: other, anchor)
        behind = len(other) >= anchor.seq and other == lines[: len(other)]  # a cut behind the head that was seen
        assert bool(found.flaws) is not behind
