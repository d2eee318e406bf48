# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a restore: written before the first swap, looked at by the resume, ended when all stands together."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    InputInvalid,
    LeaseLost,
    RecordDamaged,
    RestoreTargetRefused,
    RestoreUnfinished,
    SwapUnfinished,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import write_record
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock
from ansible_collections.wst.backup.plugins.module_utils._pg import swapjournal
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties
from ansible_collections.wst.backup.plugins.module_utils._pg.swapplan import Names
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import intent as intents
from ansible_collections.wst.backup.plugins.module_utils._restore import intent_step, swap_step
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import RUN_ID
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.conftest import Scene

DATABASE = "db.example:5432/shop"
OLD, NEW = "old", "new"


class Site:
    """Production with a tree, a new one beside it, and a run that has the host's lease."""

    def __init__(self, scene: Scene) -> None:
        self.layout = scene.layout
        self.target = scene.production / "web"
        self.extract = scene.production / f"web.restore-{RUN_ID}"
        for path, word in ((self.target, OLD), (self.extract / "web", NEW)):
            path.mkdir(parents=True)
            (path / "page.html").write_text(word)
        RunLock(self.layout).acquire(RUN_ID, purpose="test")

    def intent(self, state: str, *, dry_run: bool = False, **changes: Any) -> Dict[str, Any]:
        """The step ``restore_intent``."""
        return intent_step.run(intent_step.Request(self.layout, state, **changes), dry_run=dry_run)

    def open(self, database: str = DATABASE, **changes: Any) -> Dict[str, Any]:
        """For the tree and the database."""
        return self.intent("open", trees=[(str(self.target), str(self.extract))], database=database, **changes)

    def swap(self, state: str = "swapped", swap: Optional[str] = None) -> Dict[str, Any]:
        """The step ``files_swap``."""
        pairs = [(str(self.extract / "web"), str(self.target))] if state == "swapped" else []
        request = swap_step.Request(self.layout, state, pairs, swap, check_open=False)
        return swap_step.run(request, dry_run=False)

    def database(self, status: str) -> None:
        """Its journal says so."""
        names = Names("shop", "shop_restore", "shop_before", 2, 1)
        server = DatabaseOptions("db.example", "postgres", "admin")
        made = swapjournal.Journal(RUN_ID, status, server, "restore.key", names, True, -1, "0" * 64, Properties("own"))
        swapjournal.write_journal(self.layout, made, status)

    @property
    def production(self) -> str:
        """What the tree has."""
        return (self.target / "page.html").read_text()

    def ended(self) -> bool:
        """Whether no restore waits for anything."""
        return intents.unended(self.layout) == []


@pytest.fixture
def site(scene: Scene) -> Site:
    """A good one."""
    return Site(scene)


def test_what_is_recorded_comes_back(site: Site) -> None:
    assert site.open(dry_run=True)["changed"] is True
    assert site.ended()
    done = site.open()
    assert done["restores"] == [
        {
            "swap": RUN_ID,
            "trees": [str(site.target)],
            "trees_status": None,
            "database": DATABASE,
            "database_status": None,
        }
    ]
    assert site.open()["changed"] is False
    assert site.intent("pending")["restores"] == done["restores"]
    (found,) = intents.unended(site.layout)
    assert found == intents.Intent(RUN_ID, (intents.Tree(str(site.target), str(site.extract)),), DATABASE)


def test_a_directory_that_is_not_the_runs_own_is_refused(site: Site) -> None:
    """What is recorded is removed one day."""
    for extract in (site.target, site.extract.with_name("web.restore-20261123-000000-0badcafe"), site.extract / "web"):
        with pytest.raises(InputInvalid):
            site.intent("open", trees=[(str(site.target), str(extract))])
    assert site.ended()


@pytest.mark.parametrize("database", [None, "undone"])
def test_new_trees_without_their_database_are_taken_back(site: Site, database: Optional[str]) -> None:
    """The restore died between its two swaps: neither journal says that anything is to be done."""
    site.open()
    site.swap()
    if database:
        site.database(database)
    assert site.production == NEW
    with pytest.raises(RestoreUnfinished):
        site.intent("ended")
    assert not site.ended()
    assert site.swap("resumed")["status"] == "undone"
    assert site.production == OLD
    assert site.swap("resumed")["changed"] is False
    assert site.intent("ended")["left"] == [str(site.extract / "web")]
    assert site.ended()


def test_a_swap_of_trees_that_died_on_its_way_goes_back_where_its_database_was_not_swapped(site: Site) -> None:
    site.open()
    pair = swap_step.pair_of(str(site.extract / "web"), str(site.target), RUN_ID)
    swap_step.journals.write(site.layout, swap_step.Journal(RUN_ID, "swapping", (pair,)), "swapping")
    os.rename(pair.target, pair.old)
    with pytest.raises(RestoreUnfinished):
        site.intent("ended")
    assert site.swap("resumed")["status"] == "undone"
    assert site.production == OLD


@pytest.mark.parametrize(
    ("opened", "database"), [("", None), (DATABASE, "swapped"), (DATABASE, "removed"), ("ended", None)]
)
def test_trees_stay_where_nothing_else_was_wanted_or_it_was_done(
    site: Site, opened: str, database: Optional[str]
) -> None:
    site.open("" if opened == "ended" else opened)
    site.swap()
    if database:
        site.database(database)
    assert site.swap("resumed")["changed"] is False
    assert site.production == NEW
    assert site.intent("ended")["changed"] is True
    assert site.ended()
    assert site.intent("ended", swap=RUN_ID)["changed"] is False


