# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet's report says first."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.pages.fleet import fleet

from ansible_collections.wst.backup.plugins.plugin_utils import _report_summary as summary
from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import Due, Host, Layer, fleet_from

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=timezone.utc)
FLEET = fleet_from(fleet(seed=1, hosts=22, days=8, runs_a_day=1))


def requirement(name: str, verdict: str = "compliant", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "title": f"title of {name}",
        "verdict": verdict,
        "warnings": [],
        "summary": f"why {name}",
        "evidence": [],
        "turns_at": None,
        "turns_why": "",
        "exemption": None,
        "command": "",
        **more,
    }


def host(name: str, verdict: str, *requirements: dict[str, Any], **more: Any) -> Host:
    lists: dict[str, Any] = {key: [] for key in ("runs", "drills", "layers", "next")}
    one = {"name": name, "verdict": verdict, "reached": True, **lists, **more, "requirements": list(requirements)}
    document = {"schema": 1, "made": "2026-11-30T14:00:00Z", "collection": "1", "controller": "c", "period_days": 30}
    return fleet_from({**document, "hosts": [one]}).hosts[0]


BAD = host("b", "non-compliant", requirement("R1", "unknown"), requirement("R2", "non-compliant"))
WORSE = host("a", "non-compliant", requirement("R1", "non-compliant"), requirement("R2", "non-compliant"))
UNKNOWN = host("c", "unknown", requirement("R2", "unknown"))
WARNED = host("z", "compliant", requirement("R1", warnings=["slow", "late"]), requirement("R3", "exempt"))
GOOD = host("d", "compliant", requirement("R1"))


@given(st.randoms())
def test_the_worst_come_first_in_whatever_order_they_are_told(dice: random.Random) -> None:
    hosts = [BAD, WORSE, UNKNOWN, WARNED, GOOD]
    dice.shuffle(hosts)
    assert [each.name for each in summary.worst_first(hosts)] == ["a", "b", "c", "z", "d"]


@pytest.mark.parametrize(
    ("hosts", "verdict"),
    [
        ([], "unknown"),
        ([GOOD], "compliant"),
        ([GOOD, WARNED], "compliant"),
        ([GOOD, UNKNOWN], "unknown"),
        ([GOOD, UNKNOWN, BAD], "non-compliant"),
    ],
)
def test_one_host_is_enough_for_the_verdict(hosts: list[Host], verdict: str) -> None:
    assert summary.fleet_verdict(hosts) == verdict


def test_numbers_add_up() -> None:
    assert summary.tally(FLEET.hosts) == {"non-compliant": 4, "unknown": 2, "compliant": 16}
    for row in summary.requirement_rows(FLEET.hosts):
        assert sum(row.counts.values()) == 22
        assert len(row.failing) == row.counts["non-compliant"] + row.counts["unknown"]


def test_a_requirement_over_the_fleet() -> None:
    rows = summary.requirement_rows([GOOD, UNKNOWN, BAD, WARNED])
    assert [(row.id, row.title) for row in rows] == [(name, f"title of {name}") for name in ("R1", "R2", "R3")]
    assert [each.name for each in rows[1].failing] == ["b", "c"]  # what fails before what is not known
    assert rows[2].counts == {"non-compliant": 0, "unknown": 0, "compliant": 0, "exempt": 1}


ERROR = {"code": "db_unreachable", "message": "no answer", "remedy": "r"}


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (BAD, "R2: why R2 and 1 more"),
        (UNKNOWN, "R2: why R2"),
        (WARNED, "warning, R1: slow and 1 more"),
        (host("w", "compliant", requirement("R1", warnings=["slow"])), "warning, R1: slow"),
        (GOOD, ""),
        (host("n", "non-compliant", requirement("R1", "unknown"), reached=False), "not reached"),
        (host("n", "non-compliant", reached=False, error=ERROR), "not reached (db_unreachable)"),
        (host("n", "unknown", error=ERROR), "db_unreachable: no answer"),
    ],
)
def test_what_is_wrong_in_a_sentence(of: Host, said: str) -> None:
    assert summary.trouble(of) == said


def layer(name: str, newest: str | None = None, full: float | None = None) -> dict[str, Any]:
    numbers = {"sets": 1, "counting": 1, "bytes": 1}
    return {"layer": name, "path": "p", **numbers, "newest_at": newest, "full_in_days": full}


def test_newest_set_and_last_drill() -> None:
    drills = [
        {"at": f"2026-11-{day}T00:00:00Z", "run_id": "r", "result": result}
        for day, result in ((10, "success"), (17, "success"), (24, "failure"))
    ]
    one = host("a", "compliant", layers=[layer("local"), layer("mirror", "2026-11-30T10:00:00Z")], drills=drills)
    assert summary.newest_set(one) == NOW - timedelta(hours=4)
    assert summary.last_drill(one) == datetime(2026, 11, 17, tzinfo=timezone.utc)
    assert (summary.newest_set(GOOD), summary.last_drill(GOOD)) == (None, None)


def test_what_comes_next_begins_with_what_is_overdue() -> None:
    order = [(not due.overdue, due.due_at) for _host, due in summary.coming(FLEET.hosts)]
    assert order == sorted(order)
    assert isinstance(summary.coming(FLEET.hosts)[0][1], Due)
    assert len(order) == 44


def test_only_what_is_met_can_turn() -> None:
    turns = summary.turning(FLEET)
    assert [turn.at for turn in turns] == sorted(turn.at for turn in turns)
    assert {turn.requirement.verdict for turn in turns} == {"compliant"}
    assert len(turns) == sum(each.turns_at is not None for one in FLEET.hosts for each in one.requirements)


def test_disks_that_fill() -> None:
    one = host("a", "compliant", layers=[layer("local", full=40), layer("mirror", full=0.5)])
    two = host("b", "compliant", layers=[layer("local", full=91), layer("mirror")])
    found: list[tuple[Host, Layer]] = summary.filling([two, one], within=90)
    assert [(each.name, its.layer) for each, its in found] == [("a", "mirror"), ("a", "local")]
    assert len(summary.filling([two, one], within=float("inf"))) == 3


def test_the_exemption_that_ends_first_is_first() -> None:
    late, soon = ({"reason": "r", "until": f"2027-0{month}-01", "by": "b"} for month in (2, 1))
    one = host(
        "a", "compliant", requirement("R1", "exempt", exemption=late), requirement("R2", "exempt", exemption=soon)
    )
    assert [each.id for _host, each, _exemption in summary.exemptions([one])] == ["R2", "R1"]
