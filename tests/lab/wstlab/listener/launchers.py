# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the launchers: one Windows process for each command, one more kept warm."""

from __future__ import annotations

import json
import logging
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping
from queue import Empty, Queue

log = logging.getLogger("wstlab.launchers")
START_TIMEOUT = 60.0
MAX_FRAME = 1 << 26


def read_frame(connection: socket.socket) -> tuple[bytes, bytes] | None:
    """The next frame (kind, payload), or None at the end of the connection."""
    header = _exactly(connection, 5)
    if header is None:
        return None
    size = struct.unpack(">I", header[1:])[0]
    if size > MAX_FRAME:
        return None
    payload = _exactly(connection, size)
    return None if payload is None else (header[:1], payload)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = []
    while size:
        try:
            part = connection.recv(min(size, 1 << 20))
        except OSError:
            return None
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def write_frame(connection: socket.socket, kind: bytes, payload: bytes = b"") -> None:
    """Send one frame."""
    connection.sendall(kind + struct.pack(">I", len(payload)) + payload)


class Launcher:
    """One started launcher; closing it kills its job."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def run(self, spec: Mapping[str, object], on_frame: Callable[[bytes, bytes], None]) -> None:
        """Start the command; frames go to ``on_frame`` from a thread, an empty kind at the connection's end."""
        self._send(b"r", json.dumps(spec).encode("ascii"))
        threading.Thread(target=self._read, args=(on_frame,), daemon=True).start()

    def feed(self, data: bytes) -> None:
        """Give the command input."""
        if data:
            self._send(b"i", data)

    def end_input(self) -> None:
        """No more input."""
        self._send(b"I")

    def close(self) -> None:
        """End the launcher; whatever is left in its job dies with it."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._connection.close()

    def _send(self, kind: bytes, payload: bytes = b"") -> None:
        try:
            with self._lock:
                write_frame(self._connection, kind, payload)
        except OSError as error:
            log.warning("a launcher does not listen any more: %s", error)

    def _read(self, on_frame: Callable[[bytes, bytes], None]) -> None:
        while (frame := read_frame(self._connection)) is not None:
            on_frame(*frame)
        on_frame(b"", b"")


class LauncherPool:
    """Starts launchers and hands over connected ones."""

    def __init__(self, argv: list[str], environment: Mapping[str, str]) -> None:
        self._argv = argv
        self._environment = dict(environment)
        self._ready: Queue[Launcher] = Queue()

    def warm(self) -> None:
        """Start one more launcher, for the next command."""
        process = subprocess.Popen(
            self._argv,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def add(self, connection: socket.socket) -> None:
        """A launcher has connected."""
        self._ready.put(Launcher(connection))

    def take(self) -> Launcher:
        """A connected launcher; the next one is started at once."""
        self.warm()
        try:
            return self._ready.get(timeout=START_TIMEOUT)
        except Empty:
            raise RuntimeError(f"no launcher came up within {START_TIMEOUT:.0f} s") from None

    @staticmethod
    def _watch(process: subprocess.Popen[bytes]) -> None:
        """Reap it and keep what it said; its own pipes are never those of the command."""
        output = process.communicate()[0].decode("utf-8", "backslashreplace").strip()
        if output:
            log.warning("launcher %d: %s", process.pid, output)
