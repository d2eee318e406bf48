# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a drill that touch sets: its beginning, the damaged copy, and the note on the set."""

from __future__ import annotations

import os
import random
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.plugins.module_utils.chain import RUN, Chain

from ansible_collections.wst.backup.plugins.module_utils._drill import control
from ansible_collections.wst.backup.plugins.module_utils._drill.begin_step import Request, begin
from ansible_collections.wst.backup.plugins.module_utils._drill.end_step import record_drilled
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    DrillControlFailed,
    InputInvalid,
    LeaseLost,
    Locked,
    NoSpace,
    SetMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import step as lock
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock
from ansible_collections.wst.backup.plugins.module_utils._sets.state import read_state
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import PREFIX


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: Any) -> Chain:
    """A host with a set that was published and mirrored, whose run is over, and a drill that holds its lock."""
    made = Chain(str(tmp_path), monkeypatch)
    os.makedirs(made.source.path)
    Path(made.source.path, "file.txt").write_text("content of a file\n" * 100)
    os.makedirs(made.layout.root)
    for name, call in made.steps():
        call()
        if name == "publish":
            break
    lock.give_back(made.layout, dry_run=False)
    lock.take(HostLayout(made.layout.root, drills=True), purpose="drill", stale_after=900, dry_run=False)
    return made


def request(chain: Chain, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "layout": chain.layout,
        "layers": [chain.local, chain.mirror],
        "prefix": PREFIX,
        "layer": "local",
        "artifact": "newest",
        "max_age": timedelta(hours=26),
    }
    return Request(**{**values, **changes})


def test_the_beginning(chain: Chain) -> None:
    checked = begin(request(chain), dry_run=True)
    assert (checked["workspace"], checked["tree"]) == ("", "")
    drills = Path(chain.layout.root, "drills")
    assert not drills.exists()
    begun = begin(request(chain), dry_run=False)
    assert begun["file"] == chain.local.file(chain.artifact.zip)
    assert os.listdir(drills) == [RUN]
    assert begun["tree"] == os.path.join(begun["workspace"], "set")
    with pytest.raises(InputInvalid, match="no layer is called"):
        begin(request(chain, layers=[chain.local], layer="mirror"), dry_run=True)


def test_a_damaged_copy_is_refused_wherever_the_bit_is(chain: Chain) -> None:
    begin(request(chain), dry_run=False)
    path = chain.local.file(chain.artifact.zip)
    before = Path(path).read_bytes()
    places = set()
    for seed in range(30):
        found = control.require_refused(chain.layout, path, dice=random.Random(seed))
        assert found["refused_as"].startswith("artifact_")
        places.add((found["offset"], found["bit"]))
    assert len(places) > 25
    assert Path(path).read_bytes() == before
    assert not list(Path(chain.layout.root, "drills", RUN).iterdir())
    assert not list(Path(chain.layout.root, "holds").iterdir())


def test_a_verification_that_refuses_nothing_is_found_out(chain: Chain, monkeypatch: Any) -> None:
    begin(request(chain), dry_run=False)
    monkeypatch.setattr(control, "verify_path", lambda *_arguments: {})
    with pytest.raises(DrillControlFailed, match="was not refused"):
        control.require_refused(chain.layout, chain.local.file(chain.artifact.zip))
    assert not list(Path(chain.layout.root, "drills", RUN).iterdir())


def test_no_room_for_the_copy(chain: Chain, monkeypatch: Any) -> None:
    begin(request(chain), dry_run=False)
    monkeypatch.setattr(control._fs, "free_bytes", lambda _path: 10)
    with pytest.raises(NoSpace, match="10 are free"):
        control.require_refused(chain.layout, chain.local.file(chain.artifact.zip))


def test_the_note_on_the_set(chain: Chain) -> None:
    sha256 = begin(request(chain), dry_run=False)["sha256"]
    arguments = (chain.layout, chain.local, chain.artifact.stem)
    record_drilled(*arguments, prefix=PREFIX, sha256=sha256, dry_run=True)
    state = read_state(chain.local, chain.artifact)
    assert state is not None
    assert state.drilled is None
    record_drilled(*arguments, prefix=PREFIX, sha256=sha256, dry_run=False)
    noted = read_state(chain.local, chain.artifact)
    assert noted is not None
    assert noted.drilled is not None
    assert (noted.drilled.run_id, noted.verified) == (RUN, state.verified)
    with pytest.raises(SetMissing, match="not on layer local any more"):
        record_drilled(*arguments, prefix=PREFIX, sha256="0" * 64, dry_run=False)
    with pytest.raises(InputInvalid, match="no set of prefix"):
        record_drilled(chain.layout, chain.local, "x", prefix=PREFIX, sha256=sha256, dry_run=False)


def test_nothing_without_the_lock_of_drills(chain: Chain) -> None:
    sha256 = begin(request(chain), dry_run=False)["sha256"]
    lock.give_back(HostLayout(chain.layout.root, drills=True), dry_run=False)
    for call in (
        lambda: begin(request(chain), dry_run=False),
        lambda: control.require_refused(chain.layout, chain.local.file(chain.artifact.zip)),
        lambda: record_drilled(
            chain.layout, chain.local, chain.artifact.stem, prefix=PREFIX, sha256=sha256, dry_run=False
        ),
    ):
        with pytest.raises(LeaseLost):
            call()


def test_a_drill_beside_another_run(chain: Chain) -> None:
    RunLock(chain.layout).acquire("20261130-120000-0000abcd", purpose="backup")
    begin(request(chain), dry_run=False)
    assert Path(chain.layout.root, "drills", RUN).is_dir()


def test_a_backup_that_works_is_waited_for(chain: Chain) -> None:
    sha256 = begin(request(chain), dry_run=False)["sha256"]
    arguments: dict[str, Any] = {"prefix": PREFIX, "sha256": sha256, "dry_run": False}
    busy = RunLock(chain.layout)
    assert busy.take_os_lock()
    with pytest.raises(Locked, match="could not be recorded"):
        record_drilled(chain.layout, chain.local, chain.artifact.stem, patience=0, **arguments)
    threading.Timer(0.3, busy.os_lock.release).start()
    assert record_drilled(chain.layout, chain.local, chain.artifact.stem, **arguments)["changed"]
