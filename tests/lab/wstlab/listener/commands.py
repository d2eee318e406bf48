# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command of a shell: its input on the way in, its output until the client has fetched it."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from dataclasses import dataclass

from .launchers import Launcher
from .switches import State

log = logging.getLogger("wstlab.commands")
MAX_RECEIVE = 300_000
NOISE_BEFORE = b"Loading personal and system profiles took 1234ms.\r\nWARNING: a profile said something\r\n"
NOISE_AFTER = b"Transcript stopped, output file is C:\\transcripts\\x.txt\r\n"
# Windows PowerShell writes its errors so when it was started with -EncodedCommand and its output is not a console.
CLIXML = (
    "#< CLIXML\r\n"
    '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><S S="Error">{}</S></Objs>'
)


@dataclass(frozen=True)
class Output:
    """What one Receive carries."""

    stdout: bytes
    stderr: bytes
    exit_code: int | None


class Command:
    """A command's streams and state."""

    def __init__(self, *, faults: State, rewrites_lines: bool) -> None:
        self._faults = faults
        self._rewrites_lines = rewrites_lines
        self._launcher: Launcher | None = None
        self._changed = threading.Condition()
        self._buffers = {b"o": bytearray(), b"e": bytearray()}
        self._open = {b"O", b"E"}
        self._exit_code: int | None = None
        self._line = bytearray()
        self._fed = False
        self._input_open = True

    def start(self, launcher: Launcher, spec: dict[str, object], *, piped: bool) -> None:
        """Run the command; without ``piped`` its input is at its end at once."""
        self._launcher = launcher
        if self._faults.noise:
            self._buffers[b"o"] += NOISE_BEFORE
        launcher.run(spec, self._on_frame)
        if not piped:
            self._input_open = False
            launcher.end_input()

    def finish(self, *, exit_code: int, stderr: bytes) -> None:
        """End a command that never ran."""
        with self._changed:
            self._buffers[b"e"] += stderr
            self._exit_code = exit_code
            self._open.clear()
            self._changed.notify_all()

    def feed(self, data: bytes, *, end: bool) -> None:
        """Input from the client, as the PowerShell in between would pass it on."""
        launcher = self._launcher
        if launcher is None or not self._input_open:
            log.warning("%d bytes of input for a command that takes none", len(data))
            return
        self._tap("in", data + (b"\n" if end else b""))
        if self._rewrites_lines:
            data = self._rewritten(data, end=end)
        if self._rewrites_lines and self._faults.bom and not self._fed and (data or end):
            data = b"\xef\xbb\xbf" + data
            self._fed = True
        launcher.feed(data)
        if end:
            self._input_open = False
            launcher.end_input()

    def _rewritten(self, data: bytes, *, end: bool) -> bytes:
        """Whole lines, each ended by CRLF, anything but ASCII lost: ``$input | program`` in Windows PowerShell 5.1."""
        self._line += data
        *lines, rest = bytes(self._line).split(b"\n")
        self._line = bytearray(rest)
        if end and rest:
            lines.append(rest)
            self._line.clear()
        text = [line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines]
        return b"".join(line.encode("ascii", "replace") + b"\r\n" for line in text)

    def receive(self, timeout: float) -> Output | None:
        """Output and, at the end, the exit code; None when nothing happened in ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._something():
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            stdout, stderr = self._take(b"o"), self._take(b"e")
            empty = not any(self._buffers.values())
            return Output(stdout, stderr, self._exit_code if self._done() and empty else None)

    def wait_changed(self, timeout: float) -> None:
        """Wait for anything to fetch, without fetching it."""
        with self._changed:
            self._changed.wait_for(self._something, timeout)

    def close(self) -> None:
        """Kill what is left of the command and end it for whoever still waits."""
        if self._launcher is not None:
            self._launcher.close()
        with self._changed:
            if self._exit_code is None:
                self._exit_code = 1
            self._open.clear()
            self._changed.notify_all()

    def _something(self) -> bool:
        return any(self._buffers.values()) or self._done()

    def _done(self) -> bool:
        return self._exit_code is not None and not self._open

    def _take(self, kind: bytes) -> bytes:
        buffer = self._buffers[kind]
        data = bytes(buffer[:MAX_RECEIVE])
        del buffer[:MAX_RECEIVE]
        return data

    def _on_frame(self, kind: bytes, payload: bytes) -> None:
        with self._changed:
            if kind in self._buffers:
                self._tap("out", payload)
                self._buffers[kind] += payload
            elif kind in (b"O", b"E"):
                self._open.discard(kind)
            elif kind == b"x":
                # WinRM's exit code is a signed 32-bit number.
                code = int(payload)
                self._exit_code = code - (1 << 32) if code >= 1 << 31 else code
            elif kind == b"f":
                self._not_started(json.loads(payload))
            elif not kind and self._exit_code is None:
                log.warning("a launcher ended before its command")
                self._exit_code = 1
                self._open.clear()
            if kind in (b"O", b"E", b"x") and self._done() and self._faults.noise:
                self._buffers[b"o"] += NOISE_AFTER
            self._changed.notify_all()

    def _tap(self, suffix: str, data: bytes) -> None:
        """Keep what goes over the wire, as it is once TLS is taken off."""
        if self._faults.tap and data:
            with open(f"{self._faults.tap}.{suffix}", "ab") as file:
                file.write(data)

    def _not_started(self, failure: dict[str, object]) -> None:
        """PowerShell's error record, and ``$LASTEXITCODE`` still null."""
        log.info("the program did not start: %s", failure["message"])
        text = f"The term is not recognized or the program failed to run: {failure['message']}_x000D__x000A_"
        self._buffers[b"e"] += CLIXML.format(text.replace("&", "&amp;").replace("<", "&lt;")).encode()
        self._exit_code = 127
        self._open.clear()


def encoded(data: bytes) -> str:
    """Stream content as the envelope carries it."""
    return base64.b64encode(data).decode("ascii")
