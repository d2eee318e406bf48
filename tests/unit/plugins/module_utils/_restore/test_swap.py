# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Swapping trees: a process that dies before every call that changes the disk, every refusal, and every way back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    InputInvalid,
    LeaseLost,
    NoSpace,
    NotAuthorized,
    PathUnusable,
    RecordDamaged,
    RestoreTargetBusy,
    RestoreTargetRefused,
    RestoreUnfinished,
    SwapUnknown,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import write_record
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import journal as journals
from ansible_collections.wst.backup.plugins.module_utils._restore import swap, swap_checks
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_step import Request, run
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import RUN_ID
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    directory_target,
    provisioned,
    recorded,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.conftest import Scene
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.crasher import crashes, enter_run

TREES = ("web", "api", "docs")  # the last has no old tree
BEFORE = f".before-{RUN_ID}"


def pairs_in(directory: Path) -> List[tuple[str, str]]:
    """What is to be swapped there."""
    return [(str(directory / "new" / name), str(directory / name)) for name in TREES]


def prepare(directory: str) -> None:
    """Old trees but for the last, and new ones for all."""
    root = Path(directory)
    for name in TREES:
        for place, word in ((root, "old"), (root / "new", "new")):
            if (name, word) == ("docs", "old"):
                continue
            (place / name / "sub").mkdir(parents=True)
            (place / name / "sub" / "file.txt").write_text(f"{word} {name}")


def scenario(directory: str) -> None:
    """What dies: see ``crasher``."""
    enter_run(RUN_ID)
    pairs = [swap_checks.pair_of(new, target, RUN_ID) for new, target in pairs_in(Path(directory))]
    swap.begin(HostLayout(os.path.join(directory, "control")), RUN_ID, pairs)


def production(directory: Path) -> Dict[str, str]:
    """What stands under the production names."""
    found = {}
    for name in TREES:
        path = directory / name / "sub" / "file.txt"
        found[name] = path.read_text() if path.exists() else "nothing"
    return found


OLD = {"web": "old web", "api": "old api", "docs": "nothing"}
NEW = {name: f"new {name}" for name in TREES}
OLD_NAMES = [*TREES[:2], "new"]
NEW_NAMES = [*TREES, "new", f"web{BEFORE}", f"api{BEFORE}"]


def names(directory: Path) -> List[str]:
    """Every name there but the host's own directory, and nothing may be half a name."""
    return sorted(name for name in os.listdir(directory) if name != "control")


def layout_of(directory: Path) -> HostLayout:
    """The host's own directory beside the trees."""
    return HostLayout(str(directory / "control"))


def resume(layout: HostLayout, how: Callable[[HostLayout, journals.Journal], journals.Journal]) -> List[str]:
    """What the next run does; the statuses it ended with."""
    return [how(layout, journal).status for journal in journals.unfinished(layout)]


@pytest.mark.timeout(600)  # a process for each call
@pytest.mark.parametrize("how", ["forward", "back"])
def test_no_crash_leaves_a_mix(tmp_path: Path, how: str) -> None:
    """Die at every call, before and after; the next run goes on or back; all old or all new, and nothing is lost."""
    stood = set()
    for what, place in crashes(__file__, str(tmp_path), prepare):
        directory, layout = Path(place), layout_of(Path(place))
        now = production(directory)
        waiting = journals.unfinished(layout)
        assert waiting or now in (OLD, NEW), what  # a mix stands in the journal, always
        stood.add((bool(waiting), tuple(now.values())))
        done = resume(layout, swap.finish if how == "forward" else swap.undo)
        if waiting:
            assert done == ["swapped" if how == "forward" else "undone"], what
            assert production(directory) == (NEW if how == "forward" else OLD), what
        else:
            assert production(directory) == now, what
        assert names(directory) == sorted(NEW_NAMES if production(directory) == NEW else OLD_NAMES), what
        for name in TREES[:2]:
            old = directory / (name + BEFORE if production(directory) == NEW else name)
            assert (old / "sub" / "file.txt").read_text() == f"old {name}", what
        assert resume(layout, swap.finish) == [], what
    # A test that never met one of these would have proved nothing.
    assert {
        (False, ("old web", "old api", "nothing")),
        (True, ("old web", "old api", "nothing")),
        (True, ("nothing", "old api", "nothing")),
        (True, ("new web", "old api", "nothing")),
        (True, ("new web", "nothing", "nothing")),
        (True, ("new web", "new api", "nothing")),
        (True, ("new web", "new api", "new docs")),
        (False, ("new web", "new api", "new docs")),
    } <= stood


