# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names may stand in an artifact, and which are one on Windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import (
    MAX_DEPTH,
    MAX_PATH,
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


def problem_of_its_parts(path: str) -> str | None:
    """The rule without a memory of directories."""
    parts = path.split("/")
    if path.startswith("/"):
        return "an absolute path"
    if len(parts) > MAX_DEPTH:
        return f"more than {MAX_DEPTH} levels"
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH:
        return f"more than {MAX_PATH} bytes"
    return next((problem for problem in map(component_problem, parts) if problem is not None), None)


PARTS = st.sampled_from(["a", "b.txt", "", ".", "..", "con", "x ", "ж" * 200, "y" * 256, "\ud800", "c:d"])


@given(st.lists(PARTS, max_size=6).map("/".join) | st.lists(PARTS, max_size=80).map("/".join))
def test_what_is_remembered_of_directories_changes_nothing(path: str) -> None:
    assert path_problem(path) == problem_of_its_parts(path)


@pytest.mark.parametrize("levels", [1, 2, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, MAX_DEPTH + 2])
@pytest.mark.parametrize("name", ["a", "ab" * 20, "ж" * 40])
def test_nor_how_deep_or_long_they_may_be(levels: int, name: str) -> None:
    path = "/".join([name] * levels)
    assert path_problem(path) == problem_of_its_parts(path)
    assert path_problem("/" + path) == "an absolute path"
    assert path_problem(path + "/") == problem_of_its_parts(path + "/")
