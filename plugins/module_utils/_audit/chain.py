# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of the audit log and the chain they make. Bytes in, verdict out; touches no file.

A line is the canonical JSON of a record and a line feed. ``hash`` is the SHA-256 of the canonical JSON of the record
without it; ``prev`` is the hash of the record before, so that no record can be changed, taken out, put in or moved
without a break. A segment's first record names the file before it and the SHA-256 of all its bytes.

What a chain cannot show by itself: records cut off at its end, and a log that was written anew from its beginning by
somebody who may write the file. For these the head (sequence number and hash) is kept in other places too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, BinaryIO, Dict, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._records import canonical

BEGINNING = "0" * 64  # ``prev`` of the very first record
LONGEST_LINE = 1 << 20  # bytes; nothing of ours comes near
NO_RECORD = "it holds no whole record"  # a segment is put in place with its first one, so no crash does that


@dataclass(frozen=True)
class Link:
    """What a segment says about the one before it."""

    segment: str
    sha256: str


@dataclass(frozen=True)
class Head:
    """The end of a chain. ``seq`` 0 is the empty log."""

    seq: int = 0
    hash: str = BEGINNING


@dataclass(frozen=True)
class Chain:
    """What the bytes of a segment are.

    ``good`` is the length in bytes of the whole lines that hold; ``torn`` what stands after the last line feed, in
    bytes. ``broken`` says what does not hold and where, or is empty.
    """

    head: Head
    good: int = 0
    torn: int = 0
    broken: str = ""
    link: Optional[Link] = None


def seal(body: Dict[str, Any]) -> Tuple[bytes, str]:
    """The line for a record without ``hash``, and its hash."""
    digest = hashlib.sha256(canonical(body)).hexdigest()
    return canonical({**body, "hash": digest}) + b"\n", digest


def read_line(line: bytes) -> Dict[str, Any]:
    """The record in a whole line. Raises ValueError, with what is wrong, for all but the bytes that ``seal`` made."""
    try:
        record = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("seq"), int):
        raise ValueError("it is not a record of ours")
    body = {name: value for name, value in record.items() if name != "hash"}
    if seal(body)[0] != line:
        raise ValueError("it does not match its own hash")
    return body


def hash_of_line(line: bytes) -> Head:
    """The head that a chain has after this line. Raises ValueError."""
    body = read_line(line)
    return Head(seq=body["seq"], hash=seal(body)[1])


def walk(file: BinaryIO) -> Chain:
    """Check a whole segment, from where the file stands. Raises OSError."""
    head: Optional[Head] = None
    link: Optional[Link] = None
    good = number = torn = 0
    broken = ""
    while not broken:
        line = file.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            torn = len(line)
            if len(line) == LONGEST_LINE:
                broken = "line %s is longer than any record" % (number + 1)
            break
        number += 1
        try:
            body = read_line(line)
            if head is None:
                link = _link_of(body)
            else:
                _follow(head, body)
            head = Head(seq=body["seq"], hash=seal(body)[1])
            good += len(line)
        except ValueError as error:
            broken = f"line {number}: {error}"
    if head is None:
        return Chain(Head(), torn=torn, broken=broken or NO_RECORD)
    return Chain(head, good, torn=torn, broken=broken, link=link)


def _follow(head: Head, body: Dict[str, Any]) -> None:
    if body.get("prev") != head.hash:
        raise ValueError("it does not follow the record before it")
    if body["seq"] != head.seq + 1:
        raise ValueError("its number is {} after {}".format(body["seq"], head.seq))


def _link_of(body: Dict[str, Any]) -> Optional[Link]:
    """What a segment's first record says of the segment before; None in the first segment of all."""
    prev = body.get("prev")
    if prev == BEGINNING and body["seq"] == 1:
        return None
    if isinstance(prev, dict) and set(prev) == {"segment", "sha256"}:
        return Link(segment=str(prev["segment"]), sha256=str(prev["sha256"]))
    raise ValueError("the beginning of the segment is missing")
