# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX as code, with the real collection awx.awx against a named fake of AWX's API (``fake_awx.py``)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.fake_awx import Awx, serve
from integration.world import SHARING
from tools.paths import COLLECTIONS, ROOT, VENV_BIN, environment

pytestmark = pytest.mark.either_lane
FLEETS = [
    {"name": "prod", "hosts": ["prod"], "zones": ["Europe/Berlin"], "backup": "every_4_hours"},
    {"name": "dev", "hosts": ["dev", "test"], "zones": ["Asia/Kolkata"], "restore_test_day": "Sat"},
]
VARIABLES = {
    "awx_project_url": "https://git.example.com/wst/backup.git",
    "awx_project_branch": "0.1.0",
    "awx_image": "registry.example.com/wst/backup:0.1.0",
    "awx_inventory_path": "inventory",
    "awx_credentials": ["operator"],
    "awx_fleets": FLEETS,
}
BREAKGLASS = ("wst.backup restore (breakglass)", "wst.backup restore_swap (breakglass)")


@pytest.fixture
def awx() -> Iterator[Awx]:
    if not (COLLECTIONS / "ansible_collections" / "awx" / "awx").is_dir():
        pytest.skip("NOT EXERCISED: AWX as code, because collection awx.awx is not there (make setup fetches it)")
    fake = Awx()
    kind = fake.create("credential_types", {"name": "Machine", "kind": "ssh", "managed": True})
    fake.create("credentials", {"name": "operator", "credential_type": kind["id"]})
    fake.create("users", {"username": "intern"})
    server = serve(fake)
    fake.address = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    yield fake
    server.shutdown()
    server.server_close()


def play(awx: Awx, home: Path, *arguments: str, token: str = "full", **variables: Any) -> tuple[int, str]:
    """Exit code and output of the playbook."""
    own = {"ansible_python_interpreter": str(VENV_BIN / "python"), **VARIABLES, **variables}
    argv = ["ansible-playbook", "playbooks/awx_setup.yml", "-i", "localhost,", "-c", "local", "-e", json.dumps(own)]
    extra = {
        "HOME": str(home),
        "CONTROLLER_HOST": awx.address,  # type: ignore[attr-defined]
        "CONTROLLER_OAUTH_TOKEN": token,
        "no_proxy": "127.0.0.1",
        "ANSIBLE_PIPELINING": "1",  # two hundred small modules: no directory and no file for each
        **SHARING,
    }
    done = subprocess.run(
        [*argv, *arguments],
        cwd=ROOT,
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_everything_is_made_once_and_only_l6_may_launch_breakglass(awx: Awx, tmp_path: Path) -> None:
    code, told = play(awx, tmp_path)
    assert code == 0, told

    templates = awx.named("job_templates")
    assert set(BREAKGLASS) < set(templates)
    assert templates["wst.backup backup"]["playbook"] == "playbooks/backup.yml"
    of_l5 = ("restore_test.yml", "accept.yml", "pin.yml", "pause.yml")
    for name in templates:
        guarded = name in BREAKGLASS
        assert ("wst.backup operators" in awx.holders(name, "execute_role")) == (
            not guarded and templates[name]["playbook"].split("/")[1] not in of_l5
        )
        assert "wst.backup L6" in awx.holders(name, "execute_role")
    assert all(awx.holders(name, "execute_role") == {"wst.backup L6"} for name in BREAKGLASS)

    # The token reaches a job by its credential alone.
    kinds = awx.named("credential_types")
    for level in ("L5", "L6"):
        kind = kinds[f"wst.backup {level}"]
        assert kind["injectors"] == {"extra_vars": {"wst_backup_authority_token": "{{ token }}"}}
        assert kind["inputs"]["fields"][0]["secret"] is True
    assert not any("token" in json.dumps(template).lower() for template in templates.values())
    credentials = {name: sorted(_credentials(awx, name)) for name in templates}
    assert credentials["wst.backup backup"] == ["operator"]
    assert credentials["wst.backup restore_test"] == ["operator", "wst.backup L5"]
    assert all(credentials[name] == ["operator", "wst.backup L6"] for name in BREAKGLASS)

    schedules = awx.named("schedules")
    rules = {name: (each["rrule"].partition("RRULE:")[2], each["limit"]) for name, each in schedules.items()}
    assert rules == {
        "wst.backup prod-backup": ("FREQ=HOURLY;INTERVAL=4", "prod"),
        "wst.backup prod-restore-test": ("FREQ=WEEKLY;INTERVAL=1;BYDAY=SU", "prod"),
        "wst.backup dev-backup": ("FREQ=DAILY;INTERVAL=1", "dev,test"),
        "wst.backup dev-restore-test": ("FREQ=WEEKLY;INTERVAL=1;BYDAY=SA", "dev,test"),
        "wst.backup compliance": ("FREQ=HOURLY;INTERVAL=1", None),  # limited, it would leave the fleet's metrics alone
    }
    given = {
        name: json.loads(template["extra_vars"])
        for name, template in templates.items()
        if "{" in template["extra_vars"]
    }
    assert given == {"wst.backup compliance": {"wst_backup_hosts": "prod,dev,test"}}
    by_template = {awx.tables["job_templates"][each["unified_job_template"]]["name"] for each in schedules.values()}
    assert by_template == {"wst.backup backup", "wst.backup restore_test", "wst.backup compliance"}

    awx.changes.clear()
    code, told = play(awx, tmp_path, awx_fleets=FLEETS)
    assert (code, awx.changes) == (0, []), told
    assert "changed=0" in told

    # A fleet that is gone is not backed up for ever by a schedule that nobody knows of.
    code, told = play(awx, tmp_path, awx_fleets=FLEETS[:1])
    assert code == 0, told
    assert set(awx.named("schedules")) == {name for name in rules if "dev" not in name}

    # Somebody opens breakglass: named, and what is ours to close is closed.
    awx.grant("job_templates", BREAKGLASS[0], "execute_role", "users", "intern")
    awx.grant("job_templates", BREAKGLASS[1], "execute_role", "teams", "wst.backup operators")
    code, told = play(awx, tmp_path, awx_fleets=FLEETS[:1])
    assert code != 0
    assert "awx_access_open" in told
    assert f"user intern has execute_role on {BREAKGLASS[0]}" in told
    assert awx.holders(BREAKGLASS[1], "execute_role") == {"wst.backup L6"}


def test_what_awx_refuses_is_named(awx: Awx, tmp_path: Path) -> None:
    awx.tokens["limited"] = frozenset({("POST", "credential_types")})
    code, told = play(awx, tmp_path, token="limited")
    assert (code != 0, "awx_denied" in told, "Credential types" in told) == (True, True, True), told
    assert not awx.named("job_templates")
    code, told = play(awx, tmp_path, token="wrong")
    assert (code != 0, "awx_login" in told) == (True, True), told
    code, told = play(awx, tmp_path, awx_fleets=[{**FLEETS[0], "zones": ["Europe/Berlin", "America/New_York"]}])
    assert (code != 0, "schedule_impossible" in told) == (True, True), told


def _credentials(awx: Awx, template: str) -> list[str]:
    key = awx.named("job_templates")[template]["id"]
    return [
        awx.tables["credentials"][each]["name"] for each in awx.links.get(("job_templates", key, "credentials"), [])
    ]
