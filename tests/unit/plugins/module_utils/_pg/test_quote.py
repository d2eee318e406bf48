# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL text of our own, by table; a server judges it in the tests of the roles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._pg import quote


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", "''"),
        ("plain", "'plain'"),
        ("it's", "'it''s'"),
        ("C:\\data", "E'C:\\\\data'"),
        ("\\'; DROP ROLE x; --", "E'\\\\''; DROP ROLE x; --'"),
        ("two\nlines", "'two\nlines'"),
    ],
)
def test_literals(text: str, quoted: str) -> None:
    assert quote.literal(text) == quoted


@pytest.mark.parametrize(("name", "quoted"), [("t", '"t"'), ('a"b', '"a""b"'), ("user", '"user"'), ("Ä b", '"Ä b"')])
def test_identifiers(name: str, quoted: str) -> None:
    assert quote.identifier(name) == quoted


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("work_mem", "work_mem"),
        ("my.setting", "my.setting"),
        ("My.setting", '"My.setting"'),
        ("a..b", '"a..b"'),
        ("x; DROP", '"x; DROP"'),
        ("ä", '"ä"'),
    ],
)
def test_parameters(name: str, quoted: str) -> None:
    assert quote.parameter(name) == quoted


@given(st.text())
def test_nothing_gets_out_of_its_quotes(text: str) -> None:
    literal, identifier = quote.literal(text), quote.identifier(text)
    body = literal[2:-1].replace("\\\\", "") if literal.startswith("E") else literal[1:-1]
    assert "'" not in body.replace("''", "")
    assert "\\" not in body
    assert '"' not in identifier[1:-1].replace('""', "")
