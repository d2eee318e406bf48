# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions in a database that is to go: with them the server drops no database."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, List

from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

_NAMES = """
SELECT s.subname FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
 WHERE d.datname = %s ORDER BY s.subname
"""


def subscriptions(session: Session, database: str) -> List[str]:
    """The names of a database's subscriptions, from any database of the server; what the session raises."""
    return [name for (name,) in session.execute(_NAMES, (database,)).fetchall()]


def let_go(database: DatabaseOptions, password: str) -> None:
    """Drop the subscriptions of a restored database, and nothing at their publishers.

    Each names the slot of the database that was dumped, which still needs it.

    :raises DbPermission and its like.
    """
    with contextlib.closing(connect(database, password)) as session, named(database):
        for name in subscriptions(session, database.name):
            subscription = quote.identifier(name)
            session.execute(f"ALTER SUBSCRIPTION {subscription} DISABLE".encode())
            session.execute(f"ALTER SUBSCRIPTION {subscription} SET (slot_name = NONE)".encode())
            session.execute(f"DROP SUBSCRIPTION {subscription}".encode())
