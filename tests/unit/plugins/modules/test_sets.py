# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules about sets, one after the other, on a real directory: check, run, check again, run again."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._layout import ARCHIVE_FACTS, VERIFICATION
from ansible_collections.wst.backup.plugins.module_utils._mirror import step
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    MANIFEST,
    PREFIX,
    Proof,
    content,
    prove_partial,
    publish_set,
    snapshot,
    write_partial,
)
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

BEGAN = utc_now()
RUN = BEGAN.strftime("%Y%m%d-%H%M%S") + "-0000aaaa"
OWN = artifact_of_run(RUN, PREFIX)


def run_id_of(days: int) -> str:
    """The id of a run that started so many days ago."""
    return (BEGAN - timedelta(days=days)).strftime("%Y%m%d-%H%M%S") + f"-{abs(days):08x}"


def leave_proof(
    host: Host, *, level: int = 3, manifest: Optional[Dict[str, Any]] = None, missing: Sequence[str] = ()
) -> Proof:
    """What backup_archive and backup_verify leave, for this run."""
    layer = Layer(LOCAL, host.local)
    write_partial(layer, RUN)
    proof = prove_partial(layer, RUN, level=level)
    facts = {"size": proof.size, "sha256": proof.sha256, "mtime_ns": proof.mtime_ns, "file_id": proof.file_id}
    workspace = host.layout.workspace(RUN)
    archive = {"artifact": OWN.stem, "zip": facts, "manifest": manifest or MANIFEST.body, "manifest_sha256": "mm"}
    _fs.write_record(os.path.join(workspace, ARCHIVE_FACTS), archive)
    verification = {"run_id": RUN, "level": level, "zip": facts, "missing": list(missing)}
    _fs.write_record(os.path.join(workspace, VERIFICATION), verification)
    return proof


def four(host: Host, name: str, **params: Any) -> List[Dict[str, Any]]:
    """Check, run, check again, run again."""
    return [host.run(name, check=check, diff=True, **params) for check in (True, False, True, False)]


def changes(results: List[Dict[str, Any]]) -> List[bool]:
    """What each said about changes; none may have failed."""
    assert [r for r in results if r.get("failed")] == []
    return [r["changed"] for r in results]


def world(host: Host) -> Dict[str, Dict[str, bytes]]:
    """Both layers."""
    return {name: snapshot(Layer(name, path)) for name, path in ((LOCAL, host.local), (MIRROR, host.mirror))}


