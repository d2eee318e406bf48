# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore is going to do, and what single tables have become, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils._restore_plan import restore_plan, time_text
from ansible_collections.wst.backup.plugins.plugin_utils._restored_tables import restored_tables

PLAN: dict[str, Any] = {
    "artifact": "b-1",
    "file": "C:\\b-1.zip",
    "made_at": "2026-11-23T03:00:00Z",
    "files": 12,
    "bytes": 2048,
    "dump_size": 1024,
    "rows": 300,
    "pairs": [],
    "database": "db:5432/shop",
    "production": False,
    "tables": [],
}
KEPT: dict[str, Any] = {
    "database": "shop_tables_20261130_101500",
    "server": "db:5432",
    "conninfo": "host=db dbname=shop_tables_20261130_101500 sslmode=verify-full sslrootcert=C:/roots.pem",
    "target_conninfo": "host=db dbname=shop sslmode=verify-full sslrootcert=C:/roots.pem",
    "owner": "restorer",
    "tables": ["app.log"],
}


def test_tables_go_beside_and_the_database_keeps_its_place() -> None:
    lines = restore_plan({**PLAN, "tables": [{"name": "app.log", "rows": 7}, {"name": 'app."T"', "rows": None}]})
    told = "\n".join(lines)
    assert "app.log comes back with 7 rows, in a new database beside db:5432/shop" in told
    assert 'app."T" comes back with an unknown number of rows' in told
    assert "db:5432/shop is not touched" in told
    assert "takes the place" not in told
    assert "takes the place of db:5432/shop" in "\n".join(restore_plan(PLAN))


def test_a_duration_is_told_with_what_it_rests_on_or_why_it_is_not_known() -> None:
    steps = [{"step": "extraction", "seconds": 61}, {"step": "comparison of the files", "seconds": 0}]
    known = {"seconds": 61, "steps": steps, "basis": "an estimate, from the drill"}
    assert (
        "how long it takes: about 1 minute 1 second (extraction 1 minute 1 second, comparison of the files 1 second); "
        "an estimate, from the drill"
    ) in restore_plan({**PLAN, "estimate": known})
    unknown = {"seconds": None, "steps": [], "basis": "unknown: no drill"}
    assert "how long it takes: unknown: no drill" in restore_plan({**PLAN, "estimate": unknown})
    assert "how long" not in "\n".join(restore_plan(PLAN))


def test_room_is_told_for_each_place() -> None:
    space = [
        {"where": "C:\\wst\\wst", "needed": 2048, "free": 4096, "at_most": False},
        {"where": "db:5432/shop", "needed": 1024, "free": None, "at_most": True},
    ]
    lines = restore_plan({**PLAN, "space": space})
    assert "space for C:\\wst\\wst: 2.0 KiB needed, 4.0 KiB are free" in lines
    assert "space for db:5432/shop: at most 1.0 KiB needed, how much is free is not known" in lines


@pytest.mark.parametrize(
    ("safety", "words"),
    [
        ({}, "nobody knows how long it takes"),
        ({"safety_seconds": None}, "nobody knows how long it takes"),
        ({"safety_seconds": 720}, "the last backup took 12 minutes"),
    ],
)
def test_a_safety_backup_takes_as_long_as_the_last_one(safety: dict[str, Any], words: str) -> None:
    lines = restore_plan({**PLAN, "production": True, "target": "x", "estimate": safety})
    assert f"production is replaced: x. A safety backup is made before it, or nothing is replaced; {words}" in lines
    waived = restore_plan({**PLAN, "production": True, "target": "x", "estimate": safety}, waived=True)
    assert [line for line in waived if "goes on without (it is waived); " + words in line]
    assert "safety" not in "\n".join(restore_plan({**PLAN, "estimate": safety}))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 second"),
        (59.6, "1 minute"),
        (3600, "1 hour"),
        (3661, "1 hour 1 minute"),
        (3601, "1 hour"),
        (200000, "2 days 7 hours"),
    ],
)
def test_times_have_two_units(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_who_restored_tables_learns_where_they_are_and_what_to_do() -> None:
    restored = {"tables": ["app.log_1", "app.log_2"], "left_out": [f"FK CONSTRAINT {n}" for n in range(12)]}
    told = "\n".join(restored_tables(KEPT, restored, {"rows": 70}))
    assert "shop_tables_20261130_101500 on db:5432 has 70 rows of app.log_1, app.log_2" in told
    assert "it belongs to restorer" in told
    assert f"""psql "{KEPT["conninfo"]}" -c "\\copy app.log_2 to 'app.log_2.rows'\"""" in told
    assert f"""psql "{KEPT["target_conninfo"]}" -v ON_ERROR_STOP=1 -1 -c """ in told
    assert "restore_tables_database: shop_tables_20261130_101500" in told
    assert "left out: FK CONSTRAINT 9" in told
    assert "left out: 2 more kinds" in told


@pytest.mark.parametrize("tables", [["app.log", 'app."T"'], ["app.log; rm"], [f"app.t{n}" for n in range(11)]])
def test_a_command_that_would_copy_some_of_the_tables_is_not_shown(tables: list[str]) -> None:
    lines = restored_tables(KEPT, {"tables": tables, "left_out": []}, {"rows": 70})
    assert not any(line.startswith("  psql") for line in lines)
    assert any("docs/recovery.md" in line for line in lines)


def test_empty_tables_are_said_to_be_empty() -> None:
    told = "\n".join(restored_tables(KEPT, {"tables": [], "left_out": []}, {"rows": 0}))
    assert "0 rows of tables that are empty in the set" in told
    assert "psql" not in told
