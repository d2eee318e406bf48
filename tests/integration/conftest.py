# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests that run playbooks: brought up and seeded once, taken down at the end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.disturbance import listener
from integration.loud import LOUD
from integration.planting import Planted, planting
from integration.searching import Wire
from integration.world import ROOT, World

STATE = Path(os.environ.get("WST_TEST_LAB_DIR") or ROOT / ".cache" / "test-lab")
SCALE = "0.05"  # of the demo's files and rows; what is proved here does not depend on their number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the gates repeat at their end."""
    for what in config.stash.get(LOUD, []):
        terminalreporter.line(f"NOT EXERCISED: {what}")


def _lab(state: Path, *arguments: str) -> None:
    environment = {**os.environ, "WST_LAB_DIR": str(state), "PYTHONPATH": str(ROOT / "tests" / "lab")}
    subprocess.run([sys.executable, "-m", "wstlab", *arguments], cwd=ROOT, env=environment, check=True)


@contextlib.contextmanager
def standing(state: Path, *seeding: str) -> Iterator[World]:
    """A lab in that directory, seeded so, that is there as long as the block."""
    _lab(state, "down", "--purge")
    try:
        _lab(state, "up")
        _lab(state, "seed", *seeding)
        yield World(state=state, record=json.loads((state / "lab.json").read_text()))
    finally:
        _lab(state, "down", "--purge")


@pytest.fixture(scope="session")
def fresh_world() -> Iterator[World]:
    """A lab that was seeded and has no backups yet."""
    with standing(STATE, "--scale", SCALE) as world:
        yield world


@pytest.fixture(scope="session")
def initialised(fresh_world: World) -> World:
    """The same with a mirror, and a record of who may do what."""
    for playbook in ("mirror_init.yml", "authority_provision.yml"):
        done = fresh_world.play(playbook)
        assert done.code == 0, done.output
    return fresh_world


@pytest.fixture(scope="session")
def world(initialised: World) -> World:
    """The same with a first backup, so that every test sees what becomes of an older set."""
    done = initialised.play("backup.yml")
    assert done.code == 0, done.output
    return initialised


@pytest.fixture
def wire(world: World, tmp_path: Path) -> Iterator[Wire]:
    """What goes over the network, seen behind the TLS at its far end; nothing on the POSIX lane, which has none."""
    tap = Wire(tmp_path / "wire", taps=world.windows)
    if world.windows:
        listener(world, "set", tap=str(tap.path))
    yield tap
    if world.windows:
        listener(world, "clear")


@pytest.fixture
def planted(world: World, wire: Wire, tmp_path: Path) -> Iterator[Planted]:
    """The world with secrets that stand nowhere else."""
    home = tmp_path / "home"
    home.mkdir()
    with planting(world, wire, home) as secrets:
        yield secrets
