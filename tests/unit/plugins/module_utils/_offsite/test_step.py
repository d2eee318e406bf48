# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The offsite step and the way back, on real layers, against ``FakeAzure``, a named fake: what Azurite has not."""

from __future__ import annotations

import os
from collections import namedtuple
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactExists,
    Locked,
    NoSpace,
    OffsiteBlobDiffers,
    OffsiteBusy,
    OffsiteSetMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._offsite import step
from ansible_collections.wst.backup.plugins.module_utils._offsite.fetch import NEWEST, choose, fetch, sets_there
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import place_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.plan import ALL
from ansible_collections.wst.backup.plugins.module_utils._offsite.record import Copy
from ansible_collections.wst.backup.plugins.module_utils._offsite.step import (
    Offsite,
    Request,
    alone,
    keep_offsite,
    preview,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import ContainerFacts
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_stems
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._offsite.fake_azure import BARE, FakeAzure
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    PREFIX,
    RUN,
    content,
    publish_set,
    snapshot,
)

OLD_RUN = "20261122-120000-0000cccc"
NEW, OLD = artifact_of_run(RUN, PREFIX), artifact_of_run(OLD_RUN, PREFIX)
PLACE = place_of("https://wst.blob.core.windows.net", "wst-backups", "prod/host1")
NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)


class World:
    """A host with two sets, and its container."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.azure = FakeAzure()
        self.now = NOW
        self.layer = Layer(LOCAL, str(directory / "c"))
        self.fetched = str(directory / "fetched")
        os.mkdir(self.layer.path)
        publish_set(self.layer, OLD_RUN)
        publish_set(self.layer, RUN)
        root = directory / "control"
        root.mkdir(mode=0o700)
        self.request = Request(HostLayout(str(root)), self.layer, PREFIX, PLACE, ALL, timedelta(days=30))
        monkeypatch.setattr(step, "utc_now", lambda: self.now)

    def run(self) -> Offsite:
        """The step."""
        self.azure.calls.clear()
        return keep_offsite(self.request, self.azure)

    def known(self) -> Dict[str, Copy]:
        """What is on record, by stem."""
        return {artifact.stem: copy for artifact, copy in self.request.memory.all().items()}

    def there(self) -> Dict[str, bytes]:
        """The blobs, by their file names."""
        return {name[len(PLACE.blob("")) :]: data for name, (_blob, data) in self.azure.blobs.items()}

    def remove_locally(self) -> None:
        """Retention has removed the sets."""
        for name in os.listdir(self.layer.path):
            os.unlink(self.layer.file(name))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """As it begins."""
    return World(tmp_path, monkeypatch)


def test_every_set_goes_there_byte_for_byte_and_the_second_run_has_nothing_to_do(world: World) -> None:
    """The newest first, and of each the sidecar last, after its ZIP was read back. Nothing changes on the layer."""
    before = snapshot(world.layer)
    done = world.run()
    assert (done.uploaded, done.changed, done.problems) == ([NEW.stem, OLD.stem], True, [])
    assert world.azure.calls == ["stage", "commit", "read"] * 4
    assert list(world.there()) == [NEW.zip, NEW.sidecar, OLD.zip, OLD.sidecar]
    assert world.there() == {name: data for name, data in before.items() if not name.endswith(".state.json")}
    assert snapshot(world.layer) == before
    again = world.run()
    assert (again.present, again.changed, world.azure.calls) == ([NEW.stem, OLD.stem], False, [])


def test_check_mode_tells_and_writes_nothing(world: World) -> None:
    """Not even its own directory."""
    would = preview(world.request, world.azure)
    assert (would.uploaded, would.bytes) == ([NEW.stem, OLD.stem], 10000)
    assert world.azure.calls == []
    assert not os.path.exists(world.request.layout.offsite_dir)


def test_a_copy_outlives_its_set_and_is_still_looked_at(world: World) -> None:
    """Retention removes sets here; nothing is removed there, and a copy that is due is read back."""
    world.run()
    world.remove_locally()
    assert world.run().present == [NEW.stem, OLD.stem]
    assert len(world.there()) == 4
    world.now += timedelta(days=30)
    done = world.run()
    assert done.verified == [NEW.stem, OLD.stem]
    assert world.known()[OLD.stem].verified_at == world.now
    assert world.known()[OLD.stem].uploaded_at == NOW


def test_a_blob_that_was_changed_afterwards_is_found_and_stays_a_problem(world: World) -> None:
    """Of the same size. It is on record until it is right again; the other set is not held up by it."""
    world.run()
    name = PLACE.blob(NEW.zip)
    world.azure.put(name, b"\0" + content(NEW)[1:])
    for _run in range(2):
        done = world.run()
        assert ([problem.code for problem in done.problems], done.damaged) == (["offsite_blob_differs"], [NEW.stem])
        assert done.present == [OLD.stem]
        assert "SHA-256" in world.known()[NEW.stem].problem
    world.azure.put(name, content(NEW))
    assert world.run().verified == [NEW.stem]
    assert world.known()[NEW.stem].problem == ""


def test_a_blob_that_was_only_touched_is_read_back_and_known_anew(world: World) -> None:
    """Metadata, a tier: another ETag, the same bytes."""
    world.run()
    world.azure.touch(PLACE.blob(NEW.sidecar))
    assert world.run().verified == [NEW.stem]
    assert world.run().verified == []


def test_a_copy_that_was_deleted_is_told_and_sent_again(world: World) -> None:
    """Where the set is still here; else it is told once."""
    world.run()
    for artifact in (NEW, OLD):
        del world.azure.blobs[PLACE.blob(artifact.zip)]
    for name in (OLD.zip, OLD.sidecar, OLD.state):
        os.unlink(world.layer.file(name))
    done = world.run()
    assert (done.gone, done.uploaded) == ([NEW.stem, OLD.stem], [NEW.stem])
    assert "is no longer" in done.warnings[0]
    assert world.there()[NEW.zip] == content(NEW)
    assert world.run().gone == []
    assert world.known()[OLD.stem].problem != ""


def test_a_host_without_records_reads_back_what_is_there(world: World) -> None:
    """It was built anew, or its record is damaged: nothing is sent twice, and the damaged file is kept."""
    world.run()
    directory = Path(world.request.layout.offsite_dir)
    (directory / f"{OLD.stem}.json").unlink()
    (directory / f"{NEW.stem}.json").write_text("{}")
    done = world.run()
    assert (done.verified, done.uploaded, done.bytes) == ([NEW.stem, OLD.stem], [], 0)
    assert (directory / f"{NEW.stem}.json.damaged").read_text() == "{}"
    assert world.run().present == [NEW.stem, OLD.stem]


def test_the_other_set_of_that_name_there_is_left_alone(world: World) -> None:
    """Another host under the same prefix, say. The older set goes there all the same."""
    world.azure.put(PLACE.blob(NEW.zip), b"theirs")
    done = world.run()
    assert (done.uploaded, [problem.code for problem in done.problems]) == ([OLD.stem], ["offsite_blob_differs"])
    assert world.there()[NEW.zip] == b"theirs"
    assert NEW.sidecar not in world.there()


def test_a_set_that_rotted_here_is_not_published_there(world: World) -> None:
    """By its sidecar's SHA-256, before the commit."""
    with open(world.layer.file(NEW.zip), "r+b") as file:
        file.write(b"\0")
    done = world.run()
    assert [problem.code for problem in done.problems] == ["artifact_damaged"]
    assert sorted(world.there()) == [OLD.sidecar, OLD.zip]


