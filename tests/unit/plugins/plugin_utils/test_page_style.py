# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others' texts may do to a page: nothing."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from ansible_collections.wst.backup.plugins.plugin_utils._page_style import environment, tame


@pytest.mark.parametrize(
    ("text", "tamed"),
    [
        ("wst-1 ümläut 数据", "wst-1 ümläut 数据"),
        ("a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"),
        ("a\x00b\x1b[31m\x7f\u2028", "a\\u0000b\\u001b[31m\\u007f\\u2028"),
        ("two\nlines\tand", "two\nlines\tand"),
        ("\ud800", "\\ud800"),
        ("z" + "\u0301" * 6, "z" + "\u0301" * 4 + "\\u0301" * 2),
    ],
)
def test_what_is_not_seen_is_shown(text: str, tamed: str) -> None:
    assert tame(text) == tamed


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_turns_or_hides_is_left(text: str) -> None:
    tamed = tame(text)
    assert not set(tamed) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f\u200b\ufeff\x00\x1b")
    tamed.encode("utf-8")  # surrogates would end the write of the page
    assert tame(tamed) == tamed


@given(st.text(st.characters(exclude_categories=())))
def test_a_template_shows_every_text_as_text(text: str) -> None:
    shown = environment().from_string("{{ it }}").render(it=text)
    assert not set(shown) & set("<>\"'")
    assert html.unescape(shown) == tame(text)


def test_numbers_markup_and_what_is_missing() -> None:
    rendered = environment().from_string("{{ a }}{{ b }}{{ c.d.e }}{{ style is string }}").render(a=5, b=Markup("<b>"))
    assert rendered == "5<b>True"
