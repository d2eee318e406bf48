# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a host's sets are kept offsite: a container of Azure Blob, and the host's own prefix in it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional
from urllib.parse import SplitResult, urlsplit

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid

_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}", re.ASCII)  # Azure's own rule
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"  # no dot at its end: Azure would cut it off
_PREFIX = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}", re.ASCII)
LONGEST_PREFIX = 256  # characters; a blob's name may have 1,024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Place:
    """The container and the prefix. None of it is secret."""

    account_url: str
    container: str
    prefix: str

    def blob(self, file_name: str) -> str:
        """The name of the blob that holds that file."""
        return f"{self.prefix}/{file_name}"

    @property
    def told(self) -> str:
        """For messages and records."""
        return f"{self.account_url}/{self.container}/{self.prefix}"


def place_of(account_url: str, container: str, prefix: str) -> Place:
    """The place that the options mean; raises ``InputInvalid``, which never quotes the URL: a SAS may be in it."""
    url = account_url.strip().rstrip("/")
    problem = _url_problem(url)
    if problem is not None:
        raise InputInvalid(f"account_url {problem}")
    if not _CONTAINER.fullmatch(container):
        raise InputInvalid(
            f"{container!r} is no container's name (3 to 63 of a-z, 0-9 and single hyphens)", container=container
        )
    if len(prefix) > LONGEST_PREFIX or not _PREFIX.fullmatch(prefix):
        raise InputInvalid(
            f"{prefix!r} cannot be the prefix of blobs (names of letters, digits, '.', '_' and '-', parted by '/')",
            prefix=prefix,
        )
    return Place(url, container, prefix)


def _url_problem(url: str) -> Optional[str]:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if parts.query or parts.fragment or "?" in url:
        return "has a query: a SAS belongs into its file, not here"
    if parts.username or parts.password:
        return "has a user or a password in it"
    if not host:
        return "must be like https://ACCOUNT.blob.core.windows.net"
    return _scheme_problem(parts, host)


def _scheme_problem(parts: SplitResult, host: str) -> Optional[str]:
    if parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK):
        return None
    return "must begin with https:// (http is for a server of this very host)"
