# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing and its recovery: a crash at every call that changes the disk, and every refusal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactExists,
    BackupError,
    LeaseLost,
    NoSpace,
    NotProved,
    PathUnusable,
)
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer, set_aside
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import reverify
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import publish
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.recover import Recovery, recover
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.crasher import crashes, enter_run
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    MANIFEST,
    NEXT_RUN,
    PREFIX,
    RUN,
    content,
    no_check,
    prove_partial,
    publish_set,
    snapshot,
    write_partial,
)

OLD_RUN = "20261122-120000-0000cccc"
ARTIFACT = artifact_of_run(RUN, PREFIX)
OLD = artifact_of_run(OLD_RUN, PREFIX)


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    """An empty local layer."""
    return Layer(LOCAL, str(tmp_path))


def publish_run(layer: Layer) -> None:
    """backup_publish's work."""
    proof = prove_partial(layer, RUN)
    publish(layer, ARTIFACT, run_id=RUN, proof=proof, manifest=MANIFEST, check=no_check)


def prepare(directory: str) -> None:
    """An older set, and this run's verified partial."""
    layer = Layer(LOCAL, directory)
    publish_set(layer, OLD_RUN)
    write_partial(layer, RUN)


def scenario(directory: str) -> None:
    """What dies: see ``crasher``."""
    enter_run(RUN)
    publish_run(Layer(LOCAL, directory))


def recover_next(layer: Layer) -> Recovery:
    """The next run's sweep."""
    return recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=no_check)


def test_a_published_set_counts_and_nothing_partial_is_left(layer: Layer) -> None:
    """The ordinary way."""
    artifact = publish_set(layer, RUN)
    catalog = read_layer(layer, prefix=PREFIX)
    assert [(s.artifact, s.counts, s.level) for s in catalog.sets] == [(artifact, True, 3)]
    assert sorted(snapshot(layer)) == sorted([artifact.zip, artifact.sidecar, artifact.state])
    assert snapshot(layer)[artifact.zip] == content(artifact)


@pytest.mark.timeout(600)  # a process for each call
def test_no_crash_loses_a_set_or_makes_half_a_set_count(tmp_path: Path) -> None:
    """Die at every call, before and after; look at the world; let the next run clean up; look again."""
    outcomes = set()
    for what, place in crashes(__file__, str(tmp_path), prepare):
        layer = Layer(LOCAL, place)
        before = read_layer(layer, prefix=PREFIX)
        old, mine = before.find(OLD), before.find(ARTIFACT)
        assert old is not None, what
        assert old.counts, what
        if mine is not None and mine.counts:
            assert snapshot(layer)[ARTIFACT.zip] == content(ARTIFACT), what
        zip_was_named = ARTIFACT.zip in snapshot(layer)
        result = recover_next(layer)
        assert result.problems == [], what
        after = read_layer(layer, prefix=PREFIX)
        mine = after.find(ARTIFACT)
        assert after.foreign == (), what
        assert [s.artifact for s in after.sets if s.artifact != ARTIFACT] == [OLD], what
        assert (mine is not None and mine.counts) is zip_was_named, what  # finished, or swept without a trace
        assert not [name for name in snapshot(layer) if name.endswith(".partial")], what
        assert recover_next(layer) == Recovery(), what
        outcomes.add((zip_was_named, bool(result.finished), bool(result.swept)))
    # A test that never met one of these would have proved nothing.
    assert {(False, False, True), (True, True, False), (True, False, False)} <= outcomes


def recovering(directory: str) -> None:
    """A set whose ZIP has its name and whose sidecar waits, and a dead run's ZIP partial."""
    layer = Layer(LOCAL, directory)
    publish_set(layer, RUN)
    os.rename(layer.file(ARTIFACT.sidecar), layer.file(ARTIFACT.sidecar_partial(RUN)))
    os.unlink(layer.file(ARTIFACT.state))
    write_partial(layer, OLD_RUN)