def halfway(directory: str) -> None:
    """A swap that was killed when the first tree was in place and the second stood aside."""
    prepare(directory)
    layout = layout_of(Path(directory))
    pairs = [swap_checks.pair_of(new, target, RUN_ID) for new, target in pairs_in(Path(directory))]
    journals.write(layout, journals.Journal(RUN_ID, "swapping", tuple(pairs)), "swapping")
    os.rename(pairs[0].target, pairs[0].old)
    os.rename(pairs[0].new, pairs[0].target)
    os.rename(pairs[1].target, pairs[1].old)


RESUMING = """
from ansible_collections.wst.backup.plugins.module_utils._restore import journal, swap
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore import test_swap
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets import crasher
def scenario(directory):
    crasher.enter_run("20261124-000000-0000eeee")
    test_swap.resume(test_swap.layout_of(test_swap.Path(directory)), swap.%s)
"""


@pytest.mark.timeout(600)  # a process for each call
@pytest.mark.parametrize(("how", "wanted"), [("finish", NEW), ("undo", OLD)])
def test_a_crash_while_it_is_resumed_is_resumed_from(tmp_path: Path, how: str, wanted: Dict[str, str]) -> None:
    module = tmp_path / "scenario.py"
    module.write_text(RESUMING % how, encoding="utf-8")
    for what, place in crashes(str(module), str(tmp_path / "places"), halfway):
        directory, layout = Path(place), layout_of(Path(place))
        (journal,) = journals.unfinished(layout) or [None]
        if journal is not None:
            going_back = journal.status == "undoing"
            assert not (going_back and how == "finish"), what
            resume(layout, swap.undo if how == "undo" else swap.finish)
        assert production(directory) == wanted, what
        assert names(directory) == sorted(NEW_NAMES if wanted == NEW else OLD_NAMES), what


