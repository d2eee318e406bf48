# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which set a drill takes, and how old it may be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from unit.plugins.module_utils._sets.layers import NEXT_RUN, PREFIX, RUN, publish_set

from ansible_collections.wst.backup.plugins.module_utils._drill.choice import choose, layer_of, require_fresh
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, SetMissing, SetTooOld
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import Catalog
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=timezone.utc)  # in week 49


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    return Layer(LOCAL, str(tmp_path))


def catalog(layer: Layer) -> Catalog:
    return read_layer(layer, prefix=PREFIX)


@pytest.mark.parametrize(
    ("wanted", "weeks", "layer"),
    [("alternate", 0, "local"), ("alternate", 1, "mirror"), ("local", 1, "local"), ("mirror", 0, "mirror")],
)
def test_the_mirror_has_its_turn_in_every_second_week(wanted: str, weeks: int, layer: str) -> None:
    assert layer_of(wanted, NOW + timedelta(weeks=weeks)) == layer


@given(hours=st.integers(0, 100 * 366 * 24))
@example(hours=0)
def test_layers_take_turns_over_every_new_year(hours: int) -> None:
    """120 weeks from any moment: two years and their ends, also one with a week 53."""
    first = NOW + timedelta(hours=hours)
    turns = [layer_of("alternate", first + timedelta(weeks=week)) for week in range(120)]
    assert {(one, other) for one, other in zip(turns, turns[1:])} == {("local", "mirror"), ("mirror", "local")}


def test_a_week_is_monday_to_sunday() -> None:
    days = [layer_of("alternate", NOW + timedelta(days=day)) for day in range(14)]
    assert (NOW.weekday(), days) == (0, ["local"] * 7 + ["mirror"] * 7)


def test_the_newest_that_counts(layer: Layer) -> None:
    older = publish_set(layer, RUN)
    publish_set(layer, NEXT_RUN, suspect=["it shrank"])
    assert choose(catalog(layer), "newest", layer=LOCAL, prefix=PREFIX).artifact == older


def test_a_named_set_may_be_suspect_and_not_damaged(layer: Layer) -> None:
    named = publish_set(layer, NEXT_RUN, suspect=["it shrank"])
    for name in (named.stem, named.zip):
        assert choose(catalog(layer), name, layer=LOCAL, prefix=PREFIX).artifact == named
    Path(layer.file(named.zip)).write_bytes(b"short")
    with pytest.raises(SetMissing, match="bytes instead of"):
        choose(catalog(layer), named.stem, layer=LOCAL, prefix=PREFIX)


def test_no_set(layer: Layer) -> None:
    with pytest.raises(SetMissing, match=r"no set counts on layer local$"):
        choose(catalog(layer), "newest", layer=LOCAL, prefix=PREFIX)
    suspect = publish_set(layer, RUN, suspect=["it shrank"])
    with pytest.raises(SetMissing, match=f"{suspect.stem} does not: it shrank"):
        choose(catalog(layer), "newest", layer=LOCAL, prefix=PREFIX)
    with pytest.raises(SetMissing, match="there is none"):
        choose(catalog(layer), "wst-backup-20200101-000000", layer=LOCAL, prefix=PREFIX)
    with pytest.raises(InputInvalid):
        choose(catalog(layer), "../x", layer=LOCAL, prefix=PREFIX)


def test_how_old_it_may_be() -> None:
    day = timedelta(hours=26)
    assert require_fresh(NOW - day, NOW, day) == day
    with pytest.raises(SetTooOld, match=r"26\.0 hours ago; at most 26 may be lost"):
        require_fresh(NOW - day - timedelta(seconds=1), NOW, day)
    assert require_fresh(NOW - 300 * day, NOW, None) == 300 * day
