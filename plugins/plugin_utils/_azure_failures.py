# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failure of Azure, or of the way to it, is called."""

from __future__ import annotations

import html
import json
from typing import Optional
from urllib.parse import quote

from . import _errors
from ._azure_options import Question


def retry_after(error: Exception) -> Optional[float]:
    """Seconds that the answer asks to wait; Azure tells whole seconds."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    text = str(headers.get("Retry-After", "")).strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def named(error: Exception, question: Question) -> _errors.TransportError:
    """The failure of ours that a failure of Azure's packages is."""
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        IncompleteReadError,
        ServiceRequestTimeoutError,
        ServiceResponseTimeoutError,
    )

    status = getattr(error, "status_code", None)
    place = f"{question.server} in {question.resource_group}"
    facts = {"server": question.server, "resource_group": question.resource_group, "status": status}
    words = _words(error, question.hidden)
    if isinstance(error, (ServiceRequestTimeoutError, ServiceResponseTimeoutError)):
        return _errors.AzureTimeout(f"Azure did not answer about {place}: {words}.", **facts)
    if _is_tls(error):
        return _errors.AzureTls(f"the certificate of who answers was not accepted: {words}.", **facts)
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return _errors.AzureNotAuthorized(f"Azure refuses this for {place}: {words}.", **facts)
    if status == 409:
        return _errors.AzureBusy(f"{place} is busy with another change: {words}.", **facts)
    if status == 404:
        return _errors.AzureAbsent(f"Azure has no {place}: {words}.", **facts)
    if status == 429:
        wait = retry_after(error)
        told = "" if wait is None else f" Azure asks to come back in {wait:.0f} s."
        return _errors.AzureThrottled(f"Azure was asked too often.{told}", retry_after=wait, **facts)
    if isinstance(error, HttpResponseError) and isinstance(status, int) and status >= 300:
        return _errors.AzureTrouble(f"Azure answers {status} about {place}: {words}.", **facts)
    if isinstance(error, HttpResponseError) and not isinstance(error, IncompleteReadError):
        return _errors.AzureTrouble(f"Azure's answer about {place} cannot be read: {words}.", **facts)
    return _errors.AzureUnreachable(f"the connection to Azure failed: {words}.", **facts)


def _is_tls(error: Optional[BaseException]) -> bool:
    """Whether a TLS failure is at the bottom of it; the packages in between have classes of their own for that."""
    for _level in range(10):
        if error is None:
            return False
        if type(error).__name__ == "SSLError" or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = getattr(error, "inner_exception", None) or error.__cause__
    return False


def _words(error: Exception, hidden: str) -> str:
    """Its own words, in one line that fits a screen."""
    text = " ".join(_without(hidden, str(getattr(error, "message", None) or error)).split())
    return (text[:500] + " ..." if len(text) > 500 else text).rstrip(".")


def late(question: Question) -> _errors.AzureTimeout:
    """The failure of a question whose time is over."""
    return _errors.AzureTimeout(
        f"Azure did not answer about {question.server} within {question.timeout:.0f} s.", server=question.server
    )


def _without(hidden: str, text: str) -> str:
    """The text without that secret, also where JSON, a URL or a page have written it in their way."""
    written = {hidden, json.dumps(hidden)[1:-1], quote(hidden, safe=""), html.escape(hidden)}
    for form in sorted(filter(None, written), key=len, reverse=True):
        text = text.replace(form, "***")
    return text
