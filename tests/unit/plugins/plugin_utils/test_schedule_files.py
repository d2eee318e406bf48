# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of fleets and the files that start them; what a shell and systemd make of them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils import _schedule_files as files
from ansible_collections.wst.backup.plugins.plugin_utils._errors import (
    ScheduleClock,
    ScheduleInvalid,
    ScheduleNoSystemd,
    ScheduleOccupied,
)
from ansible_collections.wst.backup.plugins.plugin_utils._schedule_control import (
    Control,
    check_control,
    check_secret_files,
)
from ansible_collections.wst.backup.plugins.plugin_utils._schedule_jobs import Job, jobs

ZONES = {"UTC": frozenset({0}), "Europe/Berlin": frozenset({60, 120})}
TIMEOUTS = {"backup": 100, "restore_test": 200, "compliance": 300}
SETTINGS = files.Settings(
    "wst", "backup", "/etc/wst-backup", "/opt/ansible/bin/ansible-playbook", "/etc/wst-backup/inventory", TIMEOUTS, 300
)


def fleet(name: str = "prod", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "hosts": [name],
        "zones": ["UTC"],
        "backup": "daily",
        "backup_at": "",
        "restore_test": True,
        "restore_test_day": "Sun",
        "restore_test_at": "",
        "vault_ids": ["ops@/etc/wst-backup/ops.pass"],
        "restore_test_vault_ids": ["l5@/etc/wst-backup/l5.pass"],
        "restore_test_vars": ["/etc/wst-backup/authority/l5.yml"],
        **fields,
    }


def made(*fleets: dict[str, Any]) -> list[Job]:
    return jobs(fleets or [fleet()], ZONES, delay=300, spacing=20)


def test_each_fleet_has_its_jobs_and_compliance_is_one_for_all() -> None:
    found = made(fleet(), fleet("dev", hosts=["dev", "prod"], restore_test=False))
    assert [job.key for job in found] == ["prod-backup", "prod-restore-test", "dev-backup", "compliance"]
    drill, compliance = found[1].arguments("ap", "/inv"), found[3].arguments("ap", "/inv")
    l5 = ["--vault-id", "l5@/etc/wst-backup/l5.pass", "-e", "@/etc/wst-backup/authority/l5.yml"]
    common = ["--vault-id", "ops@/etc/wst-backup/ops.pass"]
    assert drill == ["ap", "wst.backup.restore_test", "-i", "/inv", "--limit", "prod", *common, *l5]
    assert compliance == ["ap", "wst.backup.compliance", "-i", "/inv", "-e", "wst_backup_hosts=prod,dev", *common]
    assert found[1].needs == (
        "/etc/wst-backup/ops.pass",
        "/etc/wst-backup/l5.pass",
        "/etc/wst-backup/authority/l5.yml",
    )


def test_awx_brings_the_token_itself() -> None:
    bare = fleet(restore_test_vars=[], restore_test_vault_ids=[])
    assert len(jobs([bare], ZONES, delay=0, spacing=20, token_in_files=False)) == 3


@pytest.mark.parametrize(
    ("fleets", "told"),
    [
        ([], "there is no fleet"),
        ([fleet("Prod")], "no name for a fleet"),
        ([fleet("all")], "no name for a fleet"),
        ([fleet("a/../b")], "no name for a fleet"),
        ([fleet(), fleet()], "two fleets are called 'prod'"),
        ([fleet(zones=[])], "has no zones"),
        ([fleet(hosts=[])], "has no hosts"),
        ([fleet(hosts=["wst:!dev"])], "no name of a host or group"),
        ([fleet(hosts=["!dev"])], "no name of a host or group"),
        ([fleet(hosts=["--syntax-check"])], "no name of a host or group"),
        ([fleet(vault_ids=["ops@prompt"])], "Nobody is there to type one"),
        ([fleet(vault_ids=["/etc/pass"])], "no vault id"),
        ([fleet(vault_ids=["ops@/a\nExecStart=/bin/sh"])], "no vault id"),
        ([fleet(restore_test_vault_ids=["hunter2"])], "no vault id"),
        ([fleet(restore_test_vars=["l5.yml"])], "no absolute path"),
        ([fleet(restore_test_vars=["/a\nb"])], "no absolute path"),
        ([fleet(restore_test_vars=[])], "needs the token of L5"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(fleets: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ScheduleInvalid, match=told):
        jobs(fleets, ZONES, delay=300, spacing=20)


@pytest.mark.parametrize(
    "numbers", [{"delay": -1, "spacing": 0}, {"delay": 3601, "spacing": 0}, {"delay": 0, "spacing": -1}]
)
def test_numbers_have_bounds(numbers: dict[str, int]) -> None:
    with pytest.raises(ScheduleInvalid, match="from 0 to 3600"):
        jobs([fleet()], ZONES, **numbers)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "Wst"}, "name for a schedule"),
        ({"user": "root\nExecStart=x"}, "name of a user"),
        ({"directory": "etc"}, "absolute path"),
        ({"program": "ansible-playbook"}, "absolute path"),
        ({"inventory": "/a\nb"}, "absolute path"),
    ],
)
def test_settings_that_would_spoil_a_file_are_refused(changed: dict[str, str], told: str) -> None:
    for form in (files.units, files.cron):
        with pytest.raises(ScheduleInvalid, match=told):
            form(made(), replace(SETTINGS, **changed))


