# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The independent check is put beside the sets by the steps that write there anyway, and is nobody's set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest
from tools.proof.checker import SCRIPT

from ansible_collections.wst.backup.plugins.module_utils._names import CHECKER
from ansible_collections.wst.backup.plugins.module_utils._sets import checker
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import PREFIX, publish_set
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host
from ansible_collections.wst.backup.tests.unit.plugins.modules.test_sets import OWN, RUN, leave_proof, run_id_of

TEXT = SCRIPT.read_bytes().decode("ascii")


@pytest.fixture
def begun(host: Host, volumes: Dict[str, Any]) -> Host:
    """In a run that has proved its artifact, sent along with the check."""
    host.checker = TEXT
    host.begin(RUN)
    leave_proof(host)
    return host


def mirror(host: Host, **params: Any) -> Dict[str, Any]:
    directories = {"local_dir": host.local, "mirror_dir": host.mirror}
    made = host.run("mirror_init", **directories)
    return host.run("backup_mirror", **directories, volume_id=made["volume_id"], **params)


def told(result: Dict[str, Any]) -> Any:
    return result["changed"], result["checker_placed"]


def publish(host: Host, **params: Any) -> Dict[str, Any]:
    return host.run("backup_publish", local_dir=host.local, mirror_dir=host.mirror, **params)


def placed(directory: str) -> bytes:
    return (Path(directory) / CHECKER).read_bytes()


def test_both_layers_get_it_once(begun: Host) -> None:
    assert publish(begun, check=True)["checker_placed"] is False
    assert not (Path(begun.local) / CHECKER).exists()
    assert told(publish(begun)) == (True, True)
    assert told(publish(begun)) == (False, False)
    assert mirror(begun, check=True)["checker_placed"] is False
    assert told(mirror(begun)) == (True, True)
    assert told(mirror(begun)) == (False, False)
    assert placed(begun.local) == placed(begun.mirror) == SCRIPT.read_bytes()
    for directory in (begun.local, begun.mirror):
        assert [name for name in os.listdir(directory) if name.endswith(".partial")] == []


def test_what_differs_is_replaced_and_nothing_is_sent_is_nothing_done(begun: Host) -> None:
    (Path(begun.local) / CHECKER).write_text(TEXT + "# mine")
    assert publish(begun)["checker_placed"] is True
    assert placed(begun.local) == SCRIPT.read_bytes()
    begun.checker = None
    begun.begin(RUN)
    assert mirror(begun)["checker_placed"] is False
    assert not (Path(begun.mirror) / CHECKER).exists()


def test_it_is_neither_a_set_nor_foreign_and_outlives_the_sweep(begun: Host) -> None:
    publish_set(Layer(LOCAL, begun.local), run_id_of(3))
    publish(begun)
    left = Path(begun.local) / f"{CHECKER}.20250101-000000-0123abcd.partial"
    left.write_text("half")
    os.utime(left, (1, 1))
    catalog = read_layer(Layer(LOCAL, begun.local), prefix=PREFIX)
    assert (catalog.foreign, len(catalog.sets)) == ((), 2)
    layers = [{"name": "local", "path": begun.local}]
    swept = begun.run("backup_sweep", layers=layers)
    assert not swept.get("failed"), swept
    assert not left.exists()
    assert placed(begun.local) == SCRIPT.read_bytes()
    (info,) = begun.run("backup_info", layers=layers)["layers"]
    assert info["foreign"] == []


def test_a_layer_that_does_not_take_it_gets_its_set_all_the_same(begun: Host) -> None:
    (Path(begun.local) / CHECKER).mkdir()
    result = publish(begun)
    assert (result["changed"], result["checker_placed"]) == (True, False)
    assert any("independent check" in str(warning) for warning in result["warnings"])
    assert (Path(begun.local) / OWN.sidecar).exists()


@pytest.mark.posix
def test_a_link_is_replaced_and_what_it_points_at_stays(begun: Host, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(TEXT)
    (Path(begun.local) / CHECKER).symlink_to(other)
    assert publish(begun)["checker_placed"] is True
    assert not (Path(begun.local) / CHECKER).is_symlink()
    assert other.read_text() == TEXT


def test_a_disk_that_keeps_other_bytes_is_told(begun: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "atomic_write", lambda path, data: Path(path).write_bytes(data[:-1]))
    result = publish(begun)
    assert result["checker_placed"] is False
    assert any("not what was written" in str(warning) for warning in result["warnings"])


def test_it_runs_from_where_it_was_put(begun: Host) -> None:
    publish(begun)
    argv = [sys.executable, "-I", os.path.join(begun.local, CHECKER), os.path.join(begun.local, OWN.zip)]
    answer = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 1  # the sets of these tests are made of a few letters
    assert "no end record" in answer.stdout or "short" in answer.stdout
