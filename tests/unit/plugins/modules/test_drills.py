# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of a drill, and the beginning of a restore, as Ansible would start them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Manifest
from ansible_collections.wst.backup.plugins.module_utils._sets.state import read_state
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import RUN_ID, Kit
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    carry,
    directory_target,
    provisioned,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import MANIFEST, publish_set
from ansible_collections.wst.backup.tests.unit.plugins.module_utils.chain import run_id_of
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

RUN = run_id_of(0)


@pytest.fixture
def drill(host: Host) -> Host:
    """A run that holds the lock of drills."""
    host.begin_without_lease(RUN)
    assert host.run("run_lock", drills=True, purpose="drill")["changed"] is True
    return host


def test_a_set_is_chosen_and_at_the_end_remembers_its_drill(drill: Host) -> None:
    layer = Layer(LOCAL, drill.local)
    database = {**MANIFEST.body["database"], "database": {"size": 12345}}
    artifact = publish_set(
        layer, run_id_of(1), manifest=Manifest({**MANIFEST.body, "database": database}, MANIFEST.sha256)
    )
    wanted = {"layers": drill.layers(), "layer": "local"}
    assert drill.run("drill_begin", **wanted, max_age_hours=1)["code"] == "set_too_old"
    assert drill.run("drill_begin", **wanted, max_age_hours=-1)["code"] == "input_invalid"
    checked = drill.run("drill_begin", **wanted, check=True)
    assert (checked["artifact"], checked["workspace"]) == (artifact.stem, "")
    begun = drill.run("drill_begin", **wanted)
    assert os.path.isdir(begun["workspace"])
    assert begun["database_size"] == 12345
    assert drill.run("drill_begin", layers=drill.layers(), layer="mirror")["code"] == "set_missing"

    told = {
        "layer": {"name": "local", "path": drill.local},
        "artifact": artifact.stem,
        "sha256": begun["sha256"],
    }
    assert drill.run("drill_end", check=True, **told)["changed"] is True
    assert drill.run("drill_end", **{**told, "sha256": "0" * 64})["code"] == "set_missing"
    assert drill.run("drill_end", **told)["layer"] == "local"
    state = read_state(layer, artifact)
    assert state is not None
    assert state.drilled is not None
    listed = drill.run("backup_info", layers=drill.layers())["layers"][0]["sets"][0]
    assert listed["drilled_at"]

    ended = drill.run("run_lock", drills=True, state="absent")
    assert (ended["changed"], os.path.exists(begun["workspace"])) == (True, False)
    assert drill.run("drill_end", **told)["code"] == "lease_lost"


def test_a_damaged_copy_of_a_whole_artifact_is_refused(drill: Host, tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    kit = Kit(tmp_path / "kit")
    path, built = kit.build(kit.sample())
    kit.sidecar(path, built)
    publish_set(Layer(LOCAL, drill.local), run_id_of(1))
    drill.run("drill_begin", layers=drill.layers(), layer="local")
    assert drill.run("backup_verify", path=str(path), level=2)["level"] == 2  # what is refused below is whole here
    checked = drill.run("drill_control", check=True, path=str(path))
    assert (checked["changed"], "refused_as" in checked) == (False, False)
    refused = drill.run("drill_control", path=str(path))
    assert refused["refused_as"].startswith("artifact_")
    assert 0 <= refused["offset"] < path.stat().st_size
    assert drill.run("drill_control", path=str(path) + "x")["code"] == "path_unusable"


def test_a_restore_begins_with_a_reason_and_productions_name_twice(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    production = tmp_path / "prod"
    production.mkdir()
    (tmp_path / "kit").mkdir()
    kit = Kit(tmp_path / "kit")
    path, built = kit.build(kit.sample())
    kit.sidecar(path, built)
    provisioned(host.layout, directory_target(str(production)))
    host.begin(RUN_ID)
    told = {
        "layer": {"name": "local", "path": host.local},
        "path": str(path),
        "trees": [{"source": "wst", "path": str(production)}],
        "reason": "it is gone",
    }
    typed = {**told, "target": str(production), "confirm": str(production)}
    carry(monkeypatch, TOKENS[L5])
    assert host.run("restore_begin", **typed)["code"] == "not_authorized"
    carry(monkeypatch, TOKENS[L6])
    unconfirmed = host.run("restore_begin", **told)
    assert (unconfirmed["code"], unconfirmed["facts"]["expected"]) == ("restore_unconfirmed", str(production))
    assert host.run("restore_begin", **{**typed, "reason": ""})["code"] == "input_invalid"
    begun = host.run("restore_begin", check=True, **typed)
    assert (begun["production"], begun["pairs"][0]["target"]) == (True, str(production))
    assert begun["pairs"][0]["extract"] == f"{production}.restore-{RUN_ID}"
    assert begun["database"] is None
    assert list(production.iterdir()) == []
