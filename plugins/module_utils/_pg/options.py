# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which database, over which connection: the ``database`` parameter, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid

SYSTEM_ROOTS = "system"  # libpq 16 and newer: the roots that its OpenSSL trusts (SSL_CERT_FILE says others)
VERIFY_FULL = "verify-full"
VERIFY_CA = "verify-ca"
DISABLE = "disable"
POOLER_PORT = 6432  # PgBouncer in Azure: transaction pooling loses sessions, snapshots and locks
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class DatabaseOptions:
    """Where the database is and how to reach it; no secret is in here."""

    host: str
    name: str
    user: str
    port: int = 5432
    sslmode: str = VERIFY_FULL
    sslrootcert: Optional[str] = SYSTEM_ROOTS  # a PEM file, or SYSTEM_ROOTS
    connect_timeout: int = 15  # seconds

    @property
    def place(self) -> str:
        """The server and database in words, for messages."""
        return f"{self.host}:{self.port}/{self.name}"


def argument_spec() -> Dict[str, Any]:
    """The ``database`` option of a module; documented by the fragment ``wst.backup.database``."""
    return {
        "type": "dict",
        "required": True,
        "options": {
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "default": 5432},
            "name": {"type": "str", "required": True},
            "user": {"type": "str", "required": True},
            "sslmode": {"type": "str", "default": VERIFY_FULL, "choices": [VERIFY_FULL, VERIFY_CA, DISABLE]},
            "sslrootcert": {"type": "str", "default": SYSTEM_ROOTS},
            "connect_timeout": {"type": "int", "default": 15},
        },
    }


def from_params(params: Mapping[str, Any]) -> DatabaseOptions:
    """The options of a module's ``database`` parameter; raises ``InputInvalid`` and names the value."""
    options = DatabaseOptions(
        host=params["host"],
        name=params["name"],
        user=params["user"],
        port=int(params.get("port") or 5432),
        sslmode=params.get("sslmode") or VERIFY_FULL,
        sslrootcert=params.get("sslrootcert") or SYSTEM_ROOTS,
        connect_timeout=int(params.get("connect_timeout") or 15),
    )
    _check_names(options)
    _check_port(options.port)
    _check_tls(options)
    if not 2 <= options.connect_timeout <= 600:  # libpq raises 1 to 2 by itself
        raise InputInvalid("database.connect_timeout must be 2 to 600 seconds", connect_timeout=options.connect_timeout)
    return options


def _check_names(options: DatabaseOptions) -> None:
    for name in ("host", "name", "user"):
        value = getattr(options, name)
        if not value or any(ord(character) < 32 for character in value):
            raise InputInvalid(f"database.{name} is empty or has control characters", value=value)
    if "," in options.host:
        raise InputInvalid("database.host must be one server, not a list", host=options.host)


def _check_port(port: int) -> None:
    if port == POOLER_PORT:
        raise InputInvalid(
            f"database.port {POOLER_PORT} is the connection pooler, which breaks snapshots and locks; "
            "use the server's own port, 5432",
            port=port,
        )
    if not 1 <= port <= 65535:
        raise InputInvalid(f"database.port {port} is no port", port=port)


def _check_tls(options: DatabaseOptions) -> None:
    local = options.host in _LOOPBACK or options.host.startswith("/")
    if options.sslmode == DISABLE and not local:
        raise InputInvalid(
            f"database.sslmode=disable is for the loopback only; {options.host} is another machine",
            host=options.host,
        )
    if options.sslmode not in (VERIFY_FULL, VERIFY_CA, DISABLE):
        raise InputInvalid(f"database.sslmode {options.sslmode} does not verify the server", sslmode=options.sslmode)
    if options.sslmode == VERIFY_CA and options.sslrootcert == SYSTEM_ROOTS:
        raise InputInvalid("database.sslmode=verify-ca needs sslrootcert as a file: public roots prove nothing with it")
