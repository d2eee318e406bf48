# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Suspect sets, and what persons decide: the modules on real directories, each check, run, check again, run again."""

from __future__ import annotations

import errno
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    provisioned,
    recorded,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import MANIFEST, PREFIX, publish_set
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host
from ansible_collections.wst.backup.tests.unit.plugins.modules.test_sets import (
    OWN,
    RUN,
    changes,
    four,
    leave_proof,
    run_id_of,
    world,
)

L5_TOKEN = TOKENS[L5]
EMPTIED = {**MANIFEST.body, "totals": {"files": 3, "bytes": 300}}
WHY = {"reason": "moved to blob storage, change 4711"}


def counting(host: Host) -> List[List[str]]:
    """What counts, layer by layer."""
    report = host.run("backup_info", layers=host.layers())
    return [[one["artifact"] for one in layer["sets"] if one["counts"]] for layer in report["layers"]]


@pytest.fixture(autouse=True)
def with_authority(host: Host) -> None:
    """L5 works on a host that was provisioned."""
    provisioned(host.layout)
    host.carry(L5_TOKEN)


@pytest.fixture
def mirrored(host: Host, volumes: Dict[str, Any]) -> Dict[str, Any]:
    """A run on a host with a mirror; the parameters of its mirror steps."""
    host.begin(RUN)
    params = {"local_dir": host.local, "mirror_dir": host.mirror}
    return {**params, "volume_id": host.run("mirror_init", **params)["volume_id"]}


def test_an_emptied_source_makes_a_suspect_set_that_pushes_nothing_out(host: Host, mirrored: Dict[str, Any]) -> None:
    """Published, mirrored, not counting, no retention; accepted, it counts and is the new baseline."""
    old = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    leave_proof(host, manifest=EMPTIED)
    where = {"local_dir": host.local, "mirror_dir": host.mirror}
    published = four(host, "backup_publish", **where)
    assert changes(published) == [True, True, False, False]
    for result in published:
        assert [text.split()[0] for text in result["suspect"]] == ["files", "bytes"]
        assert (result["problem"]["code"], result["artifact"]) == ("content_anomaly", OWN.stem)
        assert "accept.yml" in result["problem"]["remedy"]
    assert published[1]["baseline"] == old.stem
    assert sorted(host.run("backup_mirror", **mirrored)["mirrored"]) == [old.stem, OWN.stem]
    assert counting(host) == [[old.stem], [old.stem]]
    assert host.run("backup_retention", layers=host.layers())["code"] == "retention_refused"

    accepted = four(host, "backup_accept", layers=host.layers(), artifact=OWN.stem, **WHY)
    assert changes(accepted) == [True, True, False, False]
    assert accepted[1]["changed_layers"] == [LOCAL, MIRROR]
    assert counting(host) == [[OWN.stem, old.stem]] * 2
    told = host.run("backup_info", layers=host.layers())["layers"][0]["sets"][0]
    assert (told["state"], told["accepted"]["reason"]) == ("complete", WHY["reason"])
    assert told["suspect"] == published[1]["suspect"]
    assert host.run("backup_retention", layers=host.layers())["changed"] is False


def test_what_is_required_and_missing_makes_a_set_suspect_without_any_baseline(host: Host) -> None:
    host.begin(RUN)
    leave_proof(host, missing=["wst/web.config"])
    told = host.run(
        "backup_publish", local_dir=host.local, mirror_dir=host.mirror, required_tables=["app.t1", "app.users"]
    )
    assert told["suspect"] == [
        "the required path wst/web.config is not in it",
        "the required table app.users is not in it",
    ]
    assert told["baseline"] is None


def test_the_threshold_can_be_told(host: Host) -> None:
    publish_set(Layer(LOCAL, host.local), run_id_of(1))
    host.begin(RUN)
    leave_proof(host, manifest={**MANIFEST.body, "totals": {"files": 800, "bytes": 9_900_000}})
    params = {"local_dir": host.local, "mirror_dir": host.mirror}
    assert host.run("backup_publish", check=True, anomaly_shrink_percent=10, **params)["suspect"] != []
    assert host.run("backup_publish", anomaly_shrink_percent=0, **params)["code"] == "input_invalid"
    assert host.run("backup_publish", **params)["suspect"] == []


