# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for a VM's own identity in tests: a fake of Azure's metadata service, and a certificate of our own.

The fake answers as its published interface says (``/metadata/identity/oauth2/token``). Its tokens have the claims that
Entra ID's have, and no valid signature.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ISSUER = "https://sts.windows.net/00000000-0000-0000-0000-000000000000/"


@dataclass
class FakeMetadata:
    """The service. ``status`` is what it answers with; ``asked`` are the queries that came."""

    url: str
    status: int = 200
    asked: list[dict[str, list[str]]] = field(default_factory=list)


@contextlib.contextmanager
def metadata() -> Iterator[FakeMetadata]:
    """The fake, for the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    fake = FakeMetadata(f"http://127.0.0.1:{server.server_port}")
    server.fake = fake  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """A token for whom it is asked for."""
        fake: FakeMetadata = self.server.fake  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        status = fake.status if self.headers.get("Metadata") == "true" else 400
        if parts.path == "/metadata/identity/oauth2/token":
            fake.asked.append(query)
        else:
            status = 404
        until = int(time.time()) + 86400
        body = {"error": "invalid_request", "error_description": "Identity not found"}
        if status == 200:
            resource = query["resource"][0]
            body = {"access_token": _token(resource, until), "expires_on": str(until), "expires_in": "86400"}
            body.update(resource=resource, token_type="Bearer")
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_words: object) -> None:
        """Tests are quiet."""


def _token(audience: str, until: int) -> str:
    now = int(time.time()) - 60
    claims = {"aud": audience, "iss": ISSUER, "iat": now, "nbf": now, "exp": until, "oid": "wst", "tid": "wst"}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, "bm9uZQ"])


def certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody vouches for, and its key, as PEM files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = directory / "server.pem", directory / "server.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, private
