# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failure of Azure, or of the way to it, is called. Looks at the SDK's exceptions and imports none of it."""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    OffsiteBusy,
    OffsiteContainerMissing,
    OffsiteRejected,
    OffsiteTlsFailed,
    OffsiteUnauthorised,
    OffsiteUnreachable,
)

_BUSY = (408, 429, 500, 502, 503, 504)
_NO_CONTAINER = ("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled", "InvalidResourceName")
_NO_BLOB = ("BlobNotFound", "ResourceNotFound")
_TAKEN = ("BlobAlreadyExists", "BlobImmutableDueToPolicy", "UnauthorizedBlobOverwrite")
_WORDS_OF = {
    "BlobArchived": "the blob is in the archive tier: it must be rehydrated first (az storage blob set-tier)",
    "AuthorizationFailure": "the account's firewall, or its rules for networks, keep this host out",
    "InvalidBlobOrBlock": "blocks of another size or name wait under this name; Azure drops them after a week",
    "Md5Mismatch": "what arrived was not what was sent",
}
_AGAIN = ("Md5Mismatch", "Crc64Mismatch")  # the line's fault: sent once more
_SIGNED = re.compile(r"(?i)(?<![a-z])(sig|signature|access_token|accountkey)(=|%3D|[\"']?\s*:\s*[\"']?)[^\s&,;'\"<>)]*")
LONGEST = 300  # characters of somebody else's words


def is_of_azure(error: BaseException) -> bool:
    """Whether the SDK, or what it stands on, raised it; everything else is a defect of ours, and is told as one."""
    modules = {each.__module__.split(".")[0] for each in type(error).__mro__}
    return bool(modules & {"azure", "requests", "urllib3", "msal"})


def azure_code(error: BaseException) -> str:
    """Azure's own name of what went wrong; empty where it gave none."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def is_absent(error: BaseException) -> bool:
    """Whether the container is there and the blob is not."""
    return getattr(error, "status_code", None) == 404 and azure_code(error) not in _NO_CONTAINER


def is_taken(error: BaseException) -> bool:
    """Whether something has the name already, so that nothing was written."""
    status = getattr(error, "status_code", None)
    return status == 412 or (status == 409 and azure_code(error) in _TAKEN) or azure_code(error) == _TAKEN[2]


def is_changed(error: BaseException) -> bool:
    """Whether the blob is another one than when it was looked at."""
    return getattr(error, "status_code", None) == 412


def named(error: BaseException, place: str) -> BackupError:
    """The failure of ours that it is.

    :param place: what was asked about, for the message.
    """
    status, code = getattr(error, "status_code", None), azure_code(error)
    facts: Dict[str, Any] = {"place": place, "status": status, "azure_code": code or None}
    told = _told(error, status, code)
    if status in (401, 403) or _is(error, "ClientAuthenticationError", "CredentialUnavailableError"):
        return OffsiteUnauthorised(f"Azure refuses this at {place}: {told}", **facts)
    if code in _NO_CONTAINER or (status == 404 and code not in _NO_BLOB):
        return OffsiteContainerMissing(f"there is no such container, {place}: {told}", **facts)
    if status in _BUSY or code in _AGAIN:
        return OffsiteBusy(f"Azure cannot serve {place}: {told}", retry_after=retry_after(error), **facts)
    if isinstance(status, int) and status >= 300:
        return OffsiteRejected(f"Azure refuses a request about {place}: {told}", **facts)
    if _is_tls(error):
        return OffsiteTlsFailed(f"the certificate of who answers for {place} was not accepted: {told}", **facts)
    return OffsiteUnreachable(f"the connection to {place} failed: {told}", **facts)


def retry_after(error: BaseException) -> Optional[float]:
    """Seconds that the answer asks to wait; Azure tells whole seconds."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    text = str(headers.get("Retry-After", "")).strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def without_secrets(text: str) -> str:
    """The text on one line, without what comes after a question mark in a URL and without anything signed."""
    text = re.sub(r"\?[^\s'\"<>)]*", "?***", " ".join(text.split()))
    text = _SIGNED.sub(r"\1=***", text)
    return re.sub(r"(?i)\b(bearer|sharedkey)\s+\S+", r"\1 ***", text)


def _told(error: BaseException, status: Optional[int], code: str) -> str:
    if code in _WORDS_OF:
        return f"{_WORDS_OF[code]} ({code})"
    if isinstance(status, int) and status >= 300:
        return f"{code} ({status})" if code else f"status {status}"
    text = without_secrets(str(getattr(error, "message", None) or error))
    return (text[:LONGEST] + " ..." if len(text) > LONGEST else text).rstrip(".") or type(error).__name__


def _is(error: BaseException, *names: str) -> bool:
    """Whether it is of a class of that name, which need not be imported for that."""
    return any(each.__name__ in names for each in type(error).__mro__)


def _is_tls(error: Optional[BaseException]) -> bool:
    """Whether a TLS failure is at the bottom of it; the packages in between have classes of their own for that."""
    for _level in range(10):
        if error is None:
            return False
        if _is(error, "SSLError") or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = getattr(error, "inner_exception", None) or error.__cause__
    return False
