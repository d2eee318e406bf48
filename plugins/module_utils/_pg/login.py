# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a password opens the server, and giving the role another one."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _process
from ansible_collections.wst.backup.plugins.module_utils._errors import DbAuthFailed, ToolFailed
from ansible_collections.wst.backup.plugins.module_utils._pg import dump, failures, scram
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, driver, named, one_row
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

PSQL_GRACE = 60.0  # seconds beyond the connection's own timeout, to start and to answer
# A change that a crash of the server could take back would leave a key that opens nothing.
_DURABLE = (
    "SELECT pg_catalog.set_config('synchronous_commit', 'local', false)"
    " WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"
)
_WRITABLE = "SET default_transaction_read_only = off"
_OURSELVES = "SET ROLE NONE"  # a role may be told to become another at its login; only itself may change its password
_ITERATIONS = "SELECT pg_catalog.current_setting('scram_iterations', true)"  # NULL before 16


def refusal(options: DatabaseOptions, password: str) -> Optional[DbAuthFailed]:
    """Log in and out: None when that works, else the server's refusal. Raises every other failure of a login."""
    try:
        with contextlib.closing(connect(options, password)) as session, named(options):
            one_row(session, "SELECT 1")
    except DbAuthFailed as error:
        return error
    return None


def log_in_with_psql(options: DatabaseOptions, password: str, program: str) -> None:
    """The same through psql, whose password travels in its own environment.

    :param program: its path.
    :raises ToolMissing, ToolFailed: it does not work. DbAuthFailed and its like: what it says about the server.
    """
    argv = [program, "--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--command=SELECT 1"]
    answer: List[bytes] = []
    timeout = options.connect_timeout + PSQL_GRACE
    env = dump.environment(options, password)
    result = _process.run_tool(argv, env=env, consume=answer.append, timeout=timeout)
    if result.exit_code != 0:
        raise failures.of_dump_tool("psql", result.exit_code, result.stderr, place=options.place)
    if b"".join(answer).split() != [b"1"]:
        raise ToolFailed(f"{program} ended well and did not answer", program=program)


def set_password(session: Session, options: DatabaseOptions, password: str) -> None:
    """Give the role that logged in that password, by its verifier. Raises the named failure."""
    with named(options):
        for statement in (_DURABLE, _WRITABLE, _OURSELVES):
            session.execute(statement.encode("ascii"))
        told = one_row(session, _ITERATIONS)[0]
        iterations = int(told) if told else scram.ITERATIONS
        secret = scram.verifier(password, salt=os.urandom(scram.SALT_BYTES), iterations=iterations)
        sql = driver().sql
        session.execute(sql.SQL("ALTER ROLE SESSION_USER PASSWORD {}").format(sql.Literal(secret)))
