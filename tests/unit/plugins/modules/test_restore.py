# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of a restore as Ansible would start them: out of an artifact, compared, swapped in, and taken back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import RUN_ID, STEM, Kit
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    carry,
    directory_target,
    provisioned,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.test_extract import foreign
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host


class Restore:
    """A host with production, an artifact of it, and a run of L6."""

    def __init__(self, host: Host, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host = host
        (root / "kit").mkdir()
        self.kit = Kit(root / "kit")
        self.production = root / "prod"
        self.production.mkdir()
        self.path, built = self.kit.build(self.kit.sample())
        self.kit.sidecar(self.path, built)
        provisioned(host.layout, directory_target(str(self.production)))
        host.begin(RUN_ID)
        os.makedirs(host.layout.scratch_dir, exist_ok=True)
        self._monkeypatch = monkeypatch
        self.be(L6)

    def be(self, level: str) -> None:
        """Carry that level's token."""
        carry(self._monkeypatch, TOKENS[level])

    def run(self, name: str, *, check: bool = False, **params: Any) -> Dict[str, Any]:
        """The module's result."""
        return self.host.run(name, check=check, **params)


@pytest.fixture
def restore(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Restore:
    """A good one."""
    return Restore(host, tmp_path, monkeypatch)


def test_out_of_the_artifact_and_into_production(restore: Restore) -> None:
    (restore.production / "wst").mkdir()
    (restore.production / "wst" / "broken.html").write_bytes(b"broken")
    source, target = str(restore.path), str(restore.production / "restored")
    told = {"path": source, "target": target, "private": False, "parts": ["files"]}
    planned = restore.run("backup_extract", check=True, **told)
    assert (planned["changed"], planned["files"]) == (True, 7)
    assert os.listdir(restore.production) == ["wst"]
    done = restore.run("backup_extract", **told)
    assert (done["changed"], done["files"], done["artifact"]) == (True, 7, STEM)
    assert "warnings" not in done
    same = restore.run("files_compare", path=source, tree=target, parts=["files"])
    assert (same["changed"], same["equal"], same["files"]) == (False, True, 7)

    pairs = [{"new": os.path.join(target, "wst"), "target": str(restore.production / "wst")}]
    assert restore.run("files_swap", check=True, pairs=pairs)["changed"] is True
    swapped = restore.run("files_swap", pairs=pairs)
    assert (swapped["status"], swapped["swap"]) == ("swapped", RUN_ID)
    assert (restore.production / "wst" / "index.html").exists()
    assert (restore.production / f"wst.before-{RUN_ID}" / "broken.html").read_bytes() == b"broken"
    assert restore.run("files_swap", pairs=pairs)["changed"] is False
    assert restore.run("files_swap", state="resumed")["changed"] is False
    assert restore.run("files_swap", state="undone", swap=RUN_ID)["status"] == "undone"
    assert (restore.production / "wst" / "broken.html").read_bytes() == b"broken"


def test_a_difference_fails_by_name_with_its_facts(restore: Restore) -> None:
    target = os.path.join(restore.host.layout.scratch_dir, "files")
    restore.be(L5)
    restore.run("backup_extract", path=str(restore.path), target=target)
    with open(os.path.join(target, "wst", "extra.txt"), "wb"):
        pass
    found = restore.run("files_compare", path=str(restore.path), tree=target)
    assert (found["failed"], found["code"]) == (True, "drill_mismatch")
    assert "wst/extra.txt (extra)" in found["msg"]
    assert found["facts"]["differences"]["counts"] == {"extra": 1, "time": 1}
    ignored = restore.run("files_compare", path=str(restore.path), tree=target, ignore=["time"], report_only=True)
    assert (ignored.get("failed"), ignored["equal"]) == (None, False)


def test_a_bare_zip_warns(restore: Restore) -> None:
    path = restore.kit.root / "bare.zip"
    foreign(path)
    done = restore.run("backup_extract", path=str(path), target=os.path.join(restore.host.layout.scratch_dir, "bare"))
    assert done["changed"] is True
    assert "CRC-32 alone" in str(done["warnings"])


def test_l5_is_refused_production_in_every_module_that_writes(restore: Restore) -> None:
    restore.be(L5)
    (restore.production / "new").mkdir()
    refused = [
        restore.run("backup_extract", path=str(restore.path), target=str(restore.production / "x")),
        restore.run(
            "files_swap",
            pairs=[{"new": str(restore.production / "new"), "target": str(restore.production / "wst")}],
        ),
    ]
    assert [(each["failed"], each["code"]) for each in refused] == [(True, "not_authorized")] * 2
    assert os.listdir(restore.production) == ["new"]


@pytest.mark.parametrize("params", [{}, {"state": "absent"}])
def test_what_is_needed_is_asked_for(restore: Restore, params: Dict[str, Any]) -> None:
    assert restore.run("files_swap", **params)["failed"] is True


def test_services_that_do_not_exist_are_refused(host: Host) -> None:
    """There are none of that kind where these tests run; what is done with real ones is tested under Windows Python."""
    for state in ("stopped", "started"):
        told = host.run("host_services", root=None, state=state, services=["wst-worker"])
        assert (told["failed"], told["code"]) == (True, "restore_target_refused")
    assert host.run("host_services", root=None, state="stopped")["changed"] is False  # nothing was declared
