# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much room a run needs, and which volumes lack it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._preflight.space import Demand, Target, estimate, shortages

sizes = st.integers(0, 1 << 40)


@given(last_zip=sizes, last_dump=sizes, sources=sizes, database=sizes)
def test_the_last_set_tells_more_than_the_sources(last_zip: int, last_dump: int, sources: int, database: int) -> None:
    demand = estimate(last_zip=last_zip, last_dump=last_dump, sources=sources, database=database)
    assert demand.zip >= last_zip
    assert demand.dump >= last_dump
    assert demand == estimate(last_zip=last_zip, last_dump=last_dump, sources=0, database=None)


@given(sources=sizes, database=st.none() | sizes)
def test_a_first_run_asks_for_all_it_could_need(sources: int, database: int | None) -> None:
    demand = estimate(last_zip=None, last_dump=None, sources=sources, database=database)
    assert demand == Demand(dump=database or 0, zip=sources + (database or 0))


@given(dump=sizes, zip_size=sizes, free=st.tuples(sizes, sizes, sizes), min_free=sizes, shared=st.booleans())
def test_a_volume_is_short_exactly_when_its_parts_do_not_fit(
    dump: int, zip_size: int, free: tuple[int, int, int], min_free: int, shared: bool
) -> None:
    scratch = Target("C:/scratch", "C", free[0])
    local = Target("C:/backups", "C" if shared else "E", free[0] if shared else free[1])
    mirror = Target("D:/backups", "D", free[2])
    short = shortages(Demand(dump, zip_size), scratch=scratch, local=local, mirror=mirror, min_free=min_free)
    expected = set()
    if shared and free[0] < dump + zip_size + min_free:
        expected.add("C")
    if not shared and free[0] < dump + min_free:
        expected.add("C")
    if not shared and free[1] < zip_size + min_free:
        expected.add("E")
    if free[2] < zip_size + min_free:
        expected.add("D")
    assert {problem.facts["volume"] for problem in short} == expected
    assert all(problem.code == "no_space" for problem in short)


def test_the_message_has_the_facts() -> None:
    target = Target("C:/b", "C", 10)
    (problem,) = shortages(Demand(5, 7), scratch=target, local=target, mirror=None, min_free=1)
    assert problem.message == "C:/b: 10 bytes are free, about 13 are needed"
