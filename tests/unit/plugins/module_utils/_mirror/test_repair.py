# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair: what can be, what cannot, and a crash at every call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, List, Tuple

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled, LeaseLost
from ansible_collections.wst.backup.plugins.module_utils._mirror.repair import Case, Repaired, find_cases, repair
from ansible_collections.wst.backup.plugins.module_utils._mirror.step import choose, mirror_sets
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.recover import recover
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.crasher import crashes, enter_run
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    NEXT_RUN,
    NOW,
    PREFIX,
    RUN,
    content,
    no_check,
    publish_set,
    snapshot,
)

OWN = artifact_of_run(RUN, PREFIX)
LAST_RUN = "20261123-200000-0000dddd"
Pair = Tuple[Layer, Layer]


def layers_in(directory: str) -> Pair:
    """The two layers of a test."""
    return Layer(LOCAL, os.path.join(directory, "c")), Layer(MIRROR, os.path.join(directory, "d"))


def prepare_sound(directory: str) -> None:
    """One set on both layers."""
    source, mirror = layers_in(directory)
    os.mkdir(source.path)
    os.mkdir(mirror.path)
    publish_set(source, RUN)
    selection = choose(source, mirror, prefix=PREFIX, policy=Policy(), now=NOW, run_id=RUN)
    mirror_sets(source, mirror, selection, run_id=RUN, prefix=PREFIX, check=no_check)


@pytest.fixture
def layers(tmp_path: Path) -> Pair:
    """One set on both layers."""
    prepare_sound(str(tmp_path))
    return layers_in(str(tmp_path))


def rot(layer: Layer, name: str, place: int = 0) -> None:
    """A flipped bit."""
    path = Path(layer.file(name))
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def cases(layers: Pair) -> List[Case]:
    """Of both layers."""
    local, mirror = (read_layer(layer, prefix=PREFIX) for layer in layers)
    return [*find_cases(layers[0], local, layers[1], mirror), *find_cases(layers[1], mirror, layers[0], local)]


def mend(layers: Pair, *, run_id: str = NEXT_RUN, check: Callable[[], None] = no_check) -> Repaired:
    """backup_repair's work."""
    return repair(cases(layers), run_id=run_id, check=check, meter=lambda _count: None)


def counting(layers: Pair) -> List[List[str]]:
    """What counts on each layer."""
    return [[item.artifact.stem for item in read_layer(layer, prefix=PREFIX).counting] for layer in layers]


def quarantined(layers: Pair, which: int) -> None:
    """That layer's ZIP has rotted, and the next run's sweep has found out."""
    rot(layers[which], OWN.zip)
    os.unlink(layers[which].file(OWN.state))
    recover(layers[which], prefix=PREFIX, run_id=NEXT_RUN, check=no_check)


def lose_zip(layer: Layer) -> None:
    os.unlink(layer.file(OWN.zip))


def cut_zip(layer: Layer) -> None:
    os.truncate(layer.file(OWN.zip), 4000)


def rot_sidecar(layer: Layer) -> None:
    rot(layer, OWN.sidecar, 40)


def lose_sidecar(layer: Layer) -> None:
    """A repair was interrupted after it had set the damaged one aside."""
    os.rename(layer.file(OWN.sidecar), layer.file(OWN.sidecar + ".damaged"))


def rot_both(layer: Layer) -> None:
    cut_zip(layer)
    rot_sidecar(layer)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", [lose_zip, cut_zip, rot_sidecar, lose_sidecar, rot_both])
def test_whatever_is_damaged_comes_back_from_the_other_layer(
    layers: Pair, which: int, damage: Callable[[Layer], None]
) -> None:
    """The same bytes again, and nothing that was damaged is lost."""
    damage(layers[which])
    bad = snapshot(layers[which])
    assert counting(layers)[which] == []
    assert [(case.target, case.source) for case in cases(layers)] == [(layers[which], layers[1 - which])]
    done = mend(layers)
    assert (len(done.done), done.problems) == (1, [])
    assert counting(layers) == [[OWN.stem]] * 2
    here, there = snapshot(layers[which]), snapshot(layers[1 - which])
    for name in (OWN.zip, OWN.sidecar):
        assert here[name] == there[name]
        if name in bad and bad[name] != here[name]:
            assert here[name + ".damaged"] == bad[name]
    state = read_layer(layers[which], prefix=PREFIX).sets[0].state
    assert state is not None
    assert state.repaired is not None
    assert cases(layers) == []


