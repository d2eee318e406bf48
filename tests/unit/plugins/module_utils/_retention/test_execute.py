# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing sets: crashes, refusals, and random histories on a real directory against the plan."""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Dict, List, Optional, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, LeaseLost, RetentionRefused
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName, artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._retention.execute import (
    LayerPlan,
    execute,
    prove_floor,
    refuse_unproved,
    remove_set,
)
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._retention.step import plan_layers
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer, progress_meter
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import reverify
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.recover import Recovery, recover
from ansible_collections.wst.backup.plugins.module_utils._sets.state import Event, Ruling, fresh_state, write_state
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
    write_partial,
)

DOOMED_RUN = "20261001-120000-0000dddd"
DOOMED = artifact_of_run(DOOMED_RUN, PREFIX)
KEPT = artifact_of_run(RUN, PREFIX)
SMALL = Policy(keep_min=1, keep_max=2, min_age_days=7)


def run_id_of(age: timedelta, number: int = 0) -> str:
    """The id of a run that started so long ago."""
    return "{}-{:08x}".format((NOW - age).strftime("%Y%m%d-%H%M%S"), number)


def make_mirrored(layer: Layer, run_id: str) -> None:
    """What backup_mirror notes."""
    artifact = artifact_of_run(run_id, PREFIX)
    state = fresh_state(layer, artifact)
    write_state(layer, artifact, replace(state, mirrored=Event(at=NOW, run_id=run_id)))


def plans_of(layers: List[Layer], policy: Policy = SMALL, now: datetime = NOW) -> List[LayerPlan]:
    """Read and plan."""
    return plan_layers(layers, prefix=PREFIX, policy=policy, now=now)


# --- a crash --------------------------------------------------------------------------------------------------------


def prepare(directory: str) -> None:
    """Two sets, one of which is to go."""
    layer = Layer(LOCAL, directory)
    publish_set(layer, RUN)
    publish_set(layer, DOOMED_RUN)


def scenario(directory: str) -> None:
    """What dies: see ``crasher``."""
    enter_run(RUN)
    remove_set(Layer(LOCAL, directory), DOOMED, run_id=RUN)


@pytest.mark.timeout(600)  # a process for each call
def test_no_crash_leaves_half_a_set_or_touches_another(tmp_path: Path) -> None:
    """Die at every call: the set is whole or does not count; after the recovery it is whole or gone."""
    outcomes = set()
    for what, place in crashes(__file__, str(tmp_path), prepare):
        layer = Layer(LOCAL, place)
        found = read_layer(layer, prefix=PREFIX).find(DOOMED)
        if found is not None and found.counts:
            assert snapshot(layer)[DOOMED.zip] == content(DOOMED), what
        assert recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=no_check).problems == [], what
        catalog = read_layer(layer, prefix=PREFIX)
        found = catalog.find(DOOMED)
        assert found is None or found.counts, what
        assert catalog.foreign == (), what
        kept = catalog.find(KEPT)
        assert kept is not None, what
        assert kept.counts, what
        expected = [KEPT] + ([DOOMED] if found else [])
        names = [name for one in expected for name in (one.zip, one.sidecar, one.state)]
        assert sorted(snapshot(layer)) == sorted(names), what
        assert recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=no_check) == Recovery(), what
        outcomes.add(found is None)
    assert outcomes == {True, False}


def test_a_zip_that_somebody_holds_leaves_the_set_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' sharing violation on the ZIP, after the sidecar has been renamed."""
    layer = Layer(LOCAL, str(tmp_path))
    publish_set(layer, DOOMED_RUN)
    before = snapshot(layer)
    real = api.rename_new

    def held_open(source: str, target: str) -> None:
        if source.endswith(DOOMED.zip):
            raise PermissionError(13, "The process cannot access the file")
        real(source, target)

    monkeypatch.setattr(api, "rename_new", held_open)
    with pytest.raises(BackupError):
        remove_set(layer, DOOMED, run_id=RUN)
    assert snapshot(layer) == before