class Site:
    """A host with production trees, and a run that has its lease."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.layout = scene.layout
        self.directory = scene.production
        prepare(str(self.directory))
        RunLock(self.layout).acquire(RUN_ID, purpose="test")

    def run(self, state: str = "swapped", *, dry_run: bool = False, **changes: Any) -> Dict[str, Any]:
        """The step."""
        told: Dict[str, Any] = {"layout": self.layout, "state": state}
        if state == "swapped":
            told["pairs"] = pairs_in(self.directory)
        return run(Request(**{**told, **changes}), dry_run=dry_run)


@pytest.fixture
def site(scene: Scene) -> Site:
    """A good one."""
    return Site(scene)


def test_a_swap_is_made_and_made_only_once(site: Site) -> None:
    planned = site.run(dry_run=True)
    assert production(site.directory) == OLD
    done = site.run()
    assert production(site.directory) == NEW
    assert names(site.directory) == sorted(NEW_NAMES)
    assert (done["changed"], done["status"], done["swap"]) == (True, "swapped", RUN_ID)
    assert planned["renames"] == done["renames"]
    assert len(done["renames"]) == 5
    assert [tree["old"] and Path(tree["old"]).name for tree in done["trees"]] == [f"web{BEFORE}", f"api{BEFORE}", None]
    again = site.run()
    assert (again["changed"], again["status"]) == (False, "swapped")
    assert production(site.directory) == NEW
    assert site.run("resumed")["changed"] is False
    granted = [record["details"] for record in recorded(site.layout) if record["event"] == "authority_granted"]
    assert [grant["check_mode"] for grant in granted] == [True, False]
    assert granted[-1]["needed"] == "L6"


def test_a_finished_swap_is_taken_back_and_made_again(site: Site) -> None:
    site.run()
    assert site.run("undone", swap=RUN_ID, dry_run=True)["changed"] is True
    assert production(site.directory) == NEW
    assert site.run("undone", swap=RUN_ID)["status"] == "undone"
    assert production(site.directory) == OLD
    assert names(site.directory) == sorted(OLD_NAMES)
    assert site.run("undone", swap=RUN_ID)["changed"] is False
    assert site.run()["changed"] is True
    assert production(site.directory) == NEW


def test_the_old_trees_go_when_told_and_then_there_is_no_way_back(site: Site) -> None:
    site.run()
    outside = site.scene.other / "kept.txt"
    outside.write_bytes(b"x")
    if os.name == "posix":
        os.symlink(str(site.scene.other), site.directory / f"web{BEFORE}" / "link")
    assert site.run("absent", swap=RUN_ID, dry_run=True)["changed"] is True
    assert names(site.directory) == sorted(NEW_NAMES)
    assert site.run("absent", swap=RUN_ID)["status"] == "removed"
    assert names(site.directory) == sorted([*TREES, "new"])
    assert outside.read_bytes() == b"x"
    assert production(site.directory) == NEW
    assert site.run("absent", swap=RUN_ID)["changed"] is False
    with pytest.raises(RestoreTargetRefused):
        site.run("undone", swap=RUN_ID)


def test_a_tree_that_is_not_the_one_that_stepped_aside_stays(site: Site) -> None:
    site.run()
    aside = site.directory / f"web{BEFORE}"
    aside.rename(site.directory / "elsewhere")
    aside.mkdir()
    with pytest.raises(RestoreTargetRefused):
        site.run("absent", swap=RUN_ID)
    assert (site.directory / f"api{BEFORE}").is_dir()
    assert aside.is_dir()
    aside.rmdir()
    assert site.run("absent", swap=RUN_ID)["status"] == "removed"  # who moved it away has it


def test_a_removal_that_was_interrupted_is_resumed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.run()
    real = swap._fs.remove_tree

    def refuse(path: str, *, inside: str) -> bool:
        if path.endswith(f"api{BEFORE}"):
            raise PathUnusable("held")
        return real(path, inside=inside)

    monkeypatch.setattr(swap._fs, "remove_tree", refuse)
    with pytest.raises(PathUnusable):
        site.run("absent", swap=RUN_ID)
    with pytest.raises(RestoreTargetRefused):
        site.run("undone", swap=RUN_ID)
    with pytest.raises(RestoreUnfinished):
        site.run()
    monkeypatch.setattr(swap._fs, "remove_tree", real)
    assert site.run("resumed")["status"] == "removed"
    assert names(site.directory) == sorted([*TREES, "new"])


def failing(monkeypatch: pytest.MonkeyPatch, *numbers: int, error: Callable[[str], OSError]) -> List[int]:
    """The renames of these numbers fail, counted from 1."""
    real, calls = api.rename_new, [0]

    def rename(source: str, target: str, **options: Any) -> None:
        calls[0] += 1
        if calls[0] in numbers:
            raise error(target)
        real(source, target, **options)

    monkeypatch.setattr(api, "rename_new", rename)
    return calls


def sharing_violation(path: str) -> OSError:
    """What Windows says when somebody has the tree."""
    error = PermissionError(13, "The process cannot access the file", path)
    error.winerror = 32  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_rename_that_fails_takes_all_of_them_back(site: Site, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    failing(monkeypatch, number, error=sharing_violation)
    monkeypatch.setattr(api, "holders", lambda path, limit: [api.Holder(path + "/x", ("w3wp.exe (PID 7)",))])
    with pytest.raises(RestoreTargetBusy) as caught:
        site.run(check_open=False)
    assert "w3wp.exe (PID 7)" in caught.value.message
    assert production(site.directory) == OLD
    assert names(site.directory) == sorted(OLD_NAMES)
    assert journals.unfinished(site.layout) == []
    monkeypatch.undo()
    site.scene.be("L6")
    assert site.run()["status"] == "swapped"


def test_what_can_neither_be_done_nor_taken_back_says_so_and_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 4, 5, error=sharing_violation)
    with pytest.raises(RestoreUnfinished) as caught:
        site.run()
    assert RUN_ID in caught.value.message
    assert production(site.directory) == {**NEW, "api": "nothing", "docs": "nothing"}
    with pytest.raises(RestoreUnfinished):
        site.run()
    monkeypatch.undo()
    site.scene.be("L6")
    assert site.run("resumed")["status"] == "undone"  # it was on its way back
    assert production(site.directory) == OLD


def test_another_failure_has_its_own_name(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 2, error=lambda path: OSError(28, os.strerror(28), path))
    with pytest.raises(NoSpace):
        site.run()
    assert production(site.directory) == OLD


def test_who_made_the_target_meanwhile_is_not_written_over(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that finds its directory gone makes it anew, as some do."""
    real, calls = api.rename_new, [0]

    def rename(source: str, target: str, **options: Any) -> None:
        calls[0] += 1
        if calls[0] == 2:
            os.mkdir(target)
        real(source, target, **options)

    monkeypatch.setattr(api, "rename_new", rename)
    with pytest.raises(RestoreUnfinished):
        site.run()
    monkeypatch.undo()
    site.scene.be("L6")
    with pytest.raises(RestoreTargetRefused) as refused:
        site.run("undone")
    assert str(site.directory / "web") in refused.value.message
    (site.directory / "web").rmdir()
    assert site.run("undone")["status"] == "undone"
    assert production(site.directory) == OLD


