# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the transport tells a module beyond its parameters: the run it belongs to and where its job reports.

The transport registers an in-process module object before Ansible's code starts, so nothing of this touches the
disk, the command line or the environment. Without a transport (unit tests, ``ansible-test``) the context is empty.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import NotProved

CONTEXT_MODULE = "_wst_backup_context"  # the same name as in plugin_utils' runner, which cannot be imported here


@dataclass(frozen=True)
class Context:
    """The run and the job a module works for; every field is None outside of them."""

    run_id: Optional[str] = None
    controller: Optional[str] = None  # who started it: user@control-node
    controller_time: Optional[datetime] = None  # UTC, the control node's clock when it sent the payload
    job_dir: Optional[str] = None
    progress_file: Optional[str] = None
    cancel_file: Optional[str] = None
    audit_anchor: Optional[Tuple[int, str]] = None  # number and hash of the audit log's last record as known elsewhere


def current() -> Context:
    """The context of this process."""
    module = sys.modules.get(CONTEXT_MODULE)
    data: Mapping[str, Any] = getattr(module, "DATA", {}) if module is not None else {}
    time = data.get("controller_time")
    anchor = data.get("audit_anchor")
    return Context(
        run_id=data.get("run_id") or None,
        controller=data.get("controller"),
        controller_time=parse_time(time) if time else None,
        job_dir=data.get("job_dir"),
        progress_file=data.get("progress_file"),
        cancel_file=data.get("cancel_file"),
        audit_anchor=(int(anchor["seq"]), str(anchor["hash"])) if anchor else None,
    )


def secret(name: str) -> Optional[str]:
    """A secret that the control node sent for this task; None where it sent none.

    It stands in the memory of this process only: it is no part of ``Context``, which may be shown.
    """
    module = sys.modules.get(CONTEXT_MODULE)
    secrets: Mapping[str, str] = getattr(module, "DATA", {}).get("secrets") or {}
    return secrets.get(name) or None


def checker() -> Optional[str]:
    """The text of the independent check that the control node sent along; None where it sent none."""
    module = sys.modules.get(CONTEXT_MODULE)
    return getattr(module, "DATA", {}).get("checker") or None


def require_run_id() -> str:
    """The run id; raises ``NotProved`` when the module is called outside of a run."""
    run_id = current().run_id
    if run_id is None:
        raise NotProved("this step belongs to a run, and no run was started (run_lock comes first)")
    return run_id
