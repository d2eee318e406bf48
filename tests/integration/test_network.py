# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the main job whose network breaks in the middle of its dump, for a while or for good."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from integration.disturbance import (
    SHORT_LEASE,
    Before,
    Playing,
    assert_next_run_is_clean,
    assert_tidy,
    faults,
    held_dumps,
    job_processes,
    jobs,
    lease,
    lease_is_old,
    left_free,
    listener,
    needs_winrm,
    playing,
    wait_until,
)
from integration.world import World

SHORT_PATIENCE = {"wst_backup_reconnect_timeout": 5}  # seconds
STALL = 40.0


@pytest.fixture
def network(world: World) -> Iterator[World]:
    """The world, whose network is whole again after the test."""
    needs_winrm(world)
    with left_free(world):
        yield world
        listener(world, "clear")


def events(world: World) -> list[dict[str, Any]]:
    """What the control node recorded of the host."""
    file = world.records / "hosts" / world.host["name"] / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def lost(run: Playing) -> int:
    """How often the run told that the connection was lost."""
    return run.output().count("connection lost")


# --- for a while


def cut(world: World, run: Playing) -> None:
    """Three answers in a row never arrive."""
    listener(world, "set", cut_receives=3)
    wait_until(lambda: faults(world)["cut_receives"] == 0 and lost(run), "the connection was cut")


def stall(world: World, run: Playing) -> None:
    """The host is silent for 40 seconds, and the dump is still held when it speaks again."""
    listener(world, "set", stall_seconds=STALL)
    wait_until(lambda: faults(world)["stall_seconds"] == 0, "a Receive was stalled")
    end = time.monotonic() + STALL
    wait_until(lambda: time.monotonic() > end, "the stall is over")


def restart(world: World, run: Playing) -> None:
    """The WinRM service is gone for some seconds, and all that ran in its shells for ever."""
    listener(world, "restart", seconds=5.0)
    wait_until(lambda: lost(run), "the control node has noticed")


@pytest.mark.parametrize("trouble", [cut, stall, restart])
def test_a_run_survives_in_the_middle_of_its_dump(network: World, trouble: Callable[[World, Playing], None]) -> None:
    before = Before.of(network)
    with held_dumps(network) as gate, playing(network) as run:
        gate.wait(run)
        trouble(network, run)
        assert gate.waiting() == 1, "the dump did not go on by itself"
        assert run.process.poll() is None
        gate.open()
        played = run.end()
    assert played.code == 0, played.output
    new = before.assert_one_new_set(network)
    assert new in played.output


# --- for good


def test_a_connection_that_stays_lost(network: World) -> None:
    before, known = Before.of(network), len(events(network))
    with held_dumps(network) as gate:
        with playing(network, extra=SHORT_PATIENCE) as run:
            gate.wait(run)
            listener(network, "set", unreachable=True)
            played = run.end()
        assert played.failed_with("connection_lost"), played.output
        assert "Check the network, the host and its WinRM or SSH service." in played.output
        table = played.output.partition("HOST ")[2]
        assert "connection_lost" in table
        assert gate.waiting() == 1, "the step on the host was not stopped by that"
        before.assert_nothing_published(network)

    dead = lease(network)["run_id"]
    recorded = events(network)[known:]
    assert recorded[0]["event"] == "connection_lost"
    (end,) = [event for event in recorded if event["event"] == "backup_end"]
    assert (end["result"], end["code"], end["run_id"]) == ("failure", "connection_lost", dead)

    (job,) = jobs(network, "pg_dump") - before.dumps
    wait_until((job / "result.json").exists, "the orphaned job ends by itself")
    wait_until(lambda: not job_processes(network), "its process ends")
    before.assert_nothing_published(network)

    listener(network, "clear")
    lease_is_old(network)
    again = network.play("backup.yml", extra=SHORT_LEASE)
    assert again.code == 0, again.output
    assert dead in again.output, "the run does not say whose place it took"
    before.assert_one_new_set(network, dumps=2)
    (start,) = [r for r in network.audit()[before.records :] if r["event"] == "backup_start" and r["run_id"] != dead]
    assert start["details"]["taken_over"] == dead
    assert_next_run_is_clean(network)


def test_a_host_that_was_never_reached(network: World) -> None:
    before, known = Before.of(network), len(events(network))
    listener(network, "set", unreachable=True)
    played = network.play("backup.yml")
    assert played.code == 4, played.output
    told = " ".join(played.output.split())
    assert "unreachable: " in told
    assert "Check the host's name, its port and the firewalls on the way" in told.replace("''", "'")
    (event,) = events(network)[known:]
    assert (event["event"], event["code"]) == ("unreachable", "unreachable")
    assert len(network.audit()) == before.records
    before.assert_nothing_published(network)
    listener(network, "clear")
    assert_next_run_is_clean(network)


def test_a_run_that_begins_in_noise(network: World) -> None:
    """A chatty profile and a byte order mark before the input: the whole job, not only one module."""
    before = Before.of(network)
    listener(network, "set", noise=True, bom=True)
    played = network.play("backup.yml")
    assert played.code == 0, played.output
    before.assert_one_new_set(network)


def test_a_missing_python_is_one_clear_error(world: World) -> None:
    before = Before.of(world)
    missing = "C:\\nowhere\\python.exe" if world.windows else "/nowhere/python3"
    played = world.play("backup.yml", extra={"wst_backup_python": missing, "ansible_python_interpreter": missing})
    assert played.failed_with("python_missing"), played.output
    assert missing in played.output
    assert "bootstrap.yml" in played.output
    assert "Traceback" not in played.output
    before.assert_nothing_published(world)
    assert len(world.audit()) == before.records
    end = events(world)[-1]
    assert (end["event"], end["code"]) == ("backup_end", "python_missing")
    assert_tidy(world)