def test_trees_wait_for_a_database_that_is_on_its_way(site: Site) -> None:
    site.open()
    site.swap()
    site.database("swapping")
    with pytest.raises(SwapUnfinished):
        site.swap("resumed")
    assert site.production == NEW
    site.database("swapped")
    assert site.swap("resumed")["changed"] is False
    site.intent("ended")
    assert site.ended()


def test_both_are_taken_back_or_none(site: Site) -> None:
    """The way back is on record too: what dies between the two is found."""
    site.open()
    site.swap()
    site.database("swapped")
    site.intent("ended")
    assert site.intent("open", swap=RUN_ID, dry_run=True)["changed"] is True
    assert site.ended()
    assert site.intent("open", swap=RUN_ID)["changed"] is True
    site.database("undone")
    with pytest.raises(RestoreUnfinished):
        site.intent("ended", swap=RUN_ID)
    assert site.swap("resumed")["status"] == "undone"
    site.intent("ended", swap=RUN_ID)
    assert site.ended()
    assert site.intent("open", swap="20261123-000000-0badcafe")["restores"] == []


def test_a_person_may_take_them_apart(site: Site) -> None:
    site.open()
    site.swap()
    site.intent("ended", swap=RUN_ID, decided=True)
    assert site.ended()
    assert site.swap("resumed")["changed"] is False
    assert site.production == NEW


def test_no_other_restore_is_begun_beside_a_mix(site: Site) -> None:
    other = "20261124-000000-0badcafe"
    extract = f"{site.target}.restore-{other}"
    site.open()
    intents.write(site.layout, intents.Intent(other, (intents.Tree(str(site.target), extract),), DATABASE))
    assert site.open()["changed"] is False  # nothing of the other was begun
    site.swap()
    os.rename(intents.journal_path(site.layout, RUN_ID, ".json"), intents.journal_path(site.layout, other, ".json"))
    with pytest.raises(RestoreUnfinished):
        site.open("")


def test_what_a_dead_restore_made_goes_and_what_was_production_stays(site: Site) -> None:
    site.open()
    partial = site.extract.with_name(f"{site.extract.name}.{RUN_ID}.partial")
    partial.mkdir()
    assert site.intent("ended", dry_run=True)["changed"] is True
    assert site.extract.is_dir()
    assert site.intent("ended")["removed"] == [str(site.extract), str(partial)]
    assert not partial.exists()
    assert (site.extract.exists(), site.production, site.ended()) == (False, OLD, True)


def test_a_copy_that_cannot_be_removed_keeps_the_record(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.open()
    monkeypatch.setattr(intent_step._fs, "remove_tree", lambda path, inside: (_ for _ in ()).throw(LeaseLost("gone")))
    with pytest.raises(LeaseLost):
        site.intent("ended")
    assert not site.ended()


def test_trees_that_were_taken_back_go_when_told(site: Site) -> None:
    site.open("")
    site.swap()
    site.swap("undone", RUN_ID)
    site.intent("ended")
    assert site.extract.is_dir()
    assert site.swap("absent", RUN_ID)["changed"] is True
    assert (site.extract.exists(), site.production) == (False, OLD)
    assert site.swap("absent", RUN_ID)["changed"] is False
    assert site.intent("pending")["left"] == []


def test_a_tree_that_is_not_the_one_taken_back_stays(site: Site) -> None:
    site.open("")
    site.swap()
    site.swap("undone", RUN_ID)
    (site.extract / "web").rename(site.extract / "kept")
    (site.extract / "web").mkdir()
    assert site.swap("absent", RUN_ID)["changed"] is False
    assert (site.extract / "web").is_dir()


class Services:
    """Of a system that has some."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **states: str) -> None:
        self.states = states
        monkeypatch.setattr(api, "service_state", self.states.get)


def test_what_ran_is_recorded_until_it_runs_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(monkeypatch, worker="running", mailer="stopped", last="running")
    with pytest.raises(RestoreTargetRefused):
        site.open(services=["nobody"])
    told: List[str] = ["worker", "mailer", "last"]
    assert site.open(services=told)["services"] == ["worker", "last"]
    services.states["worker"] = "stopped"
    site.swap()
    site.database("swapped")
    assert site.intent("ended")["down"] == ["service worker"]
    assert site.intent("pending")["services"] == ["worker", "last"]
    del services.states["worker"]
    assert site.intent("ended")["down"] == ["service worker"]
    assert not site.ended()
    services.states["worker"] = "running"
    assert site.intent("ended")["down"] == []
    assert site.ended()
    site.intent("open", swap=RUN_ID)
    assert site.intent("pending")["services"] == []  # they run: this was another restore's matter


def test_a_damaged_record_is_named(site: Site) -> None:
    site.open()
    path = intents.journal_path(site.layout, RUN_ID, intents.SUFFIX)
    write_record(path, {"version": 2})
    with pytest.raises(RecordDamaged) as caught:
        site.swap("resumed")
    assert path in caught.value.message


def test_the_lease_of_another_run_is_respected(site: Site) -> None:
    shutil.rmtree(Path(site.layout.lock_dir))
    with pytest.raises(LeaseLost):
        site.open()
    assert site.ended()
