# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The six actions of a WS-Man command shell: Create, Command, Send, Receive, Signal, Delete."""

from __future__ import annotations

import base64
import binascii
import logging
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Protocol

from . import soap
from .commands import Command, encoded
from .environment import logon_environment
from .lanes import Plan
from .launchers import LauncherPool
from .native_command import Refused
from .shells import Shell, Shells
from .soap import NAMES, Fault, Request
from .switches import State, Switches

log = logging.getLogger("wstlab.actions")
STATE = soap.SHELL + "/CommandState/"
SIGNALS = tuple(soap.SHELL + "/signal/" + name for name in ("terminate", "ctrl_c", "ctrl_break"))
MAX_WAIT = 60.0


class Lane(Protocol):
    """How command lines become processes."""

    name: str

    def plan(self, command_line: str, faults: State) -> Plan:
        """The plan, or Refused."""


class ConnectionCut(Exception):
    """The connection is to be closed without an answer."""


class Service:
    """Answers parsed requests."""

    def __init__(self, *, lane: Lane, pool: LauncherPool, shells: Shells, switches: Switches, user: str) -> None:
        self._lane = lane
        self._pool = pool
        self._shells = shells
        self._switches = switches
        self._user = user
        self._actions: dict[str, Callable[[Request, Shell], str]] = {
            soap.SHELL + "/Command": self._command,
            soap.SHELL + "/Send": self._send,
            soap.SHELL + "/Receive": self._receive,
            soap.SHELL + "/Signal": self._signal,
            soap.TRANSFER + "/Delete": self._delete,
        }

    def handle(self, request: Request) -> bytes:
        """The answer; Fault and ConnectionCut are the other ends."""
        if request.resource != soap.CMD_SHELL:
            raise Fault(
                soap.RESOURCE_NOT_FOUND,
                "w:InvalidResourceURI",
                f"the lab serves {soap.CMD_SHELL}, not {request.resource!r}",
            )
        if request.action == soap.TRANSFER + "/Create":
            return soap.answer(request, self._create(request))
        action = self._actions.get(request.action)
        if action is None:
            raise Fault(
                soap.RESOURCE_NOT_FOUND, "a:ActionNotSupported", f"the lab does not know the action {request.action!r}"
            )
        shell = self._shells.get(request.shell_id)
        shell.busy += 1
        try:
            return soap.answer(request, action(request, shell))
        finally:
            shell.busy -= 1
            shell.used_at = time.monotonic()

    def _create(self, request: Request) -> str:
        body = request.body.find("rsp:Shell", NAMES)
        if body is None:
            raise Fault(soap.INVALID_PARAMETER, "w:SchemaValidationError", "Create without a Shell")
        idle = body.findtext("rsp:IdleTimeOut", "", NAMES)
        shell = self._shells.open(
            variables={
                item.get("Name", ""): item.text or "" for item in body.iterfind("rsp:Environment/rsp:Variable", NAMES)
            },
            directory=body.findtext("rsp:WorkingDirectory", None, NAMES),
            idle_timeout=soap.seconds(idle) if idle else None,
        )
        return (
            "<x:ResourceCreated><a:Address>http://localhost/wsman</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{soap.CMD_SHELL}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell.identifier}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell.identifier}</rsp:ShellId></rsp:Shell>"
        )

    def _command(self, request: Request, shell: Shell) -> str:
        line = request.body.find("rsp:CommandLine", NAMES)
        if line is None:
            raise Fault(soap.INVALID_PARAMETER, "w:SchemaValidationError", "Command without a CommandLine")
        words = [line.findtext("rsp:Command", "", NAMES)]
        words += [item.text or "" for item in line.iterfind("rsp:Arguments", NAMES)]
        identifier = str(uuid.uuid4()).upper()
        shell.commands[identifier] = self._start(" ".join(word for word in words if word), shell, request.options)
        return f"<rsp:CommandResponse><rsp:CommandId>{identifier}</rsp:CommandId></rsp:CommandResponse>"

    def _start(self, command_line: str, shell: Shell, options: dict[str, str]) -> Command:
        faults = self._switches.snapshot()
        try:
            plan = self._lane.plan(command_line, faults)
        except Refused as refusal:
            log.warning("refused: %s", refusal)
            command = Command(faults=faults, rewrites_lines=False)
            command.finish(exit_code=1, stderr=f"wst lab: {refusal}\r\n".encode())
            return command
        log.info("command: %.200s", plan.command_line)
        # A console's input is no pipe: $input is empty then, and nobody waits for its end.
        on_console = options.get("WINRS_CONSOLEMODE_STDIN", "TRUE").upper() == "TRUE"
        environment = logon_environment(self._user, "WSTLAB", shell.variables)
        command = Command(faults=faults, rewrites_lines=plan.rewrites_lines)
        command.start(
            self._pool.take(),
            {
                "application": plan.application,
                "command_line": plan.command_line,
                "environment": environment,
                "directory": shell.directory or environment["USERPROFILE"],
            },
            piped=plan.piped and not on_console,
        )
        return command

    def _send(self, request: Request, shell: Shell) -> str:
        for stream in request.body.iterfind("rsp:Send/rsp:Stream", NAMES):
            command = shell.command(stream.get("CommandId", ""))
            if stream.get("Name") != "stdin":
                raise Fault(soap.INVALID_PARAMETER, "w:InvalidParameter", f"no input stream {stream.get('Name')!r}")
            command.feed(_decoded(stream), end=stream.get("End", "false").lower() == "true")
        return "<rsp:SendResponse/>"

    def _receive(self, request: Request, shell: Shell) -> str:
        desired = request.body.find("rsp:Receive/rsp:DesiredStream", NAMES)
        identifier = desired.get("CommandId", "") if desired is not None else ""
        command = shell.command(identifier)
        stall = self._switches.take_stall()
        if stall:
            log.warning("fault: this Receive stalls for %.1f s", stall)
            time.sleep(stall)
        if self._switches.take_cut():
            log.warning("fault: this Receive ends in a cut connection")
            command.wait_changed(0.5)
            raise ConnectionCut
        output = command.receive(min(request.timeout, MAX_WAIT))
        if output is None:
            raise Fault(
                soap.OPERATION_TIMEOUT,
                "w:TimedOut",
                "The WS-Management service cannot complete the operation within the time specified in "
                "OperationTimeout.",
            )
        streams = "".join(
            f'<rsp:Stream Name="{name}" CommandId={soap.attribute(identifier)}>{encoded(data)}</rsp:Stream>'
            for name, data in (("stdout", output.stdout), ("stderr", output.stderr))
            if data
        )
        return f"<rsp:ReceiveResponse>{streams}{_state(identifier, output.exit_code)}</rsp:ReceiveResponse>"

    def _signal(self, request: Request, shell: Shell) -> str:
        if self._switches.snapshot().refuse_signal:
            log.warning("fault: Signal refused")
            raise Fault(soap.ACCESS_DENIED, "w:AccessDenied", "Access is denied.")
        signal = request.body.find("rsp:Signal", NAMES)
        if signal is None or signal.findtext("rsp:Code", "", NAMES) not in SIGNALS:
            raise Fault(soap.INVALID_PARAMETER, "w:InvalidParameter", "the lab knows terminate, ctrl_c and ctrl_break")
        shell.command(signal.get("CommandId", "")).close()
        shell.commands.pop(signal.get("CommandId", ""), None)
        return "<rsp:SignalResponse/>"

    def _delete(self, request: Request, shell: Shell) -> str:
        self._shells.delete(shell, "by its client")
        return ""


def _decoded(stream: ET.Element) -> bytes:
    try:
        return base64.b64decode(stream.text or "")
    except binascii.Error as error:
        raise Fault(soap.INVALID_PARAMETER, "w:SchemaValidationError", f"input is not base64: {error}") from error


def _state(identifier: str, exit_code: int | None) -> str:
    command = soap.attribute(identifier)
    if exit_code is None:
        return f'<rsp:CommandState CommandId={command} State="{STATE}Running"/>'
    return (
        f'<rsp:CommandState CommandId={command} State="{STATE}Done"><rsp:ExitCode>{exit_code}</rsp:ExitCode>'
        "</rsp:CommandState>"
    )
