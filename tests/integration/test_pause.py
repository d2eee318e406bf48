# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is paused and resumed through the playbooks, the world read back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from integration.disturbance import assert_next_run_is_clean, assert_tidy
from integration.world import AS_L5, World

pytestmark = pytest.mark.either_lane
REASON = "the second disk is replaced"


def test_a_paused_host_makes_no_backup_until_it_is_resumed(world: World) -> None:
    until = (datetime.now(timezone.utc) + timedelta(days=20)).strftime("%Y-%m-%d")
    asked = {"backup_pause_until": until, "backup_reason": REASON}
    sets = world.layers()
    assert world.play("pause.yml", extra=asked).failed_with("not_authorized")
    assert world.play("pause.yml", "--check", extra={**asked, **AS_L5}).code == 0
    assert not (world.control / "pause.json").exists()
    for _time in range(2):
        paused = world.play("pause.yml", extra={**asked, **AS_L5})
        assert paused.code == 0, paused.output
    record = next(one for one in reversed(world.audit()) if one["event"] == "pause" and one["result"] == "success")
    assert (record["details"]["reason"], record["details"]["until"]) == (REASON, f"{until}T00:00:00Z")

    played = world.play("backup.yml")
    assert played.code == 0, played.output
    assert "host_paused" in played.output
    assert played.says(f"no backups until {until}")
    assert world.layers() == sets
    assert_tidy(world)
    assert world.play("verify.yml").code == 0

    judged = world.play("compliance.yml")
    document = json.loads((world.records / "fleet" / "compliance.json").read_text())
    (host,) = document["hosts"]
    frequency = next(each for each in host["requirements"] if each["id"] == "R1")
    assert (judged.code, host["verdict"], frequency["verdict"]) == (2, "non-compliant", "non-compliant"), judged.output
    assert REASON in frequency["summary"]
    assert judged.says(REASON)
    assert [run for run in host["runs"] if run["code"] == "host_paused"] == []

    for _time in range(2):
        resumed = world.play("resume.yml")
        assert resumed.code == 0, resumed.output
    assert_next_run_is_clean(world)
