# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking an address over HTTPS: the heartbeat and the webhook. No message quotes the address: it is a secret."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Optional

from ._errors import NotifyInvalid, NotifyRefused, NotifyUnreachable, NotifyUntrusted, TransportError

_LONGEST = 65536  # bytes of an answer that are read
_AGAIN = frozenset({408, 429})
_HEADERS = {"User-Agent": "wst.backup", "Accept": "*/*"}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry what we say to somebody else, and turn a POST into a GET."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """Follow none: the answer stays the redirect itself."""


def ask(url: str, *, context: ssl.SSLContext, timeout: float, document: Optional[Mapping[str, str]] = None) -> None:
    """GET the address, or POST the document to it as JSON. Done is what the other side answered with 2xx, whole.

    :param timeout: seconds for the connection and for each piece of the answer.
    :raises NotifyUnreachable: no connection, no answer, or one that was cut.
    :raises NotifyUntrusted: the certificate.
    :raises NotifyRefused: any other answer.
    """
    body = None if document is None else json.dumps(document).encode("utf-8")
    headers = _HEADERS if body is None else {**_HEADERS, "Content-Type": "application/json; charset=utf-8"}
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))
    try:
        request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310  # nosec B310  # https, see _notify_settings
        with opener.open(request, timeout=timeout) as answer:
            _read_whole(answer)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(error.code) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise named(error) from None  # its text may hold the address


def _read_whole(answer: Any) -> None:
    told = answer.headers.get("Content-Length", "")
    got = len(answer.read(_LONGEST))
    if told.isdigit() and got < min(int(told), _LONGEST):
        raise NotifyUnreachable("the answer was cut.")


def _refused(status: int) -> NotifyRefused:
    lasting = not (status in _AGAIN or status >= 500)
    more = ", which is not followed" if 300 <= status < 400 else ""
    return NotifyRefused(f"the answer was HTTP {status}{more}.", status=status, lasting=lasting)


def named(error: Exception) -> TransportError:
    """The failure's name. Only words of the system's and of OpenSSL's are told, never the exception's own."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NotifyUntrusted(f"the server's certificate is not to be trusted: {cause.verify_message}.")
    if isinstance(cause, TimeoutError):
        return NotifyUnreachable("there was no answer in time.")
    if isinstance(cause, ssl.SSLError):
        return NotifyUnreachable(f"TLS failed: {cause.reason or type(cause).__name__}.")
    if isinstance(cause, OSError):
        return NotifyUnreachable(f"there is no connection: {cause.strerror or type(cause).__name__}.")
    if isinstance(cause, http.client.InvalidURL) or not isinstance(cause, http.client.HTTPException):
        return NotifyInvalid("the address cannot be used.")
    return NotifyUnreachable(f"the answer was cut or is no HTTP ({type(cause).__name__}).")
