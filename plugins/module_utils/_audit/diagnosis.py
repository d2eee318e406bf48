# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done to a segment whose chain does not hold: altered, removed, inserted or moved records. Pure.

Each line is judged by what the others say of it. A record that is whole by its own hash, and that the next one follows,
is one that was written; what was written and is not there was removed; what is there and nothing follows was put in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._audit.chain import Head, read_line, seal

ALTERED = "altered"
REMOVED = "removed"
INSERTED = "inserted"
REORDERED = "reordered"
CUT_OFF = "cut_off"
REWRITTEN = "rewritten"
EMPTIED = "emptied"
SEGMENT_GONE = "segment_gone"
SEGMENT_CHANGED = "segment_changed"
MOST_REMOVED = 1_000_000  # numbers that are looked at in one gap


@dataclass(frozen=True)
class Flaw:
    """One thing that was done to the log.

    :param line: in the segment, from 1; 0 when it is about no line that is there.
    :param first: and ``last``: the numbers of the records that it is about.
    """

    kind: str
    segment: str
    line: int
    first: int
    last: int
    text: str

    def as_body(self) -> Dict[str, Any]:
        """As the result has it."""
        return {
            "kind": self.kind,
            "segment": self.segment,
            "line": self.line,
            "first": self.first,
            "last": self.last,
            "text": self.text,
        }


@dataclass(frozen=True)
class Entry:
    """A line. ``sound``: it is the very bytes of a record; else ``seq`` and ``hash`` are what it claims, if any."""

    line: int
    sound: bool
    seq: int
    hash: str
    prev: Any


def entry_of(line: bytes, number: int) -> Entry:
    """The line as an entry."""
    try:
        body = read_line(line)
        return Entry(number, True, body["seq"], seal(body)[1], body.get("prev"))
    except ValueError:
        pass
    try:
        claimed = json.loads(line.decode("ascii"))
        seq, digest = claimed.get("seq"), claimed.get("hash")
    except (ValueError, RecursionError, AttributeError):
        seq = digest = None
    whole = isinstance(seq, int) and not isinstance(seq, bool)
    return Entry(number, False, seq if whole else 0, digest if isinstance(digest, str) else "", None)


def diagnose(entries: List[Entry], segment: str) -> Tuple[List[Flaw], Head]:
    """What was done to the segment, and its last record. What its first record follows is for the caller to judge."""
    if not entries:
        return [], Head()
    walk = _Walk(segment, entries)
    for entry, following in zip(entries, [*entries[1:], None]):
        walk.take(entry, following)
    return walk.flaws, Head() if walk.sound is None else Head(walk.sound.seq, walk.sound.hash)


class _Walk:
    """Follows the chain through a segment, and goes on behind what does not hold."""

    def __init__(self, segment: str, entries: List[Entry]) -> None:
        self.flaws: List[Flaw] = []
        self.sound: Optional[Entry] = None  # the last record that was followed
        self._segment = segment
        self._numbers = {entry.seq for entry in entries if entry.sound}
        self._skipped: Set[int] = set()  # numbers that were passed over and stand later
        first = entries[0]
        self._last = Entry(0, False, (first.seq or 1) - 1, "", None)  # the line before the next one

    def take(self, entry: Entry, following: Optional[Entry]) -> None:
        """Judge the next line."""
        if not entry.sound:
            self._altered(entry)
        elif self._stands_after_garbage(entry):
            self._garbage()
            self._go_on(entry)
        elif entry.seq == self._last.seq + 1:
            if self._last.sound and entry.prev != self._last.hash:
                self._rewritten(entry)
            self._go_on(entry)
        elif entry.seq > self._last.seq + 1:
            self._gap(entry)
            self._go_on(entry)
        elif entry.seq in self._skipped:
            self._skipped.discard(entry.seq)
            self._add(REORDERED, entry, f"record {entry.seq} stands out of its order, in line {entry.line}")
        elif following is not None and following.sound and following.prev == entry.hash:
            self._add(
                INSERTED, self._last, f"line {self._last.line} was put in: the log goes on from line {entry.line}"
            )
            self._go_on(entry)
        else:
            self._add(INSERTED, entry, f"line {entry.line} was put in: number {entry.seq} is another record's")

    def _go_on(self, entry: Entry) -> None:
        self._last = self.sound = entry

    def _altered(self, entry: Entry) -> None:
        """Its number is by its place, for the one that it claims may be what was changed."""
        placed = Entry(entry.line, False, self._last.seq + 1, entry.hash, None)
        self._add(ALTERED, placed, f"record {placed.seq} (line {entry.line}) was altered: it is not what its hash says")
        self._last = placed

    def _stands_after_garbage(self, entry: Entry) -> bool:
        """Whether the unsound line before stands between two records that follow each other."""
        sound = self.sound
        return not self._last.sound and sound is not None and entry.prev == sound.hash and entry.seq == sound.seq + 1

    def _garbage(self) -> None:
        """All unsound lines since the last sound one were put in."""
        sound = self.sound.line if self.sound is not None else 0
        self.flaws = [
            Flaw(
                INSERTED,
                flaw.segment,
                flaw.line,
                flaw.first,
                flaw.last,
                f"line {flaw.line} was put in: it is no record",
            )
            if flaw.kind == ALTERED and flaw.line > sound
            else flaw
            for flaw in self.flaws
        ]

    def _rewritten(self, entry: Entry) -> None:
        last = self._last
        text = (
            f"record {last.seq} (line {last.line}) was altered and has a new hash: record {entry.seq} follows another"
        )
        self._add(ALTERED, last, text)

    def _gap(self, entry: Entry) -> None:
        """Numbers are missing between two lines. Those that stand elsewhere were moved, the others are gone."""
        between = range(self._last.seq + 1, min(entry.seq, self._last.seq + MOST_REMOVED))
        self._skipped.update(seq for seq in self._numbers if self._last.seq < seq < entry.seq)
        for first, last in _ranges([seq for seq in between if seq not in self._numbers]):
            what = f"record {first} was" if first == last else f"records {first} to {last} were"
            self.flaws.append(Flaw(REMOVED, self._segment, 0, first, last, f"{what} removed, before line {entry.line}"))

    def _add(self, kind: str, entry: Entry, text: str) -> None:
        self.flaws.append(Flaw(kind, self._segment, entry.line, entry.seq, entry.seq, text))


def _ranges(numbers: List[int]) -> Iterable[Tuple[int, int]]:
    """Runs of numbers that follow each other."""
    start: Optional[int] = None
    for index, number in enumerate(numbers):
        start = number if start is None else start
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            yield start, number
            start = None