@pytest.mark.parametrize("part", [DOOMED.zip, DOOMED.sidecar])
def test_a_rename_that_cannot_be_flushed_leaves_no_half_a_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """The name was taken, and the flush of the directory refused: the next run finds a whole set, or none."""
    layer = Layer(LOCAL, str(tmp_path))
    publish_set(layer, DOOMED_RUN)
    real = api.rename_new

    def unflushed(source: str, target: str) -> None:
        real(source, target)
        if source.endswith(part):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), target)

    monkeypatch.setattr(api, "rename_new", unflushed)
    with pytest.raises(BackupError):
        remove_set(layer, DOOMED, run_id=RUN)
    monkeypatch.setattr(api, "rename_new", real)
    recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=no_check)
    found = read_layer(layer, prefix=PREFIX)
    assert [item.status for item in found.sets] == (["complete"] if part == DOOMED.sidecar else [])
    assert bool(snapshot(layer)) == (part == DOOMED.sidecar)


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.fixture
def layers(tmp_path: Path) -> List[Layer]:
    """Two layers with ten daily sets beyond the floor each, and this run's, mirrored."""
    made = []
    for name in (LOCAL, MIRROR):
        layer = Layer(name, str(tmp_path / name))
        os.mkdir(layer.path)
        for day in range(8, 18):
            publish_set(layer, run_id_of(timedelta(days=day)))
        publish_set(layer, RUN)
        make_mirrored(layer, RUN)
        made.append(layer)
    return made


def names_of(layer: Layer) -> Set[str]:
    """The ZIPs that are there."""
    return {name for name in snapshot(layer) if name.endswith(".zip")}


def test_what_is_shown_is_what_is_done(layers: List[Layer]) -> None:
    """On each layer by itself."""
    os.unlink(layers[1].file(artifact_of_run(run_id_of(timedelta(days=17)), PREFIX).sidecar))  # foreign there now
    plans = plans_of(layers)
    shown = {one.layer.name: [a.stem for a in one.plan.removals] for one in plans}
    refuse_unproved(plans, KEPT, run_id=RUN)
    before = {layer.name: names_of(layer) for layer in layers}
    done = execute(plans, SMALL, run_id=RUN, check=no_check)
    assert done.removed == shown
    assert done.problems == []
    assert [len(shown[name]) for name in (LOCAL, MIRROR)] == [9, 8]
    for layer in layers:
        assert names_of(layer) == before[layer.name] - {stem + ".zip" for stem in shown[layer.name]}
    again = plans_of(layers)
    assert [one.plan.removals for one in again] == [[], []]


def test_it_refuses_without_layers() -> None:
    """Nothing to prove anything."""
    with pytest.raises(RetentionRefused):
        refuse_unproved([], KEPT, run_id=RUN)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("wrong", ["absent", "unmirrored", "unverified", "level", "other run"])
def test_it_refuses_without_a_proved_set_of_this_run_on_every_layer(
    layers: List[Layer], which: int, wrong: str
) -> None:
    """Whatever it lacks."""
    layer, run_id = layers[which], RUN
    state = fresh_state(layer, KEPT)
    assert state.verified is not None
    if wrong == "absent":
        os.unlink(layer.file(KEPT.zip))
        os.unlink(layer.file(KEPT.sidecar))
        os.unlink(layer.file(KEPT.state))
    elif wrong == "unmirrored":
        write_state(layer, KEPT, replace(state, mirrored=None))
    elif wrong == "unverified":
        os.unlink(layer.file(KEPT.state))
    elif wrong == "level":
        write_state(layer, KEPT, replace(state, verified=replace(state.verified, level=2)))
    else:
        run_id = RUN[:-1] + "b"
    with pytest.raises(RetentionRefused):
        refuse_unproved(plans_of(layers), KEPT, run_id=run_id)


def test_a_bad_set_in_the_floor_stops_the_layer_and_counts_no_more(layers: List[Layer]) -> None:
    """The other layer's retention goes on."""
    policy = replace(SMALL, keep_min=2)
    bad = artifact_of_run(run_id_of(timedelta(days=8)), PREFIX)
    with open(layers[0].file(bad.zip), "r+b") as file:
        file.write(b"X")
    before = names_of(layers[0])
    done = execute(plans_of(layers, policy), policy, run_id=RUN, check=no_check)
    assert [problem.code for problem in done.problems] == ["retention_refused"]
    assert names_of(layers[0]) == before - {bad.zip}  # quarantined, not removed
    assert os.path.exists(layers[0].file(bad.zip + ".damaged"))
    assert done.removed[LOCAL] == []
    assert len(done.removed[MIRROR]) == 9
    found = read_layer(layers[0], prefix=PREFIX).find(bad)
    assert found is not None
    assert (found.counts, found.status) == (False, "damaged")


