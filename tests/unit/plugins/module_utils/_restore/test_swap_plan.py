# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The renames of a swap, from every place where an interruption can leave them, against a little world of names."""

from __future__ import annotations

from typing import Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import (
    ASIDE,
    DONE,
    UNTOUCHED,
    Pair,
    Rename,
    Standing,
    backward,
    forward,
    obstacle,
    pair_from,
    stage,
)

WITH = Pair("new", "target", "old", "n", "o")
WITHOUT = Pair("new", "target", "old", "n", None)
PAIRS = [WITH, WITHOUT]


def begun(pair: Pair) -> Dict[str, str]:
    """Which tree has which name before anything is done."""
    return {"new": "n", **({"target": "o"} if pair.target_id else {})}


def standing(world: Dict[str, str]) -> Standing:
    """What stands where."""
    return Standing(world.get("new"), world.get("target"), world.get("old"))


def play(world: Dict[str, str], renames: List[Rename]) -> None:
    """Do them; a name that is taken or missing is a failure."""
    for rename in renames:
        assert rename.target not in world
        world[rename.target] = world.pop(rename.source)


@given(st.sampled_from(PAIRS), st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=6), st.booleans())
def test_from_any_interruption_all_goes_forward_or_back(
    pair: Pair, interrupted: List[tuple[bool, int]], back: bool
) -> None:
    world = begun(pair)
    for going_back, steps in [*interrupted, (back, 9)]:
        at = stage(pair, standing(world), back=going_back)
        assert at is not None
        play(world, (backward if going_back else forward)(pair, at)[:steps])
    assert world == (begun(pair) if back else {"target": "n", **({"old": "o"} if pair.target_id else {})})


IDS = st.sampled_from([None, "n", "o", "x"])


@given(st.sampled_from(PAIRS), st.builds(Standing, IDS, IDS, IDS), st.booleans())
def test_whatever_stands_there_no_rename_meets_a_taken_name(pair: Pair, now: Standing, back: bool) -> None:
    at = stage(pair, now, back=back)
    if at is None:
        assert pair.target in obstacle(pair, now) or "in the way" in obstacle(pair, now)
        return
    told = {"new": now.new, "target": now.target, "old": now.old}
    world = {name: tree for name, tree in told.items() if tree is not None}
    trees = sorted(world.values())
    play(world, (backward if back else forward)(pair, at))
    assert sorted(world.values()) == trees
    assert world.get("target") == (pair.target_id if back else pair.new_id)


@pytest.mark.parametrize(
    ("pair", "now", "back", "at"),
    [
        (WITH, Standing("n", "o", None), False, UNTOUCHED),
        (WITH, Standing("n", None, "o"), True, ASIDE),
        (WITH, Standing(None, "n", "o"), True, DONE),
        (WITH, Standing("x", "n", "o"), False, DONE),
        (WITH, Standing("x", "n", "o"), True, None),
        (WITH, Standing("n", "x", "o"), False, None),
        (WITH, Standing("n", "o", "x"), False, None),
        (WITH, Standing("n", None, None), False, None),
        (WITH, Standing(None, "o", None), False, None),
        (WITH, Standing("o", "n", None), False, None),
        (WITHOUT, Standing("n", None, None), False, UNTOUCHED),
        (WITHOUT, Standing(None, "n", None), False, DONE),
        (WITHOUT, Standing("n", "x", None), False, None),
    ],
)
def test_how_far_it_has_come(pair: Pair, now: Standing, back: bool, at: Optional[str]) -> None:
    assert stage(pair, now, back=back) == at


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (Standing(None, None, None), "none of the names of target has the new tree or the old tree"),
        (Standing("n", None, None), "none of the names of target has the old tree"),
        (Standing("n", "x", "o"), "target is in the way: it is neither the old tree nor the new one"),
        (Standing("o", "n", None), "the trees of target stand under each other's names"),
    ],
)
def test_an_obstacle_is_told_in_words(now: Standing, words: str) -> None:
    assert obstacle(WITH, now) == words


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_reads_back(pair: Pair) -> None:
    assert pair_from(pair.body()) == pair


@pytest.mark.parametrize("change", [{"new": None}, {"new_id": 7}, {"target_id": 7}])
def test_what_is_no_pair_is_refused(change: Dict[str, object]) -> None:
    with pytest.raises(TypeError):
        pair_from({**WITH.body(), **change})
    with pytest.raises(KeyError):
        pair_from({})
