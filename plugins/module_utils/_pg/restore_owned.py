# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring for good: with owners, grants and settings, into a database that is to take another's place."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._pg import grants, needs, ownership, restorable
from ansible_collections.wst.backup.plugins.module_utils._pg.candidate import Candidate, write_candidate
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import Warnings
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.properties import Properties, properties_of
from ansible_collections.wst.backup.plugins.module_utils._pg.restore import Order, digest_of, restore
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import Scratch
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import SETTINGS, Selection, kept_kinds
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import Name
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Entry, Toc
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools


@dataclass(frozen=True)
class Owned:
    """What is said of such a restore.

    :ivar leave_out: groups of what acts by itself, and ``settings``, that may stay behind.
    :ivar roles_sql: the artifact's script of roles, to say which of those that are missing log in.
    :ivar size: of the dumped database in bytes, where it is known; ``free``: of the server, where somebody told.
    """

    leave_out: Sequence[str] = ()
    roles_sql: Optional[str] = None
    size: Optional[int] = None
    free: Optional[int] = None

    @property
    def keep(self) -> Tuple[str, ...]:
        """Kinds that act by themselves and are restored."""
        return kept_kinds(self.leave_out)

    @property
    def skip_refused(self) -> bool:
        """Whether settings that our role may not make stay behind."""
        return SETTINGS in self.leave_out


@dataclass(frozen=True)
class Work:
    """What is restored, and where."""

    made: Scratch
    target: DatabaseOptions
    password: str
    workspace: str
    dump: str
    toc: Toc
    chosen: Selection
    rows: Mapping[str, int]


def require_target(made: Scratch) -> None:
    """Raises InputInvalid for a database that takes nobody's place: what is restored for good does."""
    if not made.target or made.stays:
        raise InputInvalid("owners come back into what pg_scratch made with purpose=restore, and this is another's")


@dataclass(frozen=True)
class Outcome:
    """What was said, by pg_restore and by us, and about how many bytes the server needed."""

    warnings: Warnings
    remarks: List[str]
    needed_bytes: int


def run(work: Work, owned: Owned, tools: Tools) -> Outcome:
    """Refuse what cannot come out well, restore, and put on record what it is.

    :raises DbRoleMissing, DbPermission, RestoreTargetRefused, NoSpace: nothing was restored yet; and as ``restore``.
    """
    properties = properties_of(work.toc)
    room, remarks, spoken = _examine(work, owned, properties)
    ownership.begin(work.target, work.password, properties, skip_refused=owned.skip_refused)
    apart = {entry.number for entry in spoken}
    chosen = replace(work.chosen, entries=[each for each in work.chosen.entries if each.number not in apart])
    order = Order(work.dump, chosen, work.workspace, owners=True, rows=work.rows)
    warnings = restore(order, work.target, work.password, tools)
    _grant(work, spoken)
    remarks += _record(work, owned, properties)
    return Outcome(warnings, remarks, room)


def record_bare(work: Work, tables: Sequence[Name] = ()) -> None:
    """Put on record that what was restored has no owners, or single tables only, which ``pg_swap`` refuses."""
    _record(work, None, properties_of(work.toc), tables)


def _examine(work: Work, owned: Owned, properties: Properties) -> Tuple[int, List[str], List[Entry]]:
    """The bytes that are needed, remarks, and the grants that we must make ourselves."""
    needed = needs.needs_of(work.chosen.entries, properties)
    with contextlib.closing(connect(work.target, work.password)) as session, named(work.target):
        room, remarks = restorable.require(
            session,
            needed,
            target=work.made.target,
            place=replace(work.target, name=work.made.target).place,
            roles_sql=owned.roles_sql,
            size=owned.size,
            free=owned.free,
        )
        superuser = restorable.read_server(session).superuser
    mute = needs.mute_mappings(work.chosen.entries)
    if mute:
        told = "user mappings that came without a password, which must be set where the other server wants one"
        remarks.append(f"{told}: {shorten(mute)}")
    return room, remarks, [] if superuser else grants.spoken(work.chosen.entries)


def _grant(work: Work, spoken: List[Entry]) -> None:
    """Grants by others than the owners: pg_restore would have to be a superuser for them."""
    if not spoken:
        return
    with contextlib.closing(connect(work.target, work.password)) as session, named(work.target):
        for entry in spoken:
            with session.transaction():
                for statement in grants.as_roles(entry):
                    session.execute(statement)


def _record(work: Work, owned: Optional[Owned], properties: Properties, tables: Sequence[Name] = ()) -> List[str]:
    wanted = properties if owned is not None else None
    skip = owned is not None and owned.skip_refused
    oid, left = ownership.conclude(work.target, work.password, wanted, skip_refused=skip)
    candidate = Candidate(
        run_id=work.made.run_id,
        oid=oid,
        dump_sha256=digest_of(work.dump),
        owners=owned is not None,
        keep=() if owned is None else owned.keep,
        properties=properties,
        tables=tuple(tables),
    )
    write_candidate(work.workspace, candidate)
    return [f"not restored: {statement}" for statement in (*left, *properties.unknown)]
