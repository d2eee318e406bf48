# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WinRM client for tests: pywinrm's protocol, spoken as Ansible's connection plugin speaks it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winrm.protocol import Protocol

CHUNK = 200_000  # Ansible's
TAIL = "; if ($null -eq $LASTEXITCODE) { exit 127 }; exit $LASTEXITCODE"


@dataclass(frozen=True)
class Result:
    """What a command left."""

    exit_code: int
    stdout: bytes
    stderr: bytes


def native_script(program: str, arguments: Sequence[str], *, piped: bool) -> str:
    """The one form that the lab's interpreter takes."""
    words = " ".join("'" + word.replace("'", "''") + "'" for word in (program, *arguments))
    return f"{'$input | ' if piped else ''}& {words}{TAIL}"


def encoded_command(script: str) -> str:
    """The command line that Ansible sends for a script."""
    text = base64.b64encode(script.encode("utf-16-le")).decode("ascii")
    return f"PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand {text}"


class Client:
    """One host of a lab; ``auth`` is ``basic`` or ``ntlm`` (over TLS), or ``ntlm-http`` (encrypted messages)."""

    def __init__(
        self,
        record: Mapping[str, Any],
        entry: Mapping[str, Any],
        *,
        auth: str = "basic",
        operation_timeout: int = 20,
        read_timeout: int = 30,
        password: str | None = None,
        encryption: str = "auto",
    ) -> None:
        transport, plain = auth.removesuffix("-http"), auth.endswith("-http")
        scheme, port = ("http", entry["http_port"]) if plain else ("https", entry["https_port"])
        self.python = str(entry["paths"]["python"])
        self.protocol = Protocol(
            f"{scheme}://localhost:{port}/wsman",
            transport=transport,  # type: ignore[arg-type]
            username=entry["user"],
            password=password or Path(entry["password_file"]).read_text(encoding="ascii"),
            ca_trust_path=record["ca"],
            operation_timeout_sec=operation_timeout,
            read_timeout_sec=read_timeout,
            message_encryption=encryption,  # type: ignore[arg-type]
            proxy=None,
        )

    def open(self, variables: Mapping[str, str] | None = None) -> str:
        """A shell's id."""
        return self.protocol.open_shell(codepage=65001, env_vars=dict(variables or {}))

    def start(self, shell: str, script: str, *, data: bytes | None = None) -> str:
        """Start a script and feed it all its input; the command's id."""
        command = self.protocol.run_command(shell, encoded_command(script), console_mode_stdin=data is None)
        if data is not None:
            for offset in range(0, max(len(data), 1), CHUNK):
                part = data[offset : offset + CHUNK]
                self.protocol.send_command_input(shell, command, part, end=offset + CHUNK >= len(data))
        return command

    def output(self, shell: str, command: str) -> Result:
        """Wait for the command's end."""
        stdout, stderr, code = self.protocol.get_command_output(shell, command)
        return Result(code, stdout, stderr)

    def run(self, script: str, *, data: bytes | None = None, variables: Mapping[str, str] | None = None) -> Result:
        """One script in a shell of its own."""
        shell = self.open(variables)
        try:
            command = self.start(shell, script, data=data)
            result = self.output(shell, command)
            self.protocol.cleanup_command(shell, command)
        finally:
            self.protocol.close_shell(shell)
        return result

    def python_code(
        self, code: str, *, data: bytes | None = None, variables: Mapping[str, str] | None = None
    ) -> Result:
        """Run a line of Python on the host; like the transport's, it must do without double quotes."""
        script = native_script(self.python, ["-I", "-c", code], piped=data is not None)
        return self.run(script, data=data, variables=variables)
