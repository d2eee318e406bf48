# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a running listener: switch faults on and off, ask how many shells there are."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from .config import HostPaths, LabError
from .listener.launchers import read_frame, write_frame

TIMEOUT = 15.0


def backdoor_file(host: HostPaths) -> Path:
    """Where the listener writes its loopback port and token."""
    return host.run / "listener.backdoor.json"


def ask(host: HostPaths, command: str, **values: object) -> dict[str, Any]:
    """Send one request to the host's listener; its answer. LabError when it does not run or refuses."""
    try:
        door = json.loads(backdoor_file(host).read_text(encoding="ascii"))
        with socket.create_connection(("127.0.0.1", door["port"]), timeout=TIMEOUT) as connection:
            request = {"command": command, "token": door["token"], **values}
            write_frame(connection, b"c", json.dumps(request).encode("ascii"))
            frame = read_frame(connection)
    except OSError as error:
        raise LabError(f"the listener of {host.name} does not answer: {error}") from error
    if frame is None:
        raise LabError(f"the listener of {host.name} gave no answer")
    reply: dict[str, Any] = json.loads(frame[1])
    if "error" in reply:
        raise LabError(reply["error"])
    return reply