def test_an_open_file_stops_it_before_it_begins(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = api.Holder(str(site.directory / "api" / "x.dll"), ("w3wp.exe (PID 7)",))
    monkeypatch.setattr(api, "holders", lambda path, limit: [holder] * 4 if path.endswith("api") else [])
    for dry_run in (True, False):
        with pytest.raises(RestoreTargetBusy) as caught:
            site.run(dry_run=dry_run, patience=0)
        assert holder.in_words() in caught.value.message
        assert len(caught.value.facts["held"]) == 4
    assert production(site.directory) == OLD
    assert site.run(check_open=False)["status"] == "swapped"


def test_a_program_that_is_about_to_end_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: List[str] = []

    def holders(path: str, limit: int) -> List[api.Holder]:
        asked.append(path)
        return [api.Holder(path, ())] if len(asked) <= 2 else []

    monkeypatch.setattr(api, "holders", holders)
    monkeypatch.setattr(swap_checks, "_PAUSE", 0.0)
    assert site.run()["status"] == "swapped"
    assert len(asked) == 4


def test_only_l6_touches_production_and_l5_what_is_not(site: Site) -> None:
    for level in (None, L5):
        site.scene.be(level)
        for dry_run in (True, False):
            with pytest.raises(NotAuthorized):
                site.run(dry_run=dry_run)
    assert production(site.directory) == OLD
    provisioned(site.layout, directory_target(str(site.scene.other)), directory_target(str(site.directory)))
    assert site.run()["status"] == "swapped"
    site.scene.be(None)
    for state in ("undone", "absent"):
        with pytest.raises(NotAuthorized):
            site.run(state, swap=RUN_ID)
    assert production(site.directory) == NEW


def test_without_the_lease_nothing_is_swapped(site: Site) -> None:
    os.unlink(RunLock(site.layout).lease_file)
    with pytest.raises(LeaseLost):
        site.run()
    assert production(site.directory) == OLD


def put_link(directory: Path) -> None:
    (directory / "web").rename(directory / "real")
    (directory / "web").symlink_to(directory / "real")


@pytest.mark.posix
def test_a_link_is_never_swapped(site: Site) -> None:
    put_link(site.directory)
    with pytest.raises(RestoreTargetRefused, match="link"):
        site.run()
    assert (site.directory / "api" / "sub" / "file.txt").read_text() == "old api"


@pytest.mark.parametrize(
    ("new", "target"),
    [
        ("prod/new/web", "prod/new/web/inside"),
        ("prod/new", "prod/new/web"),
        ("prod/web", "prod/web"),
        ("prod/none", "prod/web"),
        ("prod/new/web", "prod/none/web"),
        ("prod/new/web", "prod/web/sub/file.txt"),
        ("prod/new/web/sub/file.txt", "prod/web"),
        ("control/scratch", "prod/web"),
        ("prod/new/web", "control"),
        ("prod/new/web", "control/swaps"),
        ("prod/new/web", "."),
    ],
)
def test_what_cannot_be_swapped_is_refused(site: Site, tmp_path: Path, new: str, target: str) -> None:
    with pytest.raises((RestoreTargetRefused, InputInvalid)):
        site.run(pairs=[(str(tmp_path / new), str(tmp_path / target))])
    assert production(site.directory) == OLD
    assert journals.unfinished(site.layout) == []


def test_an_empty_list_and_a_name_that_is_taken_are_refused(site: Site) -> None:
    with pytest.raises(InputInvalid):
        site.run(pairs=[])
    (site.directory / f"api{BEFORE}").mkdir()
    with pytest.raises(RestoreTargetRefused):
        site.run()
    with pytest.raises(InputInvalid):
        site.run(pairs=[("new", str(site.directory / "web"))])
    assert production(site.directory) == OLD


def test_another_volume_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = api.volume

    def volume(path: str) -> Any:
        told = real(path)
        return type(told)(**{**vars(told), "id": "other" if "new" in Path(path).parts[-2:] else "this"})

    monkeypatch.setattr(api, "volume", volume)
    with pytest.raises(RestoreTargetRefused, match="volume"):
        site.run()
    assert production(site.directory) == OLD


def test_one_run_swaps_once(site: Site) -> None:
    site.run(pairs=pairs_in(site.directory)[:1])
    with pytest.raises(RestoreTargetRefused):
        site.run(pairs=pairs_in(site.directory)[1:])
    with pytest.raises(SwapUnknown):
        site.run("undone", swap="20261124-000000-0000eeee")
    with pytest.raises(InputInvalid):
        site.run("undone", swap="../../x")


def test_a_journal_that_is_none_is_named(site: Site) -> None:
    site.run()
    path = os.path.join(site.layout.swaps_dir, f"{RUN_ID}.json")
    for body in ({"version": 2}, {"version": 1, "status": "odd"}, {"version": 1, "status": "swapping", "pairs": [{}]}):
        write_record(path, body)
        with pytest.raises(RecordDamaged):
            site.run("resumed")
    with open(path, "wb") as file:
        file.write(b"{}")
    with pytest.raises(RecordDamaged):
        site.run("undone", swap=RUN_ID)


def test_other_files_beside_the_journals_are_none(site: Site) -> None:
    os.mkdir(site.layout.swaps_dir)
    for name in ("x.json", f"{RUN_ID}.txt", f"{RUN_ID}.json.{RUN_ID}.partial"):
        Path(site.layout.swaps_dir, name).write_bytes(b"x")
    assert site.run("resumed") == {"changed": False, "swap": None, "status": None, "trees": [], "renames": []}
