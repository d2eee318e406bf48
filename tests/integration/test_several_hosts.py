# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts in one play, in a lab of their own: neither stops or hides the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.conftest import SCALE, STATE
from integration.disturbance import Before, held_dumps, needs_winrm, playing, wait_until
from integration.provocations import source_is_gone
from integration.world import ROOT, Played, World

from wstlab import control
from wstlab.config import LabPaths

SERIAL = "tests/integration/files/serial.yml"


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[World, World]]:
    """A lab with two hosts that have mirrors; a world for each."""
    state = STATE.with_name(f"{STATE.name}-two")
    lab = World(state=state, record={})
    lab.lab("down", "--purge")
    try:
        lab.lab("up", "--hosts", "2")
        lab.lab("seed", "--scale", SCALE)
        record = json.loads((state / "lab.json").read_text())
        first, second = (World(state=state, record={**record, "hosts": [host]}) for host in record["hosts"])
        done = first.play("mirror_init.yml")
        assert done.code == 0, done.output
        yield first, second
    finally:
        lab.lab("down", "--purge")


def name(world: World) -> str:
    """The host's name in the inventory."""
    return str(world.host["name"])


def rows(played: Played) -> dict[str, str]:
    """The result in each row of the last table, by host."""
    table = played.output.rpartition("\nHOST ")[2].partition("\nok: [")[0]
    cells = [line.split() for line in table.splitlines()[1:]]
    return {row[0]: row[1] for row in cells if row and not row[0].endswith(":")}


def test_both_at_once(both: tuple[World, World]) -> None:
    first, second = both
    before = [Before.of(world) for world in both]
    with held_dumps(first) as gate, playing(first) as run:
        wait_until(lambda: gate.waiting() == 2, "both hosts dump at the same time")
        gate.open()
        played = run.end()
    assert played.code == 0, played.output
    assert rows(played) == {name(first): "ok", name(second): "ok"}
    for world, was in zip(both, before):
        assert was.assert_one_new_set(world) in played.output


def test_a_host_that_fails_does_not_stop_the_other(both: tuple[World, World]) -> None:
    first, second = both
    failed, good = Before.of(first), Before.of(second)
    with source_is_gone(first):
        played = first.play("backup.yml")
    assert played.failed_with("source_missing"), played.output
    assert rows(played) == {name(first): "source_missing", name(second): "ok"}
    failed.assert_nothing_published(first)
    good.assert_one_new_set(second)


def test_a_host_that_is_not_there_does_not_stop_the_other(both: tuple[World, World]) -> None:
    first, second = both
    needs_winrm(first)
    good, absent = Before.of(first), Before.of(second)
    gone = LabPaths(second.state, ROOT / ".cache").host(2)
    control.ask(gone, "set", unreachable=True)
    try:
        played = first.play("backup.yml")
    finally:
        control.ask(gone, "clear")
    assert played.code == 4, played.output
    assert rows(played) == {name(first): "ok", name(second): "unreachable"}
    assert f"{name(second)}: could not be reached" in played.output
    good.assert_one_new_set(first)
    absent.assert_nothing_published(second)
    events = Path(first.records) / "hosts" / name(second) / "events.jsonl"
    assert json.loads(events.read_text().splitlines()[-1])["event"] == "unreachable"


def test_one_after_the_other(both: tuple[World, World]) -> None:
    first, second = both
    good, failed = Before.of(first), Before.of(second)
    with source_is_gone(second), playing(first, SERIAL) as run:
        played = run.end()
    assert played.failed_with("source_missing"), played.output
    assert rows(played) == {name(first): "ok", name(second): "source_missing"}
    good.assert_one_new_set(first)
    failed.assert_nothing_published(second)
