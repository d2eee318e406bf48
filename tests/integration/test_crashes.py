# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that are killed on either side, runs that meet, and records that were changed behind a run's back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.disturbance import (
    APPLICATION,
    SHORT_LEASE,
    Before,
    assert_next_run_is_clean,
    assert_tidy,
    fresh_lease_of_another_run,
    held_dumps,
    held_while_it_writes,
    job_processes,
    jobs,
    kill_job,
    kill_tools,
    lease,
    lease_from_the_future,
    lease_is_old,
    left_free,
    playing,
    sessions,
    tool_processes,
    wait_until,
)
from integration.world import Played, World, digests

BULK = 48 << 20  # bytes that do not compress: a step that handles them can be met in its middle


@pytest.fixture
def host(world: World) -> Iterator[World]:
    """The world, which a failing test does not leave taken."""
    with left_free(world):
        yield world


def assert_ended_with(world: World, code: str) -> None:
    """The last record is the end of a run that failed with that code."""
    end = world.audit()[-1]
    assert (end["event"], end["result"], end["code"]) == ("backup_end", "failure", code)


# --- a killed process on the host


def test_the_job_is_killed_while_it_dumps(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate:
        with playing(host) as run:
            gate.wait(run)
            assert tool_processes(host)
            kill_job(host)
            played = run.end()
        assert played.failed_with("module_killed"), played.output
        assert "Somebody or something ended the process" in played.output
        wait_until(lambda: not tool_processes(host), "pg_dump has ended with its job")
        assert_ended_with(host, "module_killed")
        before.assert_nothing_published(host)
    wait_until(lambda: sessions(host) == 0, "the server has noticed")
    assert_tidy(host)
    assert_next_run_is_clean(host)


@contextlib.contextmanager
def bulk(world: World) -> Iterator[None]:
    """A source has much to read."""
    path = world.sources["wst"] / "bulk.bin"
    path.write_bytes(os.urandom(BULK))
    try:
        yield
    finally:
        path.unlink()


def killed_at(world: World, step: str, layer: Path) -> Played:
    """A run whose job is killed while the ZIP grows on that layer under its partial name."""
    with bulk(world), playing(world) as run:
        held_while_it_writes(world, run, step, layer)
        kill_job(world)
        played = run.end()
    assert played.failed_with("module_killed"), played.output
    assert_ended_with(world, "module_killed")
    return played


@pytest.mark.either_lane
def test_the_server_ends_the_sessions_in_the_middle_of_a_dump(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate:
        with playing(host) as run:
            gate.wait(run)
            gate.watch.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{APPLICATION}'"
            )
            played = run.end()
    assert played.failed_with("db_lost"), played.output
    assert_ended_with(host, "db_lost")
    before.assert_nothing_published(host)
    assert_tidy(host)
    assert_next_run_is_clean(host)


def test_pg_dump_alone_is_killed(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate:
        with playing(host) as run:
            gate.wait(run)
            kill_tools(host)
            played = run.end()
    # Under wine a killed program has exit code 0: worse than anything Windows does, and the dump's proof finds it.
    code = "dump_empty" if host.windows else "tool_failed"
    assert played.failed_with(code), played.output
    assert_ended_with(host, code)
    before.assert_nothing_published(host)
    assert_tidy(host)
    assert_next_run_is_clean(host)


def test_the_final_name_is_taken_while_the_run_goes_on(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate, playing(host) as run:
        gate.wait(run)
        taken = host.local / f"wst-backup-{lease(host)['run_id'][:15]}.zip"
        taken.write_bytes(b"somebody else's")
        gate.open()
        played = run.end()
    try:
        assert played.failed_with("artifact_exists"), played.output
        assert str(taken.name) in played.output
        assert_ended_with(host, "artifact_exists")
        assert taken.read_bytes() == b"somebody else's"
    finally:
        taken.unlink()
    before.assert_nothing_published(host)
    assert lease(host) == {}
    assert_next_run_is_clean(host)
    assert_tidy(host)  # the next run has swept what this one had built


def test_the_job_is_killed_while_it_archives(host: World) -> None:
    before = Before.of(host)
    killed_at(host, "backup_archive", host.local)
    before.assert_nothing_published(host)
    assert_next_run_is_clean(host)


def test_the_job_is_killed_while_it_mirrors(host: World) -> None:
    before = Before.of(host)
    killed_at(host, "backup_mirror", host.mirror)
    before.assert_intact(host)
    (kept,) = set(host.artifacts()) - set(before.artifacts)
    assert host.artifacts(host.mirror) == before.artifacts
    assert_next_run_is_clean(host, extra={"backup_anomaly_shrink_percent": 100})  # the set that is kept has the bulk
    assert kept in host.artifacts(host.mirror), "the next run did not mirror what was missing"


# --- a killed control node


def test_the_control_node_is_killed_while_the_host_dumps(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate, playing(host) as run:
        gate.wait(run)
        dead = lease(host)["run_id"]
        run.kill()
        assert gate.waiting() == 1
        gate.open()
        (job,) = jobs(host, "pg_dump") - before.dumps
        wait_until((job / "result.json").exists, "the job finishes its step")
        wait_until(lambda: not job_processes(host), "its process ends")
    before.assert_nothing_published(host)
    assert lease(host)["run_id"] == dead

    refused = host.play("backup.yml")
    assert refused.failed_with("locked"), refused.output
    assert dead in refused.output
    assert lease(host)["run_id"] == dead

    lease_is_old(host)
    played = host.play("backup.yml", extra=SHORT_LEASE)
    assert played.code == 0, played.output
    assert f"takes the place of run {dead}" in " ".join(played.output.split())
    before.assert_one_new_set(host, dumps=2)

    records = host.audit()[before.records :]
    assert [r["event"] for r in records if r["run_id"] == dead] == ["backup_start"], "a start without its end"
    starts = [r for r in records if r["event"] == "backup_start"]
    assert starts[-1]["details"]["taken_over"] == dead
    assert_next_run_is_clean(host)


# --- runs that meet


@pytest.mark.either_lane
def test_a_second_run_is_refused_and_does_not_disturb_the_first(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate, playing(host) as first:
        gate.wait(first)
        holder = lease(host)["run_id"]
        second = host.play("backup.yml", extra=SHORT_LEASE)
        assert second.failed_with("locked"), second.output
        assert holder in second.output
        assert "Wait for the named run to end." in " ".join(second.output.split())
        assert lease(host)["run_id"] == holder
        assert gate.waiting() == 1
        gate.open()
        played = first.end()
    assert played.code == 0, played.output
    before.assert_one_new_set(host)
    results = {
        r["run_id"]: (r["result"], r["code"]) for r in host.audit()[before.records :] if r["event"] == "backup_end"
    }
    assert results.pop(holder) == ("success", "")
    assert list(results.values()) == [("failure", "locked")]


@pytest.mark.either_lane
def test_a_run_that_lost_its_lease_stops_before_it_publishes(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate, playing(host) as run:
        gate.wait(run)
        other = fresh_lease_of_another_run(host)
        gate.open()
        played = run.end()
    assert played.failed_with("lease_lost"), played.output
    assert "Another run took the host over." in " ".join(played.output.split())
    assert_ended_with(host, "lease_lost")
    assert lease(host)["run_id"] == other, "the lease of the other run was released"
    assert list((host.control / "scratch").iterdir()) == [], "the run did not take its own workspace away"
    before.assert_nothing_published(host)
    lease_is_old(host)
    assert_next_run_is_clean(host, extra=SHORT_LEASE)


# --- clocks


def test_a_control_node_with_another_clock_is_refused(host: World) -> None:
    if not host.windows:
        pytest.skip("NOT EXERCISED: on the POSIX lane control node and host are one machine with one clock")
    faketime = shutil.which("faketime")
    if faketime is None:
        pytest.skip("NOT EXERCISED: a control node whose clock is wrong, because there is no program faketime")
    before = Before.of(host)
    with playing(host, under=[faketime, "-f", "+1h"]) as run:
        played = run.end()
    assert played.failed_with("clock_suspect"), played.output
    assert "Correct the clock of the host or of the control node" in " ".join(played.output.split())
    assert_ended_with(host, "clock_suspect")
    before.assert_nothing_published(host)
    assert_tidy(host)
    assert_next_run_is_clean(host)


@pytest.mark.either_lane
def test_a_lease_from_the_future_is_not_judged_by_its_age(host: World) -> None:
    before = Before.of(host)
    with held_dumps(host) as gate, playing(host) as run:
        gate.wait(run)
        run.kill()
        gate.open()
        wait_until(lambda: not job_processes(host), "the orphaned job ends")
    lease_from_the_future(host)
    played = host.play("backup.yml", extra=SHORT_LEASE)
    assert played.failed_with("clock_suspect"), played.output
    assert_ended_with(host, "clock_suspect")
    before.assert_nothing_published(host)


# --- the audit log


@pytest.mark.either_lane
def test_a_changed_record_is_found_and_the_backup_is_made_all_the_same(host: World) -> None:
    before = Before.of(host)
    log = sorted((host.control / "audit").glob("audit*.jsonl"), key=lambda path: (len(path.name), path.name))[-1]
    lines = log.read_bytes().splitlines(keepends=True)
    assert len(lines) > 2
    record = json.loads(lines[1])
    lines[1] = lines[1].replace(record["event"].encode(), b"other_" + record["event"].encode(), 1)
    log.write_bytes(b"".join(lines))

    played = host.play("backup.yml")
    assert played.failed_with("audit_broken"), played.output
    assert "Keep the named segment as evidence" in " ".join(played.output.split())
    new = before.assert_one_new_set(host)
    assert new in played.output
    assert log.read_bytes() == b"".join(lines), "the evidence was changed"
    assert_ended_with(host, "audit_broken")
    assert host.audit()[-1]["details"]["artifact"] == new
    assert "audit_broken" in [record["event"] for record in host.audit()]

    assert_next_run_is_clean(host)
    assert log.read_bytes() == b"".join(lines)


@pytest.mark.either_lane
def test_a_log_whose_end_was_cut_off_is_found_by_what_the_control_node_knows(host: World) -> None:
    before = Before.of(host)
    log = sorted((host.control / "audit").glob("audit*.jsonl"), key=lambda path: (len(path.name), path.name))[-1]
    lines = log.read_bytes().splitlines(keepends=True)
    last = json.loads(lines[-1])
    log.write_bytes(b"".join(lines[:-1]))

    played = host.play("backup.yml")
    assert played.failed_with("audit_broken"), played.output
    assert f"record {last['seq']}, once the last that the control node saw" in " ".join(played.output.split())
    before.assert_one_new_set(host)
    assert log.read_bytes() == b"".join(lines[:-1]), "the evidence was changed"
    assert_ended_with(host, "audit_broken")

    assert_next_run_is_clean(host)


@pytest.mark.either_lane
def test_a_torn_line_is_healed_and_that_is_recorded(host: World) -> None:
    directory = host.control / "audit"
    log = sorted(directory.glob("audit*.jsonl"), key=lambda path: (len(path.name), path.name))[-1]
    before, whole, known = Before.of(host), log.read_bytes(), digests(directory)
    torn = whole.splitlines()[-1][:40]
    log.write_bytes(whole + torn)
    played = host.play("backup.yml")
    assert played.code == 0, played.output
    before.assert_one_new_set(host)
    assert log.read_bytes().startswith(whole + b"{"), "what was whole was changed"
    healed = [record for record in host.audit() if record["event"] == "audit_healed"][-1]
    kept = directory / healed["details"]["kept_as"]
    assert kept.read_bytes() == torn
    assert str(kept) not in known
