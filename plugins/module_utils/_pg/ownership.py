# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a restored database fit to take another's place: owner and settings of its own, and statistics."""

from __future__ import annotations

import contextlib
from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named, one_row
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties, for_database

_OID = "SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"


def begin(target: DatabaseOptions, password: str, properties: Properties) -> None:
    """Give the empty database its owner, who may then be given what ``pg_restore`` makes in it.

    :raises DbPermission and its like.
    """
    with contextlib.closing(connect(target, password)) as session, named(target):
        owner = quote.identifier(properties.owner)
        session.execute(f"ALTER DATABASE {quote.identifier(target.name)} OWNER TO {owner}".encode())


def conclude(target: DatabaseOptions, password: str, properties: Optional[Properties]) -> int:
    """Give the filled database its settings, and ANALYZE it under them: plans without statistics can take hours.

    Grants come with the swap, so that nobody else connects before.

    :param properties: None where it shall have none of the source's.
    :returns: its OID.
    :raises DbPermission and its like.
    """
    with contextlib.closing(connect(target, password)) as session, named(target):
        for form in properties.settings if properties is not None else ():
            session.execute(for_database(form, target.name))
        (oid,) = one_row(session, _OID)
    _jobs.step("analyze the database")
    with contextlib.closing(connect(target, password)) as session, named(target):
        session.execute("ANALYZE")
    return int(oid)
