# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node itself remembers of each host, for the times when the host cannot write.

Under ``wst_backup_control_dir`` (default ``~/.wst-backup``): ``hosts/<inventory name>/events.jsonl`` has one JSON
object per line; ``audit_head.jsonl`` beside it has the heads of the host's audit chain as they were seen, so that a
cut tail of that chain shows. Lines are only ever added.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
from pathlib import Path
from typing import Any, Optional

from ._clock import format_time, utc_now

EVENTS = "events.jsonl"
AUDIT_HEADS = "audit_head.jsonl"


def record(control_dir: str, host: str, entry: dict[str, Any], *, file: str = EVENTS) -> Path:
    """Append the entry, with the time and this control node's name, and flush it to the disk.

    :returns: the file that was written.
    :raises OSError: the control node cannot write either.
    """
    path = make_host_directory(control_dir, host) / file
    full = {"time": format_time(utc_now()), "control_node": socket.gethostname(), "host": host, **entry}
    data = json.dumps(full, sort_keys=True).encode("utf-8") + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    return path


def last_head(control_dir: str, host: str, *, log: str) -> Optional[dict[str, Any]]:
    """The newest head of that audit log that was seen from here: ``seq`` and ``hash``; None when there is none.

    :param log: which log, as it was recorded with the head: two inventories may give one name to two hosts.
    :raises OSError: the record is there and cannot be read.
    """
    try:
        lines = (host_directory(control_dir, host) / AUDIT_HEADS).read_bytes().splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
            if entry["log"] == log:
                return {"seq": int(entry["seq"]), "hash": str(entry["head"])}
        except (ValueError, KeyError, TypeError):
            continue  # torn by a crash, or of another log
    return None


def make_host_directory(control_dir: str, host: str) -> Path:
    """The host's directory here, made where it is missing, for nobody else. Raises OSError."""
    directory = host_directory(control_dir, host)
    for level in (directory.parent.parent, directory.parent, directory):  # parents=True would ignore the mode
        level.mkdir(mode=0o700, parents=level is directory.parent.parent, exist_ok=True)
    return directory


def host_directory(control_dir: str, host: str) -> Path:
    """Where what is known of the host stands here, whether or not it exists."""
    return Path(control_dir).expanduser() / "hosts" / _safe_name(host)


def _safe_name(host: str) -> str:
    """The inventory name as one path component."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", host)
    return name if name.strip(".") else f"_{len(name)}"