def test_a_lost_state_file_does_not_let_a_suspect_set_count(host: Host) -> None:
    """Why it is suspect stands in the sidecar; only that somebody accepted it is lost, which is safe."""
    layer = Layer(LOCAL, host.local)
    artifact = publish_set(layer, run_id_of(1), suspect=["too few"])
    host.begin(RUN)
    host.run("backup_accept", layers=host.layers()[:1], artifact=artifact.stem, **WHY)
    assert read_layer(layer, prefix=PREFIX).counting != []
    os.unlink(layer.file(artifact.state))
    host.run("backup_sweep", layers=host.layers()[:1])
    (found,) = read_layer(layer, prefix=PREFIX).sets
    assert (found.status, found.sound, found.counts) == ("suspect", True, False)


def test_a_pinned_set_outlives_every_policy(host: Host, mirrored: Dict[str, Any]) -> None:
    """On both layers, until it is unpinned."""
    for day in range(1, 20):
        publish_set(Layer(LOCAL, host.local), run_id_of(day))
    publish_set(Layer(LOCAL, host.local), RUN)
    host.run("backup_mirror", **mirrored)
    oldest = PREFIX + "-" + run_id_of(19)[:15]
    pinned = four(host, "backup_pin", layers=host.layers(), artifact=oldest + ".zip", **WHY)
    assert changes(pinned) == [True, True, False, False]
    assert pinned[1]["layers"] == [LOCAL]  # the mirror would not keep it, so it was never copied
    removed = host.run("backup_retention", layers=host.layers())
    assert oldest not in removed["removed"][LOCAL]
    assert len(removed["removed"][LOCAL]) == 5
    reasons = {one["artifact"]: one["reason"] for one in removed["plan"][LOCAL]}
    assert reasons[oldest] == f"pinned ({WHY['reason']})"
    unpinned = four(host, "backup_pin", layers=host.layers(), artifact=oldest, state="absent", **WHY)
    assert changes(unpinned) == [True, True, False, False]
    assert host.run("backup_retention", layers=host.layers())["removed"][LOCAL] == [oldest]


@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_a_pin_is_not_lost_with_the_state_file_that_has_it(host: Host, mirrored: Dict[str, Any], harm: str) -> None:
    """Nobody knows then who had pinned what, so the set stays until a person decides."""
    layer = Layer(LOCAL, host.local)
    for day in range(1, 20):
        publish_set(layer, run_id_of(day))
    publish_set(layer, RUN)
    host.run("backup_mirror", **mirrored)
    oldest = PREFIX + "-" + run_id_of(19)[:15]
    host.run("backup_pin", layers=host.layers(), artifact=oldest, **WHY)
    path = Path(host.local, f"{oldest}.state.json")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data) if harm == "flip" else path.unlink()
    host.run("backup_sweep", layers=host.layers())
    host.run("backup_mirror", **mirrored)
    removed = host.run("backup_retention", layers=host.layers())
    assert len(removed["removed"][LOCAL]) == 5
    assert oldest not in removed["removed"][LOCAL]
    reasons = {one["artifact"]: one["reason"] for one in removed["plan"][LOCAL]}
    assert "nobody knows whether it was pinned" in reasons[oldest]
    assert host.run("backup_pin", layers=host.layers(), artifact=oldest, **WHY)["changed"]  # by a person, from now on
    assert host.run("backup_pin", layers=host.layers(), artifact=oldest, state="absent", **WHY)["changed"]
    assert host.run("backup_retention", layers=host.layers())["removed"][LOCAL] == [oldest]


def test_a_mirror_that_was_away_learns_of_it_from_the_next_run(host: Host, mirrored: Dict[str, Any]) -> None:
    suspect = publish_set(Layer(LOCAL, host.local), run_id_of(1), suspect=["too few"])
    host.run("backup_mirror", **mirrored)
    os.rename(host.mirror, host.mirror + ".away")
    for name in ("backup_accept", "backup_pin"):
        told = host.run(name, layers=host.layers(), artifact=suspect.stem, **WHY)
        assert told["changed_layers"] == [LOCAL]
        assert "layer mirror was not told" in json.dumps(told["warnings"])
    os.rename(host.mirror + ".away", host.mirror)
    assert counting(host) == [[suspect.stem], []]
    assert host.run("backup_mirror", **mirrored)["changed"] is True
    assert counting(host) == [[suspect.stem], [suspect.stem]]
    state = read_layer(Layer(MIRROR, host.mirror), prefix=PREFIX).sets[0].state
    assert state is not None
    assert state.pinned is not None
    assert host.run("backup_mirror", **mirrored)["changed"] is False


