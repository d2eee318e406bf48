# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are restored through the playbook: beside production by L5, in its place by L6 alone."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.disturbance import STALE, crash, playing, swaps, wait_until
from integration.world import AS_L5, AS_L6, World, digests

REASON = {"restore_reason": "a deployment has emptied it"}


def target(world: World, *names: str) -> dict[str, Any]:
    """The trees as production, typed twice."""
    paths = {source["name"]: source["path"] for source in world.variables()["backup_sources"]}
    text = ", ".join(sorted(paths[name] for name in names))
    trees = [{"source": name, "path": paths[name]} for name in names]
    return {**REASON, "restore_trees": trees, "restore_target": text, "restore_confirm": text}


def content(tree: Path) -> dict[str, str]:
    """Every file below the tree by its digest and its path in the tree."""
    return {str(Path(path).relative_to(tree)): digest for path, digest in digests(tree).items()}


def siblings(world: World) -> list[str]:
    """The trees, and what stands beside them, but for an empty place to which a swap that is undone would go back."""
    paths = world.sources["wst"].parent.iterdir()
    return sorted(path.name for path in paths if ".restore-" not in path.name or any(path.iterdir()))


def databases(world: World) -> set[str]:
    """The databases that the server has."""
    with world.connect("postgres") as session:
        return {name for (name,) in session.execute("SELECT datname FROM pg_database").fetchall()}


@pytest.fixture(autouse=True)
def tidy(world: World) -> Iterator[None]:
    """A test that removes all of what it replaced leaves nothing beside the trees; old trees that others leave go."""
    had = siblings(world)
    yield
    for path in world.sources["wst"].parent.glob("*.before-*"):
        shutil.rmtree(path)
    assert siblings(world) == had


def test_a_part_goes_beside_for_l5_and_not_for_an_operator(world: World) -> None:
    parent = world.control / "scratch" / "taken-out"
    told = {
        **REASON,
        "restore_beside": world.host["paths"]["root"]
        + ("\\scratch\\taken-out" if world.windows else "/scratch/taken-out"),
        "restore_include": ["wst/content/**"],
        "restore_parts": ["files"],
    }
    assert world.play("restore.yml", extra=told).failed_with("not_authorized")
    assert not parent.exists()
    before = digests(world.drive_c / "wst")
    checked = world.play("restore.yml", "--check", extra={**told, **AS_L5})
    assert checked.code == 0, checked.output
    assert not parent.exists()
    done = world.play("restore.yml", extra={**told, **AS_L5})
    assert done.code == 0, done.output
    wanted = {path: digest for path, digest in content(world.sources["wst"]).items() if path.startswith("content")}
    assert content(parent / "wst") == wanted
    assert digests(world.drive_c / "wst") == before
    again = world.play("restore.yml", extra={**told, **AS_L5})
    assert again.failed_with("restore_target_refused"), again.output
    shutil.rmtree(parent)


def test_production_is_replaced_by_l6_alone_and_taken_back(world: World) -> None:
    """The emptied trees step aside, and a set is made of them first."""
    told = target(world, "wst", "wst-api")
    good = {name: content(tree) for name, tree in world.sources.items()}
    names = siblings(world)
    for path in (world.sources["wst"] / "content").iterdir():
        if path.is_file():
            path.unlink()
    emptied = content(world.sources["wst"])
    assert emptied != good["wst"]
    for extra, code in (
        ({**told}, "not_authorized"),
        ({**told, **AS_L5}, "not_authorized"),
        ({**told, **AS_L6, "restore_confirm": "yes"}, "restore_unconfirmed"),
        ({**told, **AS_L6, "restore_reason": ""}, "input_invalid"),
    ):
        refused = world.play("restore.yml", extra=extra)
        assert refused.failed_with(code), refused.output
    checked = world.play("restore.yml", "--check", extra={**told, **AS_L6})
    assert checked.code == 0, checked.output
    assert told["restore_target"] in " ".join(checked.output.split())
    assert (siblings(world), content(world.sources["wst"])) == (names, emptied)

    before, good_set = world.artifacts(), world.counting()[-1]
    done = world.play("restore.yml", extra={**told, **AS_L6})
    assert done.code == 0, done.output
    assert {name: content(tree) for name, tree in world.sources.items()} == good
    assert set(before) < set(world.artifacts()), "a safety backup is no trigger of retention"
    (safety,) = set(world.artifacts()) - set(before)
    assert safety in world.artifacts(world.mirror)
    states = [json.loads((layer / f"{safety}.state.json").read_text())["body"] for layer in (world.local, world.mirror)]
    assert [bool(state["pinned"]) for state in states] == [True, True]
    listed = world.play("list.yml").output
    assert [line.split()[2:4] for line in listed.splitlines() if safety in line.split()[1:2]] == [["safety", "no"]] * 2
    record = next(record for record in reversed(world.audit()) if record["event"] == "restore")
    assert record["details"]["safety"] == safety
    assert record["details"]["reason"] == REASON["restore_reason"]
    accepted = world.play("accept.yml", extra={"backup_set": safety, "backup_reason": "it is fine", **AS_L5})
    assert accepted.failed_with("input_invalid"), accepted.output
    swap = record["details"]["swap"]
    assert siblings(world) == sorted([*names, f"wst.before-{swap}", f"wst-api.before-{swap}"])
    assert content(world.sources["wst"].with_name(f"wst.before-{swap}")) == emptied

    undo = {"restore_swap_state": "undone", "restore_swap": swap, **REASON}
    assert world.play("restore_swap.yml", extra={**undo, **AS_L5}).failed_with("not_authorized")
    undone = world.play("restore_swap.yml", extra={**undo, **AS_L6})
    assert undone.code == 0, undone.output
    assert content(world.sources["wst"]) == emptied
    assert f"wst.restore-{swap}" in " ".join(undone.output.split())
    undo = {**undo, "restore_swap_state": "absent"}
    removed = world.play("restore_swap.yml", extra={**undo, **AS_L6})
    assert removed.code == 0, removed.output
    assert siblings(world) == names

    again = world.play("restore.yml", extra={**told, **AS_L6, "restore_set": good_set})
    assert again.code == 0, again.output
    assert content(world.sources["wst"]) == good["wst"]
    swap = next(record for record in reversed(world.audit()) if record["event"] == "restore")["details"]["swap"]
    removed = world.play(
        "restore_swap.yml", extra={"restore_swap_state": "absent", "restore_swap": swap, **REASON, **AS_L6}
    )
    assert removed.code == 0, removed.output
    assert siblings(world) == names
    assert world.play("backup.yml").code == 0


