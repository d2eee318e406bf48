# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between the SDK and the blob server, which breaks what a test tells it to break, and counts what passes.

Real connections on both sides: a fault here is what the SDK sees of a broken network or a server in trouble.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CHUNK = 16 << 10


@dataclass(frozen=True)
class Call:
    """A request that came."""

    method: str
    comp: str  # block, blocklist, list, properties ...
    blob: str  # the path after the container
    restype: str = ""

    @property
    def name(self) -> str:
        """What it does, in a word."""
        if self.restype == "container" and self.comp != "list":
            return "container"
        if self.method == "PUT":
            return {"block": "stage", "blocklist": "commit"}.get(self.comp, "put")
        if self.method == "GET":
            return {"blocklist": "staged", "list": "list"}.get(self.comp, "read")
        return self.method.lower()


@dataclass
class Fault:
    """What to do to a request.

    :param status: answer with it, and let nothing pass.
    :param cut_request: close after so many bytes of the body, which the server then never has in full.
    :param lose_answer: the server does it, and the client never hears of it.
    :param cut_answer: close after so many bytes of the answer's body.
    :param flip_request: change the byte at that place of the body on its way there.
    :param flip_answer: change the byte at that place of the body on its way back.
    """

    status: int = 0
    retry_after: str = ""
    cut_request: int | None = None
    lose_answer: bool = False
    cut_answer: int | None = None
    flip_request: int | None = None
    flip_answer: int | None = None


Script = Callable[[Call, int], "Fault | None"]  # the request, and how many of its name came before it


@dataclass
class Proxy:
    """The proxy and what it has seen. ``script`` may be changed at any time."""

    url: str
    target: str
    script: Script = lambda _call, _number: None
    seen: list[Call] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def count(self, name: str) -> int:
        """How many of that name came."""
        return sum(call.name == name for call in self.seen)

    def note(self, call: Call) -> Fault:
        """Remember it, and what is to be done to it."""
        with self.guard:
            number = self.count(call.name)
            self.seen.append(call)
        return self.script(call, number) or Fault()


@contextlib.contextmanager
def between(account_url: str) -> Iterator[Proxy]:
    """A proxy to that account, for the block; its ``url`` is the account's seen through it."""
    parts = urlsplit(account_url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}{parts.path}", parts.netloc)
    server.proxy = proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        comp, restype = (query.get(name, [""])[0] for name in ("comp", "restype"))
        fault = proxy.note(Call(self.command, comp, "/".join(parts.path.split("/")[3:]), restype))
        length = int(self.headers.get("Content-Length") or 0)
        if fault.cut_request is not None:
            self.rfile.read(min(fault.cut_request, length))
            self._break()
            return
        body = self.rfile.read(length)
        if fault.status:
            self._answer(fault.status, [("Retry-After", fault.retry_after)] if fault.retry_after else [], b"")
            return
        if fault.flip_request is not None:
            body = _flipped(body, fault.flip_request)
        status, headers, content = self._pass_on(proxy, body)
        if fault.lose_answer:
            self._break()
            return
        if fault.flip_answer is not None:
            content = _flipped(content, fault.flip_answer)
        self._answer(status, headers, content, fault.cut_answer)

    def do_GET(self) -> None:
        """Parts of blobs, and lists."""
        self._serve()

    def do_HEAD(self) -> None:
        """What is known of a blob."""
        self._serve()

    def do_PUT(self) -> None:
        """Blocks, and their commit."""
        self._serve()

    def _pass_on(self, proxy: Proxy, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(proxy.target, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            connection.request(self.command, self.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            kept = [
                (name, value)
                for name, value in answer.getheaders()
                if name.lower() not in ("connection", "transfer-encoding", "keep-alive", "date", "server")
            ]
            return answer.status, kept, content
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        names = {name.lower() for name, _value in headers}
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(content if cut is None else content[:cut])
        if cut is not None:
            self.wfile.flush()
            self._break()

    def _break(self) -> None:
        """As a network does: no farewell."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_words: object) -> None:
        """Tests are quiet."""


def _flipped(body: bytes, place: int) -> bytes:
    changed = bytearray(body)
    if changed:
        changed[place % len(changed)] ^= 1
    return bytes(changed)
