# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's document, table and metrics, out of what modules return for hosts that answer and hosts that do not."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils._fleet import ending, fleet, overall, telling
from ansible_collections.wst.backup.plugins.plugin_utils._fleet_metrics import METRICS, metrics
from ansible_collections.wst.backup.plugins.plugin_utils._fleet_table import fleet_table

NOW = datetime(2026, 11, 30, 15, 0, tzinfo=timezone.utc)


def requirement(name: str, verdict: str = "compliant", **fields: Any) -> Dict[str, Any]:
    plain = {"title": "Backup frequency", "summary": "why", "warnings": [], "evidence": [], "command": "backup.yml"}
    return {"id": name, "verdict": verdict, **plain, "turns_at": None, "turns_why": "", "exemption": None, **fields}


def judged(verdict: str = "compliant", **fields: Any) -> Dict[str, Any]:
    run = {"at": "2026-11-30T13:00:00Z", "run_id": "r-1", "artifact": "a", "result": "success", "code": ""}
    drill = {"at": "2026-11-27T13:00:00Z", "run_id": "20261127-1-beef", "artifact": "a", "layer": "local"}
    layer = {"layer": "local", "path": "/c", "problem": "", "sets": 9, "counting": 8, "newest_at": None}
    return {
        "collection": "0.1.0",
        "environment": "dev",
        "verdict": verdict,
        "known_at": "2026-11-30T14:59:00Z",
        "turns_at": "2026-12-01T15:00:00Z",
        "requirements": [requirement("R1", verdict)],
        "runs": [{**run, "bytes": 1000, "files": 1, "rows": 2, "seconds": 30}],
        "drills": [{**drill, "result": "success", "code": "", "rto_seconds": 12, "rpo_seconds": 60}],
        "layers": [{**layer, "oldest_at": None, "bytes": 5, "free_bytes": 7, "total_bytes": 9, "full_in_days": 2.5}],
        "next": [{"what": "backup", "due_at": "2026-12-01T15:00:00Z", "overdue": False}],
        **fields,
    }


UNREACHABLE = {"unreachable": True, "msg": "no route"}


def document(results: Dict[str, Any], known: Dict[str, Any] | None = None) -> Dict[str, Any]:
    evidence = {name: {"beef": "../hosts/x/drills/drill-beef.html"} for name in results}
    return fleet(results, known=known or {}, evidence=evidence, made=NOW, controller="op@control", period_days=365)


def test_trouble_comes_first_and_the_worst_verdict_is_the_fleet_s() -> None:
    made = document({"a": judged(), "b": judged("unknown"), "c": judged("non-compliant")})
    assert [host["name"] for host in made["hosts"]] == ["c", "b", "a"]
    assert (made["collection"], made["made"], overall(made)) == ("0.1.0", "2026-11-30T15:00:00Z", "non-compliant")
    assert overall(document({"a": judged()})) == "compliant"
    assert overall(document({"a": judged(), "b": judged("unknown")})) == "unknown"
    assert overall(document({})) == "unknown"
    assert made["hosts"][0]["drills"][0]["evidence"] == "../hosts/x/drills/drill-beef.html"


def test_a_notification_that_failed_is_warned_of_beside_the_logging_until_one_works() -> None:
    host = judged(requirements=[requirement("R1"), requirement("logging", warnings=["its own"])])

    def warnings(result: Dict[str, Any], known: Dict[str, Any], *notices: str) -> Any:
        made = fleet(
            {"a": result}, known=known, evidence={}, made=NOW, controller="", period_days=1, notices={"a": notices}
        )
        return made["hosts"][0], [each["warnings"] for each in made["hosts"][0]["requirements"]]

    part, told = warnings(host, {}, "mail is broken")
    assert told == [[], ["its own", "on the control node: mail is broken"]]
    assert warnings(UNREACHABLE, {"a": part}, "mail is broken")[1] == told
    assert warnings(UNREACHABLE, {"a": part})[1] == [[], ["its own"]]
    assert warnings(UNREACHABLE, {}, "mail is broken")[1] == []
    assert any(
        "logging warns: on the control node" in line for line in fleet_table(document({}) | {"hosts": [part]}, NOW)
    )


def test_what_an_evaluation_ended_with() -> None:
    good = document({"a": judged()})["hosts"][0]
    assert ending(good) == {"code": "", "message": "", "remedy": "", "proof": "compliant at 2026-11-30T14:59:00Z"}
    requirements = [requirement("R1", "non-compliant"), requirement("R2", "exempt"), requirement("R3", "unknown")]
    bad = ending(document({"a": judged("non-compliant", requirements=requirements)})["hosts"][0])
    assert (bad["code"], bad["proof"]) == ("non_compliant", "R1 R3")
    assert bad["message"] == "R1 non-compliant: why\nR3 unknown: why"
    assert "backup.yml." in bad["remedy"]
    assert ending(document({"a": judged("unknown")})["hosts"][0])["code"] == "compliance_unknown"
    away = ending(document({"a": UNREACHABLE}, {"a": good})["hosts"][0])
    assert (away["code"], away["message"], away["proof"]) == ("unreachable", "no route", "")
    bare = [requirement("R1", "non-compliant", command="")]
    assert ending(document({"a": judged("non-compliant", requirements=bare)})["hosts"][0])["remedy"] == ""


