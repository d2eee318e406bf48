# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict through its playbook, in a lab of its own: what is true of the host is told, and is the exit code."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from integration.conftest import SCALE, STATE
from integration.world import AS_L5, Played, World

from ansible_collections.wst.backup.plugins.plugin_utils._schedule_jobs import jobs
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.fake_arm import (
    GROUP,
    SECRET,
    SERVER,
    SUBSCRIPTION,
    TENANT,
    backup,
    refused,
    resource,
    said,
    serving,
)
from wstlab.pki import make_pki

pytestmark = pytest.mark.either_lane
R3 = {"requirement": "R3", "until": "2099-01-01", "reason": "the lab has no Azure", "by": "the tests"}
EXEMPT = {"backup_compliance_exemptions": [R3]}
NOBODY = {  # listens there
    "ansible_connection": "winrm",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_user": "nobody",
    "ansible_password": "nothing",
    "ansible_winrm_transport": "ntlm",
    "ansible_winrm_server_cert_validation": "ignore",
    "backup_database": {"host": "127.0.0.1", "name": "none", "user": "none"},
}
AWAY = [f"away-{number:02d}" for number in range(20)]


@pytest.fixture(scope="module")
def host() -> Iterator[World]:
    """A host with one backup, that nobody has drilled yet."""
    state = STATE.with_name(f"{STATE.name}-compliance")
    lab = World(state=state, record={})
    lab.lab("down", "--purge")
    try:
        lab.lab("up")
        lab.lab("seed", "--scale", SCALE)
        made = World(state=state, record=json.loads((state / "lab.json").read_text()))
        for playbook in ("mirror_init.yml", "authority_provision.yml", "backup.yml"):
            done = made.play(playbook)
            assert done.code == 0, done.output
        yield made
    finally:
        lab.lab("down", "--purge")


def judge(host: World, *arguments: str, **extra: Any) -> tuple[Played, dict[str, Any]]:
    """The play, and the document that it leaves."""
    played = host.play("compliance.yml", *arguments, extra={**EXEMPT, **extra})
    return played, json.loads((host.records / "fleet" / "compliance.json").read_text())


def verdicts(document: dict[str, Any], name: str) -> dict[str, str]:
    (part,) = [each for each in document["hosts"] if each["name"] == name]
    return {each["id"]: each["verdict"] for each in part["requirements"]}


def not_met(document: dict[str, Any], name: str) -> set[str]:
    return {each for each, verdict in verdicts(document, name).items() if verdict not in ("compliant", "exempt")}


def test_a_host_that_was_never_drilled_is_not_compliant_and_a_drill_makes_it_so(host: World) -> None:
    name = host.host["name"]
    played, document = judge(host)
    assert played.code == 2, played.output
    assert not_met(document, name) == {"R7", "statement"}
    assert f"{name} is non-compliant" in played.output
    assert "no restore was ever tested" in played.output

    assert host.play("restore_test.yml", extra=AS_L5).code == 0
    played, document = judge(host)
    assert played.code == 0, played.output
    assert "1 of 1 hosts compliant: the fleet is compliant" in played.output
    assert verdicts(document, name)["R3"] == "exempt"
    (part,) = document["hosts"]
    assert [run["artifact"] for run in part["runs"]] == host.artifacts()
    (drill,) = part["drills"]
    assert (host.records / "fleet" / drill["evidence"]).is_file(), "the drill's page is where the report says"
    assert part["layers"][0]["bytes"] == sum(path.stat().st_size for path in host.local.glob("*.zip"))
    metrics = (host.records / "fleet" / "compliance.prom").read_text()
    assert f'wst_backup_compliant{{host="{name}",environment="lab"}} 1\n' in metrics
    page = (host.records / "fleet" / "compliance.html").read_text()
    assert name in page

    (storage,) = [each for each in part["requirements"] if each["id"] == "R3"]
    assert "nobody has asked Azure" in storage["summary"]