@pytest.mark.timeout(600)  # a process for each call
def test_a_crash_in_the_recovery_is_recovered_from(tmp_path: Path) -> None:
    """Whatever the next run had done by then, the one after it finishes."""
    module = tmp_path / "scenario.py"
    module.write_text(
        "from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets import crasher, layers\n"
        "from ansible_collections.wst.backup.plugins.module_utils._sets import files, recover\n"
        "def scenario(directory):\n"
        "    crasher.enter_run(layers.NEXT_RUN)\n"
        "    layer = files.Layer(files.LOCAL, directory)\n"
        "    recover.recover(layer, prefix=layers.PREFIX, run_id=layers.NEXT_RUN, check=layers.no_check)\n",
        encoding="utf-8",
    )
    for what, place in crashes(str(module), str(tmp_path / "places"), recovering):
        layer = Layer(LOCAL, place)
        result = recover(layer, prefix=PREFIX, run_id="20261123-200000-0000dddd", check=no_check)
        assert result.problems == [], what
        assert [(s.artifact, s.counts) for s in read_layer(layer, prefix=PREFIX).sets] == [(ARTIFACT, True)], what
        assert sorted(snapshot(layer)) == sorted([ARTIFACT.zip, ARTIFACT.sidecar, ARTIFACT.state]), what


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_lower_level_is_no_proof(layer: Layer, level: int) -> None:
    """Structure alone does not publish."""
    write_partial(layer, RUN)
    before = snapshot(layer)
    proof = prove_partial(layer, RUN, level=level)
    with pytest.raises(NotProved):
        publish(layer, ARTIFACT, run_id=RUN, proof=proof, manifest=MANIFEST, check=no_check)
    assert snapshot(layer) == before


def test_a_partial_that_changed_since_is_not_published(layer: Layer) -> None:
    """Another file of the same size and time is found by its identity, a touched one by its time."""
    write_partial(layer, RUN)
    proof = prove_partial(layer, RUN)
    path = layer.file(ARTIFACT.zip_partial(RUN))
    os.rename(path, path + ".kept")  # keeps its file number taken
    write_partial(layer, RUN)
    os.utime(path, ns=(proof.mtime_ns, proof.mtime_ns))
    with pytest.raises(NotProved, match="file_id"):
        publish(layer, ARTIFACT, run_id=RUN, proof=proof, manifest=MANIFEST, check=no_check)
    proof = prove_partial(layer, RUN)
    os.utime(path, ns=(proof.mtime_ns - 10**9, proof.mtime_ns - 10**9))
    with pytest.raises(NotProved, match="mtime_ns"):
        publish(layer, ARTIFACT, run_id=RUN, proof=proof, manifest=MANIFEST, check=no_check)
    os.unlink(path)
    with pytest.raises(NotProved, match="no "):
        publish(layer, ARTIFACT, run_id=RUN, proof=proof, manifest=MANIFEST, check=no_check)
    assert ARTIFACT.zip not in snapshot(layer)


@pytest.mark.parametrize("taken", [ARTIFACT.zip, ARTIFACT.sidecar, ARTIFACT.zip.upper()])
def test_a_taken_name_is_never_overwritten(layer: Layer, taken: str) -> None:
    """Whatever has the name keeps it, and no sidecar of ours is left to claim it."""
    write_partial(layer, RUN)
    with open(layer.file(taken), "wb") as file:
        file.write(b"somebody's")
    before = snapshot(layer)
    with pytest.raises(ArtifactExists):
        publish_run(layer)
    assert snapshot(layer) == before