@pytest.mark.either_lane
def test_a_dead_source_does_not_block_its_own_recovery(world: World) -> None:
    """No safety backup can be made of a tree that is gone; L6 says so, and that it was so is on record."""
    told = {**target(world, "wst"), **AS_L6}
    good = content(world.sources["wst"])
    names = siblings(world)
    shutil.rmtree(world.sources["wst"])
    refused = world.play("restore.yml", extra=told)
    assert refused.failed_with("source_missing"), refused.output
    assert not world.sources["wst"].exists()
    waived = {**told, "restore_safety_waiver": "no safety backup"}
    assert world.play("restore.yml", "--check", extra=waived).says("goes on without (it is waived)")
    done = world.play("restore.yml", extra=waived)
    assert done.code == 0, done.output
    assert done.says("no safety backup was made, and the restore goes on: that is waived. source_missing: ")
    assert content(world.sources["wst"]) == good
    assert siblings(world) == names
    waived = next(record for record in reversed(world.audit()) if record["event"] == "restore_without_safety_backup")
    assert (waived["code"], waived["details"]["reason"]) == ("source_missing", REASON["restore_reason"])


@pytest.mark.either_lane
def test_a_restore_that_dies_leaves_the_old_trees_or_the_new(world: World) -> None:
    """Killed with the host's job, first while it extracts, then as soon as its swap has begun."""
    told = {**target(world, "wst", "wst-api"), **AS_L6}
    new = {name: content(tree) for name, tree in world.sources.items()}
    for tree in world.sources.values():
        (tree / "made-since").write_text("x")
    old = {name: content(tree) for name, tree in world.sources.items()}
    parent, names = world.sources["wst"].parent, siblings(world)
    empty = set(parent.glob("*.restore-*"))
    with playing(world, "playbooks/restore.yml", extra=told) as run:
        wait_until(
            lambda: run.process.poll() or set(parent.glob("*.restore-*")) - empty, "nothing was extracted", seconds=300
        )
        assert run.process.poll() is None, run.output()
        crash(world, run)
    soon = {"restore_stale_after": STALE, "backup_stale_after": STALE}
    resumed = world.play("restore_swap.yml", extra={**AS_L6, **soon, **REASON})
    assert resumed.code == 0, resumed.output
    assert "was left by a dead restore" in " ".join(resumed.output.split())
    assert {name: content(tree) for name, tree in world.sources.items()} == old
    assert siblings(world) == names

    known = swaps(world, ".json")
    with playing(world, "playbooks/restore.yml", extra={**told, **soon}) as run:
        wait_until(lambda: run.process.poll() or swaps(world, ".json") != known, "nothing was swapped", seconds=300)
        assert run.process.poll() is None, run.output()
        crash(world, run)
    for name, tree in world.sources.items():
        assert not tree.is_dir() or content(tree) in (old[name], new[name])
    resumed = world.play("restore_swap.yml", extra={**AS_L6, **soon, **REASON})
    assert resumed.code == 0, resumed.output
    assert {name: content(tree) for name, tree in world.sources.items()} == new
    ((swap, status),) = set(swaps(world, ".json").items()) - set(known.items())
    assert status == "swapped"
    assert siblings(world) == sorted([*names, f"wst.before-{swap}", f"wst-api.before-{swap}"])
    assert world.play("backup.yml", extra=soon).code == 0


