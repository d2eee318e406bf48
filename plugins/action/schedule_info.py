# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``schedule_info``: when jobs start, and the files that would start them. Touches no host."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _schedule_files, _schedule_forms, _zones
from ansible_collections.wst.backup.plugins.plugin_utils._errors import TransportError
from ansible_collections.wst.backup.plugins.plugin_utils._schedule import PERIODS, WEEKDAYS
from ansible_collections.wst.backup.plugins.plugin_utils._schedule_control import (
    Control,
    check_control,
    check_secret_files,
)
from ansible_collections.wst.backup.plugins.plugin_utils._schedule_jobs import Job, jobs

_YEARS = 10  # of rules that the plan looks ahead
_WORDS: dict[str, Any] = {"type": "list", "elements": "str"}
_FLEET = {
    "name": {"type": "str", "required": True},
    "hosts": {**_WORDS, "required": True},
    "zones": {**_WORDS, "required": True},
    "backup": {
        "type": "str",
        "choices": [each for each in PERIODS if each in ("daily", "every_4_hours")],
        "default": "daily",
    },
    "backup_at": {"type": "str", "default": ""},
    "restore_test": {"type": "bool", "default": True},
    "restore_test_day": {"type": "str", "choices": list(WEEKDAYS), "default": "Sun"},
    "restore_test_at": {"type": "str", "default": ""},
    "vault_ids": {**_WORDS, "default": []},
    "restore_test_vault_ids": {**_WORDS, "default": []},
    "restore_test_vars": {"type": "list", "elements": "str", "default": []},
}
_FILES = {
    "kind": {"type": "str", "choices": ["systemd", "cron"], "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str", "required": True},
    "user": {"type": "str", "required": True},
    "directory": {"type": "str", "required": True},
    "program": {"type": "str", "required": True},
    "inventory": {"type": "str", "required": True},
    "timeouts": {
        "type": "dict",
        "required": True,
        "options": {job: {"type": "int", "required": True} for job in ("backup", "restore_test", "compliance")},
    },
    "existing": {**_WORDS, "default": []},
    "ours": {**_WORDS, "default": []},
    "elsewhere": {**_WORDS, "default": []},
    "secret_files": {"type": "dict"},
    "enable": {"type": "bool", "default": True},
    "systemd_runs": {"type": "bool", "required": True},
    "local_zone": {"type": "str", "default": ""},
    "cron_version": {"type": "str", "default": ""},
}
_SPEC = {
    "fleets": {"type": "list", "elements": "dict", "required": True, "options": _FLEET},
    "l5_from": {"type": "str", "choices": ["file", "credential"], "default": "file"},
    "random_delay": {"type": "int", "default": 300},
    "spacing": {"type": "int", "default": 20},
    "files": {"type": "dict", "options": _FILES},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """The jobs, and the files where they were asked for."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_SPEC)[1]
        try:
            return {**result, "changed": False, **_answer(arguments, now=datetime.now(timezone.utc))}
        except TransportError as error:
            return {**result, **error.as_result()}


def _answer(arguments: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    files = arguments["files"]
    if files and files["state"] == "absent":
        return {"jobs": [], "needs": [], "files": {}, "timers": [], "remove": sorted(files["ours"])}
    fleets = arguments["fleets"]
    begin = now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)  # the same answer for a whole year
    zones = {zone: _zones.offsets(zone, begin=begin, years=_YEARS) for fleet in fleets for zone in fleet["zones"]}
    delay = 0 if files and files["kind"] == "cron" else arguments["random_delay"]  # cron knows no delay
    in_files = arguments["l5_from"] == "file"
    found = jobs(fleets, zones, delay=delay, spacing=arguments["spacing"], token_in_files=in_files)
    told = {"jobs": [_told(job) for job in found], "needs": sorted({path for job in found for path in job.needs})}
    return {**told, **(_files(found, files, delay) if files else {})}


def _told(job: Job) -> dict[str, Any]:
    wanted = job.start.wanted
    return {
        "name": job.key,
        "fleet": wanted.fleet,
        "job": wanted.job,
        "every": wanted.every,
        "hosts": list(job.hosts),
        "limit": "" if job.is_of_all else ",".join(job.hosts),
        "starts": _schedule_forms.words(job.start),
        "on_calendar": _schedule_forms.calendar(job.start),
        "cron": _schedule_forms.crontab(job.start),
        "rrule": _schedule_forms.rrule(job.start),
    }


def _files(found: list[Job], files: dict[str, Any], delay: int) -> dict[str, Any]:
    control = Control(files["kind"], files["enable"], files["systemd_runs"], files["local_zone"], files["cron_version"])
    cron_tz = check_control(control)
    check_secret_files(files["secret_files"])
    settings = _schedule_files.Settings(
        **{name: files[name] for name in ("name", "user", "directory", "program", "inventory", "timeouts")},
        delay=delay,
        cron_tz=cron_tz,
    )
    made = (_schedule_files.cron if files["kind"] == "cron" else _schedule_files.units)(found, settings)
    there = {name: files[name] for name in ("existing", "ours", "elsewhere")}
    remove = _schedule_files.removable(made, **there)
    return {"files": made, "timers": [name for name in made if name.endswith(".timer")], "remove": remove}
