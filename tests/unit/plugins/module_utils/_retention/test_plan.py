# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retention plan: by table, and against a model that is written down naively and independently."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import List, Sequence, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import (
    KEEP,
    REMOVE,
    Candidate,
    Plan,
    Policy,
    plan,
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def candidate(
    age: timedelta, *, counts: bool = True, pinned: str = "", held: bool = False, drilled: bool = False
) -> Candidate:
    """A set of that age."""
    time = NOW - age
    name = ArtifactName(time=time, stem="wst-backup-" + time.strftime("%Y%m%d-%H%M%S"))
    return Candidate(name, counts, "" if counts else "its ZIP is missing", pinned=pinned, held=held, drilled=drilled)


def removed(result: Plan) -> Set[str]:
    """The stems that a plan removes."""
    return {a.stem for a in result.removals}


def test_daily_runs_keep_fourteen() -> None:
    """The doctrine's ordinary case: one run a day, 30 of them."""
    sets = [candidate(DAY * n) for n in range(30)]
    result = plan(sets, Policy(), NOW)
    assert removed(result) == {s.artifact.stem for s in sets[14:]}
    assert [d.artifact for d in result.decisions] == [s.artifact for s in sets]
    assert result.notes == ()
    assert result.stopped is None


def test_removals_start_with_the_oldest() -> None:
    """So that an interrupted execution leaves the newer ones."""
    result = plan([candidate(DAY * n) for n in range(20)], Policy(), NOW)
    assert result.removals == sorted(result.removals)
    assert result.kept == sorted(result.kept, reverse=True)


def test_the_age_floor_wins_over_keep_max_and_says_so() -> None:
    """Six runs a day: 42 sets are younger than seven days."""
    sets = [candidate(timedelta(hours=4) * n) for n in range(60)]
    result = plan(sets, Policy(), NOW)
    assert removed(result) == {s.artifact.stem for s in sets[42:]}
    assert result.notes == (
        "28 sets more than keep_max 14 stay because they are younger than 7 days: the age floor wins",
    )
    assert result.decisions[20].reason == "younger than 7 days, although beyond keep_max 14"


def test_a_set_of_exactly_the_floor_may_go() -> None:
    """Seven days to the second are seven days."""
    policy = Policy(keep_min=1, keep_max=1)
    assert removed(plan([candidate(DAY * 0), candidate(DAY * 7)], policy, NOW)) == {candidate(DAY * 7).artifact.stem}
    assert not removed(plan([candidate(DAY * 0), candidate(DAY * 7 - MINUTE)], policy, NOW))


def test_a_stopped_backup_job_ages_nothing_out() -> None:
    """A year without a run: the 14 newest are still there."""
    sets = [candidate(DAY * (365 + n)) for n in range(14)]
    assert removed(plan(sets, Policy(), NOW)) == set()


def test_sets_that_do_not_count_fill_no_place_and_stay() -> None:
    """Fourteen failed nights push nothing out."""
    bad = [candidate(DAY * n, counts=False) for n in range(1, 15)]
    good = [candidate(DAY * 0)] + [candidate(DAY * (15 + n)) for n in range(13)]
    result = plan(bad + good, Policy(), NOW)
    assert removed(result) == set()
    assert result.decisions[1].reason == "does not count (its ZIP is missing); never removed"


@pytest.mark.parametrize(("ahead", "stops"), [(MINUTE * 5, False), (MINUTE * 5 + timedelta(seconds=1), True)])
@pytest.mark.parametrize("counts", [True, False])
def test_a_time_in_the_future_stops_everything(ahead: timedelta, stops: bool, counts: bool) -> None:
    """A clock that jumped makes everything look old."""
    sets = [candidate(-ahead, counts=counts)] + [candidate(DAY * n) for n in range(40)]
    result = plan(sets, Policy(), NOW)
    assert (result.stopped is not None) is stops
    assert bool(removed(result)) is not stops
    if stops:
        assert all("nothing is removed" in d.reason and d.action == KEEP for d in result.decisions)


def test_thinning_keeps_the_newest_of_each_day_beyond_the_floor() -> None:
    """Four-hourly runs for 20 days, one set a day kept for three more days."""
    sets = [candidate(timedelta(hours=4) * n) for n in range(120)]
    result = plan(sets, Policy(keep_daily=3), NOW)
    extra = [d for d in result.decisions if d.reason == "the newest of its day (keep_daily 3)"]
    assert [d.artifact.stem for d in extra] == [
        "wst-backup-20261116-120000",
        "wst-backup-20261115-200000",
        "wst-backup-20261114-200000",
    ]
    assert len(result.kept) == 42 + 3


def test_a_pin_and_a_reader_keep_what_would_go_and_take_no_place_of_others() -> None:
    """The others' fate is what it would be without."""
    plain = [candidate(DAY * n) for n in range(20)]
    marked = [candidate(DAY * n, pinned="before version 5" if n == 17 else "", held=n in (3, 18)) for n in range(20)]
    spared = {plain[17].artifact.stem, plain[18].artifact.stem}
    assert removed(plan(plain, Policy(), NOW)) - removed(plan(marked, Policy(), NOW)) == spared
    reasons = {d.artifact.stem: d.reason for d in plan(marked, Policy(), NOW).decisions}
    assert reasons[plain[17].artifact.stem] == "pinned (before version 5)"
    assert reasons[plain[18].artifact.stem] == "somebody reads it now; the next run decides again"
    assert reasons[plain[3].artifact.stem] == "one of the 7 newest (keep_min)"


