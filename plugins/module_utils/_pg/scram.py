# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PostgreSQL server keeps of a password (SCRAM-SHA-256), made here, so that the server never sees the password.

``ALTER ROLE ... PASSWORD`` with the password itself would stand in the server's log wherever statements are logged.
The form is that of ``src/common/scram-common.c``; RFC 5802 and RFC 7677 have the algorithm.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import stringprep
import unicodedata
from typing import Callable, Tuple

ITERATIONS = 4096  # what servers before 16 always use, and later ones unless told otherwise
SALT_BYTES = 16
_DIGEST = "sha256"

_PROHIBITED: Tuple[Callable[[str], bool], ...] = (  # RFC 4013, section 2.3, and unassigned code points, 2.5
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def verifier(password: str, *, salt: bytes, iterations: int = ITERATIONS) -> str:
    """What the server shall keep: printable ASCII without quotes, from which nobody gets the password but by guessing.

    :param salt: random bytes, new ones for each verifier.
    """
    prepared = normalised(password).encode("utf-8")
    salted = hashlib.pbkdf2_hmac(_DIGEST, prepared, salt, iterations)
    client_key = hmac.new(salted, b"Client Key", _DIGEST).digest()
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.new(salted, b"Server Key", _DIGEST).digest()
    return f"SCRAM-SHA-256${iterations}:{_base64(salt)}${_base64(stored_key)}:{_base64(server_key)}"


def normalised(password: str) -> str:
    """The password as client and server compute with it: by SASLprep where that takes it, else as it is."""
    try:
        return saslprep(password)
    except ValueError:
        return password


def saslprep(text: str) -> str:
    """RFC 4013 (a profile of RFC 3454). What is printable ASCII stays as it is. Raises ValueError, without the text,
    for what the profile does not take."""
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared:
        raise ValueError("nothing is left of it")
    if any(prohibited(character) for character in prepared for prohibited in _PROHIBITED):
        raise ValueError("it has a character that the profile does not take")
    if any(map(stringprep.in_table_d1, prepared)):
        _check_right_to_left(prepared)
    return prepared


def _check_right_to_left(text: str) -> None:
    """RFC 3454, section 6."""
    if any(map(stringprep.in_table_d2, text)):
        raise ValueError("it mixes directions")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise ValueError("what is written from right to left must begin and end so")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
