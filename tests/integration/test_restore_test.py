# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The weekly restore test through its playbook: good drills, and those that must fail."""

from __future__ import annotations

import html.parser
import json
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from integration.disturbance import TIME, job_processes, playing, wait_until
from integration.forging import DUMP, Members, forged
from integration.world import AS_L5, Played, World

PLAYBOOK = "restore_test.yml"
PLACED = {"table": "app.orders", "column": "placed_at"}


def drill(world: World, *arguments: str, **extra: Any) -> Played:
    return world.play(PLAYBOOK, *arguments, extra={**AS_L5, **extra})


def evidence(world: World) -> tuple[dict[str, Any], str]:
    """The newest document and its page."""
    directory = world.records / "hosts" / world.host["name"] / "drills"
    newest = max(directory.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    document: dict[str, Any] = json.loads(newest.read_text())
    return document, newest.with_suffix(".html").read_text()


def verification_log(world: World) -> list[dict[str, Any]]:
    """A line for each drill, as the control node has it."""
    path = world.records / "hosts" / world.host["name"] / "verification.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def ended(world: World) -> set[str]:
    """The drills whose end is in the host's audit log."""
    return {each["run_id"] for each in world.audit() if each["event"] == "drill_end"}


def steps(document: dict[str, Any]) -> list[str]:
    return [step["result"] for step in document["steps"]]


def nothing_is_left(world: World) -> None:
    """No workspace, no scratch database, no server."""
    assert list((world.control / "drills").iterdir()) == []
    with world.connect("postgres") as session:
        names = [name for (name,) in session.execute("SELECT datname FROM pg_database").fetchall()]
    assert not [name for name in names if name.startswith("wst_drill")]
    runs = {record["run_id"] for record in world.audit()}
    markers = [path / "wst-drill" for path in Path(tempfile.gettempdir()).glob("wst-server-*")]
    assert not [
        path for path in markers if path.exists() and path.read_text() in runs
    ]  # others' tests make theirs there


def dump_of(world: World, database: str) -> bytes:
    """What the server's own pg_dump makes of that database."""
    program = Path(world.record["postgres"]["bin"]) / "pg_dump"
    argv = [str(program), *world.psql(database)[1:7], "--format=custom", database]
    return subprocess.run(argv, env=world.libpq_environment(), capture_output=True, check=True).stdout


def altered_dump(world: World, statement: str) -> bytes:
    """A dump of production as it would be after that statement."""
    name = world.record["postgres"]["database"]
    with world.connect("postgres") as session:
        session.execute(f'CREATE DATABASE altered TEMPLATE "{name}"'.encode())
    try:
        with world.connect("altered") as session:
            session.execute(statement.encode())
        return dump_of(world, "altered")
    finally:
        with world.connect("postgres") as session:
            session.execute(b"DROP DATABASE altered WITH (FORCE)")


class Page(html.parser.HTMLParser):
    """What is on a page, and whether it needs anything else."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {"src", "href", "onclick"} & {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("layer", [pytest.param("local", marks=pytest.mark.either_lane), "mirror"])
def test_a_good_drill(world: World, layer: str) -> None:
    newest = world.counting()[-1]
    before = {path: digest for path, digest in world.layers().items() if not path.endswith(".state.json")}
    done = drill(world, restore_test_layer=layer, restore_test_freshness=[{**PLACED, "max_age_hours": 800000}])
    assert done.code == 0, done.output
    document, text = evidence(world)
    (compared,) = [step for step in document["steps"] if "fresh" in step["facts"]]
    assert "placed_at of app.orders: the newest was " in compared["facts"]["fresh"][0]
    assert (document["result"], document["code"], document["set"]["artifact"]) == ("success", "", newest)
    assert set(steps(document)) == {"ok"}
    assert document["set"]["layer"] == layer
    assert document["rto_seconds"]["total"] > 0
    assert 0 < document["rpo_seconds"] < 86400
    page = Page()
    page.feed(text)
    assert "passed" in page.text
    assert newest in page.text
    assert not page.tags & {"script", "img", "link", "iframe"}
    state = json.loads(((world.local if layer == "local" else world.mirror) / f"{newest}.state.json").read_text())
    assert state["body"]["drilled"]["run_id"] == document["run_id"]
    end = world.audit()[-1]
    assert (end["event"], end["result"], end["details"]["artifact"]) == ("drill_end", "success", newest)
    details = end["details"]
    assert set(details["seconds"]) == {"extract", "files", "restore", "compare"}
    assert 0 < int(details["dump_bytes"]) < int(details["bytes"])
    beside = ("\\" if world.windows else "/").join([world.host["paths"]["root"], "scratch", "taken-out"])
    told = {**AS_L5, "restore_reason": "to see the plan", "restore_beside": beside}
    plan = " ".join(world.play("restore.yml", "--check", extra=told).output.split())
    assert "how long it takes: about" in plan
    assert f"from the restore test of {end['time']} ({newest}, " in plan
    assert "drilled" in world.play("list.yml").output
    nothing_is_left(world)
    after = {path: digest for path, digest in world.layers().items() if not path.endswith(".state.json")}
    assert after == before


@pytest.mark.either_lane
def test_an_operator_is_refused_and_check_mode_makes_nothing(world: World) -> None:
    refused = world.play(PLAYBOOK)
    assert refused.failed_with("not_authorized"), refused.output
    document, _text = evidence(world)
    assert (document["code"], document["failed_at"]) == ("not_authorized", "Prove L5")
    end = world.audit()[-1]
    assert (end["event"], end["result"], end["code"]) == ("drill_end", document["result"], document["code"])
    checked = drill(world, "--check")
    assert checked.code == 0, checked.output
    assert world.counting()[-1] in checked.output
    assert evidence(world)[0] == document
    nothing_is_left(world)


@pytest.mark.either_lane
def test_an_old_set(world: World) -> None:
    done = drill(world, restore_test_layer="local", restore_test_max_age_hours=0.0001)
    assert done.failed_with("set_too_old"), done.output
    assert evidence(world)[0]["result"] == "failure"
    nothing_is_left(world)


@pytest.mark.either_lane
def test_a_young_set_with_old_data(world: World) -> None:
    done = drill(world, restore_test_layer="local", restore_test_freshness=[{**PLACED, "max_age_hours": 0.0001}])
    assert done.failed_with("drill_mismatch"), done.output
    document, text = evidence(world)
    assert document["failed_at"] == "Compare the database"
    (difference,) = document["differences"]
    assert difference.startswith("placed_at of app.orders: the newest was ")
    assert difference in text
    nothing_is_left(world)


@pytest.mark.either_lane
def test_one_byte_of_one_file(world: World) -> None:
    """The ZIP is whole, its sidecar is right, and one file is not what the manifest says."""

    def change(members: Members) -> None:
        name = next(name for name in members if name.startswith("wst/") and len(members[name]) > 10)
        members[name] = members[name][:5] + bytes([members[name][5] ^ 1]) + members[name][6:]

    with forged(world, change, listed=False) as stem:
        done = drill(world, restore_test_layer="local", restore_test_set=stem)
    assert done.failed_with("artifact_damaged"), done.output
    document, text = evidence(world)
    assert document["failed_at"] == "Restore the files and the dump"
    assert steps(document).count("not reached") == 5
    assert "failed (artifact_damaged)" in text
    nothing_is_left(world)


def with_dump(data: bytes) -> Any:
    def change(members: Members) -> None:
        members[DUMP] = data

    return change


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("UPDATE app.employees SET \"Full Name\" = 'x' WHERE ctid = '(0,1)'", "other rows of app.employees"),
        pytest.param(
            "DROP TABLE app.customers CASCADE",
            "table app.customers is not there",
            marks=pytest.mark.either_lane,
        ),
    ],
)
def test_a_dump_that_is_not_of_the_database_that_the_manifest_tells_of(
    world: World, statement: str, difference: str
) -> None:
    with forged(world, with_dump(altered_dump(world, statement))) as stem:
        done = drill(world, restore_test_layer="local", restore_test_set=stem)
    assert done.failed_with("drill_mismatch"), done.output
    document, text = evidence(world)
    assert any(difference in each for each in document["differences"]), document["differences"]
    assert difference in text
    assert document["failed_at"] == "Compare the database"
    nothing_is_left(world)


@pytest.mark.either_lane
def test_a_truncated_dump(world: World) -> None:
    whole = dump_of(world, world.record["postgres"]["database"])
    with forged(world, with_dump(whole[: len(whole) * 9 // 10])) as stem:
        done = drill(world, restore_test_layer="local", restore_test_set=stem)
    assert done.failed_with("dump_damaged"), done.output
    assert evidence(world)[0]["failed_at"] == "Restore the database"
    nothing_is_left(world)


@pytest.mark.either_lane
def test_a_drill_that_died_is_cleared_by_the_next_and_is_in_no_backups_way(world: World) -> None:
    with playing(world, "playbooks/restore_test.yml", extra={**AS_L5, "restore_test_layer": "local"}) as run:
        wait_until(lambda: list((world.control / "drills").glob("*/scratch.json")), "no scratch database was begun")
        run.kill()
    wait_until(lambda: not job_processes(world), "the host's job goes on")
    assert list((world.control / "drills").glob("*/scratch.json"))
    (died,) = {each["run_id"] for each in world.audit() if each["event"] == "drill_start"} - ended(world)
    again = drill(world, restore_test_layer="local")
    assert again.failed_with("locked"), again.output
    backup = world.play("backup.yml")
    assert backup.code == 0, backup.output
    lease = json.loads((world.control / "drill-lock" / "lease.json").read_text())["body"]
    beat = datetime.strptime(lease["heartbeat"], TIME).replace(tzinfo=timezone.utc)
    wait_until(lambda: datetime.now(timezone.utc) - beat > timedelta(seconds=2), "the heartbeat is old")
    done = drill(world, restore_test_layer="local", restore_test_stale_after=1)
    assert done.code == 0, done.output
    (line,) = [each for each in verification_log(world) if each["run_id"] == died]
    assert (line["result"], line["code"], line["evidence"]) == ("failure", "interrupted", None)
    assert verification_log(world)[-1]["result"] == "success"
    nothing_is_left(world)


@pytest.mark.either_lane
def test_a_backup_beside_a_drill_and_both_end_well(world: World) -> None:
    before = world.artifacts()
    with playing(world, "playbooks/restore_test.yml", extra={**AS_L5, "restore_test_layer": "local"}) as run:
        wait_until(lambda: list((world.control / "drills").glob("*/scratch.json")), "no scratch database was begun")
        backup = world.play("backup.yml")
        done = run.end()
    assert backup.code == 0, backup.output
    assert done.code == 0, done.output
    assert len(world.artifacts()) == len(before) + 1
    document, _page = evidence(world)
    assert (document["result"], document["set"]["artifact"]) == ("success", before[-1])
    nothing_is_left(world)
