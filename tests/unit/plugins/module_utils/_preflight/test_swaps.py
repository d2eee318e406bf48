# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup is not made while a restore stands half way among its sources."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List, Sequence

import pytest

from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import swapjournal
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties
from ansible_collections.wst.backup.plugins.module_utils._pg.swapplan import Names
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report
from ansible_collections.wst.backup.plugins.module_utils._preflight.swaps import check_swaps
from ansible_collections.wst.backup.plugins.module_utils._restore import intent as intents
from ansible_collections.wst.backup.plugins.module_utils._restore import journal as journals
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import STATUSES, Pair

RUN = "20261123-150000-0123abcd"
DATABASE = DatabaseOptions("db.example", "shop", "backup")


def examined(root: Path, *sources: str) -> Report:
    """What preflight says about it."""
    request: Any = SimpleNamespace(
        root=str(root), sources=[SimpleNamespace(path=str(root / name)) for name in sources], database=DATABASE
    )
    report = Report()
    check_swaps(request, report)
    return report


def journal(root: Path, status: str, *targets: str) -> None:
    """A swap of these, in that status."""
    pairs: List[Pair] = []
    for name in targets:
        target = str(root / name)
        pairs.append(Pair(target + ".new", target, target + ".old", "1", "2"))
    layout = HostLayout(str(root))
    journals.write(layout, journals.Journal(RUN, status, tuple(pairs)), status)


@pytest.mark.parametrize("status", STATUSES)
def test_only_a_swap_on_its_way_is_a_problem(tmp_path: Path, status: str) -> None:
    journal(tmp_path, status, "wst", "other")
    problems = examined(tmp_path, "wst", "wst-api").problems
    if status not in ("swapping", "undoing"):
        assert problems == []
        return
    (problem,) = problems
    assert problem.code == "restore_unfinished"
    assert problem.facts == {"swap": RUN, "targets": [str(tmp_path / "wst")]}


@pytest.mark.parametrize(
    ("target", "source", "touches"),
    [("wst", "wst", True), ("wst/sub", "wst", True), ("wst", "wst/sub", True), ("wst-2", "wst", False)],
)
def test_only_what_touches_a_source_counts(tmp_path: Path, target: str, source: str, touches: bool) -> None:
    journal(tmp_path, "swapping", target)
    assert bool(examined(tmp_path, source).problems) is touches


@pytest.mark.parametrize("status", swapjournal.STATUSES)
@pytest.mark.parametrize("name", ["shop", "other"])
def test_a_database_that_may_be_closed_for_a_swap_is_a_problem(tmp_path: Path, status: str, name: str) -> None:
    names = Names(name, "shop_restore", "shop_before", 2, 1)
    server = DatabaseOptions("db.example", "postgres", "admin")
    made = swapjournal.Journal(RUN, status, server, "restore.key", names, True, -1, "0" * 64, Properties("own"))
    layout = HostLayout(str(tmp_path))
    swapjournal.write_journal(layout, made, status)
    assert swapjournal.find_journal(layout, RUN) == made
    found = [problem.code for problem in examined(tmp_path, "wst").problems]
    assert found == (["swap_unfinished"] if name == "shop" and status in ("swapping", "undoing") else [])


def restored(root: Path, database: str, *names: str, stopped: Sequence[str] = ()) -> None:
    """A restore of these trees and that database has not come to its end."""
    trees = tuple(intents.Tree(str(root / name), str(root / f"{name}.restore-{RUN}")) for name in names)
    intents.write(HostLayout(str(root)), intents.Intent(RUN, trees, database, tuple(stopped)))


@pytest.mark.parametrize(
    ("status", "database", "source", "found"),
    [
        ("swapped", "db.example:5432/shop", "wst", True),
        ("swapped", "db.example:5432/shop", "elsewhere", True),
        ("swapped", "db.example:5432/other", "wst", True),
        ("swapped", "db.example:5432/other", "elsewhere", False),
        ("swapped", "", "wst", False),
        ("undone", "db.example:5432/shop", "wst", False),
    ],
)
def test_new_trees_with_an_old_database_are_a_problem(
    tmp_path: Path, status: str, database: str, source: str, found: bool
) -> None:
    """No journal says that anything was interrupted."""
    journal(tmp_path, status, "wst")
    restored(tmp_path, database, "wst")
    problems = examined(tmp_path, source).problems
    assert [problem.code for problem in problems] == (["restore_unfinished"] if found else [])


def test_what_a_dead_restore_has_left_is_a_warning(tmp_path: Path) -> None:
    restored(tmp_path, "", "wst", stopped=["worker"])
    copy = tmp_path / f"wst.restore-{RUN}"
    copy.mkdir()
    report = examined(tmp_path, "wst")
    assert report.problems == []
    (warning,) = report.warnings
    assert str(copy) in warning
    assert "worker may still be stopped" in warning
    copy.rmdir()
    restored(tmp_path, "", "wst")
    assert examined(tmp_path, "wst") == Report()


def test_without_journals_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert examined(tmp_path, "wst") == Report()


def test_a_damaged_journal_is_a_warning(tmp_path: Path) -> None:
    journal(tmp_path, "swapping", "wst")
    path = os.path.join(HostLayout(str(tmp_path)).swaps_dir, f"{RUN}.json")
    with open(path, "ab") as file:
        file.write(b"x")
    report = examined(tmp_path, "wst")
    assert report.problems == []
    assert path in report.warnings[0]
