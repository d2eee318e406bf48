# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore that failed says what production is now: untouched, replaced, or half way."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils._restore_failure import restore_failure

SERVICE = {"code": "service_failed", "msg": "service_failed: service worker is stopped. Start it."}
LOST = {"code": "db_lost", "msg": "db_lost: gone. Wait."}
SAFETY = {"artifact": "wst-backup-20261130-101500"}


def ended(trees: str | None, database: str | None, of: str = "db:5432/shop") -> dict[str, Any]:
    """What ``restore_intent`` says."""
    restore = {
        "swap": "ID",
        "trees": ["C:\\wst\\wst"],
        "trees_status": trees,
        "database": of,
        "database_status": database,
    }
    return {"restores": [restore]}


def test_a_service_that_does_not_start_after_a_good_swap_hides_nothing() -> None:
    told = restore_failure([SERVICE, SERVICE], ended=ended("swapped", "swapped"), safety=SAFETY)
    assert told == (
        "service_failed: service worker is stopped. Start it. Production WAS replaced: C:\\wst\\wst and db:5432/shop. "
        "The swap's id is ID, and the safety backup wst-backup-20261130-101500. The way back is playbook "
        "restore_swap.yml with restore_swap_state=undone and restore_swap=ID."
    )


def test_what_was_stopped_and_does_not_run_is_named_with_the_way_to_start_it() -> None:
    down = {**ended("swapped", "swapped"), "down": ["service worker", "application pool web"]}
    told = restore_failure([SERVICE], ended=down, safety=SAFETY)
    assert "Stopped by us and not running: service worker, application pool web. Mend that first." in told
    assert "restore_swap.yml starts what can be started" in told


def test_without_a_failure_it_says_what_stands() -> None:
    assert restore_failure([], ended=ended("swapped", None, of=""), safety=SAFETY).startswith("Production WAS replaced")
    assert restore_failure([], ended={"skipped": True}, safety={}) == ""


def test_the_first_failure_comes_first_and_none_is_lost() -> None:
    told = restore_failure([LOST, SERVICE, LOST], ended=ended("undone", None), safety=SAFETY)
    assert told.startswith("db_lost: gone. Wait. And then: service_failed: ")
    assert told.endswith("Start it. Production is as it was.")


@pytest.mark.parametrize(
    ("trees", "database"), [("swapped", None), ("swapped", "swapping"), ("swapping", None), (None, "undoing")]
)
def test_what_stands_half_way_is_called_so(trees: str | None, database: str | None) -> None:
    failed = {"failed": True, "code": "restore_unfinished", "facts": ended(trees, database)}
    told = restore_failure([LOST], ended=failed, safety={})
    assert f"HALF WAY (C:\\wst\\wst: {trees or 'not begun'}; db:5432/shop: {database or 'not begun'})" in told
    assert "the safety backup was not made" in told


def test_trees_alone() -> None:
    told = restore_failure([SERVICE], ended=ended("swapped", None, of=""), safety=SAFETY)
    assert "Production WAS replaced: C:\\wst\\wst. " in told


def test_where_nothing_is_known_nothing_is_claimed() -> None:
    lost = {"failed": True, "code": "connection_lost", "msg": "gone"}
    assert "not known" in restore_failure([LOST], ended=lost, safety=SAFETY)
    assert restore_failure([LOST], ended={}, safety={}) == LOST["msg"]
    assert restore_failure([LOST], ended={"skipped": True}, safety={}) == LOST["msg"]
