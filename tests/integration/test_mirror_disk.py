# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror on a disk of its own that fills, turns read-only or goes away while a run goes on.

A file with a file system in it is mounted where D: is, which takes an administrator of this machine. The set on C: is
published whatever becomes of D:, nothing half-written stands on D: under a final name, and the next run mirrors what
is missing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.conftest import SCALE, STATE, standing
from integration.disturbance import (
    Before,
    assert_next_run_is_clean,
    assert_tidy,
    held_dumps,
    held_while_it_writes,
    left_free,
    playing,
)
from integration.loud import loudly
from integration.world import Played, World

pytestmark = pytest.mark.either_lane
SIZE = 512 << 20  # bytes of the disk
BULK = 96 << 20  # bytes that do not compress: a copy that can be met in its middle


@dataclass(frozen=True)
class Disk:
    """D: of one world.

    :ivar image: the file that the file system is in.
    """

    world: World
    image: Path

    @property
    def place(self) -> Path:
        """Where it is mounted."""
        return Path(self.world.host["drive_d"])

    def attach(self) -> None:
        """It is there, as it was left."""
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.place)], check=True)

    def detach(self) -> None:
        """It is gone, whoever has a file of it open."""
        subprocess.run(["umount", "--lazy", str(self.place)], check=True)

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Only within the block."""
        self.detach()
        try:
            yield
        finally:
            self.attach()

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """Only within the block."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.place)], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(self.place)], check=True)

    @contextlib.contextmanager
    def filled(self, left: int) -> Iterator[None]:
        """Somebody else's file takes all but so many bytes."""
        path = self.place / "somebody-elses.bin"
        free = shutil.disk_usage(self.place).free
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - left)
        try:
            yield
        finally:
            path.unlink()


@pytest.fixture(scope="module")
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """A world with such a disk and one set on it."""
    image = tmp_path_factory.mktemp("disk") / "d.img"
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        loudly(request.config, "a mirror's disk that fills or goes in mid-run: it takes root and mkfs.ext4")
        pytest.skip("NOT EXERCISED: a disk of its own for the mirror takes root and mkfs.ext4")
    with image.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    with standing(STATE.with_suffix(".disk"), "--scale", SCALE) as world:
        if world.windows:
            pytest.skip("NOT EXERCISED: wine takes no mounted directory for a drive of its own")
        made = Disk(world, image)
        try:
            made.attach()
        except subprocess.CalledProcessError:
            loudly(request.config, "a mirror's disk that fills or goes in mid-run: this machine mounts none")
            pytest.skip("NOT EXERCISED: this machine mounts no disk")
        try:
            for playbook in ("bootstrap.yml", "mirror_init.yml", "backup.yml"):
                done = world.play(playbook)
                assert done.code == 0, done.output
            yield made
        finally:
            made.detach()


def assert_kept_and_mirrored_later(disk: Disk, before: Before, played: Played, code: str) -> None:
    """The run failed by that name with its set on C:, D: is as it was, and the next run is clean."""
    world = disk.world
    assert played.failed_with(code), played.output
    end = world.audit()[-1]
    assert (end["event"], end["result"], end["code"]) == ("backup_end", "failure", code)
    before.assert_intact(world)
    (kept,) = set(world.artifacts()) - set(before.artifacts)
    assert world.artifacts(world.mirror) == before.artifacts
    assert not (world.mirror / f"{kept}.zip").exists()
    assert_next_run_is_clean(world, extra={"backup_anomaly_shrink_percent": 100})  # where the set that is kept has bulk
    assert kept in world.artifacts(world.mirror), "the next run did not mirror what was missing"
    assert_tidy(world)


def test_it_fills_after_preflight_has_seen_room(disk: Disk) -> None:
    with left_free(disk.world) as world, contextlib.ExitStack() as until_the_end:
        before = Before.of(world)
        size = (world.local / f"{before.artifacts[-1]}.zip").stat().st_size
        with held_dumps(world) as gate, playing(world) as run:
            gate.wait(run)
            until_the_end.enter_context(disk.filled(left=size // 2))
            gate.open()
            played = run.end()
        assert [path.name for path in world.mirror.rglob("*.partial")] == []
        until_the_end.close()
        assert_kept_and_mirrored_later(disk, before, played, "no_space")


def test_it_turns_read_only_after_preflight(disk: Disk) -> None:
    with left_free(disk.world) as world, contextlib.ExitStack() as until_the_end:
        before = Before.of(world)
        with held_dumps(world) as gate, playing(world) as run:
            gate.wait(run)
            until_the_end.enter_context(disk.read_only())
            gate.open()
            played = run.end()
        until_the_end.close()
        assert_kept_and_mirrored_later(disk, before, played, "mirror_wrong_volume")


def test_it_goes_after_preflight(disk: Disk) -> None:
    with left_free(disk.world) as world, contextlib.ExitStack() as until_the_end:
        before = Before.of(world)
        with held_dumps(world) as gate, playing(world) as run:
            gate.wait(run)
            until_the_end.enter_context(disk.gone())
            gate.open()
            played = run.end()
        until_the_end.close()
        assert_kept_and_mirrored_later(disk, before, played, "mirror_missing")


@pytest.mark.parametrize("module", ["backup_archive", "backup_mirror"])
def test_it_goes_in_the_middle_of_the_copy(disk: Disk, module: str) -> None:
    """The archive's step begins the copy and does not care; the mirror's step ends it, and does."""
    bulk = disk.world.sources["wst"] / "bulk.bin"
    with left_free(disk.world) as world, contextlib.ExitStack() as until_the_end:
        before = Before.of(world)
        bulk.write_bytes(os.urandom(BULK))
        until_the_end.callback(bulk.unlink)
        with playing(world) as run:
            pid = held_while_it_writes(world, run, module, world.mirror)
            until_the_end.enter_context(disk.gone())
            os.kill(pid, signal.SIGCONT)
            played = run.end()
        until_the_end.close()
        assert_kept_and_mirrored_later(disk, before, played, "mirror_missing")
