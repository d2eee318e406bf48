# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at the other end of a connection: Basic (over TLS only) or NTLM, with message encryption."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import re
import struct
from dataclasses import dataclass

import spnego
from spnego.exceptions import SpnegoError

log = logging.getLogger("wstlab.auth")
PROTOCOL = b"application/HTTP-SPNEGO-session-encrypted"
BOUNDARY = b"--Encrypted Boundary"
_LENGTH = re.compile(rb"Length=(\d+)")


@dataclass(frozen=True)
class Credentials:
    """The one account of a lab host."""

    user: str
    password: str


class Denied(Exception):
    """No entry; ``challenge`` is what to offer in WWW-Authenticate."""

    def __init__(self, challenge: tuple[str, ...]) -> None:
        super().__init__("access denied")
        self.challenge = challenge


class Undecipherable(Exception):
    """An encrypted message that this connection's session can't open; WinRM answers with 400."""


class Authenticator:
    """The state of one TCP connection: NTLM authenticates connections, not requests."""

    def __init__(self, credentials: Credentials, *, tls: bool) -> None:
        self._credentials = credentials
        self._tls = tls
        self._context: spnego.ContextProxy | None = None
        self._established = False

    def check(self, header: str | None) -> None:
        """Return when the request may pass, else raise Denied."""
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() == "basic" and self._tls and self._basic(value):
            return
        if scheme.lower() in ("ntlm", "negotiate"):
            self._negotiate(scheme, value)
        elif not self._established:
            raise Denied(self._offers())

    def _offers(self) -> tuple[str, ...]:
        return ("Negotiate", "NTLM", 'Basic realm="WSMAN"') if self._tls else ("Negotiate", "NTLM")

    def _basic(self, value: str) -> bool:
        try:
            given = base64.b64decode(value)
        except binascii.Error:
            return False
        wanted = f"{self._credentials.user}:{self._credentials.password}".encode()
        return hmac.compare_digest(given, wanted)

    def _negotiate(self, scheme: str, value: str) -> None:
        if self._context is None or self._established:
            self._context, self._established = spnego.server(protocol=scheme.lower()), False
        try:
            token = self._context.step(base64.b64decode(value))
        except (SpnegoError, binascii.Error, ValueError) as error:
            log.warning("NTLM refused: %s", error)
            self._context = None
            raise Denied(self._offers()) from error
        if not self._context.complete:
            raise Denied((f"{scheme} {base64.b64encode(token or b'').decode('ascii')}",))
        self._established = True

    def decrypt(self, body: bytes) -> bytes:
        """The envelope in a ``multipart/encrypted`` body (MS-WSMV 2.2.9.1)."""
        context = self._session()
        _, _, rest = body.partition(BOUNDARY + b"\r\n")
        header, _, part = rest.partition(BOUNDARY + b"\r\n")
        length = _LENGTH.search(header)
        payload = part.removesuffix(BOUNDARY + b"--\r\n").partition(b"Content-Type: application/octet-stream\r\n")[2]
        if length is None or len(payload) < 4:
            raise Undecipherable("not a multipart/encrypted message")
        size = struct.unpack("<i", payload[:4])[0]
        try:
            message = context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])
        except SpnegoError as error:
            raise Undecipherable(str(error)) from error
        if len(message) != int(length[1]):
            raise Undecipherable("the message's length is not the announced one")
        return message

    def encrypt(self, message: bytes) -> tuple[str, bytes]:
        """Content type and body of an encrypted answer."""
        sealed = self._session().wrap_winrm(message)
        body = (
            BOUNDARY + b"\r\n\tContent-Type: " + PROTOCOL + b"\r\n\tOriginalContent: "
            b"type=application/soap+xml;charset=UTF-8;Length="
            + str(len(message)).encode("ascii")
            + b"\r\n"
            + BOUNDARY
            + b"\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<i", len(sealed.header))
            + sealed.header
            + sealed.data
            + BOUNDARY
            + b"--\r\n"
        )
        return f'multipart/encrypted;protocol="{PROTOCOL.decode()}";boundary="Encrypted Boundary"', body

    def _session(self) -> spnego.ContextProxy:
        if self._context is None or not self._established:
            raise Undecipherable("an encrypted message without an NTLM session")
        return self._context