def test_the_floor_is_read_again_but_not_what_this_run_has_read(
    layers: List[Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This run's set was read back a moment ago."""
    read: List[str] = []
    real = api.read_uncached
    monkeypatch.setattr(api, "read_uncached", lambda path: read.append(os.path.basename(path)) or real(path))
    prove_floor(layers[0], read_layer(layers[0], prefix=PREFIX), replace(SMALL, keep_min=2), run_id=RUN)
    assert read == [artifact_of_run(run_id_of(timedelta(days=8)), PREFIX).zip]


def test_a_lost_lease_stops_before_the_next_removal(layers: List[Layer]) -> None:
    """The lease is looked at before each one."""
    left = [3]

    def check() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise LeaseLost("gone")

    before = names_of(layers[0])
    with pytest.raises(LeaseLost):
        execute(plans_of(layers), SMALL, run_id=RUN, check=check)
    assert len(before - names_of(layers[0])) == 3
    assert len(names_of(layers[1])) == 11


def test_a_set_that_somebody_begins_to_read_stays_for_now(layers: List[Layer]) -> None:
    """After the plan was made, right before its turn."""
    plans = plans_of(layers)
    spared = plans[0].plan.removals[1]
    done = execute(plans, SMALL, run_id=RUN, check=no_check, held=lambda: {spared.stem})
    assert spared.stem not in done.removed[LOCAL]
    assert len(done.removed[LOCAL]) == len(plans[0].plan.removals) - 1
    assert {spared.zip, spared.sidecar, spared.state} <= set(snapshot(layers[0]))


def test_nothing_is_read_where_nothing_goes(layers: List[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary day below keep_max costs no I/O."""
    monkeypatch.setattr(api, "read_uncached", None)
    done = execute(plans_of(layers, Policy()), Policy(), run_id=RUN, check=no_check)
    assert done.removed == {LOCAL: [], MIRROR: []}


# --- random histories on a disk -------------------------------------------------------------------------------------

GOOD = "good"  # what may go; every other kind stays, whatever its age
KINDS = {
    "no state": "its state file is lost",
    "no sidecar": "it is no set of ours",
    "rotten state": "its state file is damaged",
    "half": "its ZIP is too short",
    "partial": "it was never finished",
    "foreign": "somebody else's ZIP",
    "pinned": "a person keeps it",
    "pinned by a lost state": "what people had decided is not known",
    "held": "somebody reads it",
    "suspect": "nobody has accepted it",
    "damaged": "a run has found it bad",
    "set aside": "its ZIP stands there as damaged",
    "for safety": "it was made before a restore",
}
AGES = st.integers(0, 30 * 24)  # hours
HISTORY = st.lists(
    st.tuples(AGES, st.sampled_from([*[GOOD] * len(KINDS), *KINDS])), max_size=14, unique_by=lambda pair: pair[0]
)
POLICY = st.builds(lambda low, more: Policy(keep_min=low, keep_max=low + more), st.integers(1, 3), st.integers(0, 3))
COUNT = {GOOD, "pinned", "pinned by a lost state", "held"}
A_RULING = Ruling(at=NOW, run_id=RUN, by="ada@control", reason="why not")


def build(layer: Layer, history: List[Tuple[int, str]]) -> Dict[str, str]:
    """Make the history; returns what each ZIP is, by its name."""
    made = {}
    for number, (hours, kind) in enumerate(history):
        run_id = run_id_of(timedelta(hours=hours, minutes=1), number)
        if kind == "partial":
            write_partial(layer, run_id, 50)
            continue
        artifact = publish_set(
            layer,
            run_id,
            50,
            suspect=["shrunk"] if kind == "suspect" else (),
            safety=RUN if kind == "for safety" else "",
        )
        change(layer, artifact, kind)
        name = artifact.zip if kind != "foreign" else artifact.zip.replace(PREFIX, "other-backup")
        made[name + (".damaged" if kind == "set aside" else "")] = kind
    return made


def change(layer: Layer, artifact: ArtifactName, kind: str) -> None:
    """Make a set of that kind of a good one."""
    if kind == "no state":
        os.unlink(layer.file(artifact.state))
    elif kind == "no sidecar":
        os.unlink(layer.file(artifact.sidecar))
    elif kind == "rotten state":
        Path(layer.file(artifact.state)).write_bytes(b"{}")
    elif kind == "half":
        os.truncate(layer.file(artifact.zip), 25)
    elif kind == "foreign":
        for name in (artifact.zip, artifact.sidecar, artifact.state):
            os.rename(layer.file(name), layer.file(name.replace(PREFIX, "other-backup")))
    elif kind == "pinned":
        write_state(layer, artifact, replace(fresh_state(layer, artifact), pinned=A_RULING))
    elif kind == "pinned by a lost state":
        os.unlink(layer.file(artifact.state))
        found = read_layer(layer, prefix=PREFIX).find(artifact)
        assert found is not None
        reverify(layer, artifact, found.proof, run_id=RUN, meter=progress_meter(50, ""))
    elif kind in ("damaged", "set aside"):
        state = fresh_state(layer, artifact).with_damage(at=NOW, run_id=RUN, reason="a bit")
        write_state(layer, artifact, state)
        if kind == "set aside":
            os.rename(layer.file(artifact.zip), layer.file(artifact.zip + ".damaged"))


@settings(max_examples=40)
@given(HISTORY, HISTORY, POLICY, st.none() | st.integers(1, 40 * 24))
def test_whatever_the_history_the_promises_hold(
    history: List[Tuple[int, str]], other: List[Tuple[int, str]], policy: Policy, ahead: Optional[int]
) -> None:
    """Never below the floor, nothing young, nothing but good sets touched, plan shown = plan done, on each layer.

    :param ahead: the hours by which one set of the first layer is ahead of the clock; nothing goes there then.
    """
    with tempfile.TemporaryDirectory() as directory:
        layers = [Layer(name, os.path.join(directory, name)) for name in (LOCAL, MIRROR)]
        for layer in layers:
            os.mkdir(layer.path)
        ahead_too = [(-ahead, GOOD)] if ahead else []
        kinds = [build(layer, [*made, *more]) for layer, made, more in zip(layers, (history, other), (ahead_too, []))]
        held = {name[:-4] for made in kinds for name, kind in made.items() if kind == "held"}
        before = [snapshot(layer) for layer in layers]
        plans = plan_layers(layers, prefix=PREFIX, policy=policy, now=NOW, held=held)
        done = execute(plans, policy, run_id=RUN, check=no_check, held=lambda: held)
        assert done.problems == []
        assert bool(plans[0].plan.stopped) == bool(ahead)
        for one, made, was in zip(plans, kinds, before):
            gone = {name for name in was if name.endswith(".zip")} - set(snapshot(one.layer))
            assert gone == {a.zip for a in one.plan.removals}
            assert done.removed[one.layer.name] == [a.stem for a in one.plan.removals]
            assert_promises(made, gone, policy)
            assert_untouched(one.layer, was, gone)
        assert not (ahead and done.removed[LOCAL])


def assert_promises(kinds: Dict[str, str], gone: Set[str], policy: Policy) -> None:
    """Only good and old sets go, and enough that count stay."""
    assert all(kinds[name] == GOOD for name in gone)
    count = [name for name, kind in kinds.items() if kind in COUNT]
    assert len(count) - len(gone) >= min(policy.keep_min, len(count))
    limit = (NOW - timedelta(days=7)).strftime("%Y%m%d-%H%M%S")
    assert all(name[len(PREFIX) + 1 : -4] <= limit for name in gone)


def assert_untouched(layer: Layer, before: Dict[str, bytes], gone: Set[str]) -> None:
    """Of what went no file is left; of all else every byte is, but for the record that a set was read again."""
    after = snapshot(layer)
    stems = {name[:-4] for name in gone}
    for name, data in before.items():
        if name.split(".")[0] in stems:
            assert name not in after
        elif not name.endswith(".state.json"):
            assert after[name] == data
        else:
            assert name in after
