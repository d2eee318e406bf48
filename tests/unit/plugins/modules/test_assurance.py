# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``compliance_info`` and ``audit_verify`` as Ansible would start them, on a host with real layers and a real log."""

from __future__ import annotations

import os
import sys
import types
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Dict, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._fs import write_record
from ansible_collections.wst.backup.plugins.module_utils._lock.pause import Pause
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import STALE_AFTER, RunLock
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Manifest
from ansible_collections.wst.backup.plugins.plugin_utils._pitr import facts_of
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import provisioned
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import MANIFEST, publish_set
from ansible_collections.wst.backup.tests.unit.plugins.module_utils.chain import run_id_of
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

PITR = {"pitr": {"enabled": True, "retention_days": 14, "earliest_restore_point": "2026-11-20T00:00:00Z"}}


def anchored(monkeypatch: pytest.MonkeyPatch, **data: Any) -> None:
    module: Any = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {"controller_time": format_time(utc_now()), **data}
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)


def judged(host: Host, **params: Any) -> Dict[str, Any]:
    given = {"layers": host.layers(), "sources": ["wst"], "preflight": {"problems": []}, "pitr": PITR, **params}
    return host.run("compliance_info", **given)


def verdicts(told: Dict[str, Any]) -> Dict[str, str]:
    return {each["id"]: each["verdict"] for each in told["requirements"]}


def test_a_host_of_which_nothing_is_known(host: Host) -> None:
    told = judged(host, preflight={}, pitr={})
    assert (told["changed"], told["verdict"]) == (False, "non-compliant")
    found = verdicts(told)
    assert (found["R2"], found["F1"], found["R7"], found["roles"]) == (
        "unknown",
        "unknown",
        "non-compliant",
        "non-compliant",
    )
    assert (told["runs"], told["drills"]) == ([], [])


def test_layers_log_and_authority_are_looked_at(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for days in range(8, -1, -1):
        for name, path in ((LOCAL, host.local), (MIRROR, host.mirror)):
            publish_set(Layer(name, path), run_id_of(days))
    provisioned(host.layout)
    run_id = run_id_of(0)
    anchored(monkeypatch, run_id=run_id_of(1), controller="op@control")
    host.run("audit_log", event="drill_start")  # and then it died
    anchored(monkeypatch, run_id=run_id, controller="op@control")
    host.run("audit_log", event="backup_start")
    artifact = host.run("backup_info", layers=host.layers())["layers"][0]["newest"]
    details = {"artifact": artifact, "size": "5000", "files": 3, "rows": "7"}
    host.run("audit_log", event="backup_end", result="success", details=details)
    drilled = {"artifact": artifact, "layer": "local", "age": 60, "rto": "12"}
    host.run("audit_log", event="drill_start")
    host.run("audit_log", event="drill_end", result="success", details=drilled)
    told = judged(host)
    found = verdicts(told)
    assert {name: found[name] for name in ("R1", "R3", "R4", "R7", "roles", "logging", "R6", "F1", "F2")} == (
        dict.fromkeys(("R1", "R3", "R4", "R7", "roles", "logging", "R6", "F1", "F2"), "compliant")
    )
    assert [(run["run_id"], run["result"], run["bytes"], run["rows"]) for run in told["runs"]] == [
        (run_id, "success", 5000, 7)
    ]
    dead, good = told["drills"]
    assert (dead["run_id"], dead["result"], dead["code"]) == (run_id_of(1), "failure", "interrupted")
    assert (good["rto_seconds"], good["rpo_seconds"]) == (12, 60)
    assert [layer["counting"] for layer in told["layers"]] == [9, 9]


def test_a_backup_that_runs_meanwhile_has_not_failed_and_one_that_died_has(host: Host) -> None:
    """Else each verdict during a backup would say that the last one failed, and alert somebody."""
    run_id = run_id_of(0)
    host.begin(run_id)
    host.run("audit_log", event="backup_start")
    assert judged(host)["runs"] == []
    lock = RunLock(host.layout)
    lease = lock.read()
    assert lease is not None
    for dead in (
        replace(lease, heartbeat=utc_now() - timedelta(seconds=STALE_AFTER + 1)),
        replace(lease, boot_id="another"),
        None,
    ):
        if dead is None:
            Path(lock.lease_file).write_bytes(b"{}")
        else:
            lock.write(dead)
        assert [(run["run_id"], run["result"]) for run in judged(host)["runs"]] == [(run_id, "interrupted")]
    Path(lock.lease_file).unlink()
    assert [run["result"] for run in judged(host)["runs"]] == ["interrupted"]


REFUSED = "azure_not_authorized: Azure refuses to tell"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"failed": True, "msg": REFUSED, "code": "azure_not_authorized"}, REFUSED),
        ({"failed": False, "failed_when_result": False, "msg": REFUSED, "code": "azure_not_authorized"}, REFUSED),
        ({"failed": False, "code": "azure_timeout"}, "azure_timeout"),
        ({"failed": False, "msg": "", "pitr": {}}, "there is no answer"),
        ({"skipped": True, "changed": False}, "there is no answer"),
    ],
)
def test_what_azure_refused_is_told_as_that_and_not_as_a_server_without_a_restore_point(
    host: Host, told: Dict[str, Any], problem: str
) -> None:
    """A task that may fail has ``failed: false`` in what it leaves, as the role's has."""
    storage = judged(host, pitr=told)["requirements"][2]
    assert problem in storage["summary"]
    assert "no restore point" not in storage["summary"]
    assert storage["verdict"] != "compliant"