def test_the_newest_drilled_set_stays_and_an_older_one_goes() -> None:
    """It is the only one of which it is known that it restores."""
    sets = [candidate(DAY * n, drilled=n in (20, 25)) for n in range(30)]
    result = plan(sets, Policy(), NOW)
    assert sets[20].artifact in result.kept
    assert sets[25].artifact in result.removals
    assert {d.artifact: d.reason for d in result.decisions}[sets[20].artifact] == (
        "the newest set that a drill has restored"
    )


def test_an_empty_layer() -> None:
    """Nothing to decide."""
    assert plan([], Policy(), NOW) == Plan(())


@pytest.mark.parametrize(
    "numbers",
    [{"keep_min": 0}, {"keep_min": 8, "keep_max": 7}, {"keep_max": 0}, {"min_age_days": -1}, {"keep_daily": -1}],
)
def test_contradicting_numbers_are_refused(numbers: dict[str, int]) -> None:
    """Zero is refused where it could be read as "keep all"."""
    with pytest.raises(InputInvalid):
        Policy(**numbers)


# --- against a model ------------------------------------------------------------------------------------------------

AGES = st.one_of(
    st.integers(-2 * 86400, 40 * 86400),
    st.integers(0, 240).map(lambda n: n * 14400),
    st.sampled_from([7 * 86400 - 1, 7 * 86400, 7 * 86400 + 1, -300, -301]),
)
MARKS = st.sampled_from(["", "", "", "", "pinned", "held", "drilled", "drilled"])
HISTORIES = st.lists(
    st.tuples(AGES, st.booleans() | st.just(True), MARKS), max_size=80, unique_by=lambda one: one[0]
).map(
    lambda made: [
        candidate(
            timedelta(seconds=age),
            counts=counts,
            pinned="why" if mark == "pinned" else "",
            held=mark == "held",
            drilled=mark == "drilled",
        )
        for age, counts, mark in made
    ]
)
POLICIES = st.builds(
    lambda low, more, days, daily: Policy(keep_min=low, keep_max=low + more, min_age_days=days, keep_daily=daily),
    st.integers(1, 10),
    st.integers(0, 10),
    st.integers(0, 10),
    st.integers(0, 5),
)


def model(sets: Sequence[Candidate], policy: Policy) -> Set[str]:
    """What may go, written as the sentences of the doctrine, by counting instead of by place."""
    if any((s.artifact.time - NOW).total_seconds() > 300 for s in sets):
        return set()
    good = [s.artifact for s in sets if s.counts]
    gone: Set[str] = set()
    for one in good:
        newer = [other for other in good if other.time > one.time]
        old_days: List[str] = sorted(
            {g.time.date().isoformat() for g in good if (NOW - g.time).total_seconds() >= policy.min_age_days * 86400},
            reverse=True,
        )
        newest_of_day = not any(
            n.time.date() == one.time.date() and (NOW - n.time).total_seconds() >= policy.min_age_days * 86400
            for n in newer
        )
        thinned_in = newest_of_day and one.time.date().isoformat() in old_days[: policy.keep_daily]
        old = (NOW - one.time).total_seconds() >= policy.min_age_days * 86400
        spared = next(s for s in sets if s.artifact == one)
        last_drilled = spared.drilled and not any(s.drilled and s.counts and s.artifact in newer for s in sets)
        kept = thinned_in or spared.pinned or spared.held or last_drilled
        if old and len(newer) >= policy.keep_max and not kept:
            gone.add(one.stem)
    return gone


@given(HISTORIES, POLICIES)
def test_the_plan_equals_the_model_and_keeps_its_promises(sets: List[Candidate], policy: Policy) -> None:
    """Never below the floor, nothing young, nothing that does not count, never the newest, one decision for each."""
    result = plan(sets, policy, NOW)
    assert removed(result) == model(sets, policy)
    by_stem = {s.artifact.stem: s for s in sets}
    assert sorted(d.artifact.stem for d in result.decisions) == sorted(by_stem)
    good = [s for s in sets if s.counts]
    stay = [s for s in good if s.artifact.stem not in removed(result)]
    assert len(stay) >= min(policy.keep_min, len(good))
    for stem in removed(result):
        assert by_stem[stem].counts
        assert NOW - by_stem[stem].artifact.time >= policy.min_age
    if good:
        assert max(good, key=lambda s: s.artifact) in stay
    assert all(d.reason and d.action in (KEEP, REMOVE) for d in result.decisions)


@given(HISTORIES, POLICIES)
def test_executing_a_plan_leaves_nothing_to_remove(sets: List[Candidate], policy: Policy) -> None:
    """The plan is stable: a second one at the same moment over what is left only removes what thinning lets go."""
    gone = removed(plan(sets, policy, NOW))
    left = [s for s in sets if s.artifact.stem not in gone]
    assert removed(plan(left, policy, NOW)) == set()


@given(HISTORIES, POLICIES)
def test_order_of_input_does_not_matter(sets: List[Candidate], policy: Policy) -> None:
    """Directory order is no information."""
    assert plan(list(reversed(sets)), policy, NOW) == plan(sets, policy, NOW)
