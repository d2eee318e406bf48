# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a verdict depends on the host's system: paths, permissions, disks, the log; test_compliance has the rest."""

from __future__ import annotations

import json

from integration.world import World

ABOUT_THE_HOST = ("R2", "R6", "F1", "F2", "F3", "roles", "logging")


def test_a_host_is_judged_over_its_own_transport_and_by_its_own_system(world: World) -> None:
    played = world.play("compliance.yml")
    assert played.code in (0, 2), played.output  # what other tests left may count against it: see below
    (host,) = json.loads((world.records / "fleet" / "compliance.json").read_text())["hosts"]
    assert (host["name"], host["reached"], host["error"]) == (world.host["name"], True, None)
    assert played.code == (0 if host["verdict"] == "compliant" else 2), "the exit code is the verdict"
    found = {each["id"]: each for each in host["requirements"]}
    assert {name: found[name]["verdict"] for name in ABOUT_THE_HOST} == dict.fromkeys(ABOUT_THE_HOST, "compliant"), (
        played.output
    )
    # No Azure in the lab: of R3 that alone is missing, so the mirror's disk was looked at and is another one.
    assert found["R3"]["verdict"] == "unknown"
    assert found["R3"]["summary"] == "nobody has asked Azure for its backups (backup_compliance_pitr)"

    for layer, directory in zip(host["layers"], (world.local, world.mirror)):
        assert layer["bytes"] == sum(path.stat().st_size for path in directory.glob("*.zip"))
        assert 0 < layer["free_bytes"] <= layer["total_bytes"]
        assert layer["newest_at"] is not None
    if world.windows:
        assert [layer["path"] for layer in host["layers"]] == [r"C:\wst-backups", r"D:\wst-backups"]
        page = (world.records / "fleet" / "compliance.html").read_text()
        assert r"C:\wst-backups" in page

    held = world.play("audit_verify.yml")
    assert held.code == 0, held.output
    newest = (world.control / "audit").joinpath("audit.jsonl")
    kept = newest.read_bytes()
    lines = kept.splitlines(keepends=True)
    newest.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"run_id":"2', b'"run_id":"1', 1), *lines[3:]]))
    try:
        played = world.play("audit_verify.yml")
    finally:
        newest.write_bytes(kept)
    assert played.failed_with("audit_broken"), played.output
    assert played.says("record 3 (line 3) was altered"), played.output
    assert world.play("audit_verify.yml").code == 0