def test_a_name_that_is_taken_in_the_last_moment(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the rename."""
    write_partial(layer, RUN)

    def plant() -> None:
        with open(layer.file(ARTIFACT.zip), "wb") as file:
            file.write(b"somebody's")

    proof = prove_partial(layer, RUN)
    with pytest.raises(ArtifactExists):
        publish(layer, ARTIFACT, run_id=RUN, proof=proof, manifest=MANIFEST, check=plant)
    assert snapshot(layer) == {ARTIFACT.zip: b"somebody's", ARTIFACT.zip_partial(RUN): content(ARTIFACT)}
    assert recover_next(layer).swept == [ARTIFACT.zip_partial(RUN)]
    assert snapshot(layer) == {ARTIFACT.zip: b"somebody's"}


@pytest.mark.parametrize("at", [1, 2])
def test_a_lost_lease_publishes_nothing_more(layer: Layer, at: int) -> None:
    """Before the first name: nothing happened. Before the second: unfinished, and the next run finishes it."""
    write_partial(layer, RUN)
    calls: List[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) == at:
            raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        publish(layer, ARTIFACT, run_id=RUN, proof=prove_partial(layer, RUN), manifest=MANIFEST, check=check)
    found = read_layer(layer, prefix=PREFIX).find(ARTIFACT)
    assert found is not None
    assert (found.counts, found.status) == (False, "unfinished")
    recover_next(layer)
    found = read_layer(layer, prefix=PREFIX).find(ARTIFACT)
    assert (found is not None and found.counts) is (at == 2)


@pytest.mark.parametrize("name", ["create_new", "flush_file", "rename_new", "replace", "flush_directory"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_failing_disk_is_named_and_loses_nothing(
    layer: Layer, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    """Every call of the seam fails once with a full disk; the next run ends with a whole set or none."""
    write_partial(layer, RUN)
    proof = prove_partial(layer, RUN)
    real, calls = getattr(api, name), []

    def fail(*args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == number:
            raise OSError(28, "No space left on device")
        return real(*args, **options)

    monkeypatch.setattr(api, name, fail)
    failures: List[str] = []
    try:
        publish(layer, ARTIFACT, run_id=RUN, proof=proof, manifest=MANIFEST, check=no_check)
    except BackupError as error:
        failures.append(error.code)
    monkeypatch.undo()
    assert failures == ([NoSpace.code] if len(calls) >= number else [])
    recover_next(layer)
    found = read_layer(layer, prefix=PREFIX).find(ARTIFACT)
    assert found is None or found.counts
    assert read_layer(layer, prefix=PREFIX).foreign == ()
    assert not [name for name in snapshot(layer) if name.endswith(".partial")]


# --- recovery -------------------------------------------------------------------------------------------------------


def test_the_live_runs_partials_are_left_alone(layer: Layer) -> None:
    """A later step of the same run may sweep as well."""
    write_partial(layer, NEXT_RUN)
    before = snapshot(layer)
    assert recover_next(layer) == Recovery()
    assert snapshot(layer) == before


def test_a_zip_that_its_waiting_sidecar_does_not_prove_stays_and_is_named(layer: Layer) -> None:
    """Neither is removed: a person decides. Every run says it again."""
    recovering(layer.path)
    with open(layer.file(ARTIFACT.zip), "r+b") as file:
        file.seek(100)
        file.write(b"X")
    for _ in range(2):
        result = recover_next(layer)
        assert [p.code for p in result.problems] == ["artifact_damaged"]
        assert {ARTIFACT.zip, ARTIFACT.sidecar_partial(RUN)} == set(snapshot(layer))
        assert not any(s.counts for s in read_layer(layer, prefix=PREFIX).sets)


def test_a_torn_waiting_sidecar_claims_nothing_and_loses_no_zip(layer: Layer) -> None:
    """The ZIP may be good."""
    recovering(layer.path)
    with open(layer.file(ARTIFACT.sidecar_partial(RUN)), "r+b") as file:
        file.truncate(40)
    assert [p.code for p in recover_next(layer).problems] == ["record_damaged"]
    assert snapshot(layer)[ARTIFACT.zip] == content(ARTIFACT)


def test_a_dead_run_that_met_a_foreign_zip_is_swept_without_it(layer: Layer) -> None:
    """It died after its sidecar partial, before it saw that the name was taken."""
    recovering(layer.path)
    with open(layer.file(ARTIFACT.zip), "wb") as file:
        file.write(b"somebody's")
    write_partial(layer, RUN)
    result = recover_next(layer)
    assert result.problems == []
    assert snapshot(layer) == {ARTIFACT.zip: b"somebody's"}


def test_a_set_without_state_is_read_again_before_it_counts(layer: Layer) -> None:
    """Good: it counts. Bad: that is on record, and it does not."""
    publish_set(layer, RUN)
    publish_set(layer, OLD_RUN)
    for artifact in (ARTIFACT, OLD):
        os.unlink(layer.file(artifact.state))
    with open(layer.file(OLD.zip), "r+b") as file:
        file.write(b"X")
    result = recover_next(layer)
    assert result.finished == [ARTIFACT.stem]
    assert [p.code for p in result.problems] == ["artifact_damaged"]
    catalog = read_layer(layer, prefix=PREFIX)
    assert [(s.counts, s.status) for s in catalog.sets] == [(True, "complete"), (False, "damaged")]
    assert "is not what its sidecar says" in catalog.sets[1].reason
    assert [f.name for f in catalog.foreign] == [OLD.zip + ".damaged"]
    assert recover_next(layer) == Recovery()  # said once; the state file says it from then on


def test_a_quarantine_that_was_cut_short_is_made_up_for(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds the file, or a crash came between the record and the rename."""
    publish_set(layer, OLD_RUN)
    with open(layer.file(OLD.zip), "r+b") as file:
        file.write(b"X")
    monkeypatch.setattr(api, "rename_new", held)
    found = read_layer(layer, prefix=PREFIX).sets[0]
    with pytest.raises(BackupError):
        reverify(layer, OLD, found.proof, run_id=RUN)
    monkeypatch.undo()
    assert [(s.status, s.counts) for s in read_layer(layer, prefix=PREFIX).sets] == [("damaged", False)]
    assert OLD.zip in snapshot(layer)
    assert [problem.code for problem in recover_next(layer).problems] == ["artifact_damaged"]
    assert OLD.zip + ".damaged" in snapshot(layer)
    assert OLD.zip not in snapshot(layer)


def held(_source: str, target: str) -> None:
    """Another program holds the file."""
    raise PermissionError(13, "held", target)


def test_a_good_copy_that_somebody_put_in_its_place_counts_again(layer: Layer) -> None:
    """Nobody is made to trust it: it is read in full first. The evidence stays."""
    publish_set(layer, OLD_RUN)
    good = snapshot(layer)[OLD.zip]
    Path(layer.file(OLD.zip)).write_bytes(b"X" + good[1:])
    sidecar = read_layer(layer, prefix=PREFIX).sets[0].proof
    with pytest.raises(BackupError):
        reverify(layer, OLD, sidecar, run_id=RUN)
    Path(layer.file(OLD.zip)).write_bytes(good)
    assert recover_next(layer).finished == [OLD.stem]
    assert [s.counts for s in read_layer(layer, prefix=PREFIX).sets] == [True]
    assert snapshot(layer)[OLD.zip + ".damaged"] == b"X" + good[1:]


def test_evidence_has_nine_names_and_none_is_overwritten(layer: Layer) -> None:
    """After that a person has to look."""
    for number in range(9):
        Path(layer.file("x.zip")).write_bytes(b"%d" % number)
        assert set_aside(layer, "x.zip") == "x.zip.damaged" + (f"-{number + 1}" if number else "")
    Path(layer.file("x.zip")).write_bytes(b"one too many")
    with pytest.raises(ArtifactExists):
        set_aside(layer, "x.zip")
    assert {data for name, data in snapshot(layer).items() if name != "x.zip"} == {b"%d" % n for n in range(9)}
    os.unlink(layer.file("x.zip"))
    assert set_aside(layer, "x.zip") is None


def test_a_dry_run_tells_and_touches_nothing(tmp_path: Path) -> None:
    """Check mode."""
    layer = Layer(LOCAL, str(tmp_path))
    recovering(layer.path)
    before = snapshot(layer)
    told = recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=no_check, dry_run=True)
    assert snapshot(layer) == before
    assert told == recover_next(layer)


