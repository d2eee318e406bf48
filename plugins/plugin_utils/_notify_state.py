# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node knows of each host's notifications: ``notifications.json`` in the host's directory.

For each job and channel the last attempt and how it ended, so that the verdict shows a channel that is broken, and what
was told last. It is replaced as a whole; one that cannot be read says nothing, and then more is told, not less.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._control_log import host_directory, make_host_directory
from ansible_collections.wst.backup.plugins.plugin_utils._newfile import write_text

NAME = "notifications.json"
_SCHEMA = 1


def read(control_dir: str, host: str) -> dict[str, dict[str, Any]]:
    """By job, then by channel. Empty where nothing is known."""
    try:
        kept = json.loads((host_directory(control_dir, host) / NAME).read_text(encoding="utf-8"))
        jobs = kept["jobs"] if kept["schema"] == _SCHEMA else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not isinstance(jobs, dict):
        return {}
    return {job: _entries(entries) for job, entries in jobs.items() if isinstance(entries, dict)}


def write(control_dir: str, host: str, known: Mapping[str, Any]) -> None:
    """Keep it. Raises OSError."""
    path = make_host_directory(control_dir, host) / NAME
    write_text(path, json.dumps({"schema": _SCHEMA, "jobs": known}, sort_keys=True) + "\n")


def after(
    last: Mapping[str, Any], attempts: Mapping[str, Mapping[str, Any]], *, configured: Collection[str], ended_well: bool
) -> dict[str, Any]:
    """What is known of a job's channels after these attempts. Pure.

    Channels that are not configured any more are forgotten, and what was told of a failure once the job has succeeded.
    """
    kept = {channel: dict(entry) for channel, entry in last.items() if channel in configured}
    for channel, attempt in attempts.items():
        kept[channel] = {**kept.get(channel, {}), **attempt}
    if ended_well:
        for entry in kept.values():
            entry.update(told="", told_at="")
    return kept


def broken(known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Each channel whose last attempt failed, in words. Pure."""
    return [
        f"notification '{channel}' of {job.replace('_', ' ')} failed on {entry.get('at')}: {entry.get('problem')}"
        for job, channels in sorted(known.items())
        for channel, entry in sorted(channels.items())
        if entry.get("problem")
    ]


def _entries(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {channel: entry for channel, entry in entries.items() if isinstance(entry, dict)}