def test_a_run_from_proof_to_retention(host: Host, volumes: Dict[str, Any]) -> None:
    """Publish, mirror, remove, report; each of them four times."""
    for day in range(1, 20):
        publish_set(Layer(LOCAL, host.local), run_id_of(day))
    host.begin(RUN)
    leave_proof(host)
    marks = four(host, "mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    assert changes(marks) == [True, True, False, False]
    published = four(host, "backup_publish", local_dir=host.local)
    assert changes(published) == [True, True, False, False]
    assert published[1]["zip"] == os.path.join(host.local, OWN.zip)
    mirrored = four(
        host, "backup_mirror", local_dir=host.local, mirror_dir=host.mirror, volume_id=marks[1]["volume_id"]
    )
    assert changes(mirrored) == [True, True, False, False]
    assert mirrored[0]["mirrored"] == mirrored[1]["mirrored"]
    assert mirrored[1]["mirrored"][0] == OWN.stem
    assert len(mirrored[1]["mirrored"]) == 14
    assert world(host)[MIRROR][OWN.zip] == content(OWN)
    removed = four(host, "backup_retention", layers=host.layers())
    assert changes(removed) == [True, True, False, False]
    assert removed[0]["plan"] == removed[1]["plan"]
    assert removed[0]["diff"] == removed[1]["diff"]
    assert len(removed[1]["removed"][LOCAL]) == 6
    assert removed[1]["removed"][MIRROR] == []
    report = host.run("backup_info", layers=host.layers())
    assert [layer["counting"] for layer in report["layers"]] == [14, 14]
    assert [layer["newest"] for layer in report["layers"]] == [OWN.stem] * 2
    assert report["layers"][0]["sets"][0]["level"] == 3
    assert "never at this rate" in report["layers"][0]["forecast"]
    assert sorted(world(host)[LOCAL]) == sorted(name for name in world(host)[MIRROR] if name != "wst-mirror.json")


def test_publish_demands_this_runs_proof(host: Host) -> None:
    """None, of a lower level, or of another file."""
    host.begin(RUN)
    params = {"local_dir": host.local}
    assert host.run("backup_publish", check=True, **params)["changed"] is True  # the steps before were in check mode
    assert host.run("backup_publish", **params)["code"] == "not_proved"
    leave_proof(host, level=2)
    assert host.run("backup_publish", **params)["code"] == "not_proved"
    proof = leave_proof(host)
    os.utime(Path(host.local, OWN.zip_partial(RUN)), ns=(0, proof.mtime_ns + 10**9))
    for check in (True, False):
        assert host.run("backup_publish", check=check, **params)["code"] == "not_proved"
    workspace = host.layout.workspace(RUN)
    _fs.write_record(os.path.join(workspace, VERIFICATION), {"run_id": "other"})
    assert host.run("backup_publish", **params)["code"] == "not_proved"
    _fs.write_record(os.path.join(workspace, VERIFICATION), {})
    assert host.run("backup_publish", **params)["code"] == "not_proved"
    assert sorted(world(host)[LOCAL]) == [OWN.zip_partial(RUN)]
    host.end(RUN)
    assert host.run("backup_publish", **params)["code"] == "not_proved"
    assert host.run("backup_publish", check=True, **params)["artifact"] is None


def test_nothing_changes_without_the_lease(host: Host, volumes: Dict[str, Any]) -> None:
    """Another run has the host."""
    host.begin(RUN)
    leave_proof(host)
    marks = host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    host.end(RUN)
    other = RUN[:-1] + "b"
    host.begin(other)
    host.begin_without_lease(RUN)
    before = world(host)
    for name, params in (
        ("backup_publish", {"local_dir": host.local}),
        ("backup_sweep", {"layers": host.layers()}),
        ("backup_mirror", {"local_dir": host.local, "mirror_dir": host.mirror, "volume_id": marks["volume_id"]}),
        ("backup_retention", {"layers": host.layers()}),
        ("mirror_init", {"local_dir": host.local, "mirror_dir": host.mirror}),
    ):
        assert host.run(name, **params)["code"] == "lease_lost", name
    assert world(host) == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "{e}"}, "mirror_wrong_volume"),
        ({"disk": "0"}, "mirror_wrong_volume"),
        ({"filesystem": "FAT32"}, "mirror_wrong_volume"),
        ({"label": None}, "mirror_wrong_volume"),
    ],
)
def test_a_wrong_volume_gets_not_a_byte(host: Host, volumes: Dict[str, Any], change: Dict[str, Any], code: str) -> None:
    """In run mode and in check mode."""
    publish_set(Layer(LOCAL, host.local), RUN)
    host.begin(RUN)
    host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    volumes.update(change)
    before = world(host)
    for check in (True, False):
        result = host.run("backup_mirror", check=check, local_dir=host.local, mirror_dir=host.mirror, volume_id="{d}")
        assert result["code"] == code
        assert result["facts"]["problems"]
    assert world(host) == before


