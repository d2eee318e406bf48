# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a restored database fit to take another's place: owner and settings of its own, and statistics."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, driver, named, one_row
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties, for_database, setting_of

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

_OID = "SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"


def begin(target: DatabaseOptions, password: str, properties: Properties, *, skip_refused: bool = False) -> None:
    """Give the empty database its owner, who may then be given what ``pg_restore`` makes in it.

    Its settings are tried and taken back, so that what is refused is refused before the long part.

    :param skip_refused: see ``conclude``.
    :raises DbPermission and its like.
    """
    with contextlib.closing(connect(target, password)) as session, named(target):
        owner = quote.identifier(properties.owner)
        session.execute(f"ALTER DATABASE {quote.identifier(target.name)} OWNER TO {owner}".encode())
        with session.transaction(force_rollback=True):
            _set(session, target.name, properties, skip_refused=skip_refused)


def conclude(
    target: DatabaseOptions, password: str, properties: Optional[Properties], *, skip_refused: bool = False
) -> Tuple[int, List[str]]:
    """Give the filled database its settings, and ANALYZE it under them: plans without statistics can take hours.

    Grants come with the swap, so that nobody else connects before.

    :param properties: None where it shall have none of the source's.
    :param skip_refused: a setting that our role may not make stays behind and is told, else it is a failure.
    :returns: its OID, and the settings that stayed behind, by their names: a value may be a secret.
    :raises DbPermission and its like.
    """
    left: List[str] = []
    with contextlib.closing(connect(target, password)) as session, named(target):
        if properties is not None:
            left = _set(session, target.name, properties, skip_refused=skip_refused)
        (oid,) = one_row(session, _OID)
    _jobs.step("analyze the database")
    with contextlib.closing(connect(target, password)) as session, named(target):
        session.execute("ANALYZE")
    return int(oid), left


def _set(session: Session, name: str, properties: Properties, *, skip_refused: bool) -> List[str]:
    left = []
    for form in properties.settings:
        try:
            with session.transaction():
                session.execute(for_database(form, name))
        except driver().errors.InsufficientPrivilege:
            if not skip_refused:
                raise
            left.append(setting_of(form))
    return left
