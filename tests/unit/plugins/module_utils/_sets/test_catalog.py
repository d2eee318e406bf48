# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts: the classification by table, against random directories, and its readers."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import PathUnusable, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._names import MARKER, artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._records import encode_record
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import Catalog, FileFact, classify
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, parse_sidecar, read_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import (
    Damage,
    Event,
    Ruling,
    SetState,
    Verified,
    fresh_state,
    parse_state,
    read_state,
    state_body,
    write_state,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    NEXT_RUN,
    NOW,
    PREFIX,
    RUN,
    publish_set,
    snapshot,
)

ARTIFACT = artifact_of_run(RUN, PREFIX)
SIDECAR = Sidecar(ARTIFACT.zip, 100, "aa", "bb", 3, RUN)
VERIFIED = Verified(NOW, RUN, 3, "aa")
STATE = SetState(ARTIFACT.stem, LOCAL, verified=VERIFIED)
DAMAGED = RecordDamaged("torn")
UNUSABLE_STATE = "its state file cannot be used (record_damaged): verify it again"
RULING = Ruling(NOW, RUN, "somebody@control", "it is right")


def fact(name: str, size: int = 100, kind: str = "file") -> FileFact:
    """A name in a directory."""
    return FileFact(name, kind, size)


ALL = [fact(ARTIFACT.zip), fact(ARTIFACT.sidecar), fact(ARTIFACT.state)]


def judge(files: List[FileFact], sidecar: Any = SIDECAR, state: Any = STATE) -> Catalog:
    """Classify one stem."""
    sidecars = {ARTIFACT.stem: sidecar} if sidecar else {}
    states = {ARTIFACT.stem: state} if state else {}
    return classify(files, sidecars=sidecars, states=states, prefix=PREFIX, layer=LOCAL)


