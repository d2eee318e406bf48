# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records prove themselves: any flipped bit is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._records import decode_record, encode_record

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(st.text(), values, max_size=5)


@given(body=bodies)
def test_a_body_comes_back(body: dict) -> None:
    assert decode_record(encode_record(body), name="x") == body


@given(body=bodies, data=st.data())
def test_any_single_bit_is_found(body: dict, data: st.DataObject) -> None:
    record = bytearray(encode_record(body))
    place = data.draw(st.integers(0, len(record) * 8 - 1))
    record[place // 8] ^= 1 << (place % 8)
    with pytest.raises(RecordDamaged):
        decode_record(bytes(record), name="x")


@given(body=bodies, data=st.data())
def test_any_cut_and_any_addition_is_found(body: dict, data: st.DataObject) -> None:
    record = encode_record(body)
    with pytest.raises(RecordDamaged):
        decode_record(record[: data.draw(st.integers(0, len(record) - 1))], name="x")
    with pytest.raises(RecordDamaged):
        decode_record(record + data.draw(st.binary(min_size=1, max_size=3)), name="x")


@pytest.mark.parametrize("data", [b"", b"null\n", b"[]\n", b'{"body":1}\n', b"\xff\xfe", b"[" * 100000])
def test_anything_else_is_no_record(data: bytes) -> None:
    with pytest.raises(RecordDamaged):
        decode_record(data, name="x")
