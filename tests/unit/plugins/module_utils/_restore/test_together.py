# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees and a database of one restore: from wherever it died, both end up new or both old."""

from __future__ import annotations

import itertools
from typing import Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._pg import swapjournal
from ansible_collections.wst.backup.plugins.module_utils._restore import swap_plan
from ansible_collections.wst.backup.plugins.module_utils._restore.together import (
    BACK,
    ON,
    WAIT,
    apart,
    mixed,
    way_of_trees,
)

TREES = (None, *swap_plan.STATUSES)
DATABASES = (None, *swapjournal.STATUSES)


def test_both_kinds_of_journals_speak_the_same_language() -> None:
    assert set(swapjournal.STATUSES) < set(swap_plan.STATUSES)


@pytest.mark.parametrize(
    ("trees", "database", "way"),
    [
        ("swapping", None, BACK),
        ("swapped", None, BACK),
        ("swapped", "undone", BACK),
        ("swapping", "undone", BACK),
        ("swapped", "swapping", WAIT),
        ("swapped", "undoing", WAIT),
        ("undoing", "undoing", WAIT),
        ("swapped", "swapped", ON),
        ("swapping", "swapped", ON),
        ("swapped", "removed", ON),
        ("undoing", None, ON),
        ("undoing", "undone", ON),
        ("removing", None, ON),
    ],
)
def test_the_way_of_the_trees(trees: str, database: Optional[str], way: str) -> None:
    assert way_of_trees(trees, database) == way


@pytest.mark.parametrize(("trees", "database"), list(itertools.product(TREES, DATABASES)))
def test_the_way_ends_where_both_are_old_or_both_are_new(trees: Optional[str], database: Optional[str]) -> None:
    """The database is settled first, at either side; then the trees go their way: no mix is left, and no rest."""
    for settled in ("swapped", "undone") if database in ("swapping", "undoing") else (database,):
        now = trees
        if now in ("swapping", "swapped", "undoing"):
            way = way_of_trees(now, settled)
            assert way != WAIT
            now = "undone" if way == BACK or now == "undoing" else "swapped"
        if trees in ("removing", "removed") or settled == "removed":
            continue  # a person has decided
        if settled == "swapped" and trees in (None, "undoing", "undone"):
            assert apart(now, settled, both=True)  # nothing but a person's word about the trees alone leads here
            continue
        assert not apart(now, settled, both=True)


def test_a_mix_is_no_matter_of_a_restore_of_one() -> None:
    assert mixed("swapped", None)
    assert mixed(None, "swapped")
    assert not mixed("swapped", "swapped")
    assert not mixed("removed", None)
    assert apart("swapped", None, both=True)
    assert not apart("swapped", None, both=False)
    assert apart("swapping", None, both=False)
    assert apart(None, "undoing", both=False)