def made_read_only(monkeypatch: pytest.MonkeyPatch, *layers: str) -> None:
    """Disks that take no writes, as ``Set-Disk -IsReadOnly`` makes them."""
    real_create, real_replace, real_rename = api.create_new, api.replace, api.rename_new

    def refuse(path: str) -> None:
        if any(path.startswith(layer + os.sep) for layer in layers):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def create_new(path: str) -> Any:
        refuse(path)
        return real_create(path)

    def replace(source: str, target: str) -> None:
        refuse(target)
        real_replace(source, target)

    def rename_new(source: str, target: str) -> None:
        refuse(target)
        real_rename(source, target)

    monkeypatch.setattr(api, "create_new", create_new)
    monkeypatch.setattr(api, "replace", replace)
    monkeypatch.setattr(api, "rename_new", rename_new)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_mirror_that_is_read_only_is_named_and_the_other_layer_told(
    host: Host, mirrored: Dict[str, Any], monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    """As the page for ransomware has it: D: takes no writes, and then the last good set is pinned."""
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    host.run("backup_mirror", **mirrored)
    mirror = Path(host.mirror)
    if damaged:
        (mirror / f"{artifact.stem}.state.json").write_bytes(b"x")
    before = {path: path.read_bytes() for path in mirror.iterdir()}
    made_read_only(monkeypatch, host.mirror)
    params = {"layers": host.layers(), "artifact": artifact.stem, **WHY}
    for changed in ([LOCAL], []):
        told = host.run("backup_pin", **params)
        assert told["changed_layers"] == changed
        assert "layer mirror was not told: path_unusable" in json.dumps(told["warnings"])
    assert {path: path.read_bytes() for path in mirror.iterdir()} == before
    state = read_layer(Layer(LOCAL, host.local), prefix=PREFIX).sets[0].state
    assert state is not None
    assert state.pinned is not None
    monkeypatch.undo()


def test_a_ruling_that_no_layer_takes_is_a_failure(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    host.begin(RUN)
    made_read_only(monkeypatch, host.local)
    told = host.run("backup_pin", layers=host.layers(), artifact=artifact.stem, **WHY)
    assert told["code"] == "path_unusable"


@pytest.mark.parametrize(
    "wrong",
    [
        {"artifact": "wst-backup-20200101-000000"},
        {"artifact": "somebody's.zip"},
        {"reason": " no "},
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(host: Host, wrong: Dict[str, str]) -> None:
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1), suspect=["too few"])
    host.begin(RUN)
    before = world(host)
    for name in ("backup_accept", "backup_pin"):
        params = {"layers": host.layers(), "artifact": artifact.stem, **WHY, **wrong}
        for check in (True, False):
            assert host.run(name, check=check, **params)["code"] == "input_invalid"
    assert world(host) == before


def test_a_set_that_is_not_suspect_is_not_accepted_and_without_the_lease_nothing_changes(host: Host) -> None:
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    before = world(host)
    params = {"layers": host.layers(), "artifact": artifact.stem, **WHY}
    assert host.run("backup_pin", **params)["code"] == "not_proved"
    host.begin(RUN)
    assert host.run("backup_accept", **params)["code"] == "input_invalid"
    assert world(host) == before


def test_a_set_that_was_made_for_safety_is_never_accepted(host: Host) -> None:
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1), safety="a restore")
    host.begin(RUN)
    before = world(host)
    refused = host.run("backup_accept", layers=host.layers(), artifact=artifact.stem, **WHY)
    assert (refused["code"], "never counts" in refused["msg"]) == ("input_invalid", True)
    assert world(host) == before


