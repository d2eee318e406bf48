# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A FAKE of Azure, at the outermost edge: an HTTPS server that answers as login and resource manager do.

Its answers have the form of Azure's published schema (Microsoft.DBforPostgreSQL/flexibleServers). It is not Azure:
what only Azure can show is in ``docs/not-proven-here.md``. Everything on this side of the wire is real.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

SUBSCRIPTION = "00000000-0000-0000-0000-00000000cafe"
GROUP, SERVER, TENANT = "wst-prod", "wst-prod-db", "00000000-0000-0000-0000-0000000000aa"
PLACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{SERVER}"
)
ADMINISTRATOR = "wst_admin"
HOST = f"{SERVER}.postgres.database.azure.com"
OPERATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.DBforPostgreSQL/locations/westeurope/operations/one"
SECRET = "a-client-secret-that-nobody-shows"  # not-a-secret: of the fake alone

Answer = Callable[[BaseHTTPRequestHandler], None]


def resource(**backup: Any) -> dict[str, Any]:
    """The server as the resource manager tells it."""
    told = {
        "backupRetentionDays": 14,
        "geoRedundantBackup": "Enabled",
        "earliestRestoreDate": "2026-11-16T14:00:00.1234567+00:00",
        **backup,
    }
    return {
        "id": PLACE,
        "name": SERVER,
        "type": "Microsoft.DBforPostgreSQL/flexibleServers",
        "location": "West Europe",
        "systemData": {"createdAt": "2026-06-01T18:30:22.123456Z"},
        "properties": {
            "version": "17",
            "state": "Ready",
            "fullyQualifiedDomainName": HOST,
            "administratorLogin": ADMINISTRATOR,
            "authConfig": {"activeDirectoryAuth": "Disabled", "passwordAuth": "Enabled"},
            "replicationRole": "Primary",
            "backup": told,
        },
    }


def server_with(**properties: Any) -> dict[str, Any]:
    """The same with other properties."""
    told = resource()
    return {**told, "properties": {**told["properties"], **properties}}


def backup(name: str, completed: str | None, kind: str = "Full") -> dict[str, Any]:
    """One of its backups, by default one that it made by itself."""
    properties = {"backupType": kind, "completedTime": completed, "source": "Automatic"}
    return {"id": f"{PLACE}/backups/{name}", "name": name, "properties": properties}


def said(status: int, body: Any, **headers: str) -> Answer:
    """An answer of JSON."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def refused(status: int, code: str, **headers: str) -> Answer:
    """An error in the resource manager's form."""
    return said(status, {"error": {"code": code, "message": f"{code}, says the fake"}}, **headers)


def cut(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": ')
    handler.wfile.flush()
    handler.close_connection = True


def ended(status: str, error: str = "") -> Answer:
    """A change as it stands."""
    return said(200, {"status": status, **({"error": {"code": error, "message": error}} if error else {})})


class FakeArm:
    """What it answers, by what is asked for, each list used up to its last entry; and what it was asked.

    :ivar passwords: what it was told, in this order.
    :ivar sets: what it does with the last of them when a change succeeds: Azure would set it on the server.
    """

    def __init__(self) -> None:
        self.update: list[Answer] = [self.accepted]
        self.operation: list[Answer] = [self.succeeded]
        self.passwords: list[str] = []
        self.sets: Callable[[str], None] = lambda _password: None
        self.server: list[Answer] = [said(200, resource())]
        self.backups: list[Answer] = [said(200, {"value": []})]
        self.token: list[Answer] = [said(200, {"token_type": "Bearer", "expires_in": 3600, "access_token": "t0ken"})]
        self.asked: list[str] = []
        self.logins: list[dict[str, list[str]]] = []
        self.closing = threading.Event()
        self.url = ""

    def accepted(self, handler: BaseHTTPRequestHandler) -> None:
        """The change has begun; where to look for its end."""
        where = f"{self.url}{OPERATION}"
        headers = {"Azure-AsyncOperation": where, "Location": f"{where}/result"}
        said(202, {"operation": "UpdateServer", "startTime": "2026-11-30T14:00:00Z"}, **headers)(handler)

    def succeeded(self, handler: BaseHTTPRequestHandler) -> None:
        """The change has ended well, and the server has the password."""
        self.sets(self.passwords[-1])
        ended("Succeeded")(handler)

    def set_and_cut(self, handler: BaseHTTPRequestHandler) -> None:
        """The server has the password, and nobody is told."""
        self.sets(self.passwords[-1])
        cut(handler)

    def trickle(self, handler: BaseHTTPRequestHandler) -> None:
        """One byte at a time, for as long as anybody listens."""
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not self.closing.wait(0.2):
                handler.wfile.write(b" ")
                handler.wfile.flush()

    def silent(self, handler: BaseHTTPRequestHandler) -> None:
        """Not a byte."""
        self.closing.wait(30)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer."""
        path = urlsplit(handler.path).path
        self.asked.append(f"{handler.command} {path}")
        base = f"{self.url}/{TENANT}"
        if path.endswith("/openid-configuration"):
            names = {"token_endpoint": "token", "authorization_endpoint": "authorize"}
            places = {name: f"{base}/oauth2/v2.0/{place}" for name, place in names.items()}
            said(200, {**places, "issuer": f"{base}/v2.0", "jwks_uri": f"{base}/keys"})(handler)
        elif path.endswith("/token"):
            length = int(handler.headers["Content-Length"])
            self.logins.append(parse_qs(handler.rfile.read(length).decode()))
            _next(self.token)(handler)
        elif handler.headers.get("Authorization") != "Bearer t0ken":
            refused(401, "AuthenticationFailed")(handler)
        elif path == PLACE and handler.command == "PATCH":
            body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
            assert list(body) == ["properties"], body
            assert list(body["properties"]) == ["administratorLoginPassword"], body
            self.passwords.append(body["properties"]["administratorLoginPassword"])
            _next(self.update)(handler)
        elif path == OPERATION:
            _next(self.operation)(handler)
        elif path == PLACE:
            _next(self.server)(handler)
        elif path == f"{PLACE}/backups":
            _next(self.backups)(handler)
        else:
            refused(404, "ResourceNotFound")(handler)


def _next(answers: list[Answer]) -> Answer:
    return answers.pop(0) if len(answers) > 1 else answers[0]


@contextlib.contextmanager
def serving(pki: Path) -> Iterator[FakeArm]:
    """The fake on a free port of this machine, with the certificate of ``make_pki``."""
    fake = FakeArm()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fake.handle(self)

        def do_POST(self) -> None:
            fake.handle(self)

        def do_PATCH(self) -> None:
            fake.handle(self)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name in the library
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is what some tests are about."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "server.pem", pki / "server.key")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    fake.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
