# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much room a restore needs, where, and what is refused for the want of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import NoSpace
from ansible_collections.wst.backup.plugins.module_utils._restore.room import (
    Part,
    Room,
    Volume,
    Wanted,
    on_server,
    on_volumes,
    parts_of,
    require,
)

MANIFEST: dict[str, Any] = {
    "dump": {"size": 5},
    "totals": {"bytes": 100},
    "sources": [{"name": "web", "bytes": 60}, {"name": "api", "bytes": 40}],
    "database": {"database": {"size": 70}},
}
PLACE = "db:5432/shop"
SIZES = st.integers(0, 1 << 60)


def test_trees_need_their_source_and_a_database_its_dump() -> None:
    trees = [("api", "C:\\api"), ("web", "D:\\web")]
    assert parts_of(MANIFEST, Wanted(trees=trees)) == [Part("C:\\api", 40), Part("D:\\web", 60)]
    assert parts_of(MANIFEST, Wanted(scratch="C:\\s", database=PLACE)) == [Part("C:\\s", 5)]
    assert parts_of(MANIFEST, Wanted(beside="C:\\b")) == [Part("C:\\b", 105, at_most=True)]


@pytest.mark.parametrize("broken", [None, {}, {**MANIFEST, "sources": []}, {**MANIFEST, "dump": {"size": "much"}}])
def test_what_does_not_say_its_size_is_not_judged(broken: Any) -> None:
    assert parts_of(broken, Wanted(trees=[("web", "C:\\web")], scratch="C:\\s", database=PLACE)) == []


def test_the_server_has_room_as_far_as_somebody_said() -> None:
    assert on_server(MANIFEST, Wanted(database=PLACE)) == [Room(PLACE, 70, None)]
    assert on_server(MANIFEST, Wanted(database=PLACE, tables=True, free=9)) == [Room(PLACE, 70, 9, at_most=True)]
    assert on_server(MANIFEST, Wanted()) == []
    assert on_server(None, Wanted(database=PLACE)) == []
    assert on_server({"database": {}}, Wanted(database=PLACE)) == []


def test_parts_on_one_volume_must_fit_together() -> None:
    one, other, unknown = Volume("c", 100), Volume("d", 10), Volume("e", None)
    rooms = on_volumes([(Part("C:\\a", 60), one), (Part("D:\\b", 10), other), (Part("C:\\c", 60), one)])
    assert rooms == [Room("C:\\a and C:\\c", 120, 100), Room("D:\\b", 10, 10)]
    assert [room.short for room in rooms] == [True, False]
    assert on_volumes([(Part("E:\\a", 60), unknown)]) == [Room("E:\\a", 60, None)]
    with pytest.raises(NoSpace, match=r"C:\\a and C:\\c: 100 bytes are free, 120 are needed") as caught:
        require(rooms)
    assert caught.value.facts["rooms"] == [rooms[0].as_body()]


@given(st.lists(st.tuples(SIZES, st.booleans(), st.sampled_from("cd")), max_size=6), SIZES)
def test_nothing_that_fits_is_refused_and_nothing_is_refused_by_guess(
    told: list[tuple[int, bool, str]], free: int
) -> None:
    rooms = on_volumes([(Part(f"{name}{size}", size, most), Volume(name, free)) for size, most, name in told])
    assert sum(room.needed for room in rooms) == sum(size for size, _most, _name in told)
    for room in rooms:
        part = [most for _size, most, name in told if room.where.startswith(name)]
        assert room.short == (room.needed > free and not any(part))
    if any(room.short for room in rooms):
        with pytest.raises(NoSpace):
            require(rooms)
    else:
        require(rooms)