@pytest.mark.parametrize(
    ("files", "sidecar", "state", "status", "reason"),
    [
        (ALL, SIDECAR, STATE, "complete", ""),
        (ALL[:2], SIDECAR, None, "complete", "it was not verified on this layer"),
        (ALL, SIDECAR, replace(STATE, verified=None), "complete", "it was not verified on this layer"),
        (ALL, SIDECAR, DAMAGED, "complete", UNUSABLE_STATE),
        (
            ALL,
            SIDECAR,
            replace(STATE, layer=MIRROR),
            "complete",
            "its state file is that of wst-backup-20261123-120000 on layer mirror",
        ),
        (ALL, SIDECAR, replace(STATE, artifact="x"), "complete", "its state file is that of x on layer local"),
        (
            ALL,
            SIDECAR,
            replace(STATE, verified=replace(VERIFIED, zip_sha256="ff")),
            "complete",
            "what was verified on this layer is not what its sidecar says",
        ),
        (ALL, DAMAGED, STATE, "damaged", "its sidecar cannot be used (record_damaged)"),
        (ALL, replace(SIDECAR, artifact="x.zip"), STATE, "damaged", "its sidecar is that of x.zip"),
        (ALL, replace(SIDECAR, size=99), STATE, "damaged", "its ZIP has 100 bytes instead of 99"),
        (ALL[1:], SIDECAR, STATE, "damaged", "its ZIP is missing"),
        (ALL, SIDECAR, replace(STATE, damaged=Damage(NOW, RUN, "a bit")), "damaged", "a bit"),
        (ALL, replace(SIDECAR, suspect=("too few", "no x")), STATE, "suspect", "too few; no x"),
        (ALL, replace(SIDECAR, suspect=("too few",)), replace(STATE, accepted=RULING), "complete", ""),
        (ALL, replace(SIDECAR, safety="a restore"), STATE, "safety", "made for safety before a restore"),
        (
            ALL,
            replace(SIDECAR, safety="a restore"),
            replace(STATE, accepted=RULING),
            "safety",
            "made for safety before a restore",
        ),
        (ALL, replace(SIDECAR, suspect=("too few",)), DAMAGED, "complete", UNUSABLE_STATE),
        ([ALL[0], fact(ARTIFACT.sidecar_partial(RUN))], None, None, "unfinished", "its sidecar was not published"),
        ([fact(ARTIFACT.zip_partial(RUN))], None, None, "unfinished", "being built by run " + RUN),
        (ALL[2:], None, STATE, "unfinished", "only its state file is left"),
    ],
)
def test_what_a_set_is(files: List[FileFact], sidecar: Any, state: Any, status: str, reason: str) -> None:
    """Complete needs everything; counting needs a good re-read on this very layer."""
    catalog = judge(files, sidecar, state)
    (found,) = catalog.sets
    assert catalog.foreign == ()
    assert (found.status, found.reason, found.counts) == (status, reason, status == "complete" and not reason)
    assert found.sound is (found.counts or status in ("suspect", "safety"))
    assert found.level == (3 if found.sound else 0)
    assert catalog.find(ARTIFACT) is found
    assert catalog.counting == ([found] if found.counts else [])


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        (ARTIFACT.zip, "file", "it has no sidecar of ours"),
        (ARTIFACT.zip, "directory", "a directory, not a regular file"),
        (ARTIFACT.zip, "link", "a link, not a regular file"),
        (ARTIFACT.zip, "placeholder", "a placeholder, not a regular file"),
        (ARTIFACT.zip.upper(), "file", "its name differs from ours in case"),
        ("wst-backup-20261123-120000.ZIP", "file", "its name differs from ours in case"),
        ("other-20261123-120000.zip", "file", "its name is not one of ours"),
        ("wst-backup-20261323-120000.zip", "file", "its name is not one of ours"),
        ("wst-backup-20261123-120000 (1).zip", "file", "its name is not one of ours"),
        ("wst-backup-20261123-120000.zip.partial", "file", "its name is not one of ours"),
        ("wst-backup-20261123-120000.state.json.damaged", "file", "kept as evidence: it was found damaged"),
        ("wst-backup-20261123-120000.zip.damaged-9", "file", "kept as evidence: it was found damaged"),
        ("wst-backup-20261123-120000.zip.damaged-1", "file", "its name is not one of ours"),
        ("notes.txt", "file", "its name is not one of ours"),
    ],
)
def test_what_is_foreign(name: str, kind: str, reason: str) -> None:
    """Not exactly ours is not ours."""
    catalog = judge([fact(name, 7, kind)], None, None)
    assert catalog.sets == ()
    assert [(f.name, f.size, f.reason) for f in catalog.foreign] == [(name, 7, reason)]


@pytest.mark.parametrize("state", [None, STATE])
def test_a_quarantined_zip_leaves_a_damaged_set_and_evidence(state: Optional[SetState]) -> None:
    """The evidence is told as a file that nobody touches."""
    files = [fact(ARTIFACT.zip + ".damaged"), fact(ARTIFACT.sidecar)] + [fact(ARTIFACT.state)] * bool(state)
    catalog = judge(files, SIDECAR, state)
    assert [(s.status, s.reason, s.size) for s in catalog.sets] == [("damaged", "its ZIP was found damaged", None)]
    assert [f.name for f in catalog.foreign] == [ARTIFACT.zip + ".damaged"]


def test_a_repair_that_was_interrupted_leaves_a_damaged_set() -> None:
    """The sidecar is set aside and the new one not there yet; the ZIP may be good."""
    catalog = judge([fact(ARTIFACT.zip), fact(ARTIFACT.sidecar + ".damaged")], None, None)
    assert [(s.status, s.reason) for s in catalog.sets] == [("damaged", "its sidecar was found damaged")]
    waiting = [fact(ARTIFACT.zip), fact(ARTIFACT.sidecar + ".damaged"), fact(ARTIFACT.sidecar_partial(RUN))]
    assert [s.status for s in judge(waiting, None, None).sets] == ["unfinished"]