def test_what_stops_everything_keeps_what_was_proved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first set is on record; the next run goes on with the second."""
    real = world.azure.commit

    def busy(name: str, *args: Any, **options: Any) -> bool:
        if OLD.stem in name:
            raise OffsiteBusy("no")
        return real(name, *args, **options)

    monkeypatch.setattr(world.azure, "commit", busy)
    with pytest.raises(OffsiteBusy):
        world.run()
    assert list(world.known()) == [NEW.stem]
    monkeypatch.undo()
    assert keep_offsite(world.request, world.azure).uploaded == [OLD.stem]


def test_two_do_not_run_at_once_and_a_set_that_is_read_is_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retention leaves it for the next run."""
    held = set()
    real = world.azure.stage

    def stage(*args: Any) -> None:
        held.update(held_stems(world.request.layout))
        with pytest.raises(Locked), alone(world.request.layout):
            pass
        real(*args)

    monkeypatch.setattr(world.azure, "stage", stage)
    world.run()
    assert held == {NEW.stem, OLD.stem}
    assert held_stems(world.request.layout) == set()


# --- what only a fake has here: immutability ------------------------------------------------------------------------


def test_immutability_is_read_told_and_kept_on_record(world: World) -> None:
    """Of the blob itself, by FakeAzure."""
    until = NOW + timedelta(days=90)
    world.azure.dress = BARE.__class__("", 0, "", "v1", until, "locked")
    done = world.run()
    assert (done.protection, done.warnings) == ("immutable until 2027-03-01 (locked)", [])
    assert world.known()[NEW.stem].immutable_until == until
    assert world.known()[NEW.stem].zip.version_id == "v1"


