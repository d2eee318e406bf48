# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old the newest rows of a restored database were when it was dumped.

A young set can hold old data: of a replica that had stopped, or of another database than the one that is in use. Every
digest of it is right. Only who knows the application can say which column tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged, InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._pg import singlenames
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.quote import identifier, literal
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import Name

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

TOLERANCE = timedelta(minutes=1)  # between two clocks
_NO_TIME = ("42", "22")  # how SQLSTATEs begin: no such table, column or cast; a text that is no time

_NEWEST = """
SELECT pg_catalog.to_char(pg_catalog.max(x.t) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM (SELECT {column}::timestamptz AS t FROM {table}) x
 WHERE pg_catalog.isfinite(x.t) AND x.t <= {until}::timestamptz
"""


@dataclass(frozen=True)
class Wanted:
    """A column of times, and how old its newest may be when the dump is made."""

    table: Name
    column: str
    max_age: timedelta

    @property
    def text(self) -> str:
        """For messages."""
        return f"{self.column} of {singlenames.written(self.table)}"


def wanted_of(given: Sequence[Mapping[str, Any]]) -> List[Wanted]:
    """The option of the module; raises InputInvalid."""
    found = []
    for each in given:
        hours = each["max_age_hours"]
        if not 0 < hours < 24 * 36500:
            raise InputInvalid(f"max_age_hours is {hours:g}, and must be more than nothing", max_age_hours=hours)
        found.append(Wanted(singlenames.parse(each["table"]), each["column"], timedelta(hours=hours)))
    return found


def moment_of(database: Optional[Mapping[str, Any]]) -> datetime:
    """When the dump was made, by the ``database`` part of a manifest.

    :raises InputInvalid: there is no manifest. DumpDamaged: it does not say it.
    """
    if database is None:
        raise InputInvalid("how fresh the rows are is judged by the manifest's moment, and there is no manifest")
    try:
        return parse_time(database["snapshot_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise DumpDamaged("the manifest does not say when the dump was made") from error


def query(wanted: Wanted, until: datetime) -> str:
    """The newest time in it up to that moment, in UTC. What lies later is planned, and proves nothing; what is
    infinite, neither."""
    schema, table = wanted.table
    words = {
        "column": identifier(wanted.column),
        "table": f"{identifier(schema)}.{identifier(table)}",
        "until": literal(format_time(until)),
    }
    return _NEWEST.format(**words)


def judge(found: Sequence[Tuple[Wanted, Optional[str]]], moment: datetime) -> Tuple[List[str], List[str]]:
    """What was found, one sentence for each column; and of these what is too old, or not there. No time is repeated:
    it is a row's."""
    told, old = [], []
    for wanted, newest in found:
        if newest is None:
            sentence = f"{wanted.text}: nothing until the dump was made"
        else:
            age = moment - parse_time(newest)
            sentence = f"{wanted.text}: the newest was {_hours(age)} old when the dump was made"
        if newest is None or age > wanted.max_age:
            sentence += f", and may be {_hours(wanted.max_age)}"
            old.append(sentence)
        told.append(sentence)
    return told, old


def look(
    session: Session, wanted: Sequence[Wanted], database: Optional[Mapping[str, Any]]
) -> Tuple[List[str], List[str]]:
    """As ``judge``, of that database.

    :raises InputInvalid: it has no such column, or one that is no time; and as ``moment_of``, and what the session
        raises.
    """
    if not wanted:
        return [], []
    moment = moment_of(database)
    found = []
    for each in wanted:
        try:
            row = session.execute(query(each, moment + TOLERANCE).encode("utf-8")).fetchone()
        except driver().Error as error:
            if not (error.sqlstate or "").startswith(_NO_TIME) or error.sqlstate == "42501":
                raise
            raise InputInvalid(f"{each.text} is no column of times ({error.sqlstate})", column=each.text) from error
        found.append((each, row[0] if row else None))
    return judge(found, moment)


def _hours(age: timedelta) -> str:
    return f"{max(age, timedelta(0)) / timedelta(hours=1):.1f} hours"
