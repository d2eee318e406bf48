# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may carry our modules, and which exceptions mean that it broke."""

from __future__ import annotations

import sys
from typing import Any, Optional

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError

from ._errors import BecomeRefused, ConnectionPlain, ConnectionUnproven

# WinRM authentication that pywinrm can encrypt messages with; over plain HTTP anything else can be read on the way.
_ENCRYPTING = {"ntlm", "kerberos", "credssp", "negotiate"}

# What connection plugins let through from the libraries below them (winrm catches read timeouts only).
_LIBRARIES = ("requests", "urllib3", "winrm", "pypsrp", "spnego", "ntlm", "http", "ssl", "socket", "xml", "paramiko")

# Plain AnsibleErrors of the winrm plugin that are connection trouble. The texts are its own, not the host's.
_TEXTS = ("the connection attempt timed out", "winrm send_input failed")

_REJECTED = ("credentials were rejected", "authentication failure", "permission denied", "invalid/incorrect password")


def is_windows(connection: Any) -> bool:
    """Whether the other side is Windows, by the shell that Ansible talks to."""
    return bool(getattr(connection._shell, "_IS_WINDOWS", False))


def check_windows(connection: Any, *, become: bool, accept_unproven: bool) -> None:
    """Refuse what does not work, or is not safe, on a Windows host.

    :raises TransportError: ``become_refused``, ``connection_unproven`` or ``connection_plain``.
    """
    if become:
        raise BecomeRefused("become does not work for modules that run in the host's Python.")
    if connection.transport != "winrm":
        if accept_unproven:
            return
        raise ConnectionUnproven(
            f"Windows hosts are reached by winrm here, not by {connection.transport}.", connection=connection.transport
        )
    _check_winrm(connection)


def _check_winrm(connection: Any) -> None:
    port, scheme = connection.get_option("port"), connection.get_option("scheme")
    scheme = scheme or ("http" if str(port) == "5985" else "https")  # as the winrm plugin does
    if scheme == "https":
        return
    user = str(connection.get_option("remote_user") or "")
    transports = connection.get_option("transport") or ["kerberos" if "@" in user else "plaintext"]
    encryption = str((connection.get_option("_extras") or {}).get("ansible_winrm_message_encryption", "auto")).lower()
    plain = sorted(set(map(str, transports)) - _ENCRYPTING)
    if plain or encryption == "never":
        what = f"authentication {', '.join(plain)}" if plain else "message encryption switched off"
        raise ConnectionPlain(f"WinRM over HTTP with {what} can be read by anybody on the way.", port=port)


def check_posix(connection: Any) -> None:
    """Refuse what cannot pass a program through standard input, and switch pipelining on for the rest."""
    become = connection.become
    if become is not None and (getattr(become, "require_tty", False) or become.name in ("su", "runas")):
        raise BecomeRefused(f"The method {become.name} needs a terminal, which leaves no way in for the module.")
    if not connection.has_pipelining:
        raise ConnectionUnproven(
            f"The connection {connection.transport} cannot pass data to a program's standard input.",
            connection=connection.transport,
        )
    try:
        connection.set_option("pipelining", True)
    except (KeyError, AnsibleError):
        return  # this plugin always does it


def is_trouble(error: BaseException) -> bool:
    """Whether the exception says that the connection broke, not that something is configured wrongly."""
    if isinstance(error, (AnsibleConnectionFailure, OSError, EOFError)):
        return True
    if isinstance(error, AnsibleError):
        return any(text in str(error) for text in _TEXTS)
    return any(cls.__module__.partition(".")[0].startswith(_LIBRARIES) for cls in type(error).__mro__)


def is_rejection(error: BaseException) -> bool:
    """Whether the credentials were refused: asking again would only lock the account."""
    return isinstance(error, AnsibleAuthenticationFailure) or any(word in str(error).lower() for word in _REJECTED)


def address(connection: Any) -> str:
    """Where the connection leads to, in words that stay the same from run to run: ``winrm host 5986``."""
    words = [str(connection.transport)]
    for option in ("remote_addr", "host", "port"):
        try:
            value = connection.get_option(option)
        except (KeyError, AnsibleError):
            continue  # this plugin calls it otherwise, or has none
        words += [str(value)] if value and str(value) not in words else []
    return " ".join(words)


def covered(error: BaseException, outside: Optional[BaseException]) -> Optional[BaseException]:
    """The interrupt or timeout that this failure has replaced, if any.

    winrm's ``finally`` talks to the host once more. On a connection that an interrupt has just torn that can fail, and
    then its failure is what the caller gets: ``_winrm_exec`` in
    https://github.com/ansible/ansible/blob/devel/lib/ansible/plugins/connection/winrm.py

    :param outside: what was being handled before the call; it is not the call's.
    """
    before = error.__context__
    while before is not None and before is not outside:
        if not isinstance(before, Exception):
            return before
        before = before.__context__
    return None


def is_open(connection: Any) -> bool:
    """Whether the host was really reached: winrm counts as connected once the host has opened a shell.

    Other plugins say so before they have tried.
    """
    return bool(connection.transport == "winrm" and connection.connected)


def close_quietly(connection: Any) -> Optional[str]:
    """Forget a broken connection so that the next command makes a new one; returns what went wrong with that."""
    if connection.transport == "local":
        return None
    outside = sys.exc_info()[1]
    try:
        connection.reset()
    except Exception as error:  # noqa: BLE001  the next command will tell, and says it better
        stop = covered(error, outside)
        if stop is not None:
            raise stop from None
        return str(error)
    return None
