# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs tell how they ended, through their playbooks, to a real server; what fails there changes nothing of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.test_compliance import NOBODY
from integration.world import AS_L5, Played, World

from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.notify_kit import Server, serving, web
from wstlab.pki import make_pki

pytestmark = pytest.mark.either_lane
SECRET = "planted-Notify-4711"  # not-a-secret: made for this test
MISSING = {"backup_sources": [{"name": "wst", "path": "/nowhere/at/all"}, {"name": "wst-api", "path": "/nor/there"}]}


@dataclass
class Listening:
    """The server, and the variables of an operator who uses it."""

    server: Server
    file: Path

    def take(self) -> list[Any]:
        """What arrived since the last time."""
        seen = [(method, path, json.loads(body) if body else None) for method, path, _headers, body in self.server.seen]
        self.server.seen.clear()
        return seen

    def play(self, world: World, playbook: str, *arguments: str, extra: Any = None) -> Played:
        played = world.play(playbook, "-e", f"@{self.file}", "-vvv", *arguments, extra=extra)
        assert SECRET not in played.output
        return played


@pytest.fixture
def listening(world: World, tmp_path: Path) -> Iterator[Listening]:
    make_pki(tmp_path / "pki")
    with serving(Server(tmp_path / "pki"), web) as server:
        base = f"https://localhost:{server.port}/{SECRET}"
        heartbeats = {
            f"wst_backup_heartbeat_{job}": f"{base}/{job}" for job in ("backup", "restore_test", "compliance")
        }
        plain = {"ca_file": str(tmp_path / "pki" / "ca.pem"), "timeout": 20, "tries": 2, "pause": 0, "event_log": True}
        file = tmp_path / "notify.json"
        file.write_text(
            json.dumps({"wst_backup_notify": plain, "wst_backup_webhook_url": f"{base}/hook", **heartbeats})
        )
        yield Listening(server, file)
    kept = [path for path in world.records.rglob("*") if path.is_file() and SECRET in path.read_text(errors="replace")]
    assert kept == []


def test_a_backup_tells_its_heartbeat_once_it_is_proved_and_people_when_it_failed(
    world: World, listening: Listening
) -> None:
    assert listening.play(world, "backup.yml", "--check").code == 0
    assert listening.take() == []
    done = listening.play(world, "backup.yml")
    assert done.code == 0, done.output
    assert listening.take() == [("GET", f"/{SECRET}/backup", None)]

    failed = listening.play(world, "backup.yml", extra=MISSING)
    assert failed.failed_with("source_missing")
    ((method, path, told),) = listening.take()
    assert (method, path) == ("POST", f"/{SECRET}/hook")
    end = next(each for each in reversed(world.audit()) if each["event"] == "backup_end")
    assert (told["code"], told["host"], told["environment"]) == ("source_missing", world.host["name"], "lab")
    assert told["run_id"] == end["details"]["run_id"] == end["run_id"]
    assert "/nowhere/at/all" in told["message"]
    assert told["remedy"]


def test_a_restore_test_tells_its_heartbeat_and_who_may_not_start_one_is_told_of(
    world: World, listening: Listening
) -> None:
    refused = listening.play(world, "restore_test.yml")
    assert refused.failed_with("not_authorized")
    ((_method, _path, told),) = listening.take()
    assert (told["job"], told["code"]) == ("restore_test", "not_authorized")
    assert told["run_id"]
    drilled = listening.play(world, "restore_test.yml", extra=AS_L5)
    assert drilled.code == 0, drilled.output
    assert listening.take() == [("GET", f"/{SECRET}/restore_test", None)]


def test_a_host_that_cannot_be_reached_is_told_although_no_task_runs_for_it(world: World, listening: Listening) -> None:
    played = listening.play(world, "backup.yml", extra=NOBODY)
    assert played.code == 4, played.output
    ((_method, _path, told),) = listening.take()
    assert (told["code"], told["host"], told["job"]) == ("unreachable", world.host["name"], "backup")


def test_a_channel_that_fails_changes_nothing_and_is_seen(world: World, listening: Listening) -> None:
    listening.server.answers = [404]
    done = listening.play(world, "backup.yml")
    assert done.code == 0, done.output
    assert done.says("notification 'heartbeat' was not sent: notify_refused: the answer was HTTP 404")
    listening.server.answers = [500]
    failed = listening.play(world, "backup.yml", extra=MISSING)
    assert failed.failed_with("source_missing")
    assert failed.says("notification 'webhook' was not sent: notify_refused: the answer was HTTP 500")
    events = (world.records / "hosts" / world.host["name"] / "events.jsonl").read_text().splitlines()
    noted = [each for each in map(json.loads, events) if each["event"] == "notification"]
    assert [(each["channel"], each["about"]) for each in noted[-2:]] == [
        ("heartbeat", ""),
        ("webhook", "source_missing"),
    ]

    nonsense = ("-e", json.dumps({"wst_backup_notify": "{{ this_is_nowhere }}"}))
    assert listening.play(world, "backup.yml", *nonsense, extra=MISSING).failed_with("source_missing")
    done = listening.play(world, "backup.yml", *nonsense)
    assert done.code == 0, done.output
    assert done.says("notification 'settings' was not sent: notify_invalid")

    listening.take()
    listening.server.answers = [200]
    never_met = {"backup_compliance_thresholds": {"max_gap_hours": 0.001}}
    judged = listening.play(world, "compliance.yml", extra=never_met)
    assert judged.code == 2, judged.output
    ((_method, path, told),) = listening.take()
    assert (path, told["code"], told["job"]) == (f"/{SECRET}/hook", "non_compliant", "compliance")
    document = json.loads((world.records / "fleet" / "compliance.json").read_text())
    logging = next(each for each in document["hosts"][0]["requirements"] if each["id"] == "logging")
    assert any("'heartbeat' of backup failed" in each for each in logging["warnings"])
    assert judged.says("logging warns: on the control node: notification 'webhook' of backup failed")
    assert listening.play(world, "compliance.yml", extra=never_met).code == 2
    assert listening.take() == []  # the same as an hour ago
    assert listening.play(world, "backup.yml").code == 0
    assert [path for _method, path, _told in listening.take()] == [f"/{SECRET}/backup"]
