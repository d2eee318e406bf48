# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints by themselves: what must not matter, and what must."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._pg import fingerprint as fingerprints
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import (
    MODULUS,
    DumpFingerprints,
    Fingerprint,
    LineSum,
    ObjectSum,
)

ROWS = st.lists(st.binary(max_size=30).map(lambda row: row.replace(b"\n", b"")), max_size=12)


def of(rows: list[bytes], cuts: list[int] | None = None) -> Fingerprint:
    """Through the accumulator, in pieces of these lengths."""
    text = b"".join(row + b"\n" for row in rows)
    lines = LineSum()
    position = 0
    while position < len(text):
        length = cuts[position % len(cuts)] if cuts else len(text)
        lines.feed(text[position : position + length])
        position += length
    return lines.fingerprint()


@given(rows=ROWS)
def test_the_definition(rows: list[bytes]) -> None:
    total = sum(int(hashlib.sha256(row).hexdigest(), 16) for row in rows)
    assert of(rows) == Fingerprint(len(rows), total % 2**256)


@given(rows=ROWS, cuts=st.lists(st.integers(1, 50), min_size=1, max_size=10), data=st.data())
def test_neither_chunks_nor_the_order_of_rows_matter(rows: list[bytes], cuts: list[int], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    assert of(shuffled, cuts) == of(rows)


@given(rows=ROWS, data=st.data())
def test_any_changed_byte_matters(rows: list[bytes], data: st.DataObject) -> None:
    text = b"".join(row + b"\n" for row in rows)
    assume(text)
    position = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != text[position]))
    changed = text[:position] + bytes([byte]) + text[position + 1 :]
    assume(changed.endswith(b"\n"))
    changed_rows = changed[:-1].split(b"\n")
    assume(sorted(changed_rows) != sorted(rows))  # "a\nb" and "b\na": a table has no order
    assert of(changed_rows) != of(rows)


@given(first=ROWS, second=ROWS)
def test_parts_add_up(first: list[bytes], second: list[bytes]) -> None:
    assert of(first) + of(second) == of(first + second)


def test_equal_rows_do_not_cancel_each_other() -> None:
    assert len({of([b"a"] * count).text for count in range(6)}) == 6
    assert of([b"a", b"a"]) != of([b"b", b"b"])
    assert of([b"ab", b""]) != of([b"a", b"b"])


def test_as_text() -> None:
    assert Fingerprint(1, 255).text == "0" * 62 + "ff"
    assert Fingerprint(0, MODULUS - 1) + Fingerprint(0, 2) == Fingerprint(0, 1)


def test_a_row_that_does_not_end_is_no_row() -> None:
    lines = LineSum()
    lines.feed(b"a\nb")
    with pytest.raises(ValueError, match="does not end"):
        lines.fingerprint()


def test_many_short_rows_and_one_of_300_megabytes_in_bounded_memory() -> None:
    short = b"\n" * 100_000 + b"1\tab\n" * 200_000
    long = b"x" * (1 << 20)
    digest = hashlib.sha256()
    lines = LineSum()
    tracemalloc.start()
    lines.feed(short)
    for _number in range(300):
        lines.feed(long)
        digest.update(long)
    lines.feed(b"\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    empty, row = (int(hashlib.sha256(line).hexdigest(), 16) for line in (b"", b"1\tab"))
    total = 100_000 * empty + 200_000 * row + int(digest.hexdigest(), 16)
    assert lines.fingerprint() == Fingerprint(300_001, total % MODULUS)
    assert peak < 12 << 20


def test_large_objects_are_listed_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "OBJECTS_LISTED", 2)
    objects = ObjectSum()
    for oid, content in ((7, [b"a", b"b"]), (8, [])):
        objects.begin(oid)
        for piece in content:
            objects.data(piece)
        objects.end()
    listed = {7: hashlib.sha256(b"ab").hexdigest(), 8: hashlib.sha256(b"").hexdigest()}
    assert objects.found().digests == listed
    assert objects.found().fingerprint == of([f"{oid}\t{digest}".encode() for oid, digest in listed.items()])
    for oid in (9, 10):
        objects.begin(oid)
        objects.end()
    assert objects.found().digests is None
    assert objects.found().fingerprint.rows == 4


def test_blocks_do_not_run_into_each_other() -> None:
    found = DumpFingerprints(3)
    for index, rows in ((0, b"1\n"), (2, b"2\n3\n")):
        found.begin(index)
        found.rows(rows)
        found.end()
    assert found.tables == [of([b"1"]), None, of([b"2", b"3"])]
