# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that start jobs: units of systemd, or one table of cron. Decides only; a role writes them.

Each file says in its second line whose it is, so that what this made, and nothing else, can be taken away again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ScheduleInvalid, ScheduleOccupied
from ansible_collections.wst.backup.plugins.plugin_utils._schedule_forms import calendar, crontab, words
from ansible_collections.wst.backup.plugins.plugin_utils._schedule_jobs import NAME, Job

_CRON_LINE = 990  # characters of a command that every cron takes
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Settings:
    """What all files of a schedule have in common. Paths are absolute, ``timeouts`` (by job) and ``delay`` seconds."""

    name: str
    user: str
    directory: str
    program: str
    inventory: str
    timeouts: Mapping[str, int]
    delay: int
    cron_tz: bool = False

    def check(self) -> None:
        """Raise ScheduleInvalid for what cannot stand in a file of ours."""
        if not NAME.fullmatch(self.name):
            raise ScheduleInvalid(f"{self.name!r} is no name for a schedule: lower case letters, digits and dashes.")
        if not _USER.fullmatch(self.user):
            raise ScheduleInvalid(f"{self.user!r} is no name of a user.")
        for path in (self.directory, self.program, self.inventory):
            if not path.startswith("/") or re.search(r"[\x00-\x1f\x7f]", path):
                raise ScheduleInvalid(f"{path!r} is no absolute path.")


def units(found: Sequence[Job], settings: Settings) -> dict[str, str]:
    """The units of systemd, text by file name."""
    settings.check()
    made = {}
    for job in found:
        made[f"{settings.name}-{job.key}.service"] = _service(job, settings)
        made[f"{settings.name}-{job.key}.timer"] = _timer(job, settings)
    return made


def cron(found: Sequence[Job], settings: Settings) -> dict[str, str]:
    """The one table of cron, text by file name. Raises ScheduleInvalid for a command that cron would cut."""
    settings.check()
    lines = [*_head(settings), "LC_ALL=C.UTF-8"]  # Ansible does not start without a locale of UTF-8
    if settings.cron_tz:
        lines.append("CRON_TZ=UTC")
    for job in found:
        lines += [f"# {_about(job)}: {words(job.start)}", _cron_line(job, settings)]
    return {settings.name: "\n".join(lines) + "\n"}


def removable(
    wanted: Mapping[str, str], *, existing: Sequence[str], ours: Sequence[str], elsewhere: Sequence[str] = ()
) -> list[str]:
    """The files of ours that are not wanted any more. Raises ScheduleOccupied where a wanted one is another's.

    :param existing: names of all files there.
    :param ours: names of those that say that they are this schedule's.
    :param elsewhere: paths of files of this schedule for the other kind, which would start each job a second time.
    """
    if elsewhere:
        raise ScheduleOccupied(
            f"{', '.join(sorted(elsewhere))}: this schedule is there already, for the other schedule_kind, and would "
            "start each job twice. Take that one away first, with schedule_state absent.",
            files=sorted(elsewhere),
        )
    taken = sorted(set(wanted) & (set(existing) - set(ours)))
    if taken:
        raise ScheduleOccupied(f"{', '.join(taken)}: not made by this schedule.", files=taken)
    return sorted(set(ours) - set(wanted))


def quoted(word: str) -> str:
    """One word of ``ExecStart=``: systemd.service(5) reads escapes, then variables ($) and specifiers (%)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _head(settings: Settings) -> list[str]:
    return [
        "# Made by role wst.backup.schedule: what is changed here is lost.",
        f"# wst.backup.schedule: {settings.name}",
    ]


def _about(job: Job) -> str:
    wanted = job.start.wanted
    return f"wst.backup: {wanted.job.replace('_', ' ')} of {', '.join(job.hosts)}"


def _service(job: Job, settings: Settings) -> str:
    command = " ".join(quoted(word) for word in job.arguments(settings.program, settings.inventory))
    return "\n".join(
        [
            *_head(settings),
            "[Unit]",
            f"Description={_plain(_about(job))}",
            "Wants=network-online.target",
            "After=network-online.target",
            "",
            "[Service]",
            "Type=oneshot",
            f"User={settings.user}",
            f"WorkingDirectory={_plain(settings.directory)}",
            "# Ansible does not start without a locale of UTF-8, and a service has none.",
            "Environment=LC_ALL=C.UTF-8",
            f"ExecStart={command}",
            f"TimeoutStartSec={settings.timeouts[job.start.wanted.job]}",
            "# An interrupt cancels the step on the host and waits for its end; nothing unproved is published.",
            "KillSignal=SIGINT",
            "TimeoutStopSec=900",
            "UMask=0077",
            "NoNewPrivileges=yes",
            "PrivateTmp=yes",
            "PrivateDevices=yes",
            "ProtectSystem=full",
            "ProtectControlGroups=yes",
            "ProtectKernelModules=yes",
            "ProtectKernelTunables=yes",
            "ProtectKernelLogs=yes",
            "ProtectClock=yes",
            "ProtectHostname=yes",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
            "RestrictNamespaces=yes",
            "RestrictRealtime=yes",
            "RestrictSUIDSGID=yes",
            "LockPersonality=yes",
            "SystemCallArchitectures=native",
            "",
        ]
    )


def _timer(job: Job, settings: Settings) -> str:
    return "\n".join(
        [
            *_head(settings),
            "[Unit]",
            f"Description={_plain(_about(job))}, {_plain(words(job.start))}",
            "",
            "[Timer]",
            f"OnCalendar={calendar(job.start)}",
            "# What was missed while this machine was off is done when it is back, at whatever time that is.",
            "Persistent=true",
            "# The same delay each time, so that two runs are as far apart as the calendar says.",
            f"RandomizedDelaySec={settings.delay}",
            "FixedRandomDelay=true",
            "AccuracySec=1s",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        ]
    )


def _plain(text: str) -> str:
    """A value that is no command: only specifiers are read in it."""
    return text.replace("%", "%%")


def _cron_line(job: Job, settings: Settings) -> str:
    limit = str(settings.timeouts[job.start.wanted.job])
    # timeout(1) sends what Ctrl-C sends: it cancels the step on the host.
    argv = ["timeout", "--signal=INT", "--kill-after=900", limit, *job.arguments(settings.program, settings.inventory)]
    command = f"cd {shlex.quote(settings.directory)} && exec {shlex.join(argv)}".replace("%", "\\%")
    if len(command) > _CRON_LINE:
        raise ScheduleInvalid(
            f"the command of {job.key} has {len(command)} characters, and some crons cut what has more than "
            f"{_CRON_LINE}: make groups of the hosts, or use schedule_kind systemd.",
            job=job.key,
        )
    return f"{crontab(job.start)} {settings.user} {command}"