@pytest.mark.parametrize("own", [True, False])
def test_a_drive_that_goes_while_sets_are_copied(
    host: Host, volumes: Dict[str, Any], monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    """Is told as that: bad paths on it are what follows."""
    del volumes
    older = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    publish_set(Layer(LOCAL, host.local), RUN)
    host.begin(RUN)
    params: Dict[str, Any] = {"local_dir": host.local, "mirror_dir": host.mirror, "volume_id": "{d}"}
    host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    real = step.copy_set

    def copy_set(source: Layer, mirror: Layer, item: BackupSet, **more: Any) -> None:
        if item.artifact == (OWN if own else older):
            os.rename(host.mirror, host.mirror + ".gone")
        real(source, mirror, item, **more)

    monkeypatch.setattr(step, "copy_set", copy_set)
    result = host.run("backup_mirror", **params)
    assert result["code"] == "mirror_missing"
    codes = [problem["code"] for problem in result["facts"]["problems"]]
    assert codes[0] == "mirror_missing"
    assert len(codes) == 2
    os.rename(host.mirror + ".gone", host.mirror)
    monkeypatch.setattr(step, "copy_set", real)
    left = [older.stem] if not own else [OWN.stem, older.stem]
    assert host.run("backup_mirror", **params)["mirrored"] == left


def test_a_local_layer_that_has_lost_everything_takes_nothing_from_the_mirror(
    host: Host, volumes: Dict[str, Any]
) -> None:
    """An empty source empties no mirror: what stands there may be all that is left."""
    del volumes
    for day in range(20):
        publish_set(Layer(LOCAL, host.local), run_id_of(day))
    host.begin(run_id_of(0))
    params: Dict[str, Any] = {"local_dir": host.local, "mirror_dir": host.mirror, "volume_id": "{d}"}
    host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    assert len(host.run("backup_mirror", **params)["mirrored"]) > 7
    mirrored = snapshot(Layer(MIRROR, host.mirror))
    for path in Path(host.local).iterdir():
        path.unlink()
    assert host.run("backup_mirror", **params)["changed"] is False
    layers = [{"name": LOCAL, "path": host.local}, {"name": MIRROR, "path": host.mirror}]
    assert host.run("backup_retention", layers=layers, keep_min=1, keep_max=1)["code"] == "retention_refused"
    assert snapshot(Layer(MIRROR, host.mirror)) == mirrored


def test_the_mirrors_identity(host: Host, volumes: Dict[str, Any]) -> None:
    """No marker, a damaged one, one of another prefix, no directory, and how a new disk becomes the mirror."""
    publish_set(Layer(LOCAL, host.local), RUN)
    host.begin(RUN)
    params: Dict[str, Any] = {"local_dir": host.local, "mirror_dir": host.mirror}
    assert host.run("backup_mirror", volume_id="{d}", **params)["code"] == "mirror_missing"
    assert host.run("mirror_init", **params)["volume_id"] == "{d}"
    assert host.run("backup_mirror", volume_id="", **params)["code"] == "mirror_missing"
    assert host.run("backup_mirror", volume_id="{d}", prefix="other", **params)["code"] == "mirror_wrong_volume"
    volumes["id"] = "{new}"
    assert host.run("mirror_init", **params)["code"] == "mirror_wrong_volume"
    assert host.run("mirror_init", replace=True, **params)["changed"] is True
    assert host.run("backup_mirror", volume_id="{new}", **params)["mirrored"] == [OWN.stem]
    marker = Path(host.mirror, "wst-mirror.json")
    marker.write_bytes(marker.read_bytes().replace(b"{new}", b"{old}"))
    assert host.run("backup_mirror", volume_id="{new}", **params)["code"] == "record_damaged"
    assert host.run("mirror_init", **params)["code"] == "mirror_wrong_volume"
    assert host.run("mirror_init", replace=True, **params)["changed"] is True
    Path(host.mirror, "DATALOSS_WARNING_README.txt").write_text("temporary", encoding="ascii")
    for name in ("mirror_init", "backup_mirror"):
        more = {} if name == "mirror_init" else {"volume_id": "{new}"}
        assert host.run(name, **more, **params)["code"] == "mirror_wrong_volume"
    missing = {**params, "mirror_dir": os.path.join(host.root, "missing")}
    assert host.run("backup_mirror", volume_id="{new}", **missing)["code"] == "mirror_missing"


def test_mirror_init_makes_a_private_directory(host: Host, volumes: Dict[str, Any]) -> None:
    """Closed from its first moment on; in check mode nothing is made."""
    os.rmdir(host.mirror)
    volumes.update(id="{d}")
    host.begin(RUN)
    params = {"local_dir": host.local, "mirror_dir": os.path.join(host.mirror)}
    tolerance = {"allow_same_disk": True}
    assert host.run("mirror_init", check=True, **params, **tolerance)["changed"] is True
    assert not os.path.exists(host.mirror)
    assert host.run("mirror_init", **params, **tolerance)["changed"] is True
    assert api.access_problems(host.mirror) == []


def test_acceptances_are_warnings_every_time(host: Host, volumes: Dict[str, Any]) -> None:
    """What the inventory takes upon itself stays visible."""
    volumes.update(disk="0", label=None)
    host.begin(RUN)
    params = {"local_dir": host.local, "mirror_dir": host.mirror, "allow_same_disk": True}
    told = host.run("mirror_init", accept_unknown_volume_facts=["label"], **params)
    assert len(told["warnings"]) == 2
    told = host.run("backup_mirror", volume_id="{d}", accept_unknown_volume_facts=["label"], **params)
    assert len(told["warnings"]) == 2


def test_problems_of_older_sets_end_the_step_after_the_rest_was_done(host: Host, volumes: Dict[str, Any]) -> None:
    """The failure says what was mirrored all the same."""
    old = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    publish_set(Layer(LOCAL, host.local), RUN)
    host.begin(RUN)
    host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    Path(host.mirror, old.zip).write_bytes(b"somebody's")
    for check in (True, False):
        told = host.run("backup_mirror", check=check, local_dir=host.local, mirror_dir=host.mirror, volume_id="{d}")
        assert told["code"] == "mirror_mismatch"
    assert told["facts"]["mirrored"] == [OWN.stem]
    assert world(host)[MIRROR][old.zip] == b"somebody's"


def test_a_copy_known_to_be_damaged_is_the_problem_of_every_run_until_it_is_mended(
    host: Host, volumes: Dict[str, Any]
) -> None:
    """The first run that reads it fails; later ones do their work and carry it."""
    params = {"local_dir": host.local, "mirror_dir": host.mirror}
    old = publish_set(Layer(LOCAL, host.local), run_id_of(1))
    host.begin(RUN)
    params["volume_id"] = host.run("mirror_init", **params)["volume_id"]
    assert "problem" not in host.run("backup_mirror", **params)
    copy, state = Path(host.mirror, old.zip), Path(host.mirror, old.state)
    copy.write_bytes(b"X" + copy.read_bytes()[1:])
    state.unlink()
    assert host.run("backup_mirror", **params)["code"] == "mirror_mismatch"
    publish_set(Layer(LOCAL, host.local), RUN)
    carried = four(host, "backup_mirror", **params)
    assert changes(carried) == [True, True, False, False]
    assert carried[1]["mirrored"] == [OWN.stem]
    for result in carried:
        assert (result["problem"]["code"], result["problem"]["facts"]) == ("mirror_mismatch", {"damaged": [old.stem]})
        assert old.stem in result["problem"]["message"]
    assert host.run("backup_retention", layers=host.layers())["changed"] is False
    repaired = four(host, "backup_repair", **params)
    assert changes(repaired) == [True, True, False, False]
    assert [(one["artifact"], one["layer"], one["source"]) for one in repaired[1]["repaired"]] == [
        (old.stem, MIRROR, LOCAL)
    ]
    assert copy.read_bytes() == Path(host.local, old.zip).read_bytes()
    assert Path(str(copy) + ".damaged").read_bytes()[:1] == b"X"
    assert "problem" not in host.run("backup_mirror", **params)


def test_retention_refuses_and_check_mode_shows_all_the_same(host: Host) -> None:
    """Without a mirrored set of this run; the plan of check mode supposes that there will be one."""
    local = Layer(LOCAL, host.local)
    for day in range(1, 20):
        publish_set(local, run_id_of(day))
    host.begin(RUN)
    before = world(host)
    shown = host.run("backup_retention", check=True, diff=True, layers=host.layers())
    assert len(shown["removed"][LOCAL]) == 6
    assert shown["plan"][LOCAL][0]["artifact"] == OWN.stem
    refused = host.run("backup_retention", layers=host.layers())
    assert refused["code"] == "retention_refused"
    publish_set(local, RUN)
    assert host.run("backup_retention", layers=host.layers()[:1])["code"] == "retention_refused"
    after = world(host)
    assert {name: after[LOCAL][name] for name in before[LOCAL]} == before[LOCAL]
    host.end(RUN)
    assert len(host.run("backup_retention", check=True, layers=host.layers())["removed"][LOCAL]) == 6


def test_young_sets_beyond_the_limit_stay_and_that_is_told(host: Host, volumes: Dict[str, Any]) -> None:
    """The doctrine's two limits in conflict: a warning on each layer."""
    for hours in range(1, 17):
        publish_set(Layer(LOCAL, host.local), f"{BEGAN - timedelta(hours=hours):%Y%m%d-%H%M%S}-{hours:08x}")
    publish_set(Layer(LOCAL, host.local), RUN)
    host.begin(RUN)
    params = {"local_dir": host.local, "mirror_dir": host.mirror}
    marked = host.run("mirror_init", **params)
    assert len(host.run("backup_mirror", volume_id=marked["volume_id"], **params)["mirrored"]) == 17
    told = host.run("backup_retention", layers=host.layers())
    assert told["removed"] == {LOCAL: [], MIRROR: []}
    assert [len(told["kept"][name]) for name in (LOCAL, MIRROR)] == [17, 17]
    assert ["the age floor wins" in str(warning) for warning in told["warnings"]] == [True, True]


def test_retention_stops_on_all_layers_for_a_time_in_the_future(host: Host) -> None:
    """The clock is the host's."""
    publish_set(Layer(MIRROR, host.mirror), run_id_of(-1))
    host.begin(RUN)
    for check in (True, False):
        assert host.run("backup_retention", check=check, layers=host.layers())["code"] == "clock_suspect"


def test_a_bad_floor_is_a_failure_with_what_was_removed_elsewhere(host: Host, volumes: Dict[str, Any]) -> None:
    """Each layer by itself, and the run fails at the end."""
    for day in range(8, 25):
        publish_set(Layer(LOCAL, host.local), run_id_of(day))
        publish_set(Layer(MIRROR, host.mirror), run_id_of(day))
    publish_set(Layer(LOCAL, host.local), RUN)
    host.begin(RUN)
    host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    host.run("backup_mirror", local_dir=host.local, mirror_dir=host.mirror, volume_id="{d}")
    bad = Path(host.mirror, artifact_of_run(run_id_of(8), PREFIX).zip)
    bad.write_bytes(bytes(5000))
    told = host.run("backup_retention", layers=host.layers())
    assert told["code"] == "retention_refused"
    assert told["facts"]["removed"][MIRROR] == []
    assert len(told["facts"]["removed"][LOCAL]) == 4


@pytest.mark.parametrize(
    "params",
    [{"keep_min": 0}, {"keep_max": 3}, {"prefix": "a/b"}, {"layers": [{"name": "local", "path": "/x"}] * 2}],
)
def test_bad_numbers_and_names_are_named(host: Host, params: Dict[str, Any]) -> None:
    """Before anything is looked at."""
    host.begin(RUN)
    assert host.run("backup_retention", **{"layers": host.layers(), **params})["code"] == "input_invalid"


def test_sweep_finishes_and_sweeps_and_warns(host: Host) -> None:
    """On both layers; a missing one is told, not failed."""
    local = Layer(LOCAL, host.local)
    unfinished = publish_set(local, run_id_of(1))
    os.rename(local.file(unfinished.sidecar), local.file(unfinished.sidecar_partial(run_id_of(1))))
    write_partial(local, run_id_of(2))
    doubtful = publish_set(local, run_id_of(3))
    Path(local.file(doubtful.state)).write_bytes(b"torn")
    os.rmdir(host.mirror)
    host.begin(RUN)
    results = four(host, "backup_sweep", layers=host.layers())
    assert changes(results) == [True, True, False, False]
    assert results[0]["layers"] == results[1]["layers"]
    told = results[1]["layers"]
    assert sorted(told[0]["finished"]) == sorted([unfinished.stem, doubtful.stem])
    assert len(told[0]["swept"]) == 1
    assert [p["code"] for p in told[0]["problems"]] == ["record_damaged"]
    assert "record_damaged" in str(results[1]["warnings"])
    assert results[0]["problem"] == results[1]["problem"] == told[0]["problems"][0]
    assert ["problem" in result for result in results[2:]] == [False, False]
    assert told[1]["present"] is False
    assert world_of(local) == [True, True]


def world_of(layer: Layer) -> List[bool]:
    """Whether the sets there count."""
    return [item.counts for item in read_layer(layer, prefix=PREFIX).sets]


def test_info_reads_and_says_what_it_cannot(host: Host) -> None:
    """No run, no lock; a layer that is not there hides nothing of the other."""
    artifact = publish_set(Layer(LOCAL, host.local), RUN)
    os.unlink(Path(host.local, artifact.state))
    Path(host.local, "other.zip").write_bytes(b"xx")
    os.rmdir(host.mirror)
    before = snapshot(Layer(LOCAL, host.local))
    local, mirror = host.run("backup_info", layers=host.layers())["layers"]
    assert snapshot(Layer(LOCAL, host.local)) == before
    (told,) = local["sets"]
    assert (told["state"], told["counts"], told["level"]) == ("complete", False, 0)
    assert told["reason"] == "it was not verified on this layer"
    assert local["foreign"] == [{"name": "other.zip", "size": 2, "reason": "its name is not one of ours", "zip": True}]
    assert local["forecast"].startswith("unknown")
    assert mirror["problem"]["code"] == "path_unusable"
    assert mirror["sets"] == []


@pytest.mark.parametrize(
    ("volume", "params", "reason"),
    [
        ({}, {"mirror_volume_id": "{d}"}, ""),
        ({}, {}, "mirror_missing"),
        ({}, {"mirror_volume_id": "{e}"}, "mirror_wrong_volume"),
        ({"disk": "0"}, {"mirror_volume_id": "{d}"}, "mirror_wrong_volume"),
        ({"disk": "0"}, {"mirror_volume_id": "{d}", "allow_same_disk": True}, ""),
        ({"label": None}, {"mirror_volume_id": "{d}"}, "mirror_wrong_volume"),
        ({"label": None}, {"mirror_volume_id": "{d}", "accept_unknown_volume_facts": ["label"]}, ""),
        ({}, {"mirror_volume_id": "{d}", "layers": [MIRROR]}, "mirror_missing"),
        ({}, {"mirror_volume_id": "{d}", "layers": [MIRROR, LOCAL]}, ""),
    ],
)
def test_sweep_leaves_a_disk_alone_that_is_not_the_mirror(
    host: Host, volumes: Dict[str, Any], volume: Dict[str, Any], params: Dict[str, Any], reason: str
) -> None:
    """Nothing on it is removed, nothing fails, and the local layer is swept all the same."""
    host.begin(RUN)
    host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    for name, path in ((LOCAL, host.local), (MIRROR, host.mirror)):
        write_partial(Layer(name, path), run_id_of(1))
    volumes.update(volume)
    before = world(host)[MIRROR]
    paths = {one["name"]: one for one in host.layers()}
    named = params.get("layers", [LOCAL, MIRROR])
    results = four(host, "backup_sweep", **{**params, "layers": [paths[name] for name in named]})
    assert changes(results)[:2] == [LOCAL in named or not reason] * 2
    told = {one["name"]: one for one in results[1]["layers"]}
    assert told[MIRROR]["skipped"].partition(":")[0] == reason
    assert told[MIRROR]["present"] is True
    assert (world(host)[MIRROR] == before) is bool(reason)
    assert len(told[MIRROR]["swept"]) == (0 if reason else 1)
    if LOCAL in named:
        assert (told[LOCAL]["skipped"], len(told[LOCAL]["swept"])) == ("", 1)