def test_a_host_that_does_not_answer_is_not_compliant_and_shows_what_was_last_known() -> None:
    known = document({"a": judged()})["hosts"][0]
    (host,) = document({"a": UNREACHABLE}, {"a": known})["hosts"]
    assert (host["verdict"], host["reached"], host["known_at"]) == ("non-compliant", False, "2026-11-30T14:59:00Z")
    assert host["error"]["code"] == "unreachable"
    assert host["requirements"][0]["verdict"] == "unknown"
    assert host["requirements"][0]["summary"] == "compliant on 2026-11-30T14:59:00Z: why"
    assert len(host["runs"]) == 1, "history stays to be seen"


@pytest.mark.parametrize(
    ("result", "code", "reached"),
    [
        ({}, "unreachable", False),
        ({"failed": True, "code": "locked", "msg": "locked: by another", "remedy": "Wait."}, "locked", True),
        ({"failed": True, "msg": "a traceback"}, "not_judged", True),
        ({**judged(), "failed": True}, "not_judged", True),
        ({"verdict": "splendid"}, "not_judged", True),
    ],
)
def test_whatever_else_comes_is_not_compliant(result: Dict[str, Any], code: str, reached: bool) -> None:
    (host,) = document({"a": result})["hosts"]
    assert (host["verdict"], host["error"]["code"], host["reached"]) == ("non-compliant", code, reached)
    assert (host["runs"], host["requirements"], host["known_at"]) == ([], [], None)


GOOD, BAD, ANSWER = judged(), judged("non-compliant"), {"layers": []}


@pytest.mark.parametrize(
    ("results", "chosen"),
    [
        ([], {}),
        ([None, {}, "text"], {}),
        ([GOOD, ANSWER], GOOD),
        ([ANSWER, BAD], BAD),
        ([{}, UNREACHABLE], UNREACHABLE),
        ([UNREACHABLE, ANSWER], UNREACHABLE),
        ([{**GOOD, "failed": True}, ANSWER], {**GOOD, "failed": True}),
        ([{"verdict": "splendid"}, ANSWER], {"verdict": "splendid"}),
    ],
)
def test_of_all_that_a_host_gave_the_verdict_counts_and_else_why_there_is_none(results: Any, chosen: Any) -> None:
    assert telling(results) == chosen


def test_a_limited_play_says_nothing_of_the_others() -> None:
    results = {"a": judged()}
    part = fleet(results, known={}, evidence={}, made=NOW, controller="c", period_days=365, limit="a,b*")
    *_rest, last = fleet_table(part, NOW)
    assert last.startswith("1 of 1 hosts compliant; limited to a,b*, so nothing is said of others")
    *_rest, last = fleet_table({**part, "limit": None}, NOW)
    assert last == "1 of 1 hosts compliant: the fleet is compliant"


def test_the_table_tells_verdict_ages_and_reasons() -> None:
    failing = judged("non-compliant", runs=[], drills=[], turns_at=None)
    failing["requirements"] += [
        requirement("R3", "exempt", warnings=["full soon"]),
        requirement("R7", "unknown", command=""),
    ]
    known = document({"gone": judged()})["hosts"][0]
    made = document({"good": judged(), "bad": failing, "gone": UNREACHABLE}, {"gone": known})
    lines = fleet_table(made, NOW)
    assert re.split(r"\s{2,}", lines[1]) == ["bad", "dev", "non-compliant", "never", "never", "-", "R1 R7"]
    assert re.split(r"\s{2,}", lines[3]) == ["good", "dev", "compliant", "2h 00m", "3d 2h", "1d 0h", "-"]
    text = "\n".join(lines)
    assert "bad: R1 non-compliant: why [backup.yml]" in text
    assert "bad: R3 exempt: why" in text
    assert "bad: R3 warns: full soon" in text
    assert "bad: R7 unknown: why\n" in text
    assert "gone: unreachable: no route (last known 1m ago)" in text
    assert lines[-1] == "1 of 3 hosts compliant: the fleet is non-compliant"
    assert "nothing was ever known of it" in "\n".join(fleet_table(document({"x": {}}), NOW))
    assert fleet_table(document({}), NOW) == ["0 of 0 hosts compliant: the fleet is unknown"]


def test_metrics_have_every_name_and_no_sample_for_what_is_not_known() -> None:
    text = metrics(document({"a": judged()}))
    for name in METRICS:
        assert f"# HELP {name} " in text
        assert f"# TYPE {name} gauge\n{name}{{" in text
    assert 'wst_backup_last_successful_timestamp_seconds{host="a",environment="dev"} 1796043600\n' in text
    assert 'wst_backup_layer_full_seconds{host="a",environment="dev",layer="local"} 216000\n' in text
    bare = metrics(document({"a": {}}))
    assert 'wst_backup_compliant{host="a",environment=""} 0\n' in bare
    assert 'wst_backup_host_reached{host="a",environment=""} 0\n' in bare
    assert "wst_backup_evaluation" not in bare
    failed = judged(
        runs=[{**judged()["runs"][0], "result": "failure"}], drills=[{**judged()["drills"][0], "result": "failure"}]
    )
    failed["layers"][0]["full_in_days"] = None
    told = metrics(document({"a": failed}))
    assert 'wst_backup_last_status{host="a",environment="dev"} 0\n' in told
    assert "last_successful" not in told
    assert "full_seconds" not in told


@given(name=st.text(max_size=30))
def test_any_name_stays_inside_its_label(name: str) -> None:
    for line in metrics(document({name: judged()})).split("\n"):
        assert not line or line.startswith("#") or re.fullmatch(r'\w+\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+\} \S+', line)


def test_the_age_of_the_unknown() -> None:
    old = judged(known_at=(NOW - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    known = document({"a": old})["hosts"][0]
    assert "(last known 3d 0h ago)" in "\n".join(fleet_table(document({"a": {}}, {"a": known}), NOW))
