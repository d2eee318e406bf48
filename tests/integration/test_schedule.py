# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules on a control node: the files that are there afterwards, as systemd and the eye read them. Needs no host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from integration.world import SHARING
from tools.paths import ROOT, VENV_BIN, environment

pytestmark = pytest.mark.either_lane
FLEETS = [
    {
        "name": "prod",
        "hosts": ["prod"],
        "zones": ["Europe/Berlin"],
        "backup": "every_4_hours",
        "restore_test_day": "Sat",
    },
    {"name": "dev", "hosts": ["dev", "test"], "zones": ["Asia/Kolkata", "America/St_Johns"], "restore_test": False},
]


class Node:
    """A control node's directories, and the playbook against them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.units, self.cron = base / "units", base / "cron.d"
        for directory in (self.units, self.cron):
            directory.mkdir()
        self.ops, self.l5, self.token = (self.secret(name) for name in ("ops.pass", "l5.pass", "l5.yml"))

    def secret(self, name: str) -> Path:
        path = self.base / name
        path.write_text("never to be seen in a unit\n")
        path.chmod(0o600)
        return path

    def fleets(self) -> list[dict[str, Any]]:
        vaults = {"vault_ids": [f"ops@{self.ops}"]}
        drill = {"restore_test_vault_ids": [f"l5@{self.l5}"], "restore_test_vars": [str(self.token)]}
        return [{**FLEETS[0], **vaults, **drill}, {**FLEETS[1], **vaults}]

    def with_systemd(self) -> dict[str, Any]:
        """The variables with which a fake systemd runs here."""
        program = self.base / "bin" / "systemctl"
        program.parent.mkdir()
        program.write_text(SYSTEMCTL.format(python=VENV_BIN / "python", base=str(self.base)))
        program.chmod(0o755)
        return {"schedule_enable": True, "__schedule_systemd_mark": str(self.base)}

    def calls(self) -> list[str]:
        """What systemctl was told since the last question, without what it was asked."""
        path = self.base / "calls"
        told = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [call.strip() for call in told if not call.startswith(("show", "is-"))]

    def play(self, *arguments: str, **variables: Any) -> tuple[int, str]:
        """Exit code and output of the playbook."""
        own: dict[str, Any] = {
            "ansible_python_interpreter": str(VENV_BIN / "python"),
            "schedule_fleets": self.fleets(),
            "schedule_user": "root",
            "schedule_program": str(VENV_BIN / "ansible-playbook"),
            "schedule_directory": str(self.base),
            "schedule_inventory": str(self.base / "inventory"),
            "schedule_enable": False,
            "schedule_systemd_directory": str(self.units),
            "schedule_cron_directory": str(self.cron),
            **variables,
        }
        argv = ["ansible-playbook", "playbooks/schedule.yml", "-i", "localhost,", "-c", "local", "-e", json.dumps(own)]
        done = subprocess.run(
            [*argv, *arguments],
            cwd=ROOT,
            env=environment(HOME=str(self.base), PATH=f"{self.base / 'bin'}:{environment()['PATH']}", **SHARING),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in [*self.units.iterdir(), *self.cron.iterdir()]}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


SYSTEMCTL = """\
#!{python}
# A named fake of systemctl, for what Ansible asks of it: units are files, and what is active or enabled is a file, too.
import pathlib, sys
base, (verb, *words) = pathlib.Path({base!r}), [word.strip("'") for word in sys.argv[1:] if word != "-l"]
unit = words[0] if words else ""
with open(base / "calls", "a") as calls:
    print(verb, unit, file=calls)
active, enabled = base / ("active-" + unit), base / ("enabled-" + unit)
if verb == "show":
    print("LoadState=" + ("loaded" if (base / "units" / unit).exists() else "not-found"))
    print("ActiveState=" + ("active" if active.exists() else "inactive"))
elif verb == "is-enabled":
    print("enabled" if enabled.exists() else "disabled")
    sys.exit(not enabled.exists())
elif verb in ("start", "enable"):
    (active if verb == "start" else enabled).touch()
elif verb in ("stop", "disable"):
    (active if verb == "stop" else enabled).unlink()
elif verb != "daemon-reload":
    sys.exit(1)
