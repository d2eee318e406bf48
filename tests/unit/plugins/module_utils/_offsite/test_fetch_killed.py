# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way back from offsite that dies at every call, or meets a disk that fills up: nothing wrong ever has a name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import NoSpace
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._offsite.fetch import NEWEST, choose, fetch, sets_there
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import place_of
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._offsite.fake_azure import FakeAzure
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.crasher import crashes, enter_run
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.full_disk import Full
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    NEXT_RUN,
    PREFIX,
    RUN,
    content,
    publish_set,
    snapshot,
)

SET = artifact_of_run(RUN, PREFIX)
PLACE = place_of("https://wst.blob.core.windows.net", "wst-backups", "prod/host1")


def prepare(directory: str) -> None:
    """What went offsite once."""
    os.mkdir(os.path.join(directory, "c"))
    publish_set(Layer(LOCAL, os.path.join(directory, "c")), RUN)


def scenario(directory: str) -> None:
    """What dies: see ``crasher``."""
    enter_run(NEXT_RUN)
    bring_back(directory)


def bring_back(directory: str) -> None:
    """The newest set of a container that holds what the layer held."""
    azure = FakeAzure()
    for name, data in snapshot(Layer(LOCAL, os.path.join(directory, "c"))).items():
        if name in (SET.zip, SET.sidecar):
            azure.put(PLACE.blob(name), data)
    found = choose(sets_there(azure, PLACE, PREFIX), NEWEST, PREFIX, PLACE)
    fetch(azure, found, os.path.join(directory, "fetched"), meter=lambda _count: None)


@pytest.mark.timeout(600)  # a process for each call
def test_no_crash_gives_a_name_to_what_is_not_whole(tmp_path: Path) -> None:
    """Die at every call: under a final name is the set or nothing, the sidecar last; the next fetch ends well."""
    for what, place in crashes(__file__, str(tmp_path), prepare):
        target = Layer("fetched", os.path.join(place, "fetched"))
        files = snapshot(target) if os.path.isdir(target.path) else {}
        assert files.get(SET.zip, content(SET)) == content(SET), what
        assert SET.sidecar not in files or SET.zip in files, what
        bring_back(place)
        before = snapshot(Layer(LOCAL, os.path.join(place, "c")))
        assert snapshot(target) == {name: before[name] for name in (SET.zip, SET.sidecar)}, what


@pytest.mark.parametrize("room", [0, 1, 4999])
def test_a_disk_that_fills_up_in_the_middle_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Neither a name nor a partial; with room, the next one ends well."""
    prepare(str(tmp_path))
    real = api.create_new
    monkeypatch.setattr(api, "create_new", lambda path: Full(real(path), room) if "fetched" in path else real(path))
    with pytest.raises(NoSpace):
        bring_back(str(tmp_path))
    assert os.listdir(tmp_path / "fetched") == []
    monkeypatch.undo()
    bring_back(str(tmp_path))
    assert (tmp_path / "fetched" / SET.zip).read_bytes() == content(SET)
