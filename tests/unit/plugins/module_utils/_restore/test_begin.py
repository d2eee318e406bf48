# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beginning of a restore: what may be replaced, by whom, and after what was typed."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6, OPERATOR
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    InputInvalid,
    NoSpace,
    NotAuthorized,
    RestoreUnconfirmed,
    SetMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore.begin_step import Request, begin, trees_of
from ansible_collections.wst.backup.plugins.module_utils._restore.estimate import UNKNOWN
from ansible_collections.wst.backup.plugins.module_utils._restore.meaning import target_text
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import recorded
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.conftest import Scene
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import PREFIX

REASON = "a deployment has emptied it"


def request(scene: Scene, **changes: Any) -> Request:
    told: dict[str, Any] = {
        "layout": scene.layout,
        "layer": Layer(LOCAL, str(scene.other)),
        "prefix": PREFIX,
        "artifact": "newest",
        "reason": REASON,
        "suffix": ".restore-run",
    }
    return Request(**{**told, **changes})


def tree(path: Path) -> list[tuple[str, str]]:
    return [("wst", str(path))]


def test_production_needs_l6_and_its_name_twice(scene: Scene) -> None:
    path = str(scene.artifact())
    wanted = request(scene, path=path, trees=tree(scene.production))
    for target, confirm in ((None, None), (str(scene.production), None), (str(scene.production), "other")):
        with pytest.raises(RestoreUnconfirmed, match="must be typed twice") as caught:
            begin(request(scene, path=path, trees=wanted.trees, target=target, confirm=confirm), dry_run=False)
        assert caught.value.facts["expected"] == str(scene.production)
        assert caught.value.facts["wrong"] == ("confirm" if target else "target")
    typed = request(scene, path=path, trees=wanted.trees, target=str(scene.production), confirm=str(scene.production))
    for level in (OPERATOR, L5):
        scene.be(level)
        with pytest.raises(NotAuthorized, match="restore needs L6"):
            begin(typed, dry_run=True)
    scene.be(L6)
    begun = begin(typed, dry_run=False)
    assert (begun["production"], begun["level"], begun["target"]) == (True, L6, str(scene.production))
    made = str(scene.production) + ".restore-run"
    assert begun["pairs"] == [
        {"source": "wst", "target": str(scene.production), "extract": made, "new": os.path.join(made, "wst")}
    ]
    last = recorded(scene.layout)[-1]
    assert (last["event"], last["details"]["reason"]) == ("authority_granted", REASON)
    assert last["details"]["targets"] == str(scene.production)


def test_what_is_not_production_needs_l5_and_no_name(scene: Scene) -> None:
    path = str(scene.artifact())
    scene.be(L5)
    begun = begin(request(scene, path=path, trees=tree(scene.other / "wst")), dry_run=False)
    assert (begun["production"], begun["level"]) == (False, L5)
    assert begun["files"] > 0
    assert begin(request(scene, path=path, beside=str(scene.other / "new")), dry_run=False)["pairs"] == []
    scene.be(OPERATOR)
    with pytest.raises(NotAuthorized):
        begin(request(scene, path=path, beside=str(scene.other / "new")), dry_run=False)


def test_a_database_that_the_record_names_is_production_and_what_it_does_not_name_too(scene: Scene) -> None:
    path = str(scene.artifact())
    for database in (("db.example", 5432, "shop"), ("elsewhere.example", 5432, "any")):
        text = "{}:{}/{}".format(*database)
        with pytest.raises(RestoreUnconfirmed, match=text):
            begin(request(scene, path=path, database=database), dry_run=True)
        assert begin(request(scene, path=path, database=database, target=text, confirm=text), dry_run=True)[
            "production"
        ]


