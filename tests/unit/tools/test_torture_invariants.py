# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The invariants of the torture, each on a host that breaks it: names, lock and log, and faults that must strike."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tools.torture import fault, invariants, logbook, names, verdict
from tools.torture.fault import Fault
from tools.torture.independent import Worth
from tools.torture.ledger import Ledger, Looked
from tools.torture.order import Faults, Order, Report
from tools.torture.run import Ran
from tools.torture.world import World

pytestmark = pytest.mark.posix

STEM = "wst-backup-20261123-150000"
RUN, OTHER = "20261123-150000-0000aaaa", "20261123-160000-0000bbbb"
BOTH = {"local": {STEM}, "mirror": {STEM}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Its places, and nothing else of it."""
    places = {name: tmp_path / name for name in ("control", "local", "mirror")}
    for place in (*places.values(), places["control"] / "lock", places["control"] / "audit"):
        place.mkdir()
    entries = {"local": ["x"]}
    database = SimpleNamespace(tools_dir=str(tmp_path))
    told = SimpleNamespace(places=places, control=places["control"], database=database, entries=lambda: entries)
    return cast(World, told)


def ended(**more: Any) -> Ran:
    """A run whose control node lived to its end."""
    return replace(Ran(RUN, results={"__backup_lock": {}}, tried=["backup_start", "backup_end"]), **more)


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "data", "told"),
    [
        (f"{STEM}.zip", b"PK\x03\x04 and no more", "under a final name and bad"),
        (f"{STEM}.zip", b"", "under a final name and bad"),
        (f"{STEM}.manifest.json", b'{"body": {"x": 1}}', "has a sidecar and no ZIP"),
        (f"{STEM}.manifest.json", b'{"body": {"x"', "under a final name and bad"),
        (f"{STEM}.state.json", b"\0" * 40, "under a final name and bad"),
        (f"{STEM}.state.json", b'{"body": {}}', "under a final name and empty"),
    ],
)
def test_what_is_not_whole_under_a_final_name_is_found(world: World, file: str, data: bytes, told: str) -> None:
    (world.places["local"] / file).write_bytes(data)
    assert told in " ".join(names.whole(world, Ledger(), "local"))
    assert names.whole(world, Ledger(rotten={("local", STEM)}), "local") == []
    (world.places["local"] / file).rename(world.places["local"] / f"{file}.{RUN}.partial")
    assert names.whole(world, Ledger(), "local") == []


def test_a_recovery_leaves_sets_that_count_and_evidence_only(world: World) -> None:
    def told(sets: Iterable[dict[str, Any]], foreign: Iterable[str], *rotten: tuple[str, str]) -> str:
        looked = Looked({"local": list(sets)}, {"local": [{"name": name, "reason": "why"} for name in foreign]})
        return " ".join(names.tidy(world, Ledger(rotten=set(rotten)), looked))

    good = {"artifact": STEM, "counts": True, "state": "complete", "reason": ""}
    assert told([good], [f"{STEM}.zip.damaged"]) == "left behind: local/x"
    assert "is unfinished: no sidecar" in told(
        [{**good, "counts": False, "state": "unfinished", "reason": "no sidecar"}], []
    )
    damaged = {**good, "counts": False, "state": "damaged", "reason": "rot"}
    assert "is damaged: rot" in told([damaged], [])
    assert "damaged" not in told([damaged], [], ("local", STEM))
    assert f"{STEM}.zip is foreign" in told([], [f"{STEM}.zip"])


def test_a_pin_is_there_and_its_set(world: World) -> None:
    sets = [{"artifact": STEM, "pinned": None}]
    ledger = Ledger(pinned={STEM})
    assert invariants._pins(ledger, Looked({"local": sets}, {})) == [f"local/{STEM} is not pinned any more"]
    assert invariants._pins(ledger, Looked({"local": [{**sets[0], "pinned": {"by": "x"}}]}, {})) == []
    ledger.good["local"] = {STEM: Worth("", "", ())}
    when = invariants._time(STEM)
    lost = invariants._lost_or_changed(world, ledger, "local", held="", before=when)
    assert f"local/{STEM} is gone and was pinned" in lost


# --- the lock -------------------------------------------------------------------------------------------------------


def lease(world: World, run_id: str) -> None:
    """That run has the host."""
    (world.control / "lock" / "lease.json").write_text(json.dumps({"body": {"run_id": run_id}}))


def test_a_run_that_has_ended_has_given_the_host_back(world: World) -> None:
    assert invariants._lock(world, ended()) == []
    lease(world, RUN)
    assert invariants._lock(world, ended()) == ["the run has ended (well) and still has the host"]
    assert invariants._lock(world, ended(release_struck=True)) == []
    assert invariants._lock(world, ended(controller_died=True)) == []
    assert "nothing came in the way" in invariants._lock(world, ended(unlock={"msg": "why"}))[0]


def test_another_s_lease_stays_where_it_is_known(world: World) -> None:
    lease(world, OTHER)
    assert invariants._lock(world, ended()) == [f"run {OTHER} has the host"]
    assert invariants._lock(world, ended(found=OTHER)) == [f"run {OTHER} has the host"]  # it should have taken over
    assert invariants._lock(world, ended(found=OTHER, code="locked")) == []
    assert invariants._lock(world, ended(other=Ran(OTHER), code="lease_lost")) == []
    gone = replace(ended(), run_id=OTHER)
    assert invariants._lock(world, ended(other=gone, code="lease_lost")) == [f"run {OTHER} has the host"]


# --- the log --------------------------------------------------------------------------------------------------------


def record(event: str, *, code: str = "", run_id: str = RUN, result: str = "", **details: str) -> dict[str, Any]:
    """A line of the log."""
    found = {"artifact": STEM, "taken_over": "", **details}
    result = result or ("failure" if code else "success")
    return {"run_id": run_id, "event": event, "result": result, "code": code, "details": found}


def told(world: World, ran: Ran, *records: dict[str, Any], ledger: Ledger | None = None) -> str:
    """What is wrong with a log of these records."""
    lines = [json.dumps(each) for each in records]
    (world.control / "audit" / "audit.jsonl").write_text("\n".join([*lines, '{"torn']))
    return " ".join(logbook.tells(world, ledger or Ledger(), ran, BOTH))


def test_the_log_s_end_is_what_the_run_came_to(world: World) -> None:
    start = record("backup_start", result="none")
    assert told(world, ended(), start, record("backup_end")) == ""
    assert "the log says ''" in told(world, ended(code="no_space"), start, record("backup_end"))
    assert "the log says 'locked'" in told(world, ended(code="no_space"), record("backup_end", code="locked"))
    assert "contradict" in told(world, ended(), record("backup_end", result="failure"))
    assert "neither it nor the host recorded" in told(world, ended(), start)
    assert told(world, ended(code="no_space", elsewhere=["backup_end"]), start) == ""
    release = record("backup_release", code="path_unusable")
    ran = ended(code="path_unusable", tried=["backup_start", "backup_end", "backup_release"])
    assert told(world, ran, start, record("backup_end"), release) == ""
    assert "not on mirror" in " ".join(logbook.tells(world, Ledger(), ended(), {"local": {STEM}}))


def test_a_run_that_was_killed_has_a_start_and_no_end(world: World) -> None:
    killed = Ran(RUN, controller_died=True, tried=["backup_start"], written=["backup_start"])
    ledger = Ledger()
    assert told(world, killed, record("backup_start"), ledger=ledger) == ""
    assert "has backup_end of run" in told(world, killed, record("backup_start"), record("backup_end"))
    assert "any more of backup_start" in told(world, killed)
    assert "any more of backup_start" in told(world, Ran(OTHER), ledger=ledger)  # not in the rounds that follow either


def test_the_next_start_says_whose_place_was_taken(world: World) -> None:
    ran = ended(found=OTHER)
    end = record("backup_end")
    assert told(world, ran, record("backup_start", taken_over=OTHER), end) == ""
    assert "the log says with nobody" in told(world, ran, record("backup_start"), end)
    assert f"says with {OTHER}" in told(world, ended(), record("backup_start", taken_over=OTHER), end)


# --- faults that must strike ----------------------------------------------------------------------------------------


def reported(kind: str, *, drawn: int, struck: int, hits: Iterable[int] = (), changes: int = 5) -> Report:
    """Of that many rounds."""
    report = Report(changes=[changes, changes + 2], hits=set(hits))
    for number in range(drawn):
        report.note(Fault(kind), ended="", struck=number < struck, hits=())
    return report


def test_faults_that_do_not_strike_prove_nothing() -> None:
    assert verdict.objections(Report(), every=None, each_kind=False) == ["only 0 of 0 faults struck"]
    few, most = (reported(fault.POWER, drawn=10, struck=number) for number in (6, 7))
    assert verdict.objections(few, every=None, each_kind=False) == ["only 6 of 10 faults struck"]
    assert verdict.objections(most, every=None, each_kind=True) == []
    most.add(reported(fault.READER, drawn=1, struck=0))
    most.add(reported(fault.TOOL, drawn=1, struck=0))
    assert verdict.objections(replace(most, rounds=9), every=None, each_kind=True) == ["no reader struck"]


def test_an_enumeration_has_no_gap() -> None:
    kill, full = Fault(fault.KILL_ALL), Fault(fault.REFUSED, number=errno.ENOSPC)
    whole = reported(fault.KILL_ALL, drawn=5, struck=5, hits=range(1, 6))
    assert verdict.objections(whole, every=kill, each_kind=False) == []
    gap = reported(fault.KILL_ALL, drawn=5, struck=5, hits=(1, 2, 5))
    assert verdict.objections(gap, every=kill, each_kind=False) == ["it did not strike before change 3, 4"]
    assert verdict.objections(gap, every=full, each_kind=False) == []  # nothing is written there


def test_the_worlds_share_all_places_of_a_run(tmp_path: Path) -> None:
    places = []
    for number in range(1, 9):
        order = Order(tmp_path, "", "", number, every=Fault(fault.KILL_ALL), first=number, stride=8)
        faults, done = Faults(order, Random(0), steps=10), 0
        while (what := faults.next(done, changes=213)) is not None:
            places.append(what.at)
            done += 1
    assert sorted(places) == list(range(1, 214))


def test_a_world_has_as_many_faults_as_were_ordered(tmp_path: Path) -> None:
    order = Order(tmp_path, "", "", 1, rounds=3, kinds=(fault.POWER,))
    faults = Faults(order, Random(0), steps=10)
    drawn = [faults.next(done, changes=213) for done in range(4)]
    assert [each and each.kind for each in drawn] == [fault.POWER] * 3 + [None]