"""
JOBS = ("prod-backup", "prod-restore-test", "dev-backup", "compliance")
UNITS = {f"wst-backup-{job}.{kind}" for job in JOBS for kind in ("service", "timer")}


def test_units_are_written_once_shown_before_and_taken_away_again(node: Node) -> None:
    foreign = node.units / "wst-backup-notes.timer"
    foreign.write_text("[Timer]\nOnCalendar=daily\n")
    code, told = node.play("--check", "--diff")
    assert (code, set(node.files())) == (0, {foreign.name}), told
    assert "+OnCalendar=Sat *-*-* " in told

    code, told = node.play()
    assert code == 0, told
    written = node.files()
    assert set(written) == UNITS | {foreign.name}
    assert not any("never to be seen" in text for text in written.values())
    assert "prod-backup: every day at " in told
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NOT EXERCISED: systemd-analyze verify, needs Debian's package systemd")
    paths = [str(node.units / name) for name in sorted(UNITS)]
    verify = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False
    )
    assert (verify.returncode, verify.stdout + verify.stderr) == (0, "")

    code, told = node.play()
    assert code == 0, told
    assert "changed=0" in told

    code, told = node.play(schedule_fleets=node.fleets()[1:])
    assert code == 0, told
    left = {f"wst-backup-{job}.{kind}" for job in JOBS if "prod" not in job for kind in ("service", "timer")}
    assert set(node.files()) == left | {foreign.name}

    code, told = node.play("--check", schedule_state="absent", schedule_fleets=[])
    assert (code, set(node.files())) == (0, left | {foreign.name}), told
    code, told = node.play(schedule_state="absent", schedule_fleets=[])
    assert (code, set(node.files())) == (0, {foreign.name}), told
    assert foreign.read_text() == "[Timer]\nOnCalendar=daily\n"


def test_timers_are_started_after_systemd_has_read_them_and_stopped_before_they_go(node: Node) -> None:
    systemd = node.with_systemd()
    code, told = node.play("--check", **systemd)
    assert (code, node.calls()) == (0, []), told
    code, told = node.play(**systemd)
    assert code == 0, told
    timers = sorted(name for name in UNITS if name.endswith(".timer"))
    calls = node.calls()
    assert calls[0] == "daemon-reload"
    assert sorted(calls[1:]) == sorted(f"{verb} {timer}" for verb in ("enable", "start") for timer in timers)

    # Systemd reads them in each run: one that died before would leave it with old times.
    code, told = node.play(**systemd)
    assert (code, node.calls(), "changed=0" in told) == (0, ["daemon-reload"], True), told

    code, told = node.play(schedule_state="absent", **systemd)
    assert code == 0, told
    calls = node.calls()
    assert calls[-1] == "daemon-reload"
    assert sorted(calls[:-1]) == sorted(f"{verb} {timer}" for verb in ("disable", "stop") for timer in timers)
    assert not list(node.base.glob("active-*"))
    assert node.files() == {}


def test_cron_gets_one_table_and_a_second_schedule_keeps_its_own(node: Node) -> None:
    localtime = os.path.realpath("/etc/localtime")
    if os.path.exists(localtime) and not localtime.endswith(("/UTC", "/Etc/UTC", "/UCT", "/Zulu", "/Universal")):
        code, told = node.play(schedule_kind="cron")
        assert code != 0
        assert "schedule_clock" in told
        return
    for name in ("wst-backup", "wst-backup-2"):
        code, told = node.play(schedule_kind="cron", schedule_name=name)
        assert code == 0, told
    lines = [line for line in (node.cron / "wst-backup").read_text().splitlines() if "ansible-playbook" in line]
    assert len(lines) == len(JOBS)
    assert all(line.split()[5] == "root" for line in lines)
    code, told = node.play()
    assert (code != 0, "schedule_occupied" in told, list(node.units.iterdir())) == (True, True, []), told
    code, told = node.play(schedule_kind="cron", schedule_state="absent")
    assert (code, set(node.files())) == (0, {"wst-backup-2"}), told


def test_what_would_not_work_is_refused_before_anything_is_written(node: Node) -> None:
    node.l5.chmod(0o644)
    code, told = node.play()
    assert code != 0
    assert "schedule_invalid" in told
    assert str(node.l5) in told
    node.l5.unlink()
    code, told = node.play()
    assert (code != 0, "is not on the control node" in told) == (True, True), told
    node.secret(node.l5.name)

    mixed = [{**node.fleets()[0], "zones": ["Europe/Berlin", "America/New_York"]}]
    code, told = node.play(schedule_fleets=mixed)
    assert (code != 0, "schedule_impossible" in told) == (True, True), told

    (node.units / "wst-backup-compliance.timer").write_text("# a stranger's\n")
    code, told = node.play()
    assert (code != 0, "schedule_occupied" in told) == (True, True), told
    assert node.files() == {"wst-backup-compliance.timer": "# a stranger's\n"}
    (node.units / "wst-backup-compliance.timer").unlink()

    if not os.path.isdir("/run/systemd/system"):
        code, told = node.play(schedule_enable=True)
        assert (code != 0, "schedule_no_systemd" in told) == (True, True), told
    assert node.files() == {}
