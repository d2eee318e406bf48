# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever is told: a web server and a mail server over TLS on the loopback, which answer, refuse, hang or cut."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

HANG, CUT, DRIP = "hang", "cut", "drip"
LIMIT = 30.0  # seconds; a bound on a hang, not a measure


class Server:
    """What arrived, and how the next connections are answered; the last answer stays."""

    def __init__(self, pki: Path, *, immediate_tls: bool = True) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki / "server.pem", pki / "server.key")
        self.immediate_tls = immediate_tls
        self.answers: list[Any] = []
        self.seen: list[Any] = []
        self.connections = 0
        self.ended = threading.Event()
        self.port = 0

    def next(self) -> Any:
        """How this connection is answered."""
        self.connections += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0] if self.answers else None


@contextlib.contextmanager
def serving(
    server: Server, handle: Callable[[Server, socket.socket], None], *, address: str = "127.0.0.1"
) -> Iterator[Server]:
    """The server, at ``server.port``, until the block ends."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(LIMIT)
            with contextlib.suppress(OSError, EOFError):
                connection = self.request
                if server.immediate_tls:
                    connection = server.context.wrap_socket(connection, server_side=True)
                handle(server, connection)
                connection.close()

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Threads((address, 0), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            listening.shutdown()
            thread.join(LIMIT)


def web(server: Server, connection: socket.socket) -> None:
    """One request. The answer is a status, HANG, CUT, DRIP, or the bytes themselves."""
    answer = server.next()
    stream = connection.makefile("rb")
    method, path, _version = stream.readline().decode().split()
    headers = {}
    while line := stream.readline().strip().decode():
        name, _colon, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    server.seen.append((method, path, headers, body))
    if answer == HANG:
        server.ended.wait(LIMIT)
    elif answer == CUT:
        return
    elif answer == DRIP:  # each piece comes in time, and there is no end of them
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        while not server.ended.wait(0.05):
            connection.sendall(b".")
    elif isinstance(answer, bytes):
        connection.sendall(answer)
    else:
        status, more = answer if isinstance(answer, tuple) else (answer or 200, "")
        connection.sendall(f"HTTP/1.1 {status} X\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nok".encode())


class Cut(EOFError):
    """The server goes away in the middle."""


class _Session:
    """A session with the mail server."""

    def __init__(self, server: Server, connection: socket.socket) -> None:
        self.server = server
        self.told: dict[str, Any] = server.next() or {}
        self.login = ""
        self.to: list[str] = []
        self.use(connection)

    def use(self, connection: socket.socket) -> None:
        self.connection, self.stream = connection, connection.makefile("rb")

    def say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def instead(self, command: str, usual: str) -> str:
        """What is said to a command; raises Cut."""
        answer = self.told.get(command)
        if answer == HANG:
            self.server.ended.wait(LIMIT)
        if answer in (HANG, CUT):
            raise Cut
        return usual if answer is None else str(answer)

    def ehlo(self, _line: str) -> None:
        secure = isinstance(self.connection, ssl.SSLSocket)
        self.say(self.instead("EHLO", "250-lab\r\n250 AUTH PLAIN" if secure else "250-lab\r\n250 STARTTLS"))

    def starttls(self, _line: str) -> None:
        self.say("220 go ahead")
        self.use(self.server.context.wrap_socket(self.connection, server_side=True))

    def auth(self, line: str) -> None:
        self.login = line.split()[-1]
        self.say(self.instead("AUTH", "235 welcome"))

    def rcpt(self, line: str) -> None:
        refused = self.told.get("refuses", "\0") in line
        self.say(self.instead("RCPT", "550 no such mailbox" if refused else "250 ok"))
        self.to += [] if refused else [line.partition("<")[2].rstrip(">")]

    def data(self, _line: str) -> None:
        self.say(self.instead("DATA", "354 go on"))
        lines = []
        while (text := self.stream.readline()) != b".\r\n":
            if not text:
                raise Cut
            lines.append(text)
        answer = self.instead("END", "")
        if not answer:
            self.server.seen.append((self.login, self.to, b"".join(lines)))
        self.say(answer or "250 taken")


def mail(server: Server, connection: socket.socket) -> None:
    """One session. The answer is a mapping from a command to what is said to it, HANG or CUT."""
    session = _Session(server, connection)
    known = {each: getattr(session, each.lower()) for each in ("EHLO", "STARTTLS", "AUTH", "RCPT", "DATA")}
    session.say(session.instead("greeting", "220 lab ESMTP"))
    while line := session.stream.readline().decode().strip():
        command = line.split()[0].upper()
        if command in known:
            known[command](line)
        else:
            session.say(session.instead(command, "221 bye" if command == "QUIT" else "250 ok"))
        if command == "QUIT":
            return