def test_a_pause_turns_the_verdict_while_it_holds(host: Host) -> None:
    def first() -> Dict[str, Any]:
        found: Dict[str, Any] = judged(host)["requirements"][0]
        return found

    for days in range(8, -1, -1):
        publish_set(Layer(LOCAL, host.local), run_id_of(days))
    assert first()["verdict"] == "compliant"
    for hours, verdict in ((1, "non-compliant"), (-1, "compliant")):
        pause = Pause(utc_now(), utc_now() + timedelta(hours=hours), "the disk is replaced", "ada@control")
        write_record(host.layout.pause_file, {"schema_version": 1, **pause.as_body()})
        assert (first()["verdict"], "the disk is replaced" in first()["summary"]) == (verdict, hours > 0)
    Path(host.layout.pause_file).write_bytes(b"{}")
    assert first()["verdict"] == "compliant"
    assert "whether backups are paused is not known" in first()["warnings"][0]


def test_sets_that_are_gone_or_rot_are_told(host: Host) -> None:
    for name, path in ((LOCAL, host.local), (MIRROR, host.mirror)):
        publish_set(Layer(name, path), run_id_of(0))
    newest = host.run("backup_info", layers=host.layers())["layers"][0]["newest"]
    Path(host.mirror, f"{newest}.manifest.json").write_bytes(b"{}")
    found = verdicts(judged(host))
    assert (found["R5"], found["R3"]) == ("non-compliant", "non-compliant")
    os.rename(host.mirror, f"{host.mirror}.away")
    assert verdicts(judged(host))["R3"] == "unknown"


def holding(files: int) -> Manifest:
    """The manifest of a set that has so many files of the source, and a dump."""
    sources = [{"name": "wst", "files": files}]
    dump = {"path": "wst_dev_database.backup", "size": 1000}
    return Manifest({**MANIFEST.body, "sources": sources, "dump": dump}, MANIFEST.sha256)


@pytest.mark.parametrize(("today", "to_come"), [(3, 0), (0, 3)])
def test_what_a_set_of_the_future_holds_is_not_judged(host: Host, today: int, to_come: int) -> None:
    """A clock that once was wrong must not speak for a set that was made since, neither for nor against it."""
    for name, path in ((LOCAL, host.local), (MIRROR, host.mirror)):
        publish_set(Layer(name, path), run_id_of(-5), manifest=holding(to_come))
    found = verdicts(judged(host))
    assert (found["R2"], found["F3"]) == ("unknown", "unknown")
    for name, path in ((LOCAL, host.local), (MIRROR, host.mirror)):
        publish_set(Layer(name, path), run_id_of(0), manifest=holding(today))
    found = verdicts(judged(host))
    assert found["R2"] == ("compliant" if today else "non-compliant")


def test_a_log_that_cannot_be_read_or_does_not_hold(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    anchored(monkeypatch, run_id=run_id_of(0), controller="op@control")
    for _number in range(3):
        last = host.run("audit_log", event="backup_start")
    anchor = {"seq": last["seq"], "hash": last["head"]}
    anchored(monkeypatch, run_id=run_id_of(0), controller="op@control", audit_anchor=anchor)
    whole = host.run("audit_verify", layers=host.layers())
    assert (whole["code"], whole["records"], whole["anchors"], whole["flaws"]) == ("", 3, 1, [])
    path = Path(host.layout.audit_dir, "audit.jsonl")
    content = path.read_bytes()
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:2]))
    cut = host.run("audit_verify", layers=host.layers())
    assert (cut["code"], cut["flaws"][0]["kind"], cut["flaws"][0]["first"]) == ("audit_broken", "cut_off", 3)
    assert "record" in cut["problem"]["message"]
    assert verdicts(judged(host))["logging"] == "non-compliant"
    path.unlink()
    path.mkdir()
    assert verdicts(judged(host))["logging"] == "non-compliant"


@pytest.mark.parametrize(
    ("backup", "days", "hours", "expected"),
    [
        ({"backupRetentionDays": 14}, 14, 20, ""),
        ({"backupRetentionDays": 14, "geoRedundantBackup": "Disabled"}, None, 20, "no restore point yet"),
        ({"backupRetentionDays": 0}, None, 20, "point-in-time restore is off"),
        ({"backupRetentionDays": 5}, 7, 20, "keeps 5 days"),
        ({"backupRetentionDays": 14}, 14, 50, "last automatic backup 50.0 h ago"),
        ({"backupRetentionDays": 14}, 2, 20, "though the server is 100.0 days old"),
        ({}, None, 20, "no restore point yet"),
        ({}, 14, 20, "does not say how many days"),
    ],
)
def test_azure_s_answer_is_judged_as_the_control_node_passes_it_on(
    host: Host, backup: Dict[str, Any], days: Optional[int], hours: int, expected: str
) -> None:
    for name, path in ((LOCAL, host.local), (MIRROR, host.mirror)):
        publish_set(Layer(name, path), run_id_of(0))
    now = utc_now()
    earliest = {} if days is None else {"earliestRestoreDate": (now - timedelta(days=days)).isoformat()}
    completed = (now - timedelta(hours=hours)).isoformat()
    last = {"name": "b", "properties": {"completedTime": completed, "backupType": "Full"}}
    created = {"createdAt": (now - timedelta(days=100)).isoformat()}
    told = facts_of({"properties": {"backup": {**backup, **earliest}}, "systemData": created}, [last], now=now)
    storage = next(
        each for each in judged(host, pitr={"changed": False, "pitr": told})["requirements"] if each["id"] == "R3"
    )
    assert expected in storage["summary"]
    assert (storage["verdict"] == "compliant") == (not expected)


def test_what_makes_no_sense_is_refused(host: Host) -> None:
    assert judged(host, thresholds={"max_gap_hours": 48})["code"] == "input_invalid"
    exemption = {"requirement": "R3", "until": "soon", "reason": "ordered", "by": "CISO"}
    assert judged(host, exemptions=[exemption])["code"] == "input_invalid"
