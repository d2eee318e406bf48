# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an artifact in the place of production, through a playbook; what stands on the disks is read back."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.provocations import source_cannot_be_read
from integration.world import AS_L5, AS_L6, ROOT, Played, World, digests

PLAY = str(ROOT / "tests" / "integration" / "files" / "restore_files.yml")
HOLD = "import sys; file = open(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def told(world: World, path: Path) -> str:
    """The path as the host has it."""
    if not world.windows:
        return str(path)
    return "C:\\" + str(path.relative_to(world.drive_c)).replace("/", "\\")


def beside(world: World) -> Path:
    """Where new trees are made."""
    return world.sources["wst"].parent / "restored"


def restore(world: World, *arguments: str, state: str = "swapped", **extra: Any) -> Played:
    """Run the playbook, with the newest artifact."""
    newest = world.artifacts()[-1]
    pairs = [{"new": told(world, beside(world) / name), "target": told(world, path)} for name, path in trees(world)]
    variables = {
        "test_artifact": told(world, world.local / f"{newest}.zip"),
        "test_beside": told(world, beside(world)),
        "test_pairs": pairs,
        "test_state": state,
        **extra,
    }
    return world.play(PLAY, *arguments, extra=variables)


def trees(world: World) -> list[tuple[str, Path]]:
    """Production's trees."""
    return sorted(world.sources.items())


def content(world: World) -> dict[str, str]:
    """All of production, by digests."""
    return {path: digest for _name, tree in trees(world) for path, digest in digests(tree).items()}


def stepped_aside(world: World) -> list[Path]:
    """Old trees that stand beside."""
    return sorted(path for path in world.sources["wst"].parent.iterdir() if ".before-" in path.name)


@pytest.fixture
def production(world: World) -> Iterator[dict[str, str]]:
    """Production as the newest artifact has it; whatever a test does to it is put right."""
    kept = world.sources["wst"].parent.with_name("kept")
    shutil.copytree(world.sources["wst"].parent, kept, symlinks=True)
    try:
        yield content(world)
    finally:
        shutil.rmtree(world.sources["wst"].parent)
        kept.rename(world.sources["wst"].parent)


def broken(world: World) -> tuple[Path, Path]:
    """Damage to production: a file is lost, another one is encrypted."""
    files = sorted(path for path in world.sources["wst"].rglob("*") if path.is_file() and not path.is_symlink())
    files[0].unlink()
    files[1].write_bytes(b"ransom")
    return files[0], files[1]


def test_broken_production_comes_back_and_the_broken_trees_stay(world: World, production: dict[str, str]) -> None:
    lost, encrypted = broken(world)
    checked = restore(world, "--check", **AS_L6)
    assert checked.code == 0, checked.output
    assert not beside(world).exists()
    services = ["Spooler"] if world.windows else []
    done = restore(world, test_services=services, **AS_L6)
    assert done.code == 0, done.output
    assert f"started={','.join(services)}" in done.output
    assert content(world) == production
    aside = {path.name.partition(".")[0]: path for path in stepped_aside(world)}
    assert sorted(aside) == ["wst", "wst-api"]
    old = aside["wst"]
    assert (old / encrypted.relative_to(world.sources["wst"])).read_bytes() == b"ransom"
    assert not (old / lost.relative_to(world.sources["wst"])).exists()
    granted = [one["details"] for one in world.audit() if one["event"] == "authority_granted"][-2:]
    assert [(one["needed"], one["purpose"]) for one in granted] == [("L6", "restore")] * 2

    found = re.search(r"swapped=([0-9a-f-]+) status=swapped", done.output)
    assert found is not None, done.output
    undone = restore(world, state="undone", test_swap=found.group(1), **AS_L6)
    assert undone.code == 0, undone.output
    assert encrypted.read_bytes() == b"ransom"
    assert stepped_aside(world) == []
    assert beside(world).is_dir()


def test_a_tree_that_differs_is_named(world: World, production: dict[str, str]) -> None:
    _lost, encrypted = broken(world)
    told_tree = told(world, world.sources["wst"].parent)
    compared = restore(world, state="resumed", test_tree=told_tree)
    assert compared.failed_with("drill_mismatch"), compared.output
    assert encrypted.relative_to(world.sources["wst"].parent).as_posix() in compared.output
    assert production


def test_production_is_refused_to_operator_and_l5(world: World, production: dict[str, str]) -> None:
    for extra in ({}, AS_L5):
        refused = restore(world, **extra)
        assert refused.failed_with("not_authorized"), refused.output
    assert content(world) == production
    assert not beside(world).exists()


@contextlib.contextmanager
def held(world: World, path: Path) -> Iterator[None]:
    """Some program has the file open."""
    argv = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"held"
        try:
            yield
        finally:
            process.kill()


def test_an_open_file_is_named_and_the_trees_are_unchanged(world: World, production: dict[str, str]) -> None:
    if world.windows:
        with source_cannot_be_read(world):
            busy = restore(world, **AS_L6)
        name = "held.bin"
    else:
        path = sorted(path for path in world.sources["wst-api"].rglob("*") if path.is_file())[0]
        name = path.name
        with held(world, path):
            busy = restore(world, **AS_L6)
    assert busy.failed_with("restore_target_busy"), busy.output
    assert name in busy.output
    assert content(world) == production
    assert stepped_aside(world) == []
    shutil.rmtree(beside(world))
