# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Suspect, damaged and pinned sets through the playbooks, the world read back."""

from __future__ import annotations

import pytest
from integration.provocations import emptied
from integration.world import AS_L5, World

pytestmark = pytest.mark.either_lane
REASON = "the old tree moved to blob storage"


def ruled(artifact: str, **more: str) -> dict[str, str]:
    """What is given to accept.yml and pin.yml."""
    return {"backup_set": artifact, "backup_reason": REASON, **more}


def row(output: str, layer: str, artifact: str) -> list[str]:
    """That set's row in the table of list.yml."""
    return next(line.split() for line in output.splitlines() if line.split()[:2] == [layer, artifact])


def test_an_emptied_source_pushes_nothing_out_until_somebody_accepts_it(world: World) -> None:
    before = world.artifacts()
    with emptied(world.sources["wst"]), emptied(world.sources["wst-api"]):
        played = world.play("backup.yml")
        assert played.failed_with("content_anomaly"), played.output
        assert "accept.yml" in played.output
        (suspect,) = set(world.artifacts()) - set(before)
        assert world.artifacts(world.mirror) == world.artifacts()
        end = world.audit()[-1]
        assert (end["event"], end["code"], end["details"]["artifact"]) == ("backup_end", "content_anomaly", suspect)
        again = world.play("backup.yml")
        assert again.failed_with("content_anomaly"), again.output  # it is no baseline before it is accepted

    listed = world.play("list.yml")
    for layer in ("local", "mirror"):
        assert row(listed.output, layer, suspect)[2:4] == ["suspect", "no"]

    refused = world.play("accept.yml", extra=ruled(suspect))
    assert refused.failed_with("not_authorized"), refused.output
    assert world.play("accept.yml", "--check", extra=ruled(suspect, **AS_L5)).code == 0
    assert row(world.play("list.yml").output, "local", suspect)[2:4] == ["suspect", "no"]
    for _time in range(2):
        accepted = world.play("accept.yml", extra=ruled(suspect, **AS_L5))
        assert accepted.code == 0, accepted.output
    listed = world.play("list.yml")
    for layer in ("local", "mirror"):
        assert row(listed.output, layer, suspect)[2:4] == ["complete", "yes"]
    record = next(one for one in reversed(world.audit()) if one["event"] == "accept" and not one["code"])
    assert (record["details"]["artifact"], record["details"]["reason"]) == (suspect, REASON)

    clean = world.play("backup.yml")
    assert clean.code == 0, clean.output


def test_a_rotten_copy_is_quarantined_and_repaired_from_the_other_layer(world: World) -> None:
    newest = world.artifacts()[-1]
    for damaged, layer, other in ((world.local, "local", world.mirror), (world.mirror, "mirror", world.local)):
        path = damaged / f"{newest}.zip"
        good = path.read_bytes()
        bad = good[:1000] + bytes([good[1000] ^ 16]) + good[1001:]
        path.write_bytes(bad)

        found = world.play("verify.yml", extra={"backup_verify_level": 2})
        assert found.failed_with("artifact_damaged"), found.output
        assert not path.exists()
        assert (damaged / f"{newest}.zip.damaged").read_bytes() == bad
        assert row(world.play("list.yml").output, layer, newest)[2:4] == ["damaged", "no"]

        shown = world.play("repair.yml", "--check")
        assert shown.code == 0, shown.output
        assert newest in shown.output
        assert not path.exists()
        for _time in range(2):
            repaired = world.play("repair.yml")
            assert repaired.code == 0, repaired.output
        assert "no set is damaged" in repaired.output
        assert path.read_bytes() == (other / path.name).read_bytes() == good
        assert row(world.play("list.yml").output, layer, newest)[2:4] == ["complete", "yes"]
        record = next(
            record
            for record in reversed(world.audit())
            if record["event"] == "repair" and record["details"]["repaired"]
        )
        assert record["details"]["repaired"][0]["artifact"] == newest
        (damaged / f"{newest}.zip.damaged").unlink()
    assert world.play("verify.yml", extra={"backup_verify_level": 2}).code == 0


