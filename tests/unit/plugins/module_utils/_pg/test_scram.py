# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifiers against the RFCs' own vectors, libpq's, and real servers."""

from __future__ import annotations

import base64
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._pg import scram


def test_the_vector_of_rfc_7677() -> None:
    """User "user", password "pencil": its ServerSignature follows from this server key."""
    made = scram.verifier("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations=4096)
    assert made == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@pytest.mark.parametrize(
    ("text", "prepared"),
    [  # RFC 4013, section 3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0627\u0628", "\u0627\u0628"),
    ],
)
def test_the_examples_of_rfc_4013(text: str, prepared: str) -> None:
    assert scram.saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u06271", "a\u0627", "", "\u00ad", "\u0221", "\u0627a\u0627"])
def test_what_the_profile_does_not_take_is_used_as_it_is(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        scram.saslprep(text)
    assert not text.strip() or text not in str(refused.value)
    assert scram.normalised(text) == text


@given(st.text(alphabet=string.digits + string.ascii_letters + string.punctuation, min_size=1))
def test_what_a_key_file_may_hold_stays_as_it_is(text: str) -> None:
    assert scram.saslprep(text) == text


@pytest.mark.posix  # needs a server of its own
@pytest.mark.parametrize("password", ["Plain-0123456789", "I\u00adX\u2168", "a\u00a0b", "\u0007bell", "\u06271"])
@pytest.mark.parametrize("iterations", [4096, 20000])
def test_a_server_takes_it_and_libpq_logs_in(database: Any, password: str, iterations: int) -> None:
    """libpq prepares the password by its own code."""
    name = f"scram {database.name}"
    secret = scram.verifier(password, salt=b"0123456789abcdef", iterations=iterations)
    database.run(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{secret}'")
    try:
        with database.server.connect(database.name, user=name, password=password) as session:
            assert session.execute("SELECT session_user").fetchone() == (name,)
    finally:
        database.run(f'DROP ROLE "{name}"')
