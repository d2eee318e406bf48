# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab host's listener: its endpoints, its back door for launchers and for the fault switches."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .actions import Lane, Service
from .authentication import Credentials
from .lanes import Engine, Interpreter
from .launchers import LauncherPool, read_frame, write_frame
from .shells import Shells
from .switches import Switches
from .web import Endpoint

log = logging.getLogger("wstlab.host")
EXPIRY_INTERVAL = 0.25


@dataclass(frozen=True)
class Settings:
    """What the lab tells its listener; the JSON file has these keys."""

    https_port: int
    http_port: int
    certificate: str
    key: str
    user: str
    password_file: str
    ntlm_user_file: str
    windows_user: str
    launcher_argv: list[str]
    launcher_environment: dict[str, str]
    engine: str | None
    backdoor_file: str

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read the file that ``up`` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


class Host:
    """Runs until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = secrets.token_hex(16)
        self._switches = Switches()
        self._shells = Shells(self._switches)
        self._backdoor = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._pool = LauncherPool(
            [*settings.launcher_argv, str(self._backdoor.getsockname()[1]), self._token], settings.launcher_environment
        )
        lane: Lane = Engine(settings.engine) if settings.engine else Interpreter()
        self._service = Service(
            lane=lane, pool=self._pool, shells=self._shells, switches=self._switches, user=settings.windows_user
        )
        password = Path(settings.password_file).read_text(encoding="ascii").strip()
        self._credentials = Credentials(settings.user, password)
        self._endpoints: list[Endpoint] = []
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        log.info("PowerShell lane: %s", lane.name)

    def serve(self) -> None:
        """Listen until ``stopped`` is set."""
        os.environ["NTLM_USER_FILE"] = self._settings.ntlm_user_file
        threading.Thread(target=self._accept, daemon=True).start()
        self._pool.warm()
        self.listen()
        # Written last: whoever sees the file finds the ports open.
        written = Path(self._settings.backdoor_file)
        partial = written.with_name(written.name + ".partial")
        partial.write_text(json.dumps({"port": self._backdoor.getsockname()[1], "token": self._token}), "ascii")
        partial.replace(written)
        while not self.stopped.wait(EXPIRY_INTERVAL):
            self._shells.expire()
        self.deafen()
        self._shells.delete_all("listener stops")

    def listen(self) -> None:
        """Open both ports."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._settings.certificate, self._settings.key)
        with self._lock:
            if self._endpoints:
                return
            for port, tls in ((self._settings.https_port, context), (self._settings.http_port, None)):
                endpoint = Endpoint(port, service=self._service, credentials=self._credentials, tls=tls)
                threading.Thread(target=endpoint.serve_forever, args=(0.05,), daemon=True).start()
                self._endpoints.append(endpoint)

    def deafen(self) -> None:
        """Close both ports and every connection."""
        with self._lock:
            endpoints, self._endpoints = self._endpoints, []
        for endpoint in endpoints:
            endpoint.shutdown()
            endpoint.server_close()
            endpoint.cut_all()

    def _restart(self, seconds: float) -> None:
        """The WinRM service restarts: its shells and their jobs are gone, and it is back after ``seconds``."""
        log.warning("fault: the listener restarts, %.1f s", seconds)
        self.deafen()
        self._shells.delete_all("listener restarts")
        threading.Thread(target=self._listen_later, args=(seconds,), daemon=True).start()

    def _listen_later(self, seconds: float) -> None:
        time.sleep(seconds)
        self.listen()

    def _accept(self) -> None:
        while True:
            connection, _ = self._backdoor.accept()
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        """Launchers stay (``h``), a control request (``c``) gets one answer."""
        frame = read_frame(connection)
        if frame == (b"h", self._token.encode("ascii")):
            self._pool.add(connection)
            return
        with connection:
            if frame is None or frame[0] != b"c":
                return
            request = json.loads(frame[1])
            if not secrets.compare_digest(str(request.pop("token", "")), self._token):
                return
            try:
                reply = self._control(request)
            except (KeyError, TypeError, ValueError) as error:
                reply = {"error": str(error)}
            write_frame(connection, b"c", json.dumps(reply).encode("ascii"))

    def _control(self, request: dict[str, object]) -> dict[str, object]:
        command = request.pop("command")
        if command == "set":
            state = self._switches.set(**request)
            if state["unreachable"]:
                self.deafen()
            return state
        if command == "clear":
            state = self._switches.clear()
            self.listen()
            return state
        if command == "restart":
            seconds = float(str(request["seconds"]))
            self._restart(seconds)
            return {"seconds": seconds}
        if command == "status":
            return {**self._shells.count(), "faults": vars(self._switches.snapshot())}
        raise ValueError(f"no such command: {command}")