def test_a_set_that_both_layers_have_lost_is_told_and_older_sets_are_whole(world: World) -> None:
    newest = world.artifacts()[-1]
    kept = {}
    for layer in (world.local, world.mirror):
        path = layer / f"{newest}.zip"
        kept[path] = path.read_bytes()
        path.unlink()
    try:
        played = world.play("repair.yml")
        assert played.failed_with("artifact_damaged"), played.output
        assert "not proved either" in " ".join(played.output.split())
        failed = world.audit()[-1]
        assert (failed["event"], failed["result"], failed["code"]) == ("repair", "failure", "artifact_damaged")
    finally:
        for path, data in kept.items():
            path.write_bytes(data)
    assert world.play("verify.yml", extra={"backup_verify_level": 2}).code == 0


def test_a_pin_stands_on_both_layers_and_is_taken_back(world: World) -> None:
    oldest = world.artifacts()[0]
    pinned = world.play("pin.yml", extra=ruled(oldest))
    assert pinned.code == 0, pinned.output
    listed = world.play("list.yml")
    for layer in ("local", "mirror"):
        assert f"pinned: {REASON}" in " ".join(row(listed.output, layer, oldest))
    refused = world.play("pin.yml", extra=ruled(oldest, backup_pin_state="absent"))
    assert refused.failed_with("not_authorized"), refused.output
    assert "pinned:" in row(world.play("list.yml").output, "local", oldest)
    unpinned = world.play("pin.yml", extra=ruled(oldest, backup_pin_state="absent", **AS_L5))
    assert unpinned.code == 0, unpinned.output
    listed = world.play("list.yml")
    assert not any("pinned:" in row(listed.output, layer, oldest) for layer in ("local", "mirror"))
    nonsense = world.play("pin.yml", extra=ruled("wst-backup-20200101-000000"))
    assert nonsense.failed_with("input_invalid"), nonsense.output
    assert world.play("pin.yml").code == 2  # no set was named


def shown_as_removed(output: str) -> dict[str, set[str]]:
    """The names that ``--diff`` shows as going, by layer."""
    gone: dict[str, set[str]] = {"local": set(), "mirror": set()}
    layer = ""
    for line in map(str.strip, output.splitlines()):
        if line.startswith("--- before: "):
            layer = line.rpartition("(")[2].rstrip(")")
        elif line.startswith("-wst-backup-") and layer in gone:
            gone[layer].add(line[1:])
    return gone


def test_retention_removes_what_check_mode_has_shown_and_no_pinned_set(world: World) -> None:
    while len(world.counting()) < 4:
        assert world.play("backup.yml").code == 0
    pinned, layers = world.counting()[0], {"local": world.local, "mirror": world.mirror}
    few = {"backup_keep_min": 2, "backup_keep_max": 2, "backup_min_age_days": 0}
    assert world.play("pin.yml", extra=ruled(pinned)).code == 0
    before = {name: set(world.artifacts(path)) for name, path in layers.items()}
    checked = world.play("backup.yml", "--check", "--diff", extra=few)
    assert checked.code == 0, checked.output
    assert {name: set(world.artifacts(path)) for name, path in layers.items()} == before
    played = world.play("backup.yml", extra=few)
    assert played.code == 0, played.output
    removed = {name: before[name] - set(world.artifacts(path)) for name, path in layers.items()}
    assert removed == shown_as_removed(checked.output)
    assert len(removed["local"]) >= 2
    assert pinned not in removed["local"] | removed["mirror"]
    assert world.counting()[-1] not in before["local"]  # the run's own
    assert world.play("pin.yml", extra=ruled(pinned, backup_pin_state="absent", **AS_L5)).code == 0
