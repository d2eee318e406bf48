# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the command line that a client sends to the process that runs: a real PowerShell, or the lab's interpreter."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from . import native_command
from .native_command import Refused
from .switches import State

MAX_COMMAND_LINE = 8191  # cmd.exe's, as WINRS_SKIP_CMD_SHELL is off


@dataclass(frozen=True)
class Plan:
    """What to start."""

    command_line: str
    application: str | None
    piped: bool
    rewrites_lines: bool  # the lab must do to the input what PowerShell would


class Interpreter:
    """The small interpreter: one native command, no PowerShell process at all."""

    name = "interpreter"

    def plan(self, command_line: str, faults: State) -> Plan:
        """The plan for a command line, or Refused."""
        _check_length(command_line)
        # A native call is allowed in ConstrainedLanguage, and it is the only form taken here: .NET is refused anyway.
        command = native_command.parse(_script(command_line, faults))
        return Plan(command.command_line(), command.program, command.piped, rewrites_lines=True)


class Engine:
    """A real PowerShell under wine; the command line reaches it as it came."""

    name = "engine"

    def __init__(self, program: str) -> None:
        self._program = program

    def plan(self, command_line: str, faults: State) -> Plan:
        """The plan for a command line, or Refused when it is not for PowerShell."""
        _check_length(command_line)
        program, _, arguments = command_line.partition(" ")
        if program.lower().removesuffix(".exe") != "powershell":
            raise Refused(f"the lab runs PowerShell only, not {program!r}")
        prefix = _fault_prefix(faults)
        if prefix:
            script = prefix + native_command.script_of(command_line)
            arguments = "-NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand " + (
                base64.b64encode(script.encode("utf-16-le")).decode("ascii")
            )
        return Plan(f'"{self._program}" {arguments}', self._program, piped=True, rewrites_lines=False)


def _script(command_line: str, faults: State) -> str:
    script = native_command.script_of(command_line)
    if faults.constrained and "[" in script.partition("'")[0]:
        raise Refused("Cannot invoke method. Method invocation is supported only on core types in this language mode.")
    return script


def _fault_prefix(faults: State) -> str:
    prefix = ""
    if faults.bom:
        prefix += "$OutputEncoding=[Text.Encoding]::UTF8;"
    if faults.constrained:
        prefix += "$ExecutionContext.SessionState.LanguageMode='ConstrainedLanguage';"
    return prefix


def _check_length(command_line: str) -> None:
    if len(command_line) > MAX_COMMAND_LINE:
        raise Refused("The command line is too long.")
