# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every requirement's verdict, one fact away from a host that complies with all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import (
    AuditState,
    AuthorityState,
    Contents,
    Drill,
    Facts,
    LayerOf,
    Pitr,
    Run,
    SetOn,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import Finding, overall
from ansible_collections.wst.backup.plugins.module_utils._compliance.frequency import frequency
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import (
    REQUIREMENTS,
    Exemption,
    Policy,
    Thresholds,
    is_production,
    policy_from,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.verdict import evaluate, report
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid

NOW = datetime(2026, 11, 30, 15, 0, tzinfo=timezone.utc)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DEV = policy_from("dev", {}, [])
PROD = policy_from("production", {}, [])


def azure(**changes: Any) -> Pitr:
    """What Azure says of a server whose backups are in order."""
    good = Pitr(True, 7, NOW - 7 * DAY, NOW - HOUR, NOW - 90 * DAY, True)
    return replace(good, **changes)


def stem(time: datetime) -> str:
    return f"wst-backup-{time:%Y%m%d-%H%M%S}"


def a_set(time: datetime, **changes: Any) -> SetOn:
    made = SetOn(stem(time), time, "complete", True, "", 3, 1000, time, "run")
    return replace(made, **changes)


def layer(name: str, times: List[datetime], **changes: Any) -> LayerOf:
    sets = tuple(a_set(time) for time in sorted(times, reverse=True))
    return replace(LayerOf(name, f"/{name}", sets=sets, free=10**9, total=10**10, days_until_full=400.0), **changes)


def a_run(time: datetime, **changes: Any) -> Run:
    made = Run(f"{time:%Y%m%d-%H%M%S}-aa", time, time + timedelta(minutes=4), "success", "", stem(time), 1000, 10, 20)
    return replace(made, **changes)


def facts(every: timedelta = DAY, count: int = 14, **changes: Any) -> Facts:
    """A host that backs up so often, the last time an hour ago."""
    times = [NOW - HOUR - every * number for number in range(count)]
    made = Facts(
        now=NOW,
        layers=(layer("local", times), layer("mirror", times)),
        runs=tuple(a_run(time) for time in reversed(times)),
        drills=(Drill(NOW - 3 * DAY, "20261127-aa", "success", "", stem(times[-1]), "local", 3600, 40),),
        contents=Contents(stem(times[0]), {"wst": 5, "wst-api": 4}, "wst_dev_database.backup", 100),
        audit=AuditState(since=NOW - 300 * DAY, records=900, anchored=True),
        authority=AuthorityState(since=NOW - 300 * DAY),
        expected_sources=("wst", "wst-api"),
        problems=(),
        pitr=azure(),
        clock_skew=1.0,
    )
    recent = tuple(
        replace(each, sets=tuple(replace(item, verified_at=NOW - DAY) for item in each.sets)) for each in made.layers
    )
    return replace(made, **{"layers": recent, **changes})


def with_layer(base: Facts, index: int, **changes: Any) -> Facts:
    layers = list(base.layers)
    layers[index] = replace(layers[index], **changes)
    return replace(base, layers=tuple(layers))


def verdicts(given: Facts, policy: Policy = DEV) -> Dict[str, Finding]:
    return {each.id: each for each in evaluate(given, policy)}


def test_a_host_that_complies() -> None:
    found = verdicts(facts())
    assert list(found) == list(REQUIREMENTS)
    assert {each.verdict for each in found.values()} == {"compliant"}
    assert not [warning for each in found.values() for warning in each.warnings]
    assert overall(tuple(found.values())) == "compliant"
    assert all(each.summary and each.command for each in found.values())


BASE = facts()
SETS = BASE.layers[0].sets
HOLE = tuple(each for number, each in enumerate(SETS) if number not in (2, 3))
PROBLEM = "path_unusable: gone"
CASES: Dict[str, Tuple[Facts, Dict[str, str], str]] = {
    "no set": (
        replace(with_layer(with_layer(BASE, 0, sets=()), 1, sets=()), contents=None, runs=()),
        {
            "R1": "non-compliant",
            "R2": "unknown",
            "R3": "non-compliant",
            "R4": "unknown",
            "R5": "unknown",
            "F3": "unknown",
        },
        "no set counts",
    ),
    "no layer can be read": (
        replace(
            with_layer(with_layer(BASE, 0, sets=(), problem=PROBLEM), 1, sets=(), problem=PROBLEM),
            contents=None,
            runs=(),
        ),
        dict.fromkeys(("R1", "R2", "R3", "R4", "R5", "F3"), "unknown"),
        PROBLEM,
    ),
    "the mirror is away": (
        with_layer(BASE, 1, sets=(), problem=PROBLEM),
        {"R3": "unknown", "R4": "unknown", "R5": "unknown"},
        PROBLEM,
    ),
    "no mirror at all": (replace(BASE, layers=BASE.layers[:1]), {"R3": "unknown"}, "mirror layer cannot be read"),
    "the mirror is empty": (
        with_layer(BASE, 1, sets=()),
        {"R3": "non-compliant", "R4": "non-compliant"},
        "no set counts",
    ),
    "the mirror is old": (
        with_layer(BASE, 1, sets=SETS[2:]),
        {"R3": "non-compliant", "R4": "non-compliant"},
        "2.0 days old",
    ),
    "the mirror is on the same disk": (
        replace(BASE, problems=({"code": "mirror_wrong_volume", "message": "the same disk"},)),
        {"R3": "non-compliant"},
        "the same disk",
    ),
    "two days are missing": (
        replace(with_layer(with_layer(BASE, 0, sets=HOLE), 1, sets=HOLE), runs=()),
        {"R1": "non-compliant"},
        "72.0 h without",
    ),
    "a set was taken away": (with_layer(BASE, 0, sets=SETS[:3] + SETS[4:]), {"R4": "non-compliant"}, SETS[3].stem),
    "a source is missing": (
        replace(BASE, contents=Contents(SETS[0].stem, {"wst": 5, "wst-api": 0}, "d", 1)),
        {"R2": "non-compliant"},
        "lacks wst-api",
    ),
    "the dump is missing": (
        replace(BASE, contents=Contents(SETS[0].stem, {"wst": 5, "wst-api": 4}, "", 0)),
        {"R2": "non-compliant", "F3": "non-compliant"},
        "the dump",
    ),
    "Azure was not asked": (replace(BASE, pitr=None), {"R3": "unknown"}, "nobody has asked Azure"),
    "Azure does not answer": (replace(BASE, pitr=Pitr(problem="403")), {"R3": "unknown"}, "403"),
    "PITR is off": (replace(BASE, pitr=Pitr(False)), {"R3": "non-compliant"}, "is off"),
    "PITR has nothing yet": (replace(BASE, pitr=Pitr(None, 7, None)), {"R3": "unknown"}, "no restore point yet"),
    "PITR is short": (replace(BASE, pitr=azure(retention_days=5)), {"R3": "non-compliant"}, "keeps 5 days"),
    "PITR does not say for how long": (
        replace(BASE, pitr=azure(retention_days=None)),
        {"R3": "unknown"},
        "not say how many days",
    ),
    "PITR made no backup for two days": (
        replace(BASE, pitr=azure(last_backup=NOW - 49 * HOUR)),
        {"R3": "non-compliant"},
        "last automatic backup 49.0 h ago; 48.0 h is the limit",
    ),
    "PITR does not reach back as it is to": (
        replace(BASE, pitr=azure(earliest=NOW - 2 * DAY)),
        {"R3": "non-compliant"},
        "reaches back 2.0 days and 7 are needed, though the server is 90.0 days old",
    ),
    "PITR reaches back to what is to come": (
        replace(BASE, pitr=azure(earliest=NOW + DAY)),
        {"R3": "non-compliant"},
        "reaches back -1.0 days",
    ),
    "retention is loose": (
        replace(BASE, keep_min=3, min_age_days=1),
        {"R4": "non-compliant"},
        "backup_min_age_days is 1",
    ),
    "a set is damaged": (
        with_layer(BASE, 1, sets=(*SETS, a_set(NOW - 20 * DAY, state="damaged", counts=False, reason="a bit"))),
        {"R5": "non-compliant"},
        "damaged (a bit)",
    ),
    "a set was not read again": (
        with_layer(BASE, 1, sets=(*SETS[:-1], replace(SETS[-1], verified_at=NOW - 8 * DAY))),
        {"R5": "non-compliant"},
        f"1 copies were not read for 7 days: {SETS[-1].stem}",
    ),
    "a set was never read": (
        with_layer(BASE, 1, sets=(*SETS[:-1], replace(SETS[-1], verified_at=None))),
        {"R5": "non-compliant"},
        SETS[-1].stem,
    ),
    "the newest set was read at level 2": (
        with_layer(BASE, 0, sets=(replace(SETS[0], level=2), *SETS[1:])),
        {"R5": "non-compliant"},
        "level 2 only",
    ),
    "no copy of the newest set was read at level 3": (
        with_layer(
            with_layer(BASE, 0, sets=(replace(SETS[0], level=2), *SETS[1:])),
            1,
            sets=(replace(SETS[0], level=1), *SETS[1:]),
        ),
        {"R5": "non-compliant", "F3": "non-compliant"},
        "was not decoded to its end (verified at level 2)",
    ),
    "the key is open": (
        replace(BASE, problems=({"code": "key_permissions", "message": "Everyone"},)),
        {"R6": "non-compliant", "F1": "non-compliant"},
        "Everyone",
    ),
    "the login fails": (
        replace(BASE, problems=({"code": "db_auth_failed", "message": "no"},)),
        {"F1": "non-compliant"},
        "db_auth_failed",
    ),
    "a source is gone": (
        replace(BASE, problems=({"code": "source_missing", "message": "C:\\wst"},)),
        {"F2": "non-compliant"},
        "C:\\wst",
    ),
    "preflight could not look": (
        replace(BASE, problems=None),
        {"R3": "unknown", "R6": "unknown", "F1": "unknown", "F2": "unknown"},
        "looked",
    ),
    "never drilled": (replace(BASE, drills=()), {"R7": "non-compliant"}, "no restore was ever tested"),
    "the newest drill failed": (
        replace(BASE, drills=(*BASE.drills, Drill(NOW - DAY, "r", "failure", "drill_mismatch"))),
        {"R7": "non-compliant"},
        "drill_mismatch",
    ),
    "the newest drill died": (
        replace(BASE, drills=(*BASE.drills, Drill(NOW - DAY, "r", "failure", "interrupted"))),
        {"R7": "non-compliant"},
        "died before its end",
    ),
    "drilled long ago": (
        replace(BASE, drills=(replace(BASE.drills[0], at=NOW - 8 * DAY),)),
        {"R7": "non-compliant"},
        "8.0 days old",
    ),
    "no authority": (
        replace(BASE, authority=AuthorityState(problem="authority_missing: none")),
        {"roles": "non-compliant"},
        "authority_missing",
    ),
    "the log does not hold": (
        replace(BASE, audit=replace(BASE.audit, problem="record 4 was altered")),
        {"logging": "non-compliant"},
        "record 4",
    ),
    "the log was broken": (
        replace(BASE, audit=replace(BASE.audit, broken_at=NOW - DAY)),
        {"logging": "non-compliant"},
        "found broken on 2026-11-29",
    ),
    "no log": (replace(BASE, audit=AuditState()), {"logging": "non-compliant"}, "no audit log"),
}
DERIVED = {"R1", "R5", "R7"}


@pytest.mark.parametrize("name", CASES)
def test_one_fact_away(name: str) -> None:
    given, expected, told = CASES[name]
    found = verdicts(given)
    derived = {expected[each] for each in DERIVED & set(expected)}
    if derived:
        expected = {**expected, "statement": "non-compliant" if "non-compliant" in derived else "unknown"}
    assert {each.id: each.verdict for each in found.values() if each.verdict != "compliant"} == expected
    assert any(told in found[each].summary for each in expected)
    worst = "non-compliant" if "non-compliant" in expected.values() else "unknown"
    assert overall(tuple(found.values())) == worst


WARNINGS = {
    "4-hourly in production": (facts(4 * HOUR, 60), PROD, ""),
    "daily in production": (BASE, PROD, "a gap of 24.0 h is longer than what production is to have"),
    "daily elsewhere": (BASE, DEV, ""),
    "full soon": (with_layer(BASE, 0, days_until_full=9.0), DEV, "the local layer's disk is full in 9 days"),
    "not geo-redundant": (replace(BASE, pitr=azure(geo_redundant=False)), DEV, "not geo-redundant"),
    "a backup of Azure that was due": (replace(BASE, pitr=azure(last_backup=NOW - 48 * HOUR)), DEV, ""),
    "no backup of Azure is known": (replace(BASE, pitr=azure(last_backup=None)), DEV, "it names none"),
    "a backup of Azure is to come": (
        replace(BASE, pitr=azure(last_backup=NOW + DAY)),
        DEV,
        "it says 2026-12-01 15:00, which is to come",
    ),
    "between two snapshots": (
        replace(BASE, pitr=azure(earliest=NOW - 6 * DAY)),
        DEV,
        "Azure's restore reaches back 6.0 days and 7 are needed",
    ),
    "a young server": (
        replace(BASE, pitr=azure(earliest=NOW - 2 * DAY, created=NOW - 3 * DAY)),
        DEV,
        "reaches back 2.0 days and 7 are needed; the server is 3.0 days old",
    ),
    "a server of unknown age": (
        replace(BASE, pitr=azure(earliest=NOW - 2 * DAY, created=None)),
        DEV,
        "how old the server is is not known",
    ),
    "interrupted": (
        replace(BASE, runs=(a_run(NOW - 2 * DAY, result="interrupted", ended=None, artifact=""),)),
        DEV,
        "1 run has a start and no end",
    ),
    "still running": (
        replace(BASE, runs=(a_run(NOW - HOUR, result="interrupted", ended=None, artifact=""),)),
        DEV,
        "",
    ),
    "no anchor": (replace(BASE, audit=replace(BASE.audit, anchored=False)), DEV, "no head of this log"),
    "wrong clock": (replace(BASE, clock_skew=-400.0), DEV, "-400 s"),
    "clock unknown": (replace(BASE, clock_skew=None), DEV, ""),
    "breakglass": (replace(BASE, authority=AuthorityState(NOW, "", 0, 2)), DEV, "L6 was used 2 times"),
    "refused": (replace(BASE, authority=AuthorityState(NOW, "", 3, 0)), DEV, "3 requests were refused"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_warned_of_changes_no_verdict(name: str) -> None:
    given, policy, told = WARNINGS[name]
    found = verdicts(given, policy)
    assert {each.verdict for each in found.values()} == {"compliant"}
    warned = [warning for each in found.values() for warning in each.warnings]
    assert len(warned) == bool(told)
    assert told in "".join(warned)


def test_when_the_verdicts_turn() -> None:
    found = verdicts(BASE)
    assert found["R1"].turns_at == SETS[0].time + 26 * HOUR
    assert found["R7"].turns_at == BASE.drills[0].at + 7 * DAY
    assert (found["R3"].turns_at, found["R3"].turns_why) == (
        SETS[0].time + 26 * HOUR,
        "without a new set on the local layer by then",
    )
    assert found["R5"].turns_at == NOW - DAY + 7 * DAY
    assert found["statement"].turns_at == min(found[each].turns_at or NOW + 99 * DAY for each in DERIVED)
    assert found["statement"].turns_why.startswith("R1: ")
    behind = verdicts(with_layer(with_layer(BASE, 1, sets=SETS[1:]), 0, sets=SETS[:1]))["R3"]
    assert (behind.turns_at, behind.turns_why) == (
        SETS[1].time + 26 * HOUR,
        "without a new set on the mirror layer by then",
    )
    snapshot = verdicts(replace(BASE, pitr=azure(last_backup=NOW - 40 * HOUR)))["R3"]
    assert (snapshot.turns_at, snapshot.turns_why) == (
        NOW + 8 * HOUR,
        "without a new automatic backup of Azure by then",
    )
    assert verdicts(CASES["the mirror is old"][0])["R3"].turns_at is None, "what is wrong does not mend itself"
    hole = verdicts(CASES["two days are missing"][0])["R1"]
    assert hole.turns_at == SETS[1].time + 7 * DAY, "the gap is out of sight then"
    late = verdicts(replace(BASE, now=NOW + 2 * DAY))["R1"]
    assert (late.verdict, late.turns_at) == ("non-compliant", None)
    broken = verdicts(CASES["the log was broken"][0])["logging"]
    assert broken.turns_at == NOW + 6 * DAY


def test_what_is_dated_in_the_future_keeps_nothing_compliant() -> None:
    """The clock was wrong once; since then there was neither a backup nor a drill."""
    later = NOW + 9 * DAY
    future = a_set(later + 900 * DAY)
    drill = replace(BASE.drills[0], at=later + 900 * DAY)
    run = a_run(later + 900 * DAY)
    stuck = replace(BASE, now=later, drills=(*BASE.drills, drill), runs=(*BASE.runs, run))
    stuck = with_layer(with_layer(stuck, 0, sets=(future, *SETS)), 1, sets=(future, *SETS))
    found = verdicts(stuck)
    assert {found[each].verdict for each in ("R1", "R3", "R7", "statement")} == {"non-compliant"}
    assert "of sets, runs and drills 4 are dated in the future" in " ".join(found["logging"].warnings)
    assert report(stuck, DEV)["next"][0]["overdue"] is True


def test_a_break_of_the_log_that_is_over() -> None:
    old = replace(BASE, audit=replace(BASE.audit, broken_at=NOW - 8 * DAY))
    assert verdicts(old)["logging"].verdict == "compliant"


def test_a_young_host_is_judged_from_its_first_day_on() -> None:
    young = facts(DAY, 2, audit=AuditState(NOW - 26 * HOUR, 9, anchored=True))
    assert verdicts(young)["R1"].verdict == "compliant"
    assert verdicts(replace(young, audit=AuditState()))["R1"].verdict == "non-compliant"
    hidden = facts(3 * DAY, 5, audit=AuditState(NOW - HOUR, 1, anchored=True))
    assert verdicts(hidden)["R1"].verdict == "non-compliant", "a log that began anew does not hide a gap between sets"


@given(
    ages=st.lists(st.integers(0, 14 * 24), max_size=40),
    since=st.none() | st.integers(0, 20 * 24),
)
def test_frequency_agrees_with_a_naive_model(ages: List[int], since: int) -> None:
    times = [NOW - HOUR * age for age in ages]
    log = None if since is None else NOW - HOUR * since
    given_facts = replace(BASE, layers=(layer("local", sorted(set(times))),), audit=AuditState(since=log))
    begin = NOW - 7 * DAY
    if log is not None and times:
        begin = max(begin, min(log, *times))
    hours = range(int((begin - NOW) / HOUR), 1)
    uncovered = [hour for hour in hours if not _covered(NOW + HOUR * hour, times, begin)]
    expected = "compliant" if times and not uncovered else "non-compliant"
    assert frequency(given_facts, DEV).verdict == expected


def _covered(moment: datetime, times: List[datetime], begin: datetime) -> bool:
    """Whether a set, or the beginning where there was none before it, is at most 26 hours older than the moment."""
    starts = [time for time in times if time <= moment] or [begin]
    return moment - max(starts) <= 26 * HOUR


def exempting(requirement: str, until: datetime) -> Policy:
    return Policy("dev", Thresholds(), (Exemption(requirement, until, "the disk is ordered", "CISO"),))


def test_an_exemption_is_shown_and_ends() -> None:
    away = CASES["the mirror is away"][0]
    until = NOW + 30 * DAY
    found = verdicts(away, exempting("R3", until))["R3"]
    assert (found.verdict, found.turns_at) == ("exempt", until)
    assert found.exemption == {"until": "2026-12-30", "reason": "the disk is ordered", "by": "CISO"}
    assert PROBLEM in found.summary
    over = verdicts(away, exempting("R3", NOW))["R3"]
    assert (over.verdict, over.exemption) == ("unknown", None)
    assert over.warnings == ("the exemption of CISO ended on 2026-11-30",)
    unneeded = verdicts(BASE, exempting("R3", until))["R3"]
    assert (unneeded.verdict, unneeded.exemption) == ("compliant", None)


def test_the_statement_follows_from_what_is_exempt() -> None:
    found = verdicts(CASES["never drilled"][0], exempting("R7", NOW + 30 * DAY))
    assert found["statement"].verdict == "compliant"
    assert "R7 exempted" in found["statement"].summary


def test_nothing_known_is_not_compliant() -> None:
    assert overall(()) == "unknown"


@pytest.mark.parametrize(
    "given",
    [
        {"max_gap_hours": 27},
        {"max_gap_hours": -1},
        {"warn_gap_hours": -1},
        {"drill_days": 8},
        {"reread_days": 8},
        {"min_sets": 6},
        {"restorable_days": 6},
    ],
)
def test_thresholds_are_never_looser_than_the_doctrine(given: Dict[str, float]) -> None:
    with pytest.raises(InputInvalid, match="takes an exemption"):
        policy_from("dev", given, [])


def test_the_warning_of_production_cannot_be_silenced() -> None:
    with pytest.raises(InputInvalid, match="warn_gap"):
        policy_from("prod", {"warn_gap_hours": 1000}, [])
    assert policy_from("prod", {"warn_gap_hours": 4}, []).thresholds.warn_gap == 4 * HOUR
    assert policy_from("dev", {"warn_gap_hours": 1000}, []).thresholds.warn_gap == 1000 * HOUR


@pytest.mark.parametrize(
    ("name", "production"),
    [
        *[(name, True) for name in ("prod", "PRODUCTION", "live", "", " ", "preprod", "1", "devil", "produkció")],
        *[(name, False) for name in ("dev", " Dev ", "dev2", "test-eu", "QA_1", "staging", "lab")],
    ],
)
def test_an_environment_that_nobody_has_heard_of_is_production(name: str, production: bool) -> None:
    assert is_production(name) is production
    warned = verdicts(BASE, policy_from(name, {}, []))["R1"].warnings
    assert bool(warned) is production


def test_thresholds_may_be_stricter() -> None:
    policy = policy_from("test", {"max_gap_hours": 5, "warn_gap_hours": 3, "drill_days": 1, "min_sets": 9}, [])
    assert policy.thresholds.max_gap == 5 * HOUR
    assert verdicts(BASE, policy)["R1"].verdict == "non-compliant"
    assert verdicts(BASE, policy)["R4"].verdict == "non-compliant"


GOOD = {"requirement": "R3", "until": "2027-01-31", "reason": "ordered", "by": "CISO"}


@pytest.mark.parametrize(
    "change",
    [{"requirement": "R8"}, {"requirement": "statement"}, {"until": "soon"}, {"reason": "no"}, {"by": " "}],
)
def test_an_exemption_has_a_requirement_an_end_a_reason_and_a_name(change: Dict[str, str]) -> None:
    assert policy_from("dev", {}, [GOOD]).exemptions[0].until == datetime(2027, 1, 31, tzinfo=timezone.utc)
    with pytest.raises(InputInvalid):
        policy_from("dev", {}, [{**GOOD, **change}])


def test_the_report_has_all_that_it_says() -> None:
    told = report(BASE, DEV)
    assert (told["verdict"], told["known_at"], told["environment"]) == ("compliant", "2026-11-30T15:00:00Z", "dev")
    assert told["turns_at"] == "2026-12-01T16:00:00Z"
    assert [each["id"] for each in told["requirements"]] == list(REQUIREMENTS)
    assert told["requirements"][0]["evidence"][0]["age_seconds"] == 3600
    assert len(told["runs"]) == 14
    assert told["runs"][-1]["seconds"] == 240
    assert told["drills"][0]["rto_seconds"] == 40
    assert told["drills"][0]["rpo_seconds"] == 3600
    assert told["layers"][0]["newest_at"] == "2026-11-30T14:00:00Z"
    assert told["layers"][0]["bytes"] == 14_000
    assert told["next"] == [
        {"what": "backup", "due_at": "2026-12-01T16:00:00Z", "overdue": False},
        {"what": "restore test", "due_at": "2026-12-04T15:00:00Z", "overdue": False},
    ]


def test_a_clock_that_is_a_little_ahead_or_was_set_back_makes_no_number_negative() -> None:
    soon = a_set(NOW + timedelta(minutes=5))
    ahead = with_layer(replace(BASE, pitr=azure(earliest=NOW + DAY)), 0, sets=(soon, *SETS))
    back = replace(ahead, runs=(a_run(NOW, ended=NOW - HOUR),))
    told = report(back, DEV)
    ages = [each["age_seconds"] for finding in told["requirements"] for each in finding["evidence"]]
    assert min(age for age in ages if age is not None) == 0
    assert told["runs"][0]["seconds"] == 0


def test_what_never_was_is_due_now() -> None:
    bare = replace(BASE, layers=(), runs=(a_run(NOW, ended=None),), drills=(), contents=None)
    told = report(bare, DEV)
    assert {each["overdue"] for each in told["next"]} == {True}
    assert told["runs"][0]["seconds"] is None
    assert report(with_layer(BASE, 0, sets=()), DEV)["layers"][0]["newest_at"] is None


def test_a_report_in_which_nothing_turns() -> None:
    bare = Facts(NOW, (), (), (), None, AuditState(), AuthorityState(problem="none"), (), None, None)
    assert report(bare, DEV)["turns_at"] is None


def test_a_paused_host_does_not_comply_however_fresh_its_sets_are() -> None:
    """Somebody has said that R1 is not kept; that it was up to now is told with it."""
    told = "no backups until 2026-12-24, says ada@control: the second disk is replaced"
    unread = replace(BASE, layers=tuple(replace(each, sets=(), problem="gone") for each in BASE.layers))
    for case in (BASE, replace(BASE, now=NOW + 2 * DAY), replace(BASE, layers=()), unread):
        plain, paused = verdicts(case)["R1"], verdicts(replace(case, paused=told))["R1"]
        assert (paused.verdict, paused.turns_at, paused.command) == ("non-compliant", None, "resume.yml")
        assert paused.summary == f"backups are paused: {told}; {plain.summary}"
        assert paused.evidence == plain.evidence
    assert report(replace(BASE, paused=told), DEV)["verdict"] == "non-compliant"


def test_a_pause_of_which_nothing_is_known_is_warned_of() -> None:
    plain, unknown = verdicts(BASE)["R1"], verdicts(replace(BASE, pause_problem="not known"))["R1"]
    assert unknown == replace(plain, warnings=("not known", *plain.warnings))
