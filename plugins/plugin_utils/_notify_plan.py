# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told what when a job has ended. Decides only; ``_notify`` does it.

Success goes to the heartbeat, whose silence is the alarm, and only with a proof. Failure goes to people.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._clock import format_time, parse_time

BACKUP, RESTORE_TEST, COMPLIANCE = JOBS = ("backup", "restore_test", "compliance")
HEARTBEAT, WEBHOOK, MAIL, EVENT_LOG = "heartbeat", "webhook", "mail", "event_log"
SETTINGS = "settings"  # no channel: where what is wrong with the variables themselves is kept
SUCCESS, FAILURE, NEITHER = "success", "failure", "neither"
PAUSED = "host_paused"  # the run was not to be: nothing has failed, and nothing was proved

_WORDS = {BACKUP: "backup", RESTORE_TEST: "restore test", COMPLIANCE: "compliance"}
_LONGEST = 4000  # characters of a message


@dataclass(frozen=True)
class Ended:
    """A job that has ended on one host.

    :param code: why it failed; empty where it did not.
    :param proof: what shows that it succeeded, such as the name of the set; empty where nothing does.
    """

    job: str
    host: str
    controller: str
    at: datetime
    environment: str = ""
    run_id: str = ""
    code: str = ""
    message: str = ""
    remedy: str = ""
    proof: str = ""


def came_to(ended: Ended) -> str:
    """SUCCESS, FAILURE or NEITHER. Without a proof nothing has succeeded."""
    if ended.code and ended.code != PAUSED:
        return FAILURE
    return SUCCESS if ended.proof and not ended.code else NEITHER


def wanted(ended: Ended, configured: Collection[str], last: Mapping[str, Any], repeat: timedelta) -> tuple[str, ...]:
    """The channels that are to be used now.

    Backups and restore tests are told each time. A host that does not comply is judged every hour, and people who are
    told the same every hour stop reading: that is told when it is another failure, and again after ``repeat``.

    :param last: what is known of this job's channels, by channel (``_notify_state``).
    """
    result = came_to(ended)
    if result == SUCCESS:
        return (HEARTBEAT,) if HEARTBEAT in configured else ()
    if result == NEITHER:
        return ()
    people = [channel for channel in (MAIL, WEBHOOK) if channel in configured]
    return tuple(channel for channel in people if not _told_already(ended, last.get(channel) or {}, repeat))


def _told_already(ended: Ended, last: Mapping[str, Any], repeat: timedelta) -> bool:
    if ended.job != COMPLIANCE or not last.get("told") or last.get("told") != what_failed(ended):
        return False
    try:
        age = ended.at - parse_time(str(last.get("told_at")))
    except ValueError:
        return False
    return timedelta() <= age < repeat


def what_failed(ended: Ended) -> str:
    """What makes two failures the same one."""
    return f"{ended.code} {ended.proof}".strip()


def subject(ended: Ended) -> str:
    """One line for people."""
    return _line(f"wst.backup: {_WORDS[ended.job]} of {ended.host} failed: {ended.code}")


def text(ended: Ended) -> str:
    """The message for people. No secret is in it: codes, messages and remedies have none."""
    facts = [
        ("Host", ended.host),
        ("Environment", ended.environment),
        ("Job", _WORDS[ended.job]),
        ("Run", ended.run_id),
        ("Code", ended.code),
        ("Ended", format_time(ended.at)),
        ("Control node", ended.controller),
    ]
    lines = [f"{name}: {_line(value)}" for name, value in facts if value]
    message, remedy = ended.message.strip(), ended.remedy.strip()
    told = [message[:_LONGEST], *([f"What to do: {remedy[:_LONGEST]}"] if remedy and remedy not in message else [])]
    return "\n".join([*lines, "", *filter(None, told), ""])


def document(ended: Ended) -> dict[str, str]:
    """The same for programs. ``text`` is what chat services show."""
    return {
        "text": f"{subject(ended)}\n{ended.message.strip()[:_LONGEST]}",
        "event": "wst_backup_failed",
        "job": ended.job,
        "host": ended.host,
        "environment": ended.environment,
        "run_id": ended.run_id,
        "code": ended.code,
        "message": ended.message.strip()[:_LONGEST],
        "remedy": ended.remedy.strip()[:_LONGEST],
        "control_node": ended.controller,
        "ended_at": format_time(ended.at),
    }


def _line(value: str) -> str:
    """On one line: a header of a mail must not be continued by what a host has said."""
    return " ".join(value.split())[:200]
