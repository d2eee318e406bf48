# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Offsite copies through their playbooks against a real blob server: the SAS, the copies, their way back, a restore."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.searching import LOUD, forms, has, holders
from integration.world import AS_L5, Played, World
from offsite import azurite

PREFIX = "lab/host1"


@dataclass(frozen=True)
class Offsite:
    """The lab, and a container that it can reach."""

    world: World
    server: azurite.Server

    def play(self, playbook: str, *arguments: str, **extra: object) -> Played:
        """With the container's place in the variables."""
        where = {"offsite_account_url": self.server.url, "offsite_container": azurite.CONTAINER}
        return self.world.play(playbook, *arguments, extra={**where, "offsite_blob_prefix": PREFIX, **extra})

    def there(self) -> dict[str, bytes]:
        """The blobs, asked with the account's key."""
        with self.server.container() as client:
            names = [blob.name for blob in client.list_blobs(PREFIX + "/")]
            return {name[len(PREFIX) + 1 :]: client.download_blob(name).readall() for name in names}


@pytest.fixture(scope="module")
def offsite(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offsite]:
    """A server beside the lab."""
    if world.windows:
        pytest.skip("NOT EXERCISED: offsite copies from the Windows stand-in, whose Python has no Azure SDK")
    try:
        with azurite.running(str(tmp_path_factory.mktemp("azurite"))) as server:
            yield Offsite(world, server)
            for path in (
                world.control / "offsite",
                world.control / "scratch" / "from-offsite",
                world.drive_c / "fetched",
            ):
                shutil.rmtree(path)
            (world.control / "offsite.key").unlink()
    except LookupError as error:
        pytest.skip(str(error))


pytestmark = pytest.mark.either_lane


def test_from_the_sas_to_the_restored_set(offsite: Offsite, tmp_path: Path) -> None:
    """The four steps of the playbook, then back from the container into a directory."""
    world = offsite.world
    without = offsite.play("offsite.yml")
    assert without.failed_with("offsite_key_unusable"), without.output

    sas = offsite.server.sas()
    (tmp_path / "sas").write_text(sas)  # as from a vault: what is in an argument list, Ansible itself shows
    kept = f"{{{{ lookup('ansible.builtin.file', '{tmp_path / 'sas'}') }}}}"
    told = {**AS_L5, "wst_backup_offsite_sas_new": kept}
    refused = offsite.play("offsite_key.yml", wst_backup_offsite_sas_new=kept)
    assert refused.failed_with("not_authorized"), refused.output
    put = offsite.play("offsite_key.yml", LOUD, **told)
    assert put.code == 0, put.output
    needles = forms(sas.rpartition("sig=")[2])
    assert not has(needles, iter([put.output.encode()])), "the SAS is on the screen"
    places = [Path(world.host["drive_c"]), Path(world.host["drive_d"]), world.records]
    assert holders(needles, *places) == [str(world.control / "offsite.key")]
    assert world.audit()[-1]["event"] == "offsite_key"

    before = world.layers()
    sets = world.artifacts()
    checked = offsite.play("offsite.yml", "--check")
    assert checked.code == 0, checked.output
    assert offsite.there() == {}
    first = offsite.play("offsite.yml", LOUD)
    assert first.code == 0, first.output
    assert not has(needles, iter([first.output.encode()])), "the SAS is on the screen"
    assert world.layers() == before, "a layer was changed"
    names = {f"{stem}{suffix}" for stem in sets for suffix in (".zip", ".manifest.json")}
    assert offsite.there() == {name: (world.local / name).read_bytes() for name in names}
    record = world.audit()[-1]
    assert (record["event"], record["result"], record["details"]["uploaded"]) == ("offsite", "success", sets[::-1])
    again = offsite.play("offsite.yml")
    assert again.code == 0, again.output
    assert world.audit()[-1]["details"]["uploaded"] == []

    listed = offsite.play("offsite_fetch.yml")
    assert listed.code == 0, listed.output
    assert all(stem in listed.output for stem in sets)
    target = world.drive_c / "fetched"
    fetched = offsite.play("offsite_fetch.yml", offsite_fetch_dir=str(target))
    assert fetched.code == 0, fetched.output
    name = f"{sets[-1]}.zip"
    assert (target / name).read_bytes() == (world.local / name).read_bytes()

    beside = world.control / "scratch" / "from-offsite"
    where = {"restore_path": str(target / name), "restore_beside": str(beside), "restore_parts": ["files"]}
    restored = world.play("restore.yml", extra={**AS_L5, **where, "restore_reason": "an offsite copy is tried"})
    assert restored.code == 0, restored.output
    assert sorted(path.name for path in beside.iterdir() if path.is_dir()) == ["wst", "wst-api"]


def test_a_restore_takes_its_set_from_offsite(offsite: Offsite) -> None:
    """The plan needs it here, and says so; the restore fetches it."""
    fetched = offsite.world.drive_c / "fetched-for-restore"
    beside = offsite.world.control / "scratch" / "straight-from-offsite"
    where = {"restore_layer": "offsite", "restore_offsite_dir": str(fetched), "restore_beside": str(beside)}
    told = {**AS_L5, **where, "restore_parts": ["files"], "restore_reason": "an offsite copy is tried"}
    try:
        planned = offsite.play("restore.yml", "--check", **told)
        assert planned.failed_with("not_proved"), planned.output
        assert planned.says("offsite_fetch.yml")
        assert not fetched.exists()
        restored = offsite.play("restore.yml", **told)
        assert restored.code == 0, restored.output
        assert sorted(path.name for path in beside.iterdir() if path.is_dir()) == ["wst", "wst-api"]
        newest = offsite.world.artifacts()[-1]
        assert offsite.world.audit()[-1]["details"]["artifact"] in (newest, f"{newest}.zip")
        assert sorted(path.name for path in fetched.iterdir()) == [f"{newest}.manifest.json", f"{newest}.zip"]
        absent = offsite.play("restore.yml", **{**told, "restore_set": "wst-backup-20200101-000000"})
        assert absent.failed_with("offsite_set_missing"), absent.output
    finally:
        for path in (fetched, beside):
            shutil.rmtree(path, ignore_errors=True)


def test_a_copy_that_was_changed_fails_the_playbook_by_name(offsite: Offsite) -> None:
    """And stands in the audit log with the name of the set."""
    assert offsite.play("offsite.yml").code == 0
    newest = offsite.world.artifacts()[-1]
    with offsite.server.container() as client:
        client.upload_blob(f"{PREFIX}/{newest}.zip", b"another", overwrite=True)
    played = offsite.play("offsite.yml")
    assert played.failed_with("offsite_blob_differs"), played.output
    record = offsite.world.audit()[-1]
    assert (record["result"], record["code"], record["details"]["damaged"]) == (
        "failure",
        "offsite_blob_differs",
        [newest],
    )
    assert json.dumps(record).count("sig=") == 0


def test_an_expired_sas_is_named(offsite: Offsite) -> None:
    """Before anything is asked."""
    key = offsite.world.control / "offsite.key"
    good = key.read_text()
    try:
        key.write_text(offsite.server.sas(hours=-1))
        played = offsite.play("offsite.yml")
        assert played.failed_with("offsite_unauthorised"), played.output
        assert "ended at" in played.output
    finally:
        key.write_text(good)
