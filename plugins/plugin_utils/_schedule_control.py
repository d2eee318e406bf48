# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a control node can start jobs as they are meant to be started. Decides only."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils._errors import (
    ScheduleClock,
    ScheduleInvalid,
    ScheduleNoSystemd,
)

# Zones that are UTC by definition. Others are equal to it only now, as London is in winter.
_UTC = frozenset(
    f"{prefix}{name}" for prefix in ("", "Etc/") for name in ("UTC", "UCT", "Universal", "Zulu", "GMT", "Greenwich")
)


@dataclass(frozen=True)
class Control:
    """What was seen on the control node. ``local_zone`` is empty where it is not known."""

    kind: str
    enable: bool
    systemd_runs: bool
    local_zone: str
    cron_version: str


def check_control(control: Control) -> bool:
    """Whether the table of cron must say which zone it counts in.

    Raises ScheduleNoSystemd and ScheduleClock where jobs would never start, or at another time than planned.
    """
    if control.kind == "systemd":
        if control.enable and not control.systemd_runs:
            raise ScheduleNoSystemd("systemd does not run on the control node (/run/systemd/system is not there).")
        return False
    if "cronie" in control.cron_version:  # the one cron that reads CRON_TZ; Debian's takes it for a variable of the job
        return True
    if control.local_zone not in _UTC:
        raise ScheduleClock(
            f"the control node's zone is {control.local_zone or 'not known'}, and its cron starts jobs by that zone.",
            local_zone=control.local_zone,
        )
    return False


def check_secret_files(found: Optional[Mapping[str, Mapping[str, Any]]]) -> None:
    """Raise ScheduleInvalid for a file with secrets that is not there, or that everybody may read.

    :param found: what stat says of each path: ``exists`` and ``mode`` (octal text); None where nobody looked.
    """
    for path, facts in sorted((found or {}).items()):
        if not facts.get("exists"):
            raise ScheduleInvalid(f"{path} is not on the control node: the job that needs it would fail each time.")
        mode = int(str(facts["mode"]), 8)
        # A program that fetches a password may be read by all; it has none.
        if mode & (stat.S_IWOTH | stat.S_IWGRP) or (mode & stat.S_IROTH and not mode & stat.S_IXUSR):
            raise ScheduleInvalid(f"{path} has mode {facts['mode']}: others can read or replace it. chmod 0600 it.")