@pytest.mark.parametrize("beside", [ARTIFACT.state, ARTIFACT.zip_partial(RUN)])
def test_a_lone_zip_is_foreign_whatever_else_has_its_stem(beside: str) -> None:
    """The rest is an unfinished set without a ZIP."""
    catalog = judge([ALL[0], fact(beside)], None, STATE if beside == ARTIFACT.state else None)
    assert [f.name for f in catalog.foreign] == [ARTIFACT.zip]
    assert [(s.status, s.size) for s in catalog.sets] == [("unfinished", None)]


def test_order() -> None:
    """Sets newest first, foreign by name."""
    newer = artifact_of_run(NEXT_RUN, PREFIX)
    files = [fact("b"), fact(ARTIFACT.zip_partial(RUN)), fact("a"), fact(newer.zip_partial(NEXT_RUN))]
    catalog = judge(files, None, None)
    assert [s.artifact for s in catalog.sets] == [newer, ARTIFACT]
    assert [f.name for f in catalog.foreign] == ["a", "b"]


def test_an_unfinished_set_has_no_proof() -> None:
    """Whoever asks has not looked."""
    (found,) = judge(ALL[2:], None, STATE).sets
    with pytest.raises(ValueError, match="no sidecar"):
        _ = found.proof
    (found,) = judge(ALL).sets
    assert found.proof == SIDECAR


PARTS = [
    ARTIFACT.zip,
    ARTIFACT.sidecar,
    ARTIFACT.state,
    ARTIFACT.zip_partial(RUN),
    ARTIFACT.sidecar_partial(RUN),
    ARTIFACT.zip.upper(),
    "x.zip",
]


@given(
    st.sets(st.sampled_from(PARTS)),
    st.sampled_from([SIDECAR, DAMAGED, replace(SIDECAR, size=1)]),
    st.sampled_from([STATE, DAMAGED, replace(STATE, layer=MIRROR), None]),
)
def test_nothing_counts_by_accident(names: set[str], sidecar: Any, state: Any) -> None:
    """A set counts exactly when ZIP, sidecar and state are all there and agree; no file is told twice or lost."""
    files = [fact(name) for name in sorted(names)]
    catalog = judge(
        files,
        sidecar if ARTIFACT.sidecar in names else None,
        state if ARTIFACT.state in names else None,
    )
    wanted = {ARTIFACT.zip, ARTIFACT.sidecar, ARTIFACT.state}
    assert bool(catalog.counting) is (wanted <= names and sidecar is SIDECAR and state is STATE)
    foreign = {f.name for f in catalog.foreign}
    assert {"x.zip", ARTIFACT.zip.upper()} & names <= foreign
    assert not foreign & {ARTIFACT.sidecar, ARTIFACT.state}
    assert bool(catalog.sets) is bool(names - foreign)


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    """An empty local layer."""
    return Layer(LOCAL, str(tmp_path))


def test_a_flipped_bit_anywhere_in_a_record_makes_the_set_not_count(layer: Layer) -> None:
    """In the state file it is doubt, in the sidecar damage; nothing else changes."""
    publish_set(layer, RUN)
    for name, status in ((ARTIFACT.state, "complete"), (ARTIFACT.sidecar, "damaged")):
        good = snapshot(layer)[name]
        for place in range(0, len(good), 7):
            Path(layer.file(name)).write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            (found,) = read_layer(layer, prefix=PREFIX).sets
            assert (found.status, found.counts) == (status, False)
        Path(layer.file(name)).write_bytes(good)
    assert [s.counts for s in read_layer(layer, prefix=PREFIX).sets] == [True]


