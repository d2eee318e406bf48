# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``verify.yml`` on archives that must not pass: each is refused by name, and none of them is touched."""

from __future__ import annotations

import copy
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from integration.provocations import mirror_is_gone
from integration.world import World

pytestmark = pytest.mark.either_lane
DUMP = "wst_dev_database.backup"
Change = Callable[[Path], None]


def without(prefix: str) -> Change:
    """The archive lacks what begins with that."""

    def change(path: Path) -> None:
        rewrite(path, keep=lambda name: not name.startswith(prefix))

    return change


def rewrite(
    path: Path, *, keep: Callable[[str], bool] = lambda name: True, replaced: dict[str, bytes] | None = None
) -> None:
    """The same archive with some members left out or replaced, a sound ZIP in itself."""
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist() if keep(info.filename)]
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in members:
            told = (replaced or {}).get(info.filename, data)
            archive.writestr(copy.copy(info), told, info.compress_type)  # with the time of before


def flipped_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def with_an_unsafe_name(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../outside.txt", b"x")


def with_a_deflate64_member(path: Path) -> None:
    """The method's number in both headers of the first member."""
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x05\x06"))
    local = int.from_bytes(data[central + 42 : central + 46], "little")
    data[central + 10] = data[local + 8] = 9
    path.write_bytes(data)


def foreign_with_half_a_dump(path: Path) -> None:
    """Somebody else's ZIP, sound in itself, with a dump that was cut off."""
    with zipfile.ZipFile(path) as archive:
        dump = archive.read(DUMP)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wst/index.html", b"x")
        archive.writestr("wst-api/app.py", b"x")
        archive.writestr(DUMP, dump[: len(dump) // 2])


def foreign_with_an_empty_dump(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wst/index.html", b"x")
        archive.writestr("wst-api/app.py", b"x")
        archive.writestr(DUMP, b"")


CASES = [
    pytest.param("dump_missing", without(DUMP), id="dump_missing (F3)"),
    pytest.param("dump_empty", foreign_with_an_empty_dump, id="dump_empty (F3)"),
    pytest.param("dump_damaged", foreign_with_half_a_dump, id="dump_damaged"),
    pytest.param("artifact_incomplete", without("roles.sql"), id="artifact_incomplete"),
    pytest.param("artifact_damaged", flipped_in_the_middle, id="artifact_damaged: one bit"),
    pytest.param("artifact_damaged", cut_short, id="artifact_damaged: cut short"),
    pytest.param("artifact_unsafe_path", with_an_unsafe_name, id="artifact_unsafe_path"),
    pytest.param("artifact_unsupported", with_a_deflate64_member, id="artifact_unsupported"),
]


@pytest.mark.parametrize(("code", "change"), CASES)
def test_a_bad_archive_is_refused_by_name(world: World, code: str, change: Change) -> None:
    place = world.drive_c / "elsewhere"
    place.mkdir(exist_ok=True)
    archive = place / "copy.zip"
    archive.write_bytes((world.local / f"{world.artifacts()[-1]}.zip").read_bytes())
    change(archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    shown = "C:\\elsewhere\\copy.zip" if world.windows else str(archive)

    played = world.play("verify.yml", extra={"backup_verify_path": shown})

    assert played.failed_with(code), played.output
    record = world.audit()[-1]
    assert (record["event"], record["result"], record["code"]) == ("verify", "failure", code)
    assert shown in record["message"]
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == digest


def test_a_sound_copy_passes_anywhere(world: World) -> None:
    place = world.drive_c / "elsewhere"
    place.mkdir(exist_ok=True)
    archive = place / "copy.zip"
    archive.write_bytes((world.local / f"{world.artifacts()[-1]}.zip").read_bytes())
    shown = "C:\\elsewhere\\copy.zip" if world.windows else str(archive)

    played = world.play("verify.yml", extra={"backup_verify_path": shown})

    assert played.code == 0, played.output


def test_a_layer_that_is_gone_is_no_success(world: World) -> None:
    with mirror_is_gone(world):
        played = world.play("verify.yml")
    assert played.code == 2, played.output
    assert "layer mirror" in played.output


def test_a_damaged_sidecar_is_refused_by_name(world: World) -> None:
    place = world.drive_c / "elsewhere"
    place.mkdir(exist_ok=True)
    stem = world.artifacts()[-1]
    sidecar = place / "copy.manifest.json"
    (place / "copy.zip").write_bytes((world.local / f"{stem}.zip").read_bytes())
    sidecar.write_bytes((world.local / f"{stem}.manifest.json").read_bytes().replace(b'"size"', b'"sizf"', 1))
    shown = "C:\\elsewhere\\copy.zip" if world.windows else str(place / "copy.zip")
    try:
        played = world.play("verify.yml", extra={"backup_verify_path": shown})
    finally:
        sidecar.unlink()
    assert played.failed_with("record_damaged"), played.output


STEPS_ON_THEIR_OWN = """
- hosts: wst
  gather_facts: false
  vars: {layers: [{name: local, path: "{{ backup_local_dir }}"}, {name: mirror, path: "{{ backup_mirror_dir }}"}]}
  tasks:
    - wst.backup.run_lock: {root: "{{ wst_backup_root }}", purpose: test}
    - block:
        - wst.backup.backup_publish: {root: "{{ wst_backup_root }}", local_dir: "{{ backup_local_dir }}"}
          register: publish
          ignore_errors: true
        - wst.backup.backup_retention: {root: "{{ wst_backup_root }}", layers: "{{ layers }}"}
          register: retention
          ignore_errors: true
        - debug: {msg: "came to {{ publish.code }} and {{ retention.code }}"}
      always:
        - wst.backup.run_lock: {root: "{{ wst_backup_root }}", state: absent}
"""


def test_steps_refuse_to_work_without_the_proof_of_the_ones_before(world: World, tmp_path: Path) -> None:
    playbook = tmp_path / "steps.yml"
    playbook.write_text(STEPS_ON_THEIR_OWN)
    before = world.layers()
    played = world.play(str(playbook))
    assert "came to not_proved and retention_refused" in played.output, played.output
    assert played.code == 0, played.output
    assert world.layers() == before


RELEASE = """
- hosts: wst
  gather_facts: false
  vars: {__backup_lock: {run_id: 20261123-150000-0123abcd}}
  tasks:
    - ansible.builtin.include_role: {name: wst.backup.backup, tasks_from: release}
    - ansible.builtin.debug: {msg: "still there: {{ __backup_unlock.code }}"}
"""


def test_a_host_that_cannot_be_released_is_named_and_recorded_after_the_end(world: World, tmp_path: Path) -> None:
    playbook = tmp_path / "release.yml"
    playbook.write_text(RELEASE)
    missing = "C:\\nowhere\\python.exe" if world.windows else "/nowhere/python3"
    known = control_events(world)
    played = world.play(str(playbook), extra={"wst_backup_python": missing, "ansible_python_interpreter": missing})
    assert "still there: python_missing" in played.output, played.output
    (event,) = control_events(world)[len(known) :]
    assert (event["event"], event["result"], event["code"]) == ("backup_release", "failure", "python_missing")
    assert event["details"]["run_id"] == "20261123-150000-0123abcd"


def control_events(world: World) -> list[dict[str, Any]]:
    """What the control node recorded of the host."""
    file = world.records / "hosts" / world.host["name"] / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