@pytest.mark.either_lane  # pg_restore.exe finds no list by its name under wine
def test_a_database_takes_the_place_of_production_and_gives_it_back(world: World) -> None:
    """With its owners: the application's role goes on with its old password, reads, writes and creates."""
    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    told = {
        **REASON,
        **AS_L6,
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": place,
        "restore_confirm": place,
    }
    with world.connect() as session:
        rows = session.execute("SELECT count(*) FROM app.employees").fetchone()
        session.execute("DELETE FROM app.employees WHERE manager_id IS NOT NULL")
        emptied = session.execute("SELECT count(*) FROM app.employees").fetchone()
    assert rows != emptied
    refused = world.play("restore.yml", extra={**told, **AS_L5})
    assert refused.failed_with("not_authorized"), refused.output
    checked = world.play("restore.yml", "--check", extra=told)
    assert checked.code == 0, checked.output
    done = world.play("restore.yml", extra=told)
    assert done.code == 0, done.output
    record = next(record for record in reversed(world.audit()) if record["event"] == "restore")
    assert record["details"]["safety"]
    old = record["details"]["old_database"]
    with world.as_application() as session:
        assert session.execute("SELECT count(*) FROM app.employees").fetchone() == rows
        session.execute("CREATE TABLE app.made_after (a int)")
        session.execute("INSERT INTO app.made_after VALUES (1)")
        session.execute("DROP TABLE app.made_after")
    names = databases(world)
    assert old in names
    assert not [name for name in names if "_restore_" in name]
    assert world.play("backup.yml").code == 0

    change = {**REASON, **AS_L6, "restore_swap": record["run_id"], "restore_swap_of": "database"}
    undone = world.play("restore_swap.yml", extra={**change, "restore_swap_state": "undone"})
    assert undone.code == 0, undone.output
    with world.as_application() as session:
        assert session.execute("SELECT count(*) FROM app.employees").fetchone() == emptied
    again = world.play("restore.yml", extra={**told, "restore_set": record["details"]["artifact"]})
    assert again.code == 0, again.output
    swap = next(record for record in reversed(world.audit()) if record["event"] == "restore")["run_id"]
    removed = world.play("restore_swap.yml", extra={**change, "restore_swap": swap, "restore_swap_state": "absent"})
    assert removed.code == 0, removed.output
    with world.as_application() as session:
        assert session.execute("SELECT count(*) FROM app.employees").fetchone() == rows


@pytest.mark.either_lane  # pg_restore.exe finds no list by its name under wine
def test_single_tables_come_back_beside_production_for_l5(world: World) -> None:
    """Rows that were deleted are there again in a database of their own, and production is as it was."""
    had = databases(world)
    told = {
        **REASON,
        **AS_L5,
        "restore_database": "{{ lab_restore_database }}",
        "restore_tables": ["app.employees", '"app".Orders'],
    }
    with world.connect() as session:
        rows = session.execute("SELECT count(*), sum(hashtext(e::text)) FROM app.employees e").fetchone()
    for extra, code in (
        ({"wst_backup_authority_token": ""}, "not_authorized"),
        ({"restore_tables": ["app.employee"]}, "input_invalid"),
        ({"restore_tables": ["employees"]}, "input_invalid"),
        ({"restore_trees": target(world, "wst")["restore_trees"]}, "input_invalid"),
    ):
        refused = world.play("restore.yml", extra={**told, **extra})
        assert refused.failed_with(code), refused.output
    checked = world.play("restore.yml", "--check", extra=told)
    assert checked.code == 0, checked.output
    assert "app.employees comes back with" in " ".join(checked.output.split())
    assert databases(world) == had

    done = world.play("restore.yml", extra=told)
    assert done.code == 0, done.output
    record = next(record for record in reversed(world.audit()) if record["event"] == "restore")
    name = record["details"]["tables_database"]
    assert databases(world) == had | {name}
    assert name in done.output
    assert "app.employees, app.orders, equal to the set's" in " ".join(done.output.split())
    assert record["details"]["reason"] == REASON["restore_reason"]
    with world.connect(name) as session:
        found = session.execute("SELECT count(*), sum(hashtext(e::text)) FROM app.employees e").fetchone()
        assert found == rows
    assert world.play("backup.yml").code == 0
    assert world.play("restore.yml", extra={**told, "restore_tables": ["app.no"]}).failed_with("input_invalid")
    assert databases(world) == had | {name}, "no later run takes it away"

    remove = {**told, "restore_tables_state": "absent", "restore_tables": [], "restore_tables_database": name}
    production = world.variables()["backup_database"]["name"]
    for extra, code in (
        ({"restore_tables_database": production}, "restore_target_refused"),
        ({"wst_backup_authority_token": ""}, "not_authorized"),
        ({"restore_reason": " "}, "input_invalid"),
    ):
        refused = world.play("restore.yml", extra={**remove, **extra})
        assert refused.failed_with(code), refused.output
    assert databases(world) == had | {name}
    removed = world.play("restore.yml", extra=remove)
    assert removed.code == 0, removed.output
    assert databases(world) == had
    record = next(record for record in reversed(world.audit()) if record["event"] == "restore_tables_removal")
    assert (record["result"], record["details"]["database"], record["details"]["removed"]) == ("success", name, True)


