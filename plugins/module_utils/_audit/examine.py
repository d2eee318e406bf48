# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole audit log held against itself and against heads that were kept elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._audit.chain import BEGINNING, Head, read_line
from ansible_collections.wst.backup.plugins.module_utils._audit.diagnosis import (
    CUT_OFF,
    EMPTIED,
    REMOVED,
    REWRITTEN,
    SEGMENT_CHANGED,
    SEGMENT_GONE,
    Entry,
    Flaw,
    diagnose,
    entry_of,
)
from ansible_collections.wst.backup.plugins.module_utils._audit.log import BROKEN
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import FIRST, Segments


@dataclass(frozen=True)
class Anchor:
    """The head that the log once had, who kept it, and since when (UTC text; empty where nothing excuses its loss)."""

    seq: int
    hash: str
    where: str
    at: str = ""


@dataclass(frozen=True)
class Examined:
    """What the log is.

    :param known: flaws of segments that a run has found broken before and closed; the log went on in the next one.
    :param torn: bytes of a line that a crash has torn; the next append heals it.
    """

    head: Head
    records: int
    since: Optional[str]
    flaws: Tuple[Flaw, ...]
    known: Tuple[Flaw, ...]
    torn: int
    anchors: int


@dataclass(frozen=True)
class _Segment:
    name: str
    entries: List[Entry]
    flaws: List[Flaw]
    head: Head
    torn: int
    first_line: bytes


def examine(segments: Segments, anchors: Sequence[Anchor] = ()) -> Examined:
    """Everything that does not hold, in the order of the log. Raises OSError."""
    read = [_read(segments, name) for name in segments.names()]
    known: List[Flaw] = []
    flaws: List[Flaw] = []
    for index, segment in enumerate(read):
        later = read[index + 1] if index + 1 < len(read) else None
        own = [*_beginning(segments, segment, read[index - 1] if index else None), *segment.flaws]
        (known if later is not None and _closed(segments, segment, later) else flaws).extend(own)
    broken_at = _last_break(segments, read)
    older = [each for each in anchors if each.at and each.at < broken_at]  # to the second: in doubt it is not known
    newer = [each for each in anchors if each not in older]
    known += _against_anchors(read, older, told=[*known, *flaws])
    flaws += _against_anchors(read, newer, told=flaws)
    first = _record(read[0].first_line) if read else {}
    return Examined(
        head=read[-1].head if read else Head(),
        records=sum(entry.sound for segment in read for entry in segment.entries),
        since=str(first["time"]) if "time" in first else None,
        flaws=tuple(flaws),
        known=tuple(known),
        torn=read[-1].torn if read else 0,
        anchors=len(anchors),
    )


def _read(segments: Segments, name: str) -> _Segment:
    lines = list(segments.lines(name))
    torn = len(lines.pop()) if lines and not lines[-1].endswith(b"\n") else 0
    entries = [entry_of(line, number) for number, line in enumerate(lines, 1)]
    flaws, head = diagnose(entries, name)
    return _Segment(name, entries, flaws, head, torn, lines[0] if lines else b"")


def _beginning(segments: Segments, segment: _Segment, before: Optional[_Segment]) -> Iterable[Flaw]:
    """What is wrong with what a segment's first record says it follows."""
    if not segment.entries:
        yield Flaw(EMPTIED, segment.name, 0, 0, 0, f"{segment.name} holds no whole record, and is never without one")
        return
    if not segment.entries[0].sound:
        return
    first = segment.entries[0]
    if isinstance(first.prev, dict):
        link = str(first.prev.get("segment"))
        if before is None or before.name != link:
            yield Flaw(SEGMENT_GONE, segment.name, 1, 0, 0, f"the segment before {segment.name}, {link}, is gone")
        elif segments.digest(link) != first.prev.get("sha256"):
            text = f"the segment {link} was changed after {segment.name} was begun"
            yield Flaw(SEGMENT_CHANGED, link, 0, 0, 0, text)
    elif segment.name != FIRST:
        yield Flaw(SEGMENT_CHANGED, segment.name, 1, 0, 0, f"{segment.name} does not name the segment before it")
    elif first.prev != BEGINNING or first.seq != 1:
        last = max(1, first.seq - 1)
        yield Flaw(REMOVED, segment.name, 0, 1, last, f"records 1 to {last} were removed, before line 1")


def _closed(segments: Segments, segment: _Segment, later: _Segment) -> bool:
    """Whether a run has found this segment broken and closed it as it is now."""
    record = _record(later.first_line)
    link = record.get("prev")
    if record.get("event") != BROKEN or not isinstance(link, dict) or link.get("segment") != segment.name:
        return False
    return bool(segments.digest(segment.name) == link.get("sha256"))


def _record(line: bytes) -> Dict[str, object]:
    try:
        return read_line(line)
    except (ValueError, json.JSONDecodeError):
        return {}


def _last_break(segments: Segments, read: List[_Segment]) -> str:
    """When a run has last recorded that the log did not hold; empty when none has."""
    mark = BROKEN.encode("ascii")
    lines = (line for segment in read for line in segments.lines(segment.name) if mark in line)
    times = (str(record.get("time")) for record in map(_record, lines) if record.get("event") == BROKEN)
    return max(times, default="")


def _against_anchors(read: List[_Segment], anchors: Sequence[Anchor], *, told: Sequence[Flaw]) -> List[Flaw]:
    """Heads that the log had and has no more. Of those beyond the end the farthest tells all, of the others the first.

    :param told: flaws that explain what they are about.
    """
    there = {(entry.seq, entry.hash) for segment in read for entry in segment.entries if entry.sound}
    last = max((seq for seq, _hash in there), default=0)
    name = read[-1].name if read else FIRST
    lost = sorted((each for each in anchors if (each.seq, each.hash) not in there), key=lambda each: each.seq)
    beyond = [each for each in lost if each.seq > last]
    flaws = []
    if beyond:
        far = beyond[-1]
        text = f"records {last + 1} to {far.seq} were cut off the end, which {far.where} has seen"
        flaws.append(Flaw(CUT_OFF, name, 0, last + 1, far.seq, text))
    for each in lost:
        if each.seq <= last and not any(flaw.first <= each.seq <= flaw.last for flaw in told):
            text = f"record {each.seq} is not the one that {each.where} has seen: the log was written anew"
            return [*flaws, Flaw(REWRITTEN, name, 0, each.seq, each.seq, text)]
    return flaws