def test_single_tables_go_beside_production_for_l5_and_replace_nothing(scene: Scene) -> None:
    """Nobody types a name, for nothing of that name is replaced."""
    told = {"path": str(scene.artifact()), "database": ("db.example", 5432, "shop"), "tables": [("public", "t")]}
    scene.be(L5)
    begun = begin(request(scene, **told), dry_run=True)
    assert (begun["production"], begun["level"], begun["target"], begun["pairs"]) == (False, L5, "", [])
    assert (begun["database"], begun["tables"]) == ("db.example:5432/shop", [{"name": "public.t", "rows": 7}])
    assert begun["estimate"] == {"seconds": None, "steps": [], "basis": UNKNOWN, "safety_seconds": None}
    details = recorded(scene.layout)[-1]["details"]
    assert (details["targets"], details["tables"]) == ("beside db.example:5432/shop", ["public.t"])
    scene.be(OPERATOR)
    with pytest.raises(NotAuthorized):
        begin(request(scene, **told), dry_run=True)
    for changes, says in (
        ({"database": None}, "beside a database: name it"),
        ({"tables": [("public", "t"), ("public", "T")]}, 'no rows of public."T"'),
        ({"trees": tree(scene.other / "wst")}, "by themselves"),
        ({"beside": str(scene.other / "new")}, "by themselves"),
    ):
        with pytest.raises(InputInvalid, match=says):
            begin(request(scene, **{**told, **changes}), dry_run=True)


def test_how_long_it_takes_is_judged_by_the_last_drill_on_record(scene: Scene) -> None:
    told = request(scene, path=str(scene.artifact()), beside=str(scene.other / "new"))
    scene.be(L5)
    assert begin(told, dry_run=True)["estimate"]["basis"] == UNKNOWN
    details = {
        "artifact": "b-1",
        "seconds": {"extract": 4, "files": 2, "restore": 1, "compare": 1},
        "bytes": 1,
        "dump_bytes": 1,
    }
    AuditLog(scene.layout.audit_dir).append(Event("drill_end", "success", "", "", details), whole=False, anchor=None)
    found = begin(told, dry_run=True)["estimate"]
    assert found["seconds"] > 6
    assert "(b-1, 1 bytes)" in found["basis"]


def test_what_cannot_fit_is_refused_before_anything_is_made(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the plan says what is needed and free; of the server, where somebody told."""
    database, target = ("db.example", 5432, "shop"), "db.example:5432/shop"
    told: dict[str, Any] = {"path": str(scene.artifact()), "target": target, "confirm": target, "database": database}
    here, server = begin(request(scene, **told), dry_run=True)["space"]
    assert (here["where"], server["where"], server["free"]) == (scene.layout.scratch_dir, target, None)
    assert 0 < here["needed"] < here["free"]
    assert server["needed"] > 1
    had = list(Path(scene.layout.scratch_dir).iterdir())
    for dry_run in (True, False):
        with pytest.raises(NoSpace, match=f"{target}: 1 bytes are free, {server['needed']} are needed"):
            begin(request(scene, **told, free_bytes=1), dry_run=dry_run)
    assert list(Path(scene.layout.scratch_dir).iterdir()) == had
    beside = begin(request(scene, path=told["path"], beside=str(scene.other / "new" / "er")), dry_run=True)["space"]
    assert [each["at_most"] for each in beside] == [True]
    volume = api.volume
    monkeypatch.setattr(api, "volume", lambda path: dataclasses.replace(volume(path), free=0))
    with pytest.raises(NoSpace, match=re.escape(scene.layout.scratch_dir)):
        begin(request(scene, **told), dry_run=True)

    def mute(path: str) -> Any:
        raise OSError("nobody answers")

    monkeypatch.setattr(api, "volume", mute)
    assert begin(request(scene, **told), dry_run=True)["space"][0]["free"] is None


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"reason": " x "}, InputInvalid, "the reason must say something"),
        ({"trees": []}, InputInvalid, "nothing is to be restored"),
        ({"trees": [("images", "/somewhere")]}, InputInvalid, "the set has no source images; it has wst"),
        ({"path": "/nowhere.zip"}, SetMissing, "there is no /nowhere.zip"),
        ({"path": ""}, SetMissing, "no set counts on layer local"),
    ],
)
def test_what_makes_no_sense(scene: Scene, changes: Any, error: type[BackupError], says: str) -> None:
    told = {"path": str(scene.artifact()), "trees": tree(scene.other / "wst"), **changes}
    with pytest.raises(error, match=says):
        begin(request(scene, **told), dry_run=True)


def test_the_text_and_the_trees(tmp_path: Path) -> None:
    assert target_text(["b", "a"], "h:1/n") == "a, b, h:1/n"
    assert target_text([], None) == ""
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert trees_of([{"source": "a", "path": one + os.sep}]) == [("a", one)]
    for bad in (
        [{"source": "a", "path": one}, {"source": "a", "path": two}],
        [{"source": "a", "path": one}, {"source": "b", "path": one}],
        [{"source": "a", "path": "relative"}],
    ):
        with pytest.raises(InputInvalid):
            trees_of(bad)
