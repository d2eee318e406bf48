# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shells of one host: made, used, idled out, deleted, and their commands killed with them."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from dataclasses import dataclass, field

from .commands import Command
from .soap import INVALID_PARAMETER, SHELL_NOT_FOUND, Fault
from .switches import Switches

log = logging.getLogger("wstlab.shells")
IDLE_TIMEOUT = 7200.0


@dataclass
class Shell:
    """One WinRS shell."""

    identifier: str
    variables: dict[str, str]
    directory: str | None
    idle_timeout: float
    commands: dict[str, Command] = field(default_factory=dict)
    busy: int = 0  # requests being answered: a waiting Receive keeps a shell from idling out
    used_at: float = field(default_factory=time.monotonic)

    def command(self, identifier: str) -> Command:
        """The command with this id; Fault when there is none."""
        try:
            return self.commands[identifier]
        except KeyError:
            raise Fault(INVALID_PARAMETER, "w:InvalidSelectors", f"no command {identifier!r} in this shell") from None


class Shells:
    """All shells of a host."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._shells: dict[str, Shell] = {}
        self._lock = threading.Lock()

    def open(self, *, variables: dict[str, str], directory: str | None, idle_timeout: float | None) -> Shell:
        """A new shell."""
        shell = Shell(str(uuid.uuid4()).upper(), variables, directory, idle_timeout or IDLE_TIMEOUT)
        with self._lock:
            self._shells[shell.identifier] = shell
        log.info("shell %s opened", shell.identifier)
        return shell

    def get(self, identifier: str | None) -> Shell:
        """The shell with this id; WinRM's own fault when it is not there (any more)."""
        with self._lock:
            shell = self._shells.get((identifier or "").upper())
        if shell is None:
            raise Fault(
                SHELL_NOT_FOUND,
                "w:InvalidSelectors",
                f"The request for the Windows Remote Shell with ShellId {identifier} failed because the shell was "
                "not found on the server.",
            )
        return shell

    def delete(self, shell: Shell, why: str) -> None:
        """End a shell and all that still runs in it."""
        with self._lock:
            self._shells.pop(shell.identifier, None)
        for command in list(shell.commands.values()):
            command.close()
        log.info("shell %s deleted (%s), %d commands ended", shell.identifier, why, len(shell.commands))

    def delete_all(self, why: str) -> None:
        """End every shell."""
        with self._lock:
            shells = list(self._shells.values())
        for shell in shells:
            self.delete(shell, why)

    def expire(self) -> None:
        """End the shells that nobody has used for too long."""
        now, override = time.monotonic(), self._switches.snapshot().idle_seconds
        with self._lock:
            idle = [
                shell
                for shell in self._shells.values()
                if not shell.busy and now - shell.used_at > (override or shell.idle_timeout)
            ]
        for shell in idle:
            self.delete(shell, "idle")

    def count(self) -> dict[str, int]:
        """How many shells and commands there are."""
        with self._lock:
            shells = list(self._shells.values())
        return {"shells": len(shells), "commands": sum(len(shell.commands) for shell in shells)}