@pytest.mark.either_lane
def test_a_bare_zip_is_restored_with_fewer_guarantees(world: World) -> None:
    """No manifest, list or sidecar: files and a database come back, and the warnings say what that is worth."""
    newest = world.local / f"{world.counting()[-1]}.zip"
    bare = world.drive_c / "somebodys.zip"
    with zipfile.ZipFile(newest) as ours, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as theirs:
        for name in ours.namelist():
            if name not in ("manifest.json", "members.jsonl"):
                theirs.writestr(name, ours.read(name))
    other = world.control / "scratch" / "from-a-zip"
    separator = "\\" if world.windows else "/"
    told = {
        **REASON,
        **AS_L6,
        "restore_path": world.host["paths"]["root"].replace("wst-control", "somebodys.zip"),
        "restore_beside": separator.join([world.host["paths"]["root"], "scratch", "from-a-zip"]),
        "restore_parts": ["files", "dump", "roles"],
    }
    done = world.play("restore.yml", extra=told)
    assert done.code == 0, done.output
    assert "no member list of ours" in " ".join(done.output.split())
    for name, tree in world.sources.items():
        assert content(other / name) == content(tree)
    shutil.rmtree(other)

    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    told = {**told, "restore_database": "{{ lab_restore_database }}", "restore_target": place, "restore_confirm": place}
    had = databases(world)
    tables = {**told, "restore_beside": "", "restore_tables": ["app.employees", "app.no"]}
    refused = world.play("restore.yml", extra=tables)
    assert refused.failed_with("input_invalid"), refused.output
    assert databases(world) == had, "no manifest said it, so that a database was made, which goes with the failure"
    restored = world.play("restore.yml", extra={**told, "restore_beside": ""})
    assert restored.code == 0, restored.output
    swap = next(record for record in reversed(world.audit()) if record["event"] == "restore")["run_id"]
    change = {**REASON, **AS_L6, "restore_swap": swap, "restore_swap_of": "database", "restore_swap_state": "undone"}
    assert world.play("restore_swap.yml", extra=change).code == 0
    bare.unlink()


@pytest.mark.either_lane
def test_a_database_that_cannot_be_swapped_takes_the_trees_back(world: World) -> None:
    """A superuser comes in between the comparison and the swap, whom the restoring role may not send away."""
    trees = target(world, "wst")
    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    text = f"{trees['restore_target']}, {place}"
    told = {
        **trees,
        **AS_L6,
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": text,
        "restore_confirm": text,
    }
    had = databases(world)
    before = content(world.sources["wst"])
    marker = world.sources["wst"] / "made-since"
    marker.write_text("x")
    with playing(world, "playbooks/restore.yml", extra=told) as run:

        def compared() -> bool:
            assert run.process.poll() is None, run.output()
            found = list((world.control / "scratch").glob("*/candidate.json"))
            return bool(found) and bool(json.loads(found[0].read_text())["body"]["compared"])

        wait_until(compared, "nothing was compared", seconds=300)
        with world.connect() as superuser:
            done = run.end()
            superuser.execute("SELECT 1")
    assert done.failed_with("restore_target_busy"), done.output
    assert content(world.sources["wst"]) == {**before, "made-since": content(world.sources["wst"])["made-since"]}
    end = next(record for record in reversed(world.audit()) if record["event"] == "restore")
    assert (end["result"], end["code"]) == ("failure", "restore_target_busy")
    assert "Production is as it was." in " ".join(done.output.split())
    assert databases(world) == had, "what this run made is gone, what others keep is there"
    with world.as_application() as session:
        session.execute("SELECT count(*) FROM app.employees")
    marker.unlink()
    change = {"restore_swap": end["run_id"], "restore_swap_of": "trees", "restore_swap_state": "absent", **REASON}
    removed = world.play("restore_swap.yml", extra={**change, **AS_L6})
    assert removed.code == 0, removed.output
