# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery and judgement leave no secret anywhere: both keys of the host, both tokens, and a new password."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from integration.planting import ROLES, Planted, fresh, server_has
from integration.world import AS_L5, AS_L6

pytestmark = pytest.mark.either_lane


def test_a_drill(planted: Planted) -> None:
    """It logs in with the key of who restores where it is told a server, which the inventory's own drills are not."""
    told = {**AS_L5, "restore_test_server": "{{ lab_restore_database | combine({'name': 'postgres'}) }}"}
    with planted.watched() as watch:
        played = planted.play("restore_test.yml", extra=told)
    assert played.code == 0, played.output[-3000:]
    assert watch.tools > 0, "the programs that may have it were never seen"
    planted.assert_nowhere(played, watch)


def test_a_restore_of_trees_and_the_database(planted: Planted) -> None:
    """With the safety backup before it, and taken back after it."""
    world = planted.world
    source = world.variables()["backup_sources"][0]
    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    text = f"{source['path']}, {place}"
    told: dict[str, Any] = {
        **AS_L6,
        "restore_reason": "secrets are looked for",
        "restore_trees": [{"source": source["name"], "path": source["path"]}],
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": text,
        "restore_confirm": text,
    }
    with planted.watched() as watch:
        played = planted.play("restore.yml", "--diff", extra=told)
    assert played.code == 0, played.output[-3000:]
    assert watch.tools > 0, "the programs that may have it were never seen"
    planted.assert_nowhere(played, watch)
    swap = next(record for record in reversed(world.audit()) if record["event"] == "restore")["run_id"]
    change = {**AS_L6, "restore_swap": swap, "restore_reason": "it was a test", "restore_swap_state": "undone"}
    with planted.watched() as watch:
        undone = planted.play("restore_swap.yml", extra=change)
    assert undone.code == 0, undone.output[-3000:]
    planted.assert_nowhere(undone, watch)
    for path in world.sources["wst"].parent.glob("*.restore-*"):
        shutil.rmtree(path)


def test_a_restore_that_is_refused_by_the_server(planted: Planted) -> None:
    """What the server and libpq say of the login is quoted."""
    world = planted.world
    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    told = {
        **AS_L6,
        "restore_reason": "secrets are looked for",
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": place,
        "restore_confirm": place,
    }
    server_has(world, {"restore.key": fresh()})
    with planted.watched() as watch:
        played = planted.play("restore.yml", extra=told)
    assert played.failed_with("db_auth_failed"), played.output[-3000:]
    planted.assert_nowhere(played, watch)


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_rotation_of_either_key(planted: Planted, tmp_path: Path, name: str) -> None:
    world, new = planted.world, fresh()
    (tmp_path / "new").write_text(new)
    told = {
        **AS_L5,
        "key_rotation_change_server": True,
        "wst_backup_db_password_new": "{{ lookup('ansible.builtin.file', '" + str(tmp_path / "new") + "') }}",
    }
    if name == "restore.key":
        told.update(key_rotation_key="restore", restore_database="{{ lab_restore_database }}")
    with planted.watched(new) as watch:
        played = planted.play("rotate_db_key.yml", "--diff", extra=told)
    assert played.code == 0, played.output[-3000:]
    assert (world.control / name).read_text() == new
    planted.assert_nowhere(played, watch, after={name: new})


def test_a_verdict(planted: Planted) -> None:
    """The document, the page and the metrics are among the control node's records; a verdict may be no."""
    with planted.watched() as watch:
        played = planted.play("compliance.yml", extra={"backup_schedule_hours": 24})
    assert "the fleet is" in played.output, played.output[-3000:]
    assert (planted.world.records / "fleet" / "compliance.json").is_file()
    planted.assert_nowhere(played, watch)
