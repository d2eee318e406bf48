# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real blob server for tests: Azurite on a free port of the loopback, with an account whose key nobody knows before.

It has no immutability policies and no legal holds: those are tried against a named fake. Tokens it takes over TLS only,
and does not look at their signature.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import secrets
import subprocess
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any, Iterator

from tools import azurite

ACCOUNT = "wstlab"
CONTAINER = "backups"
ALLOWED = "racwl"  # what a SAS needs, and the c that Azure wants of those that make blobs
_LISTENS = re.compile(r"listens on (https?://[0-9.]+:\d+)")
START = 60  # seconds


@dataclass(frozen=True)
class Server:
    """A running Azurite."""

    url: str  # of the account
    key: str
    verify: str | bool = True  # the file with the certificate that proves it, where it speaks TLS

    def container(self, name: str = CONTAINER) -> Any:
        """The SDK's client with the account's key, for what only a person may do in Azure."""
        from azure.storage.blob import ContainerClient

        return ContainerClient(
            self.url, name, credential={"account_name": ACCOUNT, "account_key": self.key}, connection_verify=self.verify
        )

    def sas(self, *, permissions: str = ALLOWED, hours: float = 24, container: str = CONTAINER) -> str:
        """A SAS for the container, as a person makes one; it has ended where ``hours`` is below 0."""
        from azure.storage.blob import generate_container_sas

        now = datetime.now(timezone.utc)
        return generate_container_sas(
            ACCOUNT,
            container,
            account_key=self.key,
            permission=permissions,
            start=now - timedelta(hours=48),
            expiry=now + timedelta(hours=hours),
        )


@contextlib.contextmanager
def running(location: str, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """A server with an empty container, for the block. It keeps its blobs in that directory.

    :param certificate: a PEM file and its key. Then it speaks TLS and takes tokens of Entra ID, of which it looks at
        who they are for, from and until when, and not at the signature.
    :raises LookupError: it is not installed; the message is what a skipped test says.
    """
    program = azurite.program()
    if not program:
        raise LookupError(azurite.MISSING.format(why=azurite.why_missing()))
    key = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    argv = [*program, "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", location]
    if certificate is not None:
        argv += ["--cert", str(certificate[0]), "--key", str(certificate[1]), "--oauth", "basic"]
    process = subprocess.Popen(
        [*argv, "--skipApiVersionCheck", "--disableTelemetry", "--silent"],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        verify = str(certificate[0]) if certificate is not None else True
        server = Server(f"{_address(process.stdout, process)}/{ACCOUNT}", key, verify)
        with server.container() as client:
            client.create_container()
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _address(output: IO[str], process: subprocess.Popen[str]) -> str:
    """What it says that it listens on."""
    watchdog = threading.Timer(START, process.kill)
    watchdog.start()
    said = []
    try:
        for line in output:
            said.append(line)
            match = _LISTENS.search(line)
            if match:
                return match.group(1)
    finally:
        watchdog.cancel()
    raise RuntimeError(f"Azurite did not start: {''.join(said)}")