def test_one_unreadable_file_hides_no_other_set(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with its code."""
    publish_set(layer, RUN)
    publish_set(layer, NEXT_RUN)
    os.unlink(layer.file(ARTIFACT.sidecar))
    os.mkdir(layer.file(ARTIFACT.sidecar))
    catalog = read_layer(layer, prefix=PREFIX)
    assert [s.counts for s in catalog.sets] == [True, False]
    assert {f.name for f in catalog.foreign} == {ARTIFACT.zip, ARTIFACT.sidecar}


def test_a_file_that_goes_away_while_the_layer_is_read(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had not been there."""
    publish_set(layer, RUN)
    module = "ansible_collections.wst.backup.plugins.module_utils._sets.reading.read_state"
    monkeypatch.setattr(module, lambda *_args: None)
    (found,) = read_layer(layer, prefix=PREFIX).sets
    assert found.reason == "it was not verified on this layer"


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    """Not an empty one."""
    with pytest.raises(PathUnusable):
        read_layer(Layer(LOCAL, str(tmp_path / "nowhere")), prefix=PREFIX)


def test_the_marker_is_not_foreign(layer: Layer) -> None:
    """It is the mirror's own."""
    Path(layer.file(MARKER)).write_bytes(b"x")
    assert read_layer(layer, prefix=PREFIX) == Catalog((), ())


def test_what_a_killed_probe_or_mirror_init_left_is_not_foreign(layer: Layer) -> None:
    """Of any age; but what only looks like it is."""
    for name in ("wst-probe.0123456789abcdef.partial", "wst-mirror.json.20261122-150000-0000cccc.partial"):
        Path(layer.file(name)).write_bytes(b"x")
    assert read_layer(layer, prefix=PREFIX) == Catalog((), ())
    Path(layer.file("wst-probe.0123.partial")).write_bytes(b"x")
    Path(layer.file("wst-probe.ffffffffffffffff.partial")).mkdir()
    Path(layer.file("wst-probe.eeeeeeeeeeeeeeee.partial")).write_bytes(b"x" * 100_000)
    assert [one.name for one in read_layer(layer, prefix=PREFIX).foreign] == [
        "wst-probe.0123.partial",
        "wst-probe.eeeeeeeeeeeeeeee.partial",
        "wst-probe.ffffffffffffffff.partial",
    ]


# --- records --------------------------------------------------------------------------------------------------------


def test_states_come_back_as_they_went(layer: Layer) -> None:
    """Every field, and none."""
    event = Event(NOW, RUN)
    full = replace(STATE, published=event, mirrored=event, repaired=event, accepted=RULING, pinned=RULING)
    for state in (STATE, SetState(ARTIFACT.stem, LOCAL), full, full.with_damage(at=NOW, run_id=RUN, reason="a bit")):
        assert parse_state(state_body(state), name="x") == state
        write_state(layer, ARTIFACT, state)
        assert read_state(layer, ARTIFACT) == state
    assert read_sidecar(layer.file("nothing")) is None


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"verified": {"at": "yesterday", "run_id": RUN, "level": 3, "zip_sha256": "aa"}},
        {"verified": {}},
        {"published": 5},
        {"artifact": None, "layer": None, "mirrored": {"at": "2026-11-23T12:00:00Z"}},
    ],
)
def test_a_state_file_that_makes_no_sense_is_damaged(change: Dict[str, Any]) -> None:
    """Also when its digest is right."""
    with pytest.raises(RecordDamaged):
        parse_state({**state_body(STATE), **change}, name="x")


@pytest.mark.parametrize("body", [{}, {"schema_version": 9}, {"schema_version": 1, "zip": {}}])
def test_a_sidecar_that_makes_no_sense_is_damaged(body: Dict[str, Any]) -> None:
    """Likewise."""
    with pytest.raises(RecordDamaged):
        parse_sidecar(body, name="x")


@pytest.mark.parametrize("state", [None, replace(STATE, layer=MIRROR), replace(STATE, artifact="x")])
def test_a_state_of_something_else_is_not_built_on(layer: Layer, state: Optional[SetState]) -> None:
    """Begin afresh."""
    if state is not None:
        write_state(layer, ARTIFACT, state)
    assert fresh_state(layer, ARTIFACT) == SetState(ARTIFACT.stem, LOCAL)


def test_a_damaged_state_file_is_kept_as_evidence(layer: Layer) -> None:
    """Beside its successor."""
    torn = encode_record({"a": 1})[:-3]
    Path(layer.file(ARTIFACT.state)).write_bytes(torn)
    assert fresh_state(layer, ARTIFACT) == SetState(ARTIFACT.stem, LOCAL)
    assert snapshot(layer) == {ARTIFACT.state + ".damaged": torn}
