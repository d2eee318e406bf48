# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that uses production is stopped before a restore replaces it, and started after that, on the new tree."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.disturbance import swaps
from integration.winservice import NAME, Worker, serving
from integration.world import AS_L6, World

REASON = {"restore_reason": "a deployment has replaced what is served"}
GOOD, BAD = "good", "bad"


def told(world: World) -> dict[str, Any]:
    """The tree as production, typed twice, and the service that uses it."""
    path = next(each["path"] for each in world.variables()["backup_sources"] if each["name"] == "wst")
    trees = [{"source": "wst", "path": path}]
    target = {"restore_target": path, "restore_confirm": path}
    return {**REASON, **AS_L6, **target, "restore_trees": trees, "restore_services": [NAME]}


@pytest.fixture
def worker(world: World) -> Iterator[Worker]:
    """A set has the good tree; the service has run since, and serves the bad one now."""
    if not world.windows:
        pytest.skip("NOT EXERCISED: services that use production, on the POSIX lane, which has none")
    served = world.sources["wst"] / "served.txt"
    served.write_text(GOOD)
    done = world.play("backup.yml")
    assert done.code == 0, done.output
    served.write_text(BAD)
    with serving(world, served) as worker:
        assert (worker.log(), worker.runs()) == ([f"started {BAD}"], True)
        yield worker
    served.unlink()
    for tree in old_trees(world):
        shutil.rmtree(tree)


def restored(world: World) -> dict[str, Any]:
    """The last record of a restore."""
    return next(record for record in reversed(world.audit()) if record["event"] == "restore")


def old_trees(world: World) -> list[Path]:
    """Those that stand beside."""
    return list(world.sources["wst"].parent.glob("wst.before-*"))


def test_it_is_stopped_on_the_old_tree_and_started_on_the_new_one(world: World, worker: Worker) -> None:
    """First it cannot start, after a good swap: who reads that must not take production for untouched."""
    before, known = world.artifacts(), swaps(world, ".json")
    refused = world.play("restore.yml", "--check", extra={**told(world), "restore_services": [NAME, "wst-wroker"]})
    assert refused.failed_with("restore_target_refused"), refused.output
    assert "no service wst-wroker" in refused.output
    assert (world.artifacts(), old_trees(world), worker.log()) == (before, [], [f"started {BAD}"])

    worker.broken.touch()
    failed = world.play("restore.yml", extra=told(world))
    assert failed.failed_with("service_failed"), failed.output
    assert worker.served.read_text() == GOOD
    assert (worker.log()[1:], worker.runs()) == ([f"stopped {BAD}"], False)
    ((swap, status),) = set(swaps(world, ".json").items()) - set(known.items())
    assert status == "swapped"
    assert len(old_trees(world)) == 1
    record = restored(world)
    assert (record["result"], record["code"]) == ("failure", "service_failed")
    (safety,) = set(world.artifacts()) - set(before)
    for words in (
        f"service {NAME}",
        f"Production WAS replaced: {told(world)['restore_target']}.",
        f"the safety backup {safety}",
        f"restore_swap_state=undone and restore_swap={swap}",
        f"Stopped by us and not running: service {NAME}.",
        "Playbook restore_swap.yml starts what can be started then",
    ):
        assert failed.says(words), words
        assert words in record["message"]
    worker.broken.unlink()
    mended = world.play("restore_swap.yml", extra={**REASON, **AS_L6})
    assert mended.code == 0, mended.output
    assert (worker.log()[2:], worker.served.read_text()) == ([f"started {GOOD}"], GOOD)

    worker.served.write_text(BAD)
    done = world.play("restore.yml", extra=told(world))
    assert done.code == 0, done.output
    assert worker.log()[3:] == [f"stopped {BAD}", f"started {GOOD}"]
    assert worker.runs()
