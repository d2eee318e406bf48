# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns, by table and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.log", "a.log", True),
        ("*.log", "x/y/a.LOG", True),
        ("*.log", "a.log.txt", False),
        ("*.log", "logs", False),
        ("node_modules/.cache", "node_modules/.cache", True),
        ("node_modules/.cache", "x/node_modules/.cache", False),
        ("**/node_modules/.cache", "x/y/node_modules/.cache", True),
        ("**/node_modules/.cache", "node_modules/.cache", True),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("**/x", "a/bx", False),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/*/z", "a/b/c/z", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("/build", "build", True),
        ("/build", "x/build", False),
        ("[id].tsx", "pages/[id].tsx", True),
        ("[id].tsx", "pages/i.tsx", False),
        ("uploads\\tmp", "Uploads/TMP", True),
        ("a.b", "axb", False),
        ("*", "anything", True),
        ("Ärger*", "x/ärger.txt", True),
    ],
)
def test_table(pattern: str, path: str, matches: bool) -> None:
    assert Patterns([pattern]).match(path, is_directory=False) is matches


def test_a_trailing_slash_means_directories() -> None:
    patterns = Patterns(["logs/"])
    assert patterns.match("x/logs", is_directory=True)
    assert not patterns.match("x/logs", is_directory=False)
    assert patterns.covers("x/logs/today.txt", is_directory=False)


def test_what_is_below_a_match_is_covered() -> None:
    assert Patterns(["cache"]).covers("a/cache/b/c", is_directory=False)
    assert not Patterns(["cache"]).match("a/cache/b/c", is_directory=False)
    assert not Patterns([]).covers("a", is_directory=False)


@pytest.mark.parametrize("pattern", ["", "/", "a//b", "../x", "./x", "a/..", "\\"])
def test_patterns_that_cannot_match_are_refused(pattern: str) -> None:
    with pytest.raises(InputInvalid):
        Patterns([pattern])


@given(st.text(min_size=1).filter(lambda s: not set(s) & set("/\\*?") and s not in (".", "..")))
def test_a_literal_matches_itself_anywhere(name: str) -> None:
    assert Patterns([name]).match("deep/down/" + name, is_directory=False)