def test_no_protection_is_a_warning_and_told_once(world: World) -> None:
    """Whether the container says so or may not be asked."""
    (warning,) = world.run().warnings
    assert "may not see" in warning
    world.azure.facts = ContainerFacts(False, False, False)
    world.now += timedelta(days=30)
    (warning,) = world.run().warnings
    assert "nothing keeps the copies" in warning
    world.azure.facts = ContainerFacts(True, False, False)
    world.now += timedelta(days=30)
    done = world.run()
    assert (done.protection, done.warnings) == ("an immutability policy of the container", [])


# --- the way back ---------------------------------------------------------------------------------------------------


def fetched(world: World, which: str = NEWEST) -> Any:
    """Bring it back."""
    found = choose(sets_there(world.azure, PLACE, PREFIX), which, PREFIX, PLACE)
    return fetch(world.azure, found, world.fetched, meter=lambda _count: None)


def test_a_set_comes_back_byte_for_byte_on_a_host_that_knows_nothing(world: World) -> None:
    """The layers are gone. The second time there is nothing to do."""
    before = snapshot(world.layer)
    world.run()
    world.remove_locally()
    back = fetched(world)
    assert (back.artifact, back.bytes, back.was_there) == (NEW.stem, 5000, False)
    assert snapshot(Layer("fetched", world.fetched)) == {name: before[name] for name in (NEW.zip, NEW.sidecar)}
    again = fetched(world)
    assert (again.bytes, again.was_there) == (0, True)
    assert fetched(world, OLD.stem).artifact == OLD.stem


def test_a_set_without_its_sidecar_there_is_none(world: World) -> None:
    """Nor is a name that is not ours, or one of another prefix."""
    world.run()
    del world.azure.blobs[PLACE.blob(NEW.sidecar)]
    world.azure.put(PLACE.blob("notes.txt"), b"x")
    world.azure.put(PLACE.blob(f"other-20261123-120000{'.manifest.json'}"), b"x")
    del world.azure.blobs[PLACE.blob(OLD.zip)]
    assert sets_there(world.azure, PLACE, PREFIX) == []
    for which in (NEWEST, NEW.stem, "../x"):
        with pytest.raises(OffsiteSetMissing):
            fetched(world, which)


@pytest.mark.parametrize("what", ["zip", "sidecar", "of another set", "no record"])
def test_what_is_not_as_it_was_there_gets_no_name_here(world: World, what: str) -> None:
    """Neither the ZIP nor the sidecar, and no partial stays."""
    world.run()
    name = PLACE.blob(NEW.zip if what == "zip" else NEW.sidecar)
    data = world.azure.blobs[name][1]
    other = world.azure.blobs[PLACE.blob(OLD.sidecar)][1]
    changed = {"zip": b"\0" + data[1:], "sidecar": data[:-2] + b"\0\n", "of another set": other, "no record": b"{}"}
    world.azure.put(name, changed[what])
    with pytest.raises(OffsiteBlobDiffers):
        fetched(world)
    assert not os.path.exists(world.fetched) or os.listdir(world.fetched) == []


def test_nothing_that_is_here_is_written_over(world: World) -> None:
    """Another ZIP, another sidecar; a partial of a fetch that died is no hindrance."""
    world.run()
    os.mkdir(world.fetched)
    target = Layer("fetched", world.fetched)
    Path(target.file(NEW.zip)).write_bytes(b"another")
    with pytest.raises(ArtifactDamaged):
        fetched(world)
    assert Path(target.file(NEW.zip)).read_bytes() == b"another"
    os.unlink(target.file(NEW.zip))
    Path(target.file(NEW.sidecar)).write_bytes(b"another")
    with pytest.raises(ArtifactExists):
        fetched(world)
    assert Path(target.file(NEW.sidecar)).read_bytes() == b"another"
    os.unlink(target.file(NEW.sidecar))
    os.unlink(target.file(NEW.zip))
    Path(target.file(NEW.zip + ".fetch.partial")).write_bytes(b"half")
    assert fetched(world).was_there is False
    assert sorted(os.listdir(world.fetched)) == [NEW.sidecar, NEW.zip]


def test_too_little_space_is_found_before_a_byte_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the sidecar says of the size."""
    world.run()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(10**9, 10**9 - 5000, 5000))
    with pytest.raises(NoSpace):
        fetched(world)
    assert os.listdir(world.fetched) == []
