# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a login's password is one that Azure can set, from what Azure says of the server. Decides only.

Azure's resource manager sets one password, that of the server's administrator. Told about another server than the key
file's, it would lock somebody else out, so that the server must prove to be the one that the key opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from . import _errors

READY = "Ready"
_REPLICAS = ("asyncreplica", "geoasyncreplica")


@dataclass(frozen=True)
class Login:
    """Who logs in, and where.

    :ivar host: the name by which the key file's server is reached.
    :ivar aliases: other names of the server in Azure that somebody vouches for.
    """

    user: str
    host: str
    aliases: tuple[str, ...] = ()


def refusal(server: Mapping[str, Any], login: Login) -> Optional[_errors.TransportError]:
    """Why Azure cannot set the password now; None where it can.

    :param server: the resource, in the words of Azure's REST interface.
    """
    properties = _mapping(server.get("properties"))
    name = str(server.get("name") or "the server")
    facts = {"server": name, "user": login.user, "host": login.host}
    problem = _problem(properties, login)
    if problem is not None:
        return _errors.AzurePasswordRefused(f"{name}: {problem}.", **facts)
    state = properties.get("state")
    if state != READY:
        return _errors.AzureBusy(f"{name} is in the state {state or 'unknown'}, not {READY}.", state=state, **facts)
    return None


def _problem(properties: Mapping[str, Any], login: Login) -> Optional[str]:
    """What will not change by waiting."""
    full_name = properties.get("fullyQualifiedDomainName")
    known = {_host(name) for name in (full_name, *login.aliases) if isinstance(name, str) and name}
    if _host(login.host) not in known:
        return f"the key is for {login.host}, and Azure calls the server {full_name or 'nothing'}"
    administrator = properties.get("administratorLogin")
    if administrator != login.user:
        return f"the key is {login.user}'s, and its administrator is {administrator or 'unknown'}"
    if _word(_mapping(properties.get("authConfig")).get("passwordAuth")) == "disabled":
        return "it takes no passwords (its authentication is Microsoft Entra's alone)"
    if _word(properties.get("replicationRole")) in _REPLICAS:
        return "it is a read replica, whose passwords are those of its primary"
    return None


def aliases_of(names: Iterable[Any]) -> tuple[str, ...]:
    """The names as they were given, without empty ones."""
    return tuple(str(name) for name in names if name)


def _host(name: str) -> str:
    return name.strip().rstrip(".").lower()


def _word(value: Any) -> str:
    return value.lower() if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
