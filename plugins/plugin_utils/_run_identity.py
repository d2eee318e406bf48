# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run a task belongs to, and who started it.

The run id is a fact of the host. Facts may outlive a play (fact caching), so it comes with the identity of the
``ansible-playbook`` process that made it: the id of a run that died is never taken for ours.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

RUN_ID = "wst_backup_run_id"
OWNER = "wst_backup_run_owner"

_FORM = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


def new_run_id(now: datetime) -> str:
    """``YYYYMMDD-HHMMSS-<8 hex>`` of a UTC time."""
    return f"{now.astimezone(timezone.utc):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def owner() -> str:
    """The process that runs the play: tasks are executed in its children."""
    pid = os.getppid()
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            born = file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        born = "0"  # not Linux
    return f"{socket.gethostname()}/{pid}/{born}"


def current_run_id(task_vars: Mapping[str, Any]) -> str:
    """The run that this play holds on the host of the task, or an empty string.

    A variable that somebody set on purpose counts as well; a fact counts only if this very process made it.
    """
    facts = task_vars.get("ansible_facts") or {}
    fact = str(facts.get(RUN_ID) or "")
    if RUN_ID in facts:
        candidate = fact if facts.get(OWNER) == owner() else ""
    else:
        candidate = str(task_vars.get(RUN_ID) or "")
    return candidate if _FORM.fullmatch(candidate) else ""


def controller() -> str:
    """``user@control-node``, as it stands in audit records."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