def test_what_azure_says_counts_and_what_it_refuses_is_told(
    host: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure is a fake of its interface (``fake_arm.py``), behind Azure's real packages."""
    name, now = host.host["name"], datetime.now(timezone.utc)
    make_pki(tmp_path)
    with serving(tmp_path) as arm:
        for variable, value in {
            "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": "an-application",
            "AZURE_CLIENT_SECRET": SECRET,
            "AZURE_AUTHORITY_HOST": arm.url,
        }.items():
            monkeypatch.setenv(variable, value)
        place = {"subscription": SUBSCRIPTION, "resource_group": GROUP, "server": SERVER, "endpoint": arm.url}
        asked = {"backup_compliance_pitr": place, "backup_compliance_exemptions": []}

        arm.server = [refused(403, "AuthorizationFailed")]
        played, document = judge(host, **asked)
        assert played.code == 2, "without an exemption what is not known of Azure counts"
        assert not_met(document, name) == {"R3"}
        assert "azure_not_authorized" in played.output
        assert "no restore point" not in played.output

        arm.server = [said(200, resource(earliestRestoreDate=(now - timedelta(days=14)).isoformat()))]
        arm.backups = [said(200, {"value": [backup("last", (now - timedelta(hours=20)).isoformat())]})]
        played, document = judge(host, **asked)
        assert played.code == 0, played.output
        assert verdicts(document, name)["R3"] == "compliant"
        assert SECRET not in played.output


def test_check_mode_judges_and_writes_nothing(host: World) -> None:
    before = {**host.layers(), **{str(path): "" for path in host.records.rglob("*")}}
    records = host.audit()
    played = host.play("compliance.yml", "--check", extra=EXEMPT)
    assert played.code == 0, played.output
    assert "1 of 1 hosts compliant: the fleet is compliant" in played.output
    assert host.play("compliance.yml", "--check").code == 2, "R3 is not exempt, and that is the exit code in check mode"
    assert {**host.layers(), **{str(path): "" for path in host.records.rglob("*")}} == before
    assert host.audit() == records


def test_a_fleet_of_which_most_do_not_answer_is_told_whole(host: World, tmp_path: Path) -> None:
    """Each by its name, with what was last known of it; and they hide neither each other nor the one that answers."""
    own = host.host["name"]
    inventory = {"wst": {"hosts": dict.fromkeys(AWAY, NOBODY)}}
    (tmp_path / "more.yml").write_text(json.dumps(inventory))
    known = json.loads((host.records / "hosts" / own / "compliance.json").read_text())
    was_known = AWAY[7]
    (host.records / "hosts" / was_known).mkdir(parents=True, exist_ok=True)
    (host.records / "hosts" / was_known / "compliance.json").write_text(json.dumps({**known, "name": was_known}))
    played, document = judge(host, "-i", str(tmp_path / "more.yml"), "--forks", "20")
    assert played.code != 0, played.output
    assert [(each["name"], each["verdict"], each["reached"]) for each in document["hosts"]] == [
        *[(name, "non-compliant", False) for name in AWAY],
        (own, "compliant", True),
    ]
    assert {each["error"]["code"] for each in document["hosts"] if each["error"]} == {"unreachable"}
    away = document["hosts"][AWAY.index(was_known)]
    assert (away["known_at"], len(away["runs"])) == (known["known_at"], len(known["runs"]))
    assert {each["verdict"] for each in away["requirements"]} == {"unknown"}

    told = " ".join(played.output.split())
    assert "1 of 21 hosts compliant: the fleet is non-compliant" in told
    assert told.count("(nothing was ever known of it)") >= len(AWAY) - 1
    assert "last known" in told
    rows = [line.split() for line in played.output.splitlines()]
    for name in [*AWAY, own]:
        verdict = "compliant" if name == own else "non-compliant"
        assert any(name in row and verdict in row for row in rows), f"{name} has no row in the table"
    metrics = (host.records / "fleet" / "compliance.prom").read_text()
    page = (host.records / "fleet" / "compliance.html").read_text()
    for name in [*AWAY, own]:
        reached = re.findall(rf'wst_backup_host_reached{{host="{name}",[^}}]*}} (\d)\n', metrics)
        assert reached == ["1" if name == own else "0"]
        assert name in page


def test_a_limit_leaves_the_fleet_s_document_and_metrics(host: World) -> None:
    """After the fleet above: with 20 hosts fewer the page would say yes, and no alert could fire for them."""
    fleet = host.records / "fleet"
    whole = {name: (fleet / name).read_bytes() for name in ("compliance.json", "compliance.html", "compliance.prom")}
    assert len(json.loads(whole["compliance.json"])["hosts"]) == 21
    own = host.host["name"]
    played = host.play("compliance.yml", "--limit", own, extra=EXEMPT)
    assert played.code == 0, played.output
    assert f"1 of 1 hosts compliant; limited to {own}" in " ".join(played.output.split())
    assert {name: (fleet / name).read_bytes() for name in whole} == whole
    assert [each["name"] for each in json.loads((fleet / "limited.json").read_text())["hosts"]] == [own]
    assert host.play("compliance.yml", "--limit", own).code == 2, "R3 is not exempt, and that is the exit code"


def test_what_a_schedule_starts_writes_the_fleet_s_own_document_and_metrics(host: World) -> None:
    """With the arguments of its job: no limit is among them."""
    own = host.host["name"]
    fleet = {
        "name": "all-of-it",
        "hosts": [own],
        "zones": ["UTC"],
        "backup": "daily",
        "backup_at": "",
        "restore_test": False,
        "vault_ids": [],
        "restore_test_vault_ids": [],
        "restore_test_vars": [],
    }
    job = jobs([fleet], {"UTC": frozenset({0})}, delay=0, spacing=20)[-1]
    arguments = job.arguments("ansible-playbook", "inventory/lab")
    assert arguments[1:4] == ["wst.backup.compliance", "-i", "inventory/lab"]
    written = {name: host.records / "fleet" / name for name in ("compliance.json", "compliance.prom")}
    for path in written.values():
        path.unlink(missing_ok=True)
    played = host.play("compliance.yml", *arguments[4:], extra=EXEMPT)
    assert played.code == 0, played.output
    document = json.loads(written["compliance.json"].read_text())
    assert (document["limit"], [each["name"] for each in document["hosts"]]) == (None, [own])
    assert f'wst_backup_compliant{{host="{own}"' in written["compliance.prom"].read_text()


def test_where_no_host_is_judged_none_is_compliant(host: World) -> None:
    played = host.play("compliance.yml", extra={"wst_backup_hosts": "of_another_inventory"})
    assert played.code != 0, played.output
    assert "nothing was judged" in played.output


def test_thresholds_and_exemptions_are_the_environment_s_and_shown(host: World) -> None:
    name = host.host["name"]
    played, document = judge(host, backup_compliance_thresholds={"drill_days": 1e-5})
    assert (played.code, not_met(document, name)) == (2, {"R7", "statement"}), "a threshold may be stricter"
    before = (host.records / "fleet" / "compliance.json").read_text()
    played = host.play("compliance.yml", extra={**EXEMPT, "backup_compliance_thresholds": {"max_gap_hours": 27}})
    assert played.code != 0
    assert "not looser" in played.output
    assert before != (host.records / "fleet" / "compliance.json").read_text(), "a host that was not judged is told"

    over = {**R3, "until": "2026-01-31"}
    played, document = judge(host, backup_compliance_exemptions=[over])
    assert (played.code, not_met(document, name)) == (2, {"R3"})
    assert "the exemption of the tests ended on 2026-01-31" in played.output
    played, document = judge(host, backup_environment_name="prod", backup_compliance_exemptions=[R3])
    assert played.code == 0, played.output
    page = (host.records / "fleet" / "compliance.html").read_text()
    assert "Exempt until 2099-01-01 by the tests: the lab has no Azure" in page
    assert document["hosts"][0]["environment"] == "prod"


def test_a_copy_that_rots_is_found_because_it_is_read_again(host: World) -> None:
    (stem,) = host.artifacts()
    path = host.mirror / f"{stem}.zip"
    kept = path.read_bytes()
    state = (host.mirror / f"{stem}.state.json").read_bytes()
    path.write_bytes(kept[:1000] + bytes([kept[1000] ^ 1]) + kept[1001:])
    played, document = judge(host, backup_verify_every_days=1)
    assert played.code == 2, played.output
    assert not_met(document, host.host["name"]) == {"R4", "R5", "statement"}
    assert "is damaged" in played.output
    for each in host.mirror.glob(f"{stem}.zip*"):
        each.unlink()
    path.write_bytes(kept)
    (host.mirror / f"{stem}.state.json").write_bytes(state)
    assert judge(host)[0].code == 0


def test_a_source_that_is_gone_and_a_key_that_is_wrong_are_not_compliant(host: World) -> None:
    key = host.control / "db.key"
    kept = key.read_bytes()
    tree = host.sources["wst-api"]
    shutil.move(tree, f"{tree}.away")
    key.write_bytes(b"wrong-password")
    try:
        played, document = judge(host)
    finally:
        key.write_bytes(kept)
        shutil.move(f"{tree}.away", tree)
    assert played.code == 2
    assert not_met(document, host.host["name"]) == {"F1", "F2"}
    assert "db_auth_failed" in played.output
    assert "wrong-password" not in played.output


def test_the_audit_log_tells_which_record_was_changed(host: World) -> None:
    good = host.play("audit_verify.yml")
    assert good.code == 0, good.output
    assert "they hold" in good.output
    (log,) = (host.control / "audit").glob("audit*.jsonl")
    kept = log.read_bytes()
    lines = kept.splitlines(keepends=True)
    for changed, told in (
        ([*lines[:3], *lines[4:]], "record 4 was removed"),
        (lines[:-1], f"records {len(lines)} to {len(lines)} were cut off"),
        ([*lines[:2], lines[2].replace(b'"result":', b'"result": ', 1), *lines[3:]], "record 3 (line 3) was altered"),
    ):
        log.write_bytes(b"".join(changed))
        played = host.play("audit_verify.yml")
        assert played.failed_with("audit_broken"), played.output
        assert told in " ".join(played.output.split())
    verdict, document = judge(host)
    assert verdict.code == 2
    assert "logging" in not_met(document, host.host["name"])
