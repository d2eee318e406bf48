# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names may stand in an artifact, and which are one on Windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import (
    component_problem,
    fold,
    path_problem,
    printable,
)


@pytest.mark.parametrize(
    "name", ["a", "[id].tsx", "Grüße", ".env", "con1", "console", "com", "COM10", "lpt", "aux-1", "a b", "-", "ж" * 255]
)
def test_names_that_windows_holds(name: str) -> None:
    assert component_problem(name) is None
    assert path_problem("wst/" + name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "CON", "con", "nul.txt", "Aux.tar.gz", "COM1", "lpt9.log", "com¹", "CONIN$", "NUL .txt"),
        *("a.", "a ", "a:b", "a\\b", "a*", "a?", 'a"', "<a", "a>", "a|b", "a\x00", "\x1f", "\ud800"),
        *("a" * 256, "😀" * 128),
    ],
)
def test_names_that_it_does_not(name: str) -> None:
    assert component_problem(name) is not None
    assert path_problem("wst/" + name) is not None


@pytest.mark.parametrize(
    "path",
    [
        *("/a", "a//b", "a/../b", "../a", "a/", "C:/a"),
        *("a/" * 255 + "a", "b/" * 40_000 + "c", ("a" * 200 + "/") * 160 + "a"),
    ],
)
def test_paths_that_lead_out(path: str) -> None:
    assert path_problem(path) is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Readme.TXT", "README.txt", True),
        ("ÄÖ", "äö", True),
        ("ж", "Ж", True),
        ("straße", "strasse", False),  # two files on NTFS
        ("ı", "I", False),
        ("é", "e\u0301", False),
    ],
)
def test_one_name_or_two(one: str, other: str, same: bool) -> None:
    assert (fold(one) == fold(other)) is same


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(st.text(alphabet=st.characters()))
def test_what_is_printed_can_be_encoded(name: str) -> None:
    assert printable(name).isprintable()
    printable(name).encode("utf-8")
