# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of errors: every class once, none that an operator could not use."""

from __future__ import annotations

from types import ModuleType

import pytest
from tools.error_table import TableError, page, rows


class Base(Exception):
    """The base of a made-up tree."""

    code = "base"
    remedy = "None."


def module_with(*classes: type[Exception]) -> ModuleType:
    module = ModuleType("made_up")
    for one in classes:
        one.__module__ = "made_up"
        setattr(module, one.__name__, one)
    return module


def error(name: str, doc: str | None, **values: str) -> type[Exception]:
    return type(name, (Base,), {"__doc__": doc, **values})


def test_every_error_of_both_sides_is_on_the_page() -> None:
    from ansible_collections.wst.backup.plugins.module_utils import _errors as host
    from ansible_collections.wst.backup.plugins.plugin_utils import _errors as control

    text = page()
    for one in [*host.all_errors(), *control.TransportError.__subclasses__()]:
        assert f"`{one.code}`" in text
        assert one.remedy in text


def test_rows_keep_the_order_of_the_file_and_say_what_is_carried() -> None:
    found = rows(
        module_with(error("B", "Second\nline.", code="b"), error("A", "First.", code="a", effect="carry")), base=Base
    )
    assert [(row.code, row.meaning, row.effect) for row in found] == [
        ("b", "Second line.", "stops"),
        ("a", "First.", "carried"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        error("NoText", None, code="x"),
        error("NoRemedy", "Text.", code="x", remedy=""),
        error("BadCode", "Text.", code="Bad-Code"),
    ],
)
def test_a_class_that_helps_nobody_is_refused(bad: type[Exception]) -> None:
    with pytest.raises(TableError):
        rows(module_with(bad), base=Base)


def test_a_code_used_twice_is_refused() -> None:
    with pytest.raises(TableError, match="more than one"):
        rows(module_with(error("A", "One.", code="same"), error("B", "Two.", code="same")), base=Base)