def test_a_set_that_is_damaged_on_both_layers_is_told_and_left(layers: Pair) -> None:
    for which in (0, 1):
        quarantined(layers, which)
    before = [snapshot(layer) for layer in layers]
    done = mend(layers)
    assert [problem.code for problem in done.problems] == ["artifact_damaged"] * 2
    assert "not proved either" in done.problems[0].message
    assert [snapshot(layer) for layer in layers] == before


def test_a_source_that_has_rotted_unseen_repairs_nothing_and_is_quarantined(layers: Pair) -> None:
    """It is read in full first."""
    quarantined(layers, 0)
    rot(layers[1], OWN.zip, 77)
    done = mend(layers)
    assert [problem.code for problem in done.problems] == ["artifact_damaged"]
    assert counting(layers) == [[], []]
    assert OWN.zip not in snapshot(layers[0])
    assert OWN.zip + ".damaged" in snapshot(layers[1])


def test_another_set_of_the_same_name_is_no_source(layers: Pair) -> None:
    for name in (OWN.zip, OWN.sidecar, OWN.state):
        os.unlink(layers[1].file(name))
    publish_set(layers[1], RUN, size=6000)
    quarantined(layers, 0)
    (case,) = cases(layers)
    assert case.hopeless == "layer mirror has another set of that name, by its sidecar"
    assert len(mend(layers).problems) == 1


def test_a_set_that_the_other_layer_does_not_have(layers: Pair) -> None:
    for name in (OWN.zip, OWN.sidecar, OWN.state):
        os.unlink(layers[1].file(name))
    quarantined(layers, 0)
    (case,) = cases(layers)
    assert case.hopeless == "layer mirror has no such set"


def test_a_full_disk_leaves_the_set_damaged_and_the_evidence_there(
    layers: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantined(layers, 0)
    before = snapshot(layers[0])
    module = "ansible_collections.wst.backup.plugins.module_utils._mirror.copy.free_bytes"
    monkeypatch.setattr(module, lambda _path: 0)
    assert [problem.code for problem in mend(layers).problems] == ["no_space"]
    assert snapshot(layers[0]) == before


@pytest.mark.parametrize("stop", [LeaseLost, Cancelled])
def test_a_lost_lease_stops_it(layers: Pair, stop: type) -> None:
    quarantined(layers, 0)

    def check() -> None:
        raise stop("gone")

    with pytest.raises(stop):
        mend(layers, check=check)
    assert counting(layers) == [[], [OWN.stem]]


def prepare(directory: str) -> None:
    """Quarantined on the local layer, the sidecar rotten as well."""
    prepare_sound(directory)
    layers = layers_in(directory)
    rot(layers[0], OWN.zip)
    rot_sidecar(layers[0])


def scenario(directory: str) -> None:
    """What dies: see ``crasher``."""
    enter_run(NEXT_RUN)
    mend(layers_in(directory))


@pytest.mark.timeout(600)  # a process for each call
def test_no_crash_harms_the_source_or_makes_bad_bytes_count(tmp_path: Path) -> None:
    """Die at every call; the next run sweeps, the next repair ends with both layers good and the evidence there."""
    for what, place in crashes(__file__, str(tmp_path), prepare):
        layers = layers_in(place)
        assert counting(layers)[1] == [OWN.stem], what
        assert snapshot(layers[1])[OWN.zip] == content(OWN), what
        if counting(layers)[0]:
            assert snapshot(layers[0])[OWN.zip] == content(OWN), what
        recover(layers[0], prefix=PREFIX, run_id=LAST_RUN, check=no_check)
        assert mend(layers, run_id=LAST_RUN).problems == [], what
        assert counting(layers) == [[OWN.stem]] * 2, what
        here = snapshot(layers[0])
        assert (here[OWN.zip], here[OWN.sidecar]) == (content(OWN), snapshot(layers[1])[OWN.sidecar]), what
        assert not [name for name in here if name.endswith(".partial")], what
        evidence = [name for name in here if ".damaged" in name]
        assert {name.partition(".damaged")[0] for name in evidence} >= {OWN.zip, OWN.sidecar}, what
