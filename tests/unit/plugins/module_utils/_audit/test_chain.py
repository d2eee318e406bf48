# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a chain shows of a change, and, said exactly, what it does not."""

from __future__ import annotations

import io
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._audit.chain import (
    BEGINNING,
    LONGEST_LINE,
    NO_RECORD,
    Chain,
    Head,
    Link,
    read_line,
    seal,
    walk,
)

events = st.dictionaries(
    st.sampled_from(["event", "message", "details"]),
    st.text(max_size=8) | st.integers() | st.dictionaries(st.text(max_size=3), st.booleans(), max_size=2),
)
logs = st.lists(events, min_size=1, max_size=5)


def lines(bodies: List[Dict[str, Any]], *, first: Any = BEGINNING, seq: int = 0) -> List[bytes]:
    out, prev = [], first
    for number, body in enumerate(bodies, seq + 1):
        line, prev = seal({**body, "seq": number, "prev": prev})
        out.append(line)
    return out


def walked(data: bytes) -> Chain:
    return walk(io.BytesIO(data))


@given(bodies=logs)
def test_an_untouched_chain_holds(bodies: List[Dict[str, Any]]) -> None:
    data = b"".join(lines(bodies))
    chain = walked(data)
    assert (chain.broken, chain.torn, chain.good, chain.link) == ("", 0, len(data), None)
    assert chain.head == Head(len(bodies), seal({**bodies[-1], "seq": len(bodies), "prev": prev_of(bodies)})[1])


def prev_of(bodies: List[Dict[str, Any]]) -> str:
    return BEGINNING if len(bodies) == 1 else walked(b"".join(lines(bodies[:-1]))).head.hash


@given(bodies=logs, data=st.data())
def test_every_changed_byte_shows(bodies: List[Dict[str, Any]], data: st.DataObject) -> None:
    """It breaks the chain. Only the very last byte, the line feed, makes a torn line instead, which is cut off into a
    file beside, and recorded."""
    log = bytearray(b"".join(lines(bodies)))
    place = data.draw(st.integers(0, len(log) - 1))
    log[place] ^= data.draw(st.integers(1, 255))
    chain = walked(bytes(log))
    if place == len(log) - 1:
        assert chain.torn > 0
    else:
        assert chain.broken


@given(bodies=logs, data=st.data())
def test_every_byte_put_in_or_taken_out_shows(bodies: List[Dict[str, Any]], data: st.DataObject) -> None:
    log = b"".join(lines(bodies))
    place = data.draw(st.integers(0, len(log) - 1))
    for changed in (log[:place] + log[place + 1 :], log[:place] + b"\n" + log[place:]):
        chain = walked(changed)
        assert chain.broken or chain.torn


@given(bodies=st.lists(events, min_size=2, max_size=5), data=st.data())
def test_records_removed_swapped_or_doubled_show(bodies: List[Dict[str, Any]], data: st.DataObject) -> None:
    log = lines(bodies)
    number = data.draw(st.integers(0, len(log) - 2))
    swapped = log[:number] + [log[number + 1], log[number]] + log[number + 2 :]
    assert walked(b"".join(log[:number] + log[number + 1 :])).broken
    assert walked(b"".join(swapped)).broken
    assert walked(b"".join(log[: number + 1] + log[number:])).broken


@given(bodies=st.lists(events, min_size=2, max_size=5), data=st.data())
def test_a_changed_record_with_a_new_hash_shows_in_the_next(bodies: List[Dict[str, Any]], data: st.DataObject) -> None:
    log = lines(bodies)
    number = data.draw(st.integers(0, len(log) - 2))
    log[number] = seal({**read_line(log[number]), "result": "forged"})[0]
    assert "line %s" % (number + 2) in walked(b"".join(log)).broken


@given(bodies=st.lists(events, min_size=2, max_size=5), data=st.data())
def test_a_cut_end_does_not_show_here(bodies: List[Dict[str, Any]], data: st.DataObject) -> None:
    """That is what the heads in other places are for."""
    kept = data.draw(st.integers(1, len(bodies) - 1))
    chain = walked(b"".join(lines(bodies)[:kept]))
    assert not chain.broken
    assert chain.head.seq == kept < len(bodies)


@given(bodies=logs, cut=st.integers(1, 10))
def test_a_torn_last_line_is_told_from_a_break(bodies: List[Dict[str, Any]], cut: int) -> None:
    log = lines([*bodies, {"event": "the one that was being written"}])
    data = b"".join(log)[:-cut]
    chain = walked(data)
    assert (chain.broken, chain.good, chain.head.seq) == ("", len(b"".join(log[:-1])), len(bodies))
    assert chain.torn == len(data) - chain.good


def test_zeros_of_a_lost_write_are_a_torn_line() -> None:
    data = b"".join(lines([{}, {}]))
    assert walked(data + b"\0" * 700).torn == 700


@pytest.mark.parametrize("data", [b"", b"half a line"])
def test_without_a_whole_record_it_is_broken(data: bytes) -> None:
    assert walked(data).broken == NO_RECORD


def test_a_later_segment_names_the_one_before() -> None:
    link = {"segment": "audit.jsonl", "sha256": "ab"}
    chain = walked(b"".join(lines([{}, {}], first=link, seq=7)))
    assert (chain.broken, chain.link, chain.head.seq) == ("", Link("audit.jsonl", "ab"), 9)


@pytest.mark.parametrize("first", ["1" * 64, None, {"segment": "x"}, 5])
def test_a_segment_without_a_beginning_is_broken(first: Any) -> None:
    assert "beginning" in walked(b"".join(lines([{}], first=first))).broken


def test_numbers_follow_each_other() -> None:
    first = lines([{}])[0]
    prev = walked(first).head.hash
    assert "number" in walked(first + seal({"seq": 3, "prev": prev})[0]).broken


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    assert "longer" in walked(lines([{}])[0] + b"x" * (LONGEST_LINE + 5)).broken


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"seq":"1"}\n',
        b'{"seq":NaN}\n',
        b"\xff\n",
        b"[" * 5000 + b"\n",
        b'{"hash":"x","seq":1}\n',
    ],
)
def test_what_is_no_record(line: bytes) -> None:
    with pytest.raises(ValueError, match="it "):
        read_line(line)
