# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application pools of IIS, through its own program appcmd."""

from __future__ import annotations

from typing import List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import ServiceFailed, ToolMissing
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._process import run_tool

_STATES = {"Started": "running", "Stopped": "stopped", "Starting": "start_pending", "Stopping": "stop_pending"}
_TIMEOUT = 60.0  # seconds that appcmd itself may take
_SHOWN = 500  # characters of its output


def state(name: str) -> Optional[str]:
    """What the pool is doing, in the words of services; None where there is none. Raises ToolFailed, ToolMissing."""
    exit_code, output = _appcmd("list", "apppool", f"/apppool.name:{name}", "/text:state")
    # appcmd says on its standard output, in the host's language, what it did not find.
    return _STATES.get(output.strip(), "unknown") if exit_code == 0 and output.strip() else None


def stop(name: str) -> None:
    """Ask it to stop. Raises ServiceFailed, ToolFailed, ToolMissing."""
    _change("stop", name)


def start(name: str) -> None:
    """Ask it to start. Raises ServiceFailed, ToolFailed, ToolMissing."""
    _change("start", name)


def _change(verb: str, name: str) -> None:
    exit_code, output = _appcmd(verb, "apppool", f"/apppool.name:{name}")
    if exit_code:
        said = " ".join(output.split())[:_SHOWN]
        raise ServiceFailed(f"application pool {name}: {said or f'appcmd ends with {exit_code}'}", unit=name)


def _appcmd(*arguments: str) -> Tuple[int, str]:
    program = api.appcmd()
    if program is None:
        raise ToolMissing("this host has no appcmd.exe, so no application pools of IIS", program="appcmd.exe")
    parts: List[bytes] = []
    done = run_tool([program, *arguments], timeout=_TIMEOUT, consume=parts.append)
    return done.exit_code, b"".join(parts).decode("utf-8", "backslashreplace")
