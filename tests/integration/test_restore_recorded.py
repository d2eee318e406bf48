# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore that went well and cannot be recorded fails, and says that production was replaced."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from integration.disturbance import playing, swaps, wait_until
from integration.world import AS_L6, Played, World

REASON = {"restore_reason": "a deployment has emptied it"}


@contextlib.contextmanager
def no_log(world: World) -> Iterator[None]:
    """The host's audit log cannot be written: something else has its place."""
    log, aside = world.control / "audit", world.control / "audit-aside"
    log.rename(aside)
    log.write_text("")
    try:
        yield
    finally:
        log.unlink()
        aside.rename(log)


@contextlib.contextmanager
def altered_log(world: World) -> Iterator[None]:
    """Its last record is not what was written."""
    last = max((world.control / "audit").glob("audit*.jsonl"), key=lambda path: (len(path.name), path.name))
    good = last.read_bytes()
    last.write_bytes(good[:-20] + b"x" + good[-19:])
    try:
        yield
    finally:
        for path in set((world.control / "audit").glob("audit*.jsonl")) - {last}:
            if len(path.name) >= len(last.name) and path.name > last.name:
                path.unlink()  # the segment that was begun after it
        last.write_bytes(good)


def restored(world: World, disturbed: Callable[[World], contextlib.AbstractContextManager[None]]) -> tuple[Played, str]:
    """Production's tree is replaced, and as soon as it was, the log is disturbed; the run, and the swap's id."""
    path = next(each["path"] for each in world.variables()["backup_sources"] if each["name"] == "wst")
    told: dict[str, Any] = {
        **REASON,
        **AS_L6,
        "restore_trees": [{"source": "wst", "path": path}],
        "restore_target": path,
        "restore_confirm": path,
    }
    known = swaps(world, ".json")

    def new() -> dict[str, str]:
        return {swap: status for swap, status in swaps(world, ".json").items() if swap not in known}

    with playing(world, "playbooks/restore.yml", extra=told) as run:
        wait_until(lambda: run.process.poll() or "swapped" in new().values(), "nothing was swapped", seconds=300)
        assert run.process.poll() is None, run.output()
        with disturbed(world):
            done = run.end()
    (swap,) = new()
    return done, swap


@pytest.mark.either_lane
@pytest.mark.parametrize(("disturbed", "code"), [(no_log, "path_unusable"), (altered_log, "audit_broken")])
def test_production_was_replaced_is_said_although_the_record_failed(
    world: World, disturbed: Callable[[World], contextlib.AbstractContextManager[None]], code: str
) -> None:
    tree = world.sources["wst"]
    (tree / "made-since").write_text("x")
    done, swap = restored(world, disturbed)
    assert done.failed_with(code), done.output
    assert not (tree / "made-since").exists(), "the new tree is in its place"
    old = tree.with_name(f"wst.before-{swap}")
    assert (old / "made-since").read_text() == "x"
    for words in ("Production WAS replaced: ", f"restore_swap_state=undone and restore_swap={swap}"):
        assert done.says(words), done.output
    shutil.rmtree(old)
