# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of every schema of the manifest that there ever was, as it stands on somebody's disk, through the playbooks."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.test_restore_test import drill, evidence, nothing_is_left
from integration.world import AS_L5, ROOT, World

SETS = sorted((ROOT / "tests" / "unit" / "golden").glob("schema-*"))
LONG = 24 * 365 * 100  # hours; a golden set is as old as its schema
REASON = {"restore_reason": "a set from long ago"}


@pytest.mark.either_lane
def test_there_is_one() -> None:
    assert SETS


@pytest.fixture(scope="module", params=SETS, ids=lambda path: path.name)
def golden(request: pytest.FixtureRequest, world: World) -> Iterator[str]:
    """The stem of the set, which was brought to the host's local layer and read there, and counts meanwhile."""
    (manifest,) = request.param.glob("*.manifest.json")
    stem = manifest.name.removesuffix(".manifest.json")
    for path in request.param.iterdir():
        shutil.copyfile(path, world.local / path.name)
    try:
        read = world.play("verify.yml", extra={"backup_verify_sets": "due", "backup_verify_every_days": 36500})
        assert read.code == 0, read.output
        assert (world.local / f"{stem}.state.json").exists()
        yield stem
    finally:
        for path in world.local.glob(f"{stem}*"):
            path.unlink()


@pytest.mark.either_lane
def test_it_is_drilled(world: World, golden: str) -> None:
    done = drill(world, restore_test_layer="local", restore_test_set=golden, restore_test_max_age_hours=LONG)
    assert done.code == 0, done.output
    document, _page = evidence(world)
    assert (document["result"], document["set"]["artifact"]) == ("success", golden)
    assert {step["result"] for step in document["steps"]} == {"ok"}
    nothing_is_left(world)


@pytest.mark.either_lane
def test_its_files_and_a_table_of_it_come_back(world: World, golden: str) -> None:
    host = Path(world.host["paths"]["root"])
    taken = {"restore_beside": str(host / "scratch" / "taken-out"), "restore_parts": ["files"], "restore_set": golden}
    done = world.play("restore.yml", extra={**REASON, **AS_L5, **taken})
    assert done.code == 0, done.output
    tree = world.control / "scratch" / "taken-out"
    with zipfile.ZipFile(world.local / f"{golden}.zip") as stored:
        named = [name for name in stored.namelist() if name.startswith("wst/") and not name.endswith("/")]
        assert len(named) > 1
        for name in named:
            assert (tree / name).read_bytes() == stored.read(name)
    assert (tree / "wst" / "empty directory").is_dir()
    shutil.rmtree(tree)

    table = {"restore_database": "{{ lab_restore_database }}", "restore_tables": ["app.items"], "restore_set": golden}
    done = world.play("restore.yml", extra={**REASON, **AS_L5, **table})
    assert done.code == 0, done.output
    record = next(record for record in reversed(world.audit()) if record["event"] == "restore")
    made = record["details"]["tables_database"]
    with world.connect(made) as session:
        same = "bool_and(name = 'item ' || id AND raw = decode(md5(id::text), 'hex'))"
        found = session.execute(f"SELECT count(*), {same} FROM app.items".encode()).fetchone()
    with world.connect("postgres") as session:
        session.execute(f'DROP DATABASE "{made}" WITH (FORCE)'.encode())
    assert found == (50, True)
