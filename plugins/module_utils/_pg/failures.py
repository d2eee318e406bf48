# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL says when something fails, as one of our names. Pure; tested against recorded real messages.

An error of a running session has an SQLSTATE, which decides. A failed login has none (libpq keeps it to itself), and
neither have the tools: there the English text decides. The tools run with ``LC_MESSAGES=C``; the server's own language
can't be chosen by a client, so an unknown text is never guessed at: it becomes ``db_unreachable`` (while connecting) or
``tool_failed``, and is quoted.
"""

from __future__ import annotations

import re
from typing import List, Optional, Pattern, Tuple, Type

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    DbAuthFailed,
    DbLimits,
    DbLockTimeout,
    DbLost,
    DbNotFound,
    DbPermission,
    DbRowSecurity,
    DbTlsFailed,
    DbUnreachable,
    DbVersionMismatch,
    DumpDamaged,
    NoSpace,
    RestoreFailed,
    ToolFailed,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import LOST, Warnings

MAX_QUOTE = 2000  # characters of a foreign text that a message may carry

_Names = List[Tuple[Pattern[str], Type[BackupError]]]


def _names(*pairs: Tuple[str, Type[BackupError]]) -> _Names:
    return [(re.compile(pattern, re.DOTALL), error) for pattern, error in pairs]


# The first match wins, so what is specific stands above what is general.
_TEXTS = _names(
    (r"row-level security policy", DbRowSecurity),
    (r"FATAL: .*password authentication failed|FATAL: .*is not permitted to log in", DbAuthFailed),
    (r"FATAL: .*\bauthentication failed for user|FATAL: +role \".*\" does not exist", DbAuthFailed),
    (r"no password supplied|authentication method requirement|server did not complete authentication", DbAuthFailed),
    (r"no pg_hba\.conf entry for .*(no encryption|SSL off)", DbTlsFailed),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects connection", DbUnreachable),
    (r"FATAL: +database \".*\" does not exist", DbNotFound),
    (r"permission denied for|must be owner of|must be superuser", DbPermission),
    (r"server version mismatch|unsupported version \(", DbVersionMismatch),
    (r"due to lock timeout|could not obtain lock on", DbLockTimeout),
    (r"due to statement timeout.*Query was: LOCK TABLE", DbLockTimeout),  # what --lock-wait-timeout makes of it
    (r"(ERROR|FATAL): [^\n]*No space left on device", DbLimits),
    (r"too many clients|too many connections|remaining connection slots", DbLimits),
    (r"out of shared memory|invalid memory alloc request size|(ERROR|FATAL): +out of memory", DbLimits),
    (r"No space left on device|not enough space on the disk", NoSpace),
    (r"snapshot \"?[^\n]*\"? does not exist|invalid snapshot identifier", DbLost),
    (r"terminating connection|server closed the connection|SSL SYSCALL error|unexpected eof while reading", DbLost),
    (r"no connection to the server|could not receive data from server|could not send data to server", DbLost),
    (r"PQgetCopyData\(\) failed|PQgetResult\(\) failed|consuming input failed|the connection is lost", DbLost),
    (r"SSL error|SSL negotiation|[Cc]ertificate|does not support SSL|sslmode value|sslrootcert", DbTlsFailed),
    (r"Connection refused|could not translate host name|failed to resolve|timeout expired", DbUnreachable),
    (r"not currently accepting connections|the database system is", DbUnreachable),
    (r"connection to server (at|on) [^\n]* failed|connection timeout", DbUnreachable),
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html; a class of two characters stands for all of it.
_STATES: List[Tuple[str, Type[BackupError]]] = [
    ("28", DbAuthFailed),
    ("3D000", DbNotFound),
    ("42501", DbPermission),
    ("55P03", DbLockTimeout),
    ("57P03", DbUnreachable),
    ("55000", DbUnreachable),
    ("57P", DbLost),
    ("57014", DbLost),
    ("25P03", DbLost),
    ("25P04", DbLost),
    ("08", DbLost),
    ("53", DbLimits),
    ("54", DbLimits),
]


def name_of_text(text: str) -> Optional[Type[BackupError]]:
    """The failure that this text is known to mean, or None."""
    for pattern, error in _TEXTS:
        if pattern.search(text):
            return error
    return None


def name_of_state(sqlstate: str, text: str) -> Optional[Type[BackupError]]:
    """The failure behind an SQLSTATE; the text only divides what shares one (42501, 28000)."""
    if sqlstate in ("42501", "28000", "XX000"):
        return name_of_text(text) or (DbPermission if sqlstate == "42501" else None)
    for state, error in _STATES:
        if sqlstate.startswith(state):
            return error
    return None


def of_session(sqlstate: Optional[str], text: str, *, place: str, connecting: bool, broken: bool) -> BackupError:
    """The failure of a session.

    :param place: the server in words (``DatabaseOptions.place``).
    :param connecting: the login did not come about.
    :param broken: the session cannot be used any more.
    """
    error = name_of_state(sqlstate, text) if sqlstate else name_of_text(text)
    if error is None:
        error = DbUnreachable if connecting else DbLost if broken else ToolFailed
    if error is DbLost and connecting:
        error = DbUnreachable
    return error(f"{place}: {headline(text)}", server=place, detail=quote(text), sqlstate=sqlstate)


def of_dump_tool(tool: str, exit_code: int, stderr: str, *, place: str) -> BackupError:
    """The failure of ``pg_dump``, from its messages and exit code."""
    return _of_tool(name_of_text(stderr) or ToolFailed, tool, exit_code, stderr, place=place)


def require_all_data(tool: str, warnings: Warnings, *, place: str) -> None:
    """Raises ``DumpDamaged`` when the tool ended well and said that data is missing."""
    lost = [message.text for message in warnings.of(LOST)]
    if lost:
        raise DumpDamaged(f"{place}: {tool} says: {lost[0]}", tool=tool, server=place, warnings=lost)


def of_restore_tool(tool: str, exit_code: int, stderr: str, *, name: str) -> BackupError:
    """The failure of ``pg_restore`` while it decodes a dump: exit code 1 is the dump's fault unless it says otherwise.

    :param name: what to call the dump in the message.
    """
    if exit_code != 1 or re.search(r"out of memory|could not (write to|close) output|Permission denied", stderr):
        return _of_tool(ToolFailed, tool, exit_code, stderr, place=name)
    error = DbVersionMismatch if "unsupported version (" in stderr else DumpDamaged
    return _of_tool(error, tool, exit_code, stderr, place=name)


def of_restoring(tool: str, exit_code: int, stderr: str, *, name: str, place: str) -> BackupError:
    """The failure of ``pg_restore`` while it restores. Nothing is quoted that follows a message: it may be of a row.

    :param name: what to call the dump.
    :param place: the server in words.
    """
    lines = [line.strip() for line in stderr.splitlines()]
    told = [line for line in lines if re.match(r"\S*pg_restore\S*: (error|fatal|from TOC entry)", line)]
    line = headline("\n".join(told or lines))
    if not told or "could not open TOC file" in line:
        return _of_tool(ToolFailed, tool, exit_code, "\n".join(told) or line, place=place)
    if re.search(r"could not execute query|COPY failed|error returned by PQ", line):
        # The names of tables are in the text: only what the server says of itself has a name of its own.
        error = name_of_text(line)
        found = error if error in (DbLimits, DbLost, DbPermission) else RestoreFailed
        about = next((each.partition("; ")[2] for each in told if "from TOC entry" in each), "")
        what = f" ({about})" if about else ""
        return found(f"{place} does not take {name}{what}: {line}", server=place, dump=name, detail=told[-4:])
    known = name_of_text(line)
    if known is not None:
        return known(f"{place}: {line}", server=place, dump=name, exit_code=exit_code)
    return of_restore_tool(tool, exit_code, "\n".join(told), name=name)


def _of_tool(error: Type[BackupError], tool: str, exit_code: int, stderr: str, *, place: str) -> BackupError:
    line = headline(stderr)
    if exit_code not in (0, 1):
        line = f"{tool} ended with {exit_text(exit_code)}: {line}"
    return error(f"{place}: {line}", tool=tool, exit_code=exit_code, server=place, detail=quote(stderr))


def exit_text(exit_code: int) -> str:
    """An exit code in words: a signal on POSIX, an NTSTATUS on Windows."""
    if exit_code < 0:
        return f"signal {-exit_code}"
    return f"exit code 0x{exit_code:08X}" if exit_code > 255 else f"exit code {exit_code}"


def headline(text: str) -> str:
    """The line of a text that says what failed: the last ``error:`` one of a tool, else the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\b(error|fatal): ", line)]
    chosen = errors[-1] if errors else lines[0] if lines else "it said nothing"
    return chosen if len(chosen) <= 500 else chosen[:500] + "..."


def quote(text: str) -> str:
    """The text, cut where it is too long to carry; its end says more than its beginning."""
    text = text.strip()
    return text if len(text) <= MAX_QUOTE else "..." + text[-MAX_QUOTE:]
