# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP around the service: connections that live on, TLS, authentication, faults as status 500."""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer, TCPServer, ThreadingMixIn
from typing import Any

from . import soap
from .actions import ConnectionCut, Service
from .authentication import Authenticator, Credentials, Denied, Undecipherable
from .soap import Fault

log = logging.getLogger("wstlab.web")
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
MAX_ENVELOPE = 500 * 1024  # MaxEnvelopeSizekb of a host with defaults
HANDSHAKE_TIMEOUT = 10.0
KEEP_ALIVE_TIMEOUT = 300.0


class Endpoint(ThreadingMixIn, TCPServer):
    """One listening port. Open connections are known, so that a fault can cut them."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, *, service: Service, credentials: Credentials, tls: ssl.SSLContext | None) -> None:
        self.service = service
        self.credentials = credentials
        self.tls = tls
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request_thread(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Serve one connection; the TLS handshake happens here, so that a slow one holds nobody up."""
        assert isinstance(request, socket.socket)
        connection = request
        try:
            if self.tls is not None:
                request.settimeout(HANDSHAKE_TIMEOUT)
                connection = self.tls.wrap_socket(request, server_side=True)
            connection.settimeout(KEEP_ALIVE_TIMEOUT)
        except (OSError, ssl.SSLError) as error:
            log.info("no TLS connection: %s", error)
            self.shutdown_request(request)
            return
        with self._lock:
            self._connections.add(connection)
        try:
            super().process_request_thread(connection, client_address)
        finally:
            with self._lock:
                self._connections.discard(connection)

    def cut_all(self) -> None:
        """Close every open connection."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            cut(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away; anything else belongs into the log with its traceback."""
        log.debug("a connection ended: %s", sys.exc_info()[1])


def cut(connection: socket.socket) -> None:
    """Close a TCP connection under the feet of whoever uses it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    server: Endpoint

    def __init__(self, request: socket.socket, client_address: object, server: BaseServer) -> None:
        assert isinstance(server, Endpoint)
        self._auth = Authenticator(server.credentials, tls=server.tls is not None)
        super().__init__(request, client_address, server)

    def do_POST(self) -> None:
        """One request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.rstrip("/") != "/wsman":
            self._reply(404, b"")
            return
        try:
            self._auth.check(self.headers.get("Authorization"))
            self._serve(body)
        except Denied as denied:
            self._reply(401, b"", challenge=denied.challenge)
        except Undecipherable as error:
            log.warning("bad request: %s", error)
            self._reply(400, b"")
        except ConnectionCut:
            self.close_connection = True
            cut(self.connection)

    def _serve(self, body: bytes) -> None:
        encrypted = (self.headers.get("Content-Type") or "").startswith("multipart/encrypted")
        if encrypted:
            body = self._auth.decrypt(body)
        if not body:
            self._reply(200, b"")  # the empty message that sets up a session for encryption
            return
        status, answer = self._answer(body, safe=encrypted or self.server.tls is not None)
        if encrypted:
            content_type, answer = self._auth.encrypt(answer)
            self._reply(status, answer, content_type=content_type)
        else:
            self._reply(status, answer)

    def _answer(self, body: bytes, *, safe: bool) -> tuple[int, bytes]:
        message_id = ""
        try:
            if not safe:
                raise Fault(soap.ACCESS_DENIED, "w:AccessDenied", "unencrypted traffic is disabled")
            if len(body) > MAX_ENVELOPE:
                raise Fault(
                    soap.INVALID_PARAMETER,
                    "w:EncodingLimit",
                    f"an envelope of {len(body)} bytes; MaxEnvelopeSizekb allows {MAX_ENVELOPE}",
                )
            request = soap.parse(body)
            message_id = request.message_id
            return 200, self.server.service.handle(request)
        except Fault as fault:
            if fault.code != soap.OPERATION_TIMEOUT:
                log.warning("fault %d: %s", fault.code, fault.reason)
            return 500, soap.fault_envelope(fault, message_id)

    def _reply(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = SOAP_TYPE,
        challenge: tuple[str, ...] = (),
    ) -> None:
        self.send_response(status)
        for offer in challenge:
            self.send_header("WWW-Authenticate", offer)
        if body:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
        """The access log, at debug level."""
        log.debug(format, *args)
