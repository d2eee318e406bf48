# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with the server: verified, encrypted, and with every setting that shapes text output pinned."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, ToolMissing
from ansible_collections.wst.backup.plugins.module_utils._pg import failures
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DISABLE, DatabaseOptions

if TYPE_CHECKING:
    import psycopg

    Session = psycopg.Connection[Any]

APPLICATION = "wst.backup"
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 5}  # seconds

# The same bytes for the same value whatever the database's or role's own settings are: a database with a TimeZone of
# its own made fingerprints differ. row_security=off makes a hidden row an error. These may be set by every user.
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "xmloption": "content",
    "row_security": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}


def options_text() -> str:
    """The pinned settings as libpq's ``options``; the search path is emptied with them."""
    pinned = {**SETTINGS, "search_path": ""}
    return " ".join(f"-c {name}={value}" for name, value in pinned.items())


def driver() -> Any:
    """The psycopg module; raises ``ToolMissing`` where it cannot be imported."""
    try:
        import psycopg
    except ImportError as error:
        raise ToolMissing(f"Python's psycopg cannot be imported: {error}", library="psycopg") from error
    return psycopg


def connection_parameters(options: DatabaseOptions, *, libpq: int) -> Dict[str, Any]:
    """libpq's connection parameters, without the password.

    :param libpq: its version number; what an older one does not know is left out.
    """
    parameters: Dict[str, Any] = {
        "host": options.host,
        "port": options.port,
        "dbname": options.name,
        "user": options.user,
        "connect_timeout": options.connect_timeout,
        "sslmode": options.sslmode,
        "gssencmode": "disable",
        "client_encoding": "UTF8",
        "application_name": APPLICATION,
        "options": options_text(),
        **KEEPALIVES,
    }
    if options.sslmode != DISABLE:
        parameters["sslrootcert"] = options.sslrootcert
    if libpq >= 160000:
        parameters["require_auth"] = "scram-sha-256"  # never answer a server that asks for the password itself
        parameters["sslcertmode"] = "disable"  # a client certificate in the profile is not ours
    return parameters


def connect(options: DatabaseOptions, password: str) -> Session:
    """An autocommit session; raises the named failure.

    ``transaction_timeout`` exists from 17 on, and asking an older server for it at the start would end the session.
    """
    psycopg = driver()
    parameters = connection_parameters(options, libpq=psycopg.pq.version())
    with named(options, connecting=True), without_inherited_settings():
        session: Session = psycopg.connect(password=password, autocommit=True, **parameters)
    try:
        with named(options):
            if session.info.server_version >= 170000:
                session.execute("SET transaction_timeout = 0")
    except BackupError:
        session.close()
        raise
    return session


def one_row(session: Session, query: str) -> Tuple[Any, ...]:
    """The row of a query that always has one; what the session raises, within ``named``."""
    row: Optional[Tuple[Any, ...]] = session.execute(query.encode("utf-8")).fetchone()
    if row is None:
        raise driver().DataError("a query without its row")
    return row


@contextlib.contextmanager
def named(options: DatabaseOptions, *, connecting: bool = False) -> Iterator[None]:
    """Turn what psycopg raises inside into the failure's name."""
    psycopg = driver()
    try:
        yield
    except psycopg.Error as error:
        broken = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
        raise failures.of_session(
            error.sqlstate, str(error), place=options.place, connecting=connecting, broken=broken
        ) from error


@contextlib.contextmanager
def without_inherited_settings() -> Iterator[None]:
    """Hide ``PG*`` of our own environment from libpq: PGHOSTADDR alone would take us to another server."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.upper().startswith("PG")}
    try:
        yield
    finally:
        os.environ.update(hidden)