def test_a_timer_starts_its_service_in_utc_and_what_was_missed_is_done_later() -> None:
    units = files.units(made(), SETTINGS)
    assert sorted(units) == sorted(
        f"wst-{job}.{kind}"
        for job in ("prod-backup", "prod-restore-test", "compliance")
        for kind in ("service", "timer")
    )
    timer = units["wst-prod-backup.timer"].splitlines()
    assert {"OnCalendar=*-*-* 03:00:00 UTC", "Persistent=true", "RandomizedDelaySec=300"} <= set(timer)
    service = units["wst-prod-restore-test.service"].splitlines()
    assert {"Type=oneshot", "User=backup", "WorkingDirectory=/etc/wst-backup", "TimeoutStartSec=200"} <= set(service)
    assert all(text.splitlines()[1] == "# wst.backup.schedule: wst" for text in units.values())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT EXERCISED: needs Debian's package systemd")
def test_systemd_has_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    strange = tmp_path / 'a "strange" $HOME %n dir\\'
    strange.mkdir()
    settings = replace(SETTINGS, user="root", program=sys.executable, directory=str(strange), inventory=f"{strange}/x")
    units = files.units(made(fleet(vault_ids=[f"ops@{strange}/pass word"])), settings)
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    argv = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *(str(tmp_path / name) for name in units)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # It does see what is wrong.
    (tmp_path / "wst-prod-backup.timer").write_text(units["wst-prod-backup.timer"].replace(":00 UTC", ":99 UTC"))
    assert subprocess.run(argv, capture_output=True, check=False).returncode != 0


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1))
def test_words_of_execstart_come_back_as_they_were(word: str) -> None:
    """By the rules of systemd.service(5), read here: quotes, then escapes, specifiers and variables."""
    inner = files.quoted(word)[1:-1]
    read, position = "", 0
    while position < len(inner):
        pair = inner[position : position + 2]
        if pair in ("\\\\", '\\"', "%%", "$$"):
            read, position = read + pair[1], position + 2
        else:
            assert inner[position] not in '\\"%$'
            read, position = read + inner[position], position + 1
    assert read == word


def test_cron_s_table_names_zone_and_user_and_the_shell_reads_the_words_that_were_meant() -> None:
    odd = "/etc/it's 100% $HOME"
    settings = replace(SETTINGS, inventory=odd, cron_tz=True)
    ((name, text),) = files.cron(made(), settings).items()
    assert name == "wst"
    lines = text.splitlines()
    assert lines[:4] == [*files.cron(made(), SETTINGS)["wst"].splitlines()[:3], "CRON_TZ=UTC"]
    assert "CRON_TZ" not in files.cron(made(), SETTINGS)["wst"]
    line = next(line for line in lines if "restore_test" in line and not line.startswith("#"))
    minute, hour, day, month, weekday, user, command = line.split(" ", 6)
    assert (day, month, weekday, user) == ("*", "*", "0", "backup")
    assert "%" not in command.replace("\\%", "")  # cron takes a bare one for the end of the line
    words = shlex.split(command.replace("\\%", "%"))
    assert words[:3] == ["cd", "/etc/wst-backup", "&&"]
    assert words[3:8] == ["exec", "timeout", "--signal=INT", "--kill-after=900", "200"]
    assert words[8:] == made()[1].arguments(settings.program, odd)
    assert int(minute) < 60
    assert int(hour) not in (1, 2)


def test_a_command_that_cron_would_cut_is_refused() -> None:
    with pytest.raises(ScheduleInvalid, match=r"prod-backup has \d+ characters"):
        files.cron(made(fleet(hosts=["wst"] + [f"host-{number}" for number in range(200)])), SETTINGS)


def test_what_is_not_ours_is_neither_replaced_nor_removed() -> None:
    wanted = {"wst-a.timer": "", "wst-b.timer": ""}
    assert files.removable(
        wanted, existing=["wst-a.timer", "wst-z.timer", "x"], ours=["wst-a.timer", "wst-z.timer"]
    ) == ["wst-z.timer"]
    with pytest.raises(ScheduleOccupied, match=r"/etc/cron\.d/wst: .* twice"):
        files.removable(wanted, existing=[], ours=[], elsewhere=["/etc/cron.d/wst"])
    with pytest.raises(ScheduleOccupied, match=r"wst-b\.timer"):
        files.removable(wanted, existing=["wst-b.timer"], ours=[])


@pytest.mark.parametrize(
    ("control", "answer"),
    [
        (Control("systemd", True, True, "", ""), False),
        (Control("systemd", False, False, "", ""), False),
        (Control("systemd", True, False, "", ""), ScheduleNoSystemd),
        (Control("cron", True, False, "Etc/UTC", ""), False),
        (Control("cron", True, False, "UTC", ""), False),
        (Control("cron", True, False, "Europe/London", ""), ScheduleClock),
        (Control("cron", True, False, "", ""), ScheduleClock),
        (Control("cron", True, False, "Europe/Berlin", "cronie 1.6.1"), True),
    ],
)
def test_a_control_node_that_would_start_nothing_or_at_another_time_is_refused(control: Control, answer: Any) -> None:
    if isinstance(answer, bool):
        assert check_control(control) is answer
    else:
        with pytest.raises(answer):
            check_control(control)


def test_secrets_that_everybody_may_read_are_refused() -> None:
    check_secret_files(None)
    check_secret_files({"/a": {"exists": True, "mode": "0600"}, "/b": {"exists": True, "mode": "0640"}})
    check_secret_files({"/program": {"exists": True, "mode": "0755"}})
    for mode in ("0644", "0620", "0602", "0775"):
        with pytest.raises(ScheduleInvalid, match=f"mode {mode}"):
            check_secret_files({"/a": {"exists": True, "mode": mode}})
    with pytest.raises(ScheduleInvalid, match="is not on the control node"):
        check_secret_files({"/a": {"exists": False}})