PROBE, UNFINISHED_MARKER = "wst-probe.0123456789abcdef.partial", f"wst-mirror.json.{OLD_RUN}.partial"


def leave(layer: Layer, *names: str) -> None:
    """Files of long ago."""
    for name in names:
        Path(layer.file(name)).write_bytes(b"x")
        os.utime(layer.file(name), (0, 0))


def test_what_a_killed_probe_or_mirror_init_left_is_swept(layer: Layer) -> None:
    """With the sets' own leftovers; what is young stays, since its process may live."""
    leave(layer, PROBE, UNFINISHED_MARKER, "wst-mirror.json")
    young = PROBE.replace("0", "1")
    Path(layer.file(young)).write_bytes(b"x")
    told = recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=no_check, dry_run=True)
    assert len(snapshot(layer)) == 4
    assert told == recover_next(layer) == Recovery(swept=[UNFINISHED_MARKER, PROBE])
    assert sorted(snapshot(layer)) == ["wst-mirror.json", young]


def test_a_leftover_that_cannot_be_removed_is_a_problem_and_no_failure(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(layer, PROBE)

    def refuse(path: str) -> bool:
        raise PathUnusable("constructed", path=path)

    monkeypatch.setattr("ansible_collections.wst.backup.plugins.module_utils._sets.recover.remove_file", refuse)
    assert [problem.code for problem in recover_next(layer).problems] == [PathUnusable.code]


def test_a_lost_lease_sweeps_nothing(layer: Layer) -> None:
    leave(layer, PROBE)

    def lost() -> None:
        raise LeaseLost("constructed")

    with pytest.raises(LeaseLost):
        recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=lost)
    assert list(snapshot(layer)) == [PROBE]


def test_foreign_files_are_never_swept(layer: Layer) -> None:
    """Names that only look like ours."""
    names = [
        "probe-0123456789abcdef.partial",
        "wst-probe.0123.partial",
        "wst-mirror.json.old.partial",
        "other-20261123-120000.zip.20261123-120000-0000aaaa.partial",
        "wst-backup-20261123-120000.zip.partial",
        "WST-BACKUP-20261123-120000.zip.20261123-120000-0000aaaa.partial",
        "wst-backup-20261123-120000.ZIP",
        "notes.txt",
    ]
    leave(layer, *names)
    os.mkdir(layer.file("wst-backup-20261122-120000.zip.20261122-120000-0000aaaa.partial"))
    assert recover_next(layer) == Recovery()
    assert sorted(snapshot(layer)) == sorted(names)