@pytest.mark.parametrize("token", [None, "Planted-XX-0123456789-wrong!"])
def test_an_operator_may_pin_and_neither_accept_nor_unpin(host: Host, token: Optional[str]) -> None:
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1), suspect=["too few"])
    host.begin(RUN)
    host.carry(token)
    params = {"layers": host.layers()[:1], "artifact": artifact.stem, **WHY}
    assert changes(four(host, "backup_pin", **params)) == [True, True, False, False]
    before = world(host)
    for name, state in (("backup_accept", {}), ("backup_pin", {"state": "absent"})):
        for check in (True, False):
            refused = host.run(name, check=check, **params, **state)
            assert refused["code"] == "not_authorized"
            last = recorded(host.layout)[-1]
            assert (last["event"], last["details"]["needed"]) == ("authority_refused", L5)
            assert (last["details"]["artifact"], last["details"]["check_mode"]) == (artifact.stem, check)
    assert world(host) == before
    host.carry(TOKENS[L6])  # L6 may what L5 may
    assert host.run("backup_accept", **params)["changed"] is True
    assert recorded(host.layout)[-1]["details"]["proven"] == L6


def test_a_host_without_authority_says_what_to_do(host: Host) -> None:
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1), suspect=["too few"])
    host.begin(RUN)
    os.unlink(host.layout.authority_file)
    before = world(host)
    told = host.run("backup_accept", layers=host.layers(), artifact=artifact.stem, **WHY)
    assert told["code"] == "authority_missing"
    assert "authority_provision.yml" in told["msg"]
    assert world(host) == before


def test_a_repair_that_cannot_help_says_so_and_does_the_rest(host: Host, mirrored: Dict[str, Any]) -> None:
    """The set that only one layer has is lost; the other one comes back."""
    local = Layer(LOCAL, host.local)
    first, second = publish_set(local, run_id_of(2)), publish_set(local, run_id_of(1))
    host.run("backup_mirror", **mirrored)
    for artifact in (first, second):
        os.unlink(local.file(artifact.zip))
    for name in (first.zip, first.sidecar, first.state):
        os.unlink(os.path.join(host.mirror, name))
    shown = host.run("backup_repair", check=True, **mirrored)
    assert [one["artifact"] for one in shown["repaired"]] == [second.stem]
    assert [(one["artifact"], one["reason"]) for one in shown["hopeless"]] == [
        (first.stem, "layer mirror has no such set")
    ]
    assert not Path(local.file(second.zip)).exists()
    failed = host.run("backup_repair", **mirrored)
    assert failed["code"] == "artifact_damaged"
    assert [one["artifact"] for one in failed["facts"]["repaired"]] == [second.stem]
    assert counting(host) == [[second.stem], [second.stem]]


def test_a_repair_touches_no_disk_that_is_not_the_mirror(host: Host, mirrored: Dict[str, Any]) -> None:
    artifact = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    host.run("backup_mirror", **mirrored)
    os.unlink(os.path.join(host.mirror, artifact.zip))
    before = world(host)
    for check in (True, False):
        told = host.run("backup_repair", check=check, **{**mirrored, "volume_id": "another"})
        assert told["code"] == "mirror_wrong_volume"
    assert world(host) == before


def test_a_pause_keeps_backups_away_and_nothing_else(host: Host) -> None:
    """Until somebody resumes; who is no L5 cannot pause."""
    host.begin(RUN)
    until = (utc_now() + timedelta(days=30)).strftime("%Y-%m-%d")
    asked = {"until": until, "reason": "the disk is replaced"}
    assert changes(four(host, "host_pause", **asked)) == [True, True, False, False]
    assert host.run("host_pause", **{**asked, "reason": "and the other one"})["changed"]
    host.end(RUN)
    host.begin_without_lease(run_id_of(-1))
    refused = host.run("run_lock", purpose="backup")
    assert (refused["code"], refused["facts"]["reason"]) == ("host_paused", "and the other one")
    assert "resume.yml" in refused["remedy"]
    assert not host.run("run_lock", purpose="restore").get("failed")
    host.carry()
    assert host.run("host_pause", **asked)["code"] == "not_authorized"
    resumed = four(host, "host_pause", state="absent")
    assert changes(resumed) == [True, True, False, False]
    host.end(run_id_of(-1))
    host.begin_without_lease(run_id_of(-2))
    assert not host.run("run_lock", purpose="backup").get("failed")


def test_a_pause_that_cannot_be_read_is_replaced_or_removed(host: Host) -> None:
    host.begin(RUN)
    for state in ("present", "absent"):
        Path(host.layout.pause_file).write_bytes(b"{}")
        until = (utc_now() + timedelta(days=3)).strftime("%Y-%m-%d")
        asked = {"until": until, "reason": "the disk is replaced"} if state == "present" else {}
        assert changes(four(host, "host_pause", state=state, **asked)) == [True, True, False, False]
