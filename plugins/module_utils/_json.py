# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that anybody may have made, read in bounded memory and time.

Python's own reader takes a key that is there twice (the last one wins), numbers that are none, and numbers of any
length; three bytes of text can become a dictionary of two hundred. What we write has none of that, so it is refused.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

MAX_VALUES = 2_000_000  # some half a GiB of dictionaries at the worst; a hundred thousand tables have half as many
_MAX_DIGITS = 40


def parse(data: bytes) -> Any:
    """The value in these ASCII bytes; raises ValueError for anything that two readers could read differently."""
    if data.count(b",") + data.count(b"{") + data.count(b"[") > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")
    try:
        return _DECODER.decode(data.decode("ascii"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is there twice")
    return value


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if len(text) > _MAX_DIGITS or value - value != 0:  # infinite: the text was beyond what a float holds
        raise ValueError(f"a number that no float holds: {text[:_MAX_DIGITS]}")
    return value


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_real, parse_constant=_constant)
