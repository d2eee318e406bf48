# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing sets: crashes, refusals, and random histories on a real directory against the plan."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Dict, List, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, LeaseLost, RetentionRefused
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
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
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.recover import Recovery, recover
from ansible_collections.wst.backup.plugins.module_utils._sets.state import Event, fresh_state, write_state
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

KINDS = ["good", "good", "good", "good", "no state", "no sidecar", "rotten state", "half", "partial", "foreign"]
HISTORY = st.lists(
    st.tuples(st.integers(0, 30 * 24), st.sampled_from(KINDS)), max_size=12, unique_by=lambda pair: pair[0]
)
POLICY = st.builds(lambda low, more: Policy(keep_min=low, keep_max=low + more), st.integers(1, 3), st.integers(0, 3))


def build(layer: Layer, history: List[Tuple[int, str]]) -> Dict[str, str]:
    """Make the history; returns what each ZIP is, by its name."""
    made = {}
    for number, (hours, kind) in enumerate(history):
        run_id = run_id_of(timedelta(hours=hours, minutes=1), number)
        if kind == "partial":
            write_partial(layer, run_id, 50)
            continue
        artifact = publish_set(layer, run_id, 50)
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
        made[artifact.zip if kind != "foreign" else artifact.zip.replace(PREFIX, "other-backup")] = kind
    return made


@settings(max_examples=40)
@given(HISTORY, POLICY)
def test_whatever_the_history_the_promises_hold(history: List[Tuple[int, str]], policy: Policy) -> None:
    """Never below the floor, nothing young, nothing foreign or unfinished touched, plan shown = plan done."""
    with tempfile.TemporaryDirectory() as directory:
        layer = Layer(LOCAL, directory)
        kinds = build(layer, history)
        before = snapshot(layer)
        plans = plans_of([layer], policy)
        done = execute(plans, policy, run_id=RUN, check=no_check)
        after = snapshot(layer)
        gone = {name for name in before if name.endswith(".zip")} - set(after)
        assert done.problems == []
        assert gone == {a.zip for a in plans[0].plan.removals}
        good = [name for name, kind in kinds.items() if kind == "good"]
        assert all(kinds[name] == "good" for name in gone)
        assert len(good) - len(gone) >= min(policy.keep_min, len(good))
        limit = (NOW - timedelta(days=7)).strftime("%Y%m%d-%H%M%S")
        assert all(name[len(PREFIX) + 1 : -4] <= limit for name in gone)
        stems = {name[:-4] for name in gone}
        rewritten = {name for name in before if name.endswith(".state.json")}  # a re-read is recorded
        for name, data in before.items():
            if name.split(".")[0] in stems:
                assert name not in after
            elif name not in rewritten:
                assert after[name] == data
