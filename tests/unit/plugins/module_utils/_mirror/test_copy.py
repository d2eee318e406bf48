# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying to the mirror: crashes, full disks, disks that lie, and names that are taken."""

from __future__ import annotations

import io
import os
import re
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any, BinaryIO, Callable, List, Tuple

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    Cancelled,
    LeaseLost,
    MirrorMismatch,
    NoSpace,
    PathUnusable,
)
from ansible_collections.wst.backup.plugins.module_utils._mirror import copy
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import copy_partial, read_sidecar_bytes
from ansible_collections.wst.backup.plugins.module_utils._mirror.step import Mirrored, choose, mirror_sets
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.recover import recover
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.crasher import crashes, enter_run
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.full_disk import Full
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

OLD_RUN = "20261122-120000-0000cccc"
OWN = artifact_of_run(RUN, PREFIX)
OLD = artifact_of_run(OLD_RUN, PREFIX)


def layers_in(directory: str) -> Tuple[Layer, Layer]:
    """The two layers of a test."""
    return Layer(LOCAL, os.path.join(directory, "c")), Layer(MIRROR, os.path.join(directory, "d"))


def prepare(directory: str) -> None:
    """Two sets on the local layer, none on the mirror."""
    source, mirror = layers_in(directory)
    os.mkdir(source.path)
    os.mkdir(mirror.path)
    publish_set(source, OLD_RUN)
    publish_set(source, RUN)


@pytest.fixture
def layers(tmp_path: Path) -> Tuple[Layer, Layer]:
    """The same as a fixture."""
    prepare(str(tmp_path))
    return layers_in(str(tmp_path))


def run_mirror(layers: Tuple[Layer, Layer], check: Callable[[], None] = no_check, run_id: str = RUN) -> Mirrored:
    """backup_mirror's work."""
    source, mirror = layers
    selection = choose(source, mirror, prefix=PREFIX, policy=Policy(), now=NOW, run_id=run_id)
    return mirror_sets(source, mirror, selection, run_id=run_id, prefix=PREFIX, check=check)


def counting(layer: Layer) -> List[str]:
    """The sets that count, newest first."""
    return [item.artifact.stem for item in read_layer(layer, prefix=PREFIX).counting]


def test_a_mirrored_set_is_the_same_and_counts_on_both(layers: Tuple[Layer, Layer]) -> None:
    """Byte for byte; a second run has nothing to do."""
    done = run_mirror(layers)
    assert (done.mirrored, done.bytes, done.changed) == ([OWN.stem, OLD.stem], 10000, True)
    here, there = (snapshot(layer) for layer in layers)
    for artifact in (OWN, OLD):
        assert there[artifact.zip] == here[artifact.zip] == content(artifact)
        assert there[artifact.sidecar] == here[artifact.sidecar]
    assert sorted(here) == sorted(there)
    for layer in layers:
        for item in read_layer(layer, prefix=PREFIX).sets:
            assert (item.counts, item.level) == (True, 3)
            assert item.state is not None
            assert item.state.mirrored is not None
    again = run_mirror(layers)
    assert (again.present, again.changed) == ([OWN.stem, OLD.stem], False)
    assert [snapshot(layer) for layer in layers] == [here, there]


def prepare_mirrored(directory: str) -> None:
    """The older set is on the mirror already, and a part of this run's."""
    prepare(directory)
    source, mirror = layers_in(directory)
    for name in (OWN.zip, OWN.sidecar, OWN.state):
        os.rename(source.file(name), source.file(name + ".away"))
    run_mirror((source, mirror))
    for name in (OWN.zip, OWN.sidecar, OWN.state):
        os.rename(source.file(name + ".away"), source.file(name))
    begin(mirror, content(OWN)[:1700])


def scenario(directory: str) -> None:
    """What dies: see ``crasher``."""
    enter_run(RUN)
    run_mirror(layers_in(directory))


@pytest.mark.timeout(600)  # a process for each call
def test_no_crash_makes_half_a_copy_count_or_harms_the_source(tmp_path: Path) -> None:
    """Die at every call; the next run's sweep and mirror step end with both sets on both layers."""
    for what, place in crashes(__file__, str(tmp_path), prepare_mirrored):
        source, mirror = layers_in(place)
        assert counting(source) == [OWN.stem, OLD.stem], what
        for stem in counting(mirror):
            assert snapshot(mirror)[stem + ".zip"] == snapshot(source)[stem + ".zip"], what
        for layer in (source, mirror):
            assert recover(layer, prefix=PREFIX, run_id=NEXT_RUN, check=no_check).problems == [], what
        assert read_layer(mirror, prefix=PREFIX).foreign == (), what
        assert set(counting(mirror)) == {item.artifact.stem for item in read_layer(mirror, prefix=PREFIX).sets}, what
        run_mirror((source, mirror), run_id=NEXT_RUN)
        assert counting(mirror) == [OWN.stem, OLD.stem], what
        assert sorted(snapshot(source)) == sorted(snapshot(mirror)), what
        for item in read_layer(source, prefix=PREFIX).sets:
            assert item.state is not None, what
            assert item.state.mirrored is not None, what


# --- disks that are full, lie or rot --------------------------------------------------------------------------------


def test_too_little_space_is_found_before_a_byte_is_written(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mirror's directory is not touched."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(10**9, 10**9 - 5000, 5000))
    with pytest.raises(NoSpace):
        run_mirror(layers)
    assert snapshot(layers[1]) == {}
    assert counting(layers[0]) == [OWN.stem, OLD.stem]


@pytest.mark.parametrize("room", [0, 1, 4999])
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Neither under a final name nor as a partial."""
    real = api.create_new
    monkeypatch.setattr(api, "create_new", lambda path: Full(real(path), room))
    with pytest.raises(NoSpace):
        run_mirror(layers)
    monkeypatch.undo()
    assert snapshot(layers[1]) == {}
    assert counting(layers[0]) == [OWN.stem, OLD.stem]


def test_a_mirror_that_reads_back_something_else_publishes_nothing(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One byte."""
    monkeypatch.setattr(api, "read_uncached", lambda _path: iter([b"\0" + content(OWN)[1:]]))
    with pytest.raises(MirrorMismatch):
        run_mirror(layers)
    monkeypatch.undo()
    assert snapshot(layers[1]) == {}
    assert counting(layers[0]) == [OWN.stem, OLD.stem]


def test_a_rotten_source_is_named_and_counts_no_more(layers: Tuple[Layer, Layer]) -> None:
    """The good set is mirrored all the same; the next run does not try the bad one again."""
    with open(layers[0].file(OLD.zip), "r+b") as file:
        file.write(b"X")
    done = run_mirror(layers)
    assert [type(problem) for problem in done.problems] == [ArtifactDamaged]
    assert counting(layers[0]) == counting(layers[1]) == [OWN.stem]
    assert run_mirror(layers).problems == []


def test_a_source_that_was_read_wrong_once_still_counts(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory or cable, not the disk."""
    real = api.open_source

    def flawed(path: str) -> BinaryIO:
        file = real(path)
        if path.endswith(OWN.zip):
            file.seek(1)
        return file

    monkeypatch.setattr(api, "open_source", flawed)
    with pytest.raises(MirrorMismatch, match="read wrong once"):
        run_mirror(layers)
    monkeypatch.undo()
    assert counting(layers[0]) == [OWN.stem, OLD.stem]
    assert snapshot(layers[1]) == {}


class Failing:
    """A file whose second read fails."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._reads = 0

    def __enter__(self) -> Failing:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def read(self, count: int) -> bytes:
        self._reads += 1
        if self._reads > 1:
            raise OSError(5, "Input/output error")
        return self._file.read(1000)


def test_a_source_that_cannot_be_read_to_its_end_is_named_and_leaves_nothing(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure of the thread that reads is the copy's, and no shorter copy is taken for a whole one."""
    real = api.open_source
    monkeypatch.setattr(api, "open_source", lambda path: Failing(real(path)) if path.endswith(OWN.zip) else real(path))
    with pytest.raises(PathUnusable, match=re.escape(layers[0].file(OWN.zip))):
        run_mirror(layers)
    monkeypatch.undo()
    assert snapshot(layers[1]) == {}
    assert counting(layers[0]) == [OWN.stem, OLD.stem]
    assert [thread for thread in threading.enumerate() if thread.name == "ahead"] == []


def test_a_copy_that_is_cancelled_in_the_middle_leaves_nothing(layers: Tuple[Layer, Layer]) -> None:
    """The threads that read and hash end with it."""
    data, sidecar = read_sidecar_bytes(layers[0], OWN)
    assert data

    def cancel(count: int) -> None:
        raise Cancelled(f"after {count} bytes")

    with pytest.raises(Cancelled):
        copy_partial(layers[0], layers[1], OWN, sidecar, run_id=RUN, meter=cancel)
    assert snapshot(layers[1]) == {}
    assert [thread for thread in threading.enumerate() if thread.name == "ahead"] == []


def test_a_copy_without_proof_is_read_again(layers: Tuple[Layer, Layer]) -> None:
    """Good: it counts. Bad: it is named once as a failure, and from then on told as damaged."""
    run_mirror(layers)
    mirror = layers[1]
    for artifact in (OWN, OLD):
        os.unlink(mirror.file(artifact.state))
    with open(mirror.file(OLD.zip), "r+b") as file:
        file.write(b"X")
    done = run_mirror(layers)
    assert done.reread == [OWN.stem]
    assert [problem.code for problem in done.problems] == ["mirror_mismatch"]
    again = run_mirror(layers)
    assert (again.damaged, again.problems, again.changed) == ([OLD.stem], [], False)
    assert counting(mirror) == [OWN.stem]


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sidecar", [False, True])
def test_a_taken_name_is_left_alone(layers: Tuple[Layer, Layer], sidecar: bool) -> None:
    """This run's own set fails the step; an older one is named after the rest was done."""
    mirror = layers[1]
    for artifact, run_id in ((OWN, RUN), (OLD, OLD_RUN)):
        taken = {artifact.zip: b"somebody's"}
        if sidecar:  # of the same name, made by another host
            other = Layer(LOCAL, mirror.path + run_id)
            os.mkdir(other.path)
            publish_set(other, run_id, size=77)
            taken = {name: data for name, data in snapshot(other).items() if name != artifact.state}
        for name, data in taken.items():
            Path(mirror.file(name)).write_bytes(data)
        if artifact == OWN:
            with pytest.raises(MirrorMismatch):
                run_mirror(layers)
            assert snapshot(mirror) == taken
            for name in taken:
                os.unlink(mirror.file(name))
        else:
            done = run_mirror(layers)
            assert done.mirrored == [OWN.stem]
            assert [problem.code for problem in done.problems] == ["mirror_mismatch"]
            assert {name: snapshot(mirror)[name] for name in taken} == taken


def test_a_lost_lease_stops_everything(layers: Tuple[Layer, Layer]) -> None:
    """No names are given, no older set is tried."""

    def lost() -> None:
        raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        run_mirror(layers, lost)
    assert snapshot(layers[1]) == {}


def test_a_failure_of_an_older_set_does_not_hide_this_runs(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This run's set comes first, and the result says which failed."""
    real = api.create_new

    def full_for_old(path: str) -> Any:
        return Full(real(path), 10) if OLD.stem in path else real(path)

    monkeypatch.setattr(api, "create_new", full_for_old)
    done = run_mirror(layers)
    assert done.mirrored == [OWN.stem]
    problems: List[BackupError] = done.problems
    assert [problem.code for problem in problems] == ["no_space"]
    assert counting(layers[1]) == [OWN.stem]


# --- what was written while the archive was made --------------------------------------------------------------------


class Counted(io.FileIO):
    """A source that tells how much was read of it."""

    read_bytes = 0

    def read(self, size: Any = -1) -> Any:
        data = super().read(size)
        Counted.read_bytes += len(data or b"")
        return data


def begin(mirror: Layer, data: bytes) -> str:
    """What this run has of its own set on the mirror, without proof."""
    path = mirror.file(OWN.zip_partial(RUN))
    Path(path).write_bytes(data)
    return path


@pytest.mark.parametrize("part", [1, 2500, 4999, 5000])
def test_what_was_begun_is_gone_on_with(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    source, mirror = layers
    begin(mirror, content(OWN)[:part])
    real = api.open_source
    monkeypatch.setattr(Counted, "read_bytes", 0)
    monkeypatch.setattr(
        api, "open_source", lambda path: Counted(path, "rb") if path == source.file(OWN.zip) else real(path)
    )
    done = run_mirror(layers)
    assert (done.mirrored, done.bytes) == ([OWN.stem, OLD.stem], 10000)
    assert Counted.read_bytes == len(content(OWN)) - part
    assert snapshot(mirror)[OWN.zip] == content(OWN)
    assert counting(mirror) == [OWN.stem, OLD.stem]


@pytest.mark.parametrize(
    "begun", [b"\x00" * 5000, b"\x00" * 10, content(OWN)[:100] + b"\x00" * 3000, content(OWN) + b"more"]
)
def test_what_was_begun_wrong_is_copied_anew(layers: Tuple[Layer, Layer], begun: bytes) -> None:
    """Stale bytes, or of another file: the disk's own bytes have to be the right ones, whoever wrote them."""
    begin(layers[1], begun)
    run_mirror(layers)
    assert snapshot(layers[1])[OWN.zip] == content(OWN)
    assert counting(layers[1]) == [OWN.stem, OLD.stem]


def test_what_was_begun_has_its_room_already(layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    begin(layers[1], content(OWN)[:4000])
    asked: List[int] = []
    monkeypatch.setattr(copy, "require_space", lambda _mirror, size: asked.append(size))
    run_mirror(layers)
    sidecars = [len(read_sidecar_bytes(layers[0], artifact)[0]) for artifact in (OWN, OLD)]
    assert asked == [1000 + sidecars[0], 5000 + sidecars[1]]


def test_what_was_begun_of_a_set_that_is_not_copied_goes(layers: Tuple[Layer, Layer]) -> None:
    path = begin(layers[1], b"part")
    copy.forget_begun(layers[1], OLD, RUN)
    assert os.path.exists(path)
    copy.forget_begun(layers[1], OWN, RUN)
    assert not os.path.exists(path)
    copy.forget_begun(layers[1], OWN, RUN)


@pytest.mark.parametrize("where", [0, 1])
def test_a_disk_that_fails_while_a_copy_is_gone_on_with_is_named(
    layers: Tuple[Layer, Layer], monkeypatch: pytest.MonkeyPatch, where: int
) -> None:
    path = begin(layers[1], content(OWN)[:2000])
    blamed = (layers[0].file(OWN.zip), path)[where]
    call = ("open_source", "open_again")[where]
    real = getattr(api, call)

    def refuse(name: str) -> Any:
        if name == blamed:
            raise PermissionError(13, "refused", name)
        return real(name)

    monkeypatch.setattr(api, call, refuse)
    with pytest.raises(BackupError, match=re.escape(blamed)):
        run_mirror(layers)
    monkeypatch.undo()
    assert snapshot(layers[1]) == {}
