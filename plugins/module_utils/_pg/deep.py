# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deep comparison: is the dump the database? Counts agree where a value was changed on its way.

Some tables are read once more, in the snapshot that the dump was made in and by pg_dump's own COPY, within a budget of
seconds that the production server pays. The fingerprints become what the full decode must find. Each table has its turn
(``rotation.py``), and so have the large objects, all of them together; what a run could not read it says, and goes on:
the dump is proved by its counts all the same.
"""

from __future__ import annotations

import contextlib
import functools
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _hashing, _jobs
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._pg import coverage, rotation
from ansible_collections.wst.backup.plugins.module_utils._pg import toc as toc_of
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.facts import Survey
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import Fingerprint, LargeObjects
from ansible_collections.wst.backup.plugins.module_utils._pg.live import fingerprint_table, read_large_objects
from ansible_collections.wst.backup.plugins.module_utils._pg.rotation import Candidate, Name, Past
from ansible_collections.wst.backup.plugins.module_utils._pg.snapshot import Snapshot
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import CONFIGURATION, TABLE, shorten
from ansible_collections.wst.backup.plugins.module_utils._platform import api

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

BUDGET = 120  # seconds; whoever waits for an exclusive lock on a table waits so much longer
OBJECTS: Name = ("", "large objects")  # their place among the tables, none of which has a schema without a name


@dataclass(frozen=True)
class DeepOrder:
    """How long a run may compare, and where it is remembered what was compared. ``budget`` 0: not at all."""

    budget: int = 0
    coverage_file: str = ""


@dataclass
class Comparison:
    """What was read from the source: fingerprints, the seconds of each reading, and why it ended before its end."""

    candidates: List[Candidate] = field(default_factory=list)
    fingerprints: Dict[Name, Fingerprint] = field(default_factory=dict)
    seconds: Dict[Name, float] = field(default_factory=dict)
    objects: Optional[LargeObjects] = None
    trouble: Optional[str] = None


def read_source(
    order: DeepOrder,
    snapshot: Snapshot,
    survey: Survey,
    dump: str,
    *,
    place: str,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Comparison:
    """Fingerprints of what has its turn, in the snapshot.

    :param dump: the dump's path; its table of contents has the columns.
    :raises DumpDamaged: it has no table of contents; Cancelled.
    """
    found = Comparison()
    if order.budget <= 0:
        return found
    tables = {(table.schema, table.name): table for table in snapshot.tables if table.has_rows}
    found.candidates = [Candidate(name, survey.sizes.get(table.label, 0)) for name, table in tables.items()]
    if survey.large_objects:
        found.candidates.append(Candidate(OBJECTS, survey.object_bytes))
    history = coverage.load(order.coverage_file, place)
    _jobs.step("compare with the source")
    copies = _copies(dump)
    deadline = clock() + order.budget
    for candidate in rotation.choose(found.candidates, history, now, order.budget):
        copy, left = copies.get(candidate.name), deadline - clock()
        if left <= 0:
            break
        if candidate.name == OBJECTS:
            work: Callable[[], Fingerprint] = functools.partial(_objects, snapshot, found, deadline, clock)
        elif copy is None:  # a table that is not in the dump is found by the dump's proof
            break
        else:
            work = functools.partial(fingerprint_table, snapshot.session, tables[candidate.name], copy)
        if not _attempt(found, candidate.name, functools.partial(_read, snapshot, work, left), clock):
            break
    return found


def _objects(snapshot: Snapshot, found: Comparison, deadline: float, clock: Callable[[], float]) -> Fingerprint:
    """A statement's time limit is that of one statement, and this takes many: each gets what is left by then."""

    def pace() -> None:
        left = deadline - clock()
        if left <= 0:
            raise driver().errors.QueryCanceled("the time for the comparison is over")
        _limit(snapshot.session, left)

    found.objects = read_large_objects(snapshot.session, pace)
    return found.objects.fingerprint


def expect(tables: Sequence[Mapping[str, Any]], found: Comparison) -> List[Dict[str, Any]]:
    """The tables of ``database.json``, those that were read with the fingerprint that the dump must have."""
    read = {name: {"fingerprint": fingerprint.text} for name, fingerprint in found.fingerprints.items()}
    return [{**table, **read.get((table["schema"], table["name"]), {})} for table in tables]


def expect_objects(part: Mapping[str, Any], found: Comparison) -> Dict[str, Any]:
    """The part ``large_objects`` of ``database.json``, with what the dump must have where they were read."""
    if found.objects is None:
        return dict(part)
    digests = found.objects.digests
    listed = None if digests is None else {str(oid): digest for oid, digest in digests.items()}
    return {**part, "fingerprint": found.objects.fingerprint.text, "sha256": listed}


def conclude(
    order: DeepOrder, tables: Sequence[Mapping[str, Any]], found: Comparison, *, place: str, now: datetime
) -> Dict[str, Any]:
    """The parts ``tables`` and ``deep`` of ``database.json`` once the dump is proved; remembers what was compared."""
    before = coverage.load(order.coverage_file, place) if order.budget > 0 else {}
    after = {table.name: _past(table, before.get(table.name), found, now) for table in found.candidates}
    remembered = _remember(order, place, after) if order.budget > 0 else None
    late = rotation.overdue(found.candidates, after, now)
    return {
        "tables": [_told(table, after, found) for table in tables],
        "deep": {
            "budget": order.budget,
            "compared": len(set(found.fingerprints) - {OBJECTS}),
            "large_objects": _objects_told(found),
            "overdue": [list(name) for name in late],
            "trouble": found.trouble,
            "remembered": remembered,
        },
    }


def warnings(body: Mapping[str, Any]) -> List[str]:
    """What a person should know of the part ``deep``."""
    deep = body["deep"]
    told = []
    if deep["trouble"]:
        told.append(f"the comparison with the source ended before its end: {deep['trouble']}")
    if deep["overdue"]:
        names = [_label((schema, name)) for schema, name in deep["overdue"]]
        late = f"{len(names)} of the tables and large objects were not compared with the source for a week"
        told.append(f"{late}; a budget of {deep['budget']} seconds is not enough: {shorten(names)}")
    if deep["remembered"] is False:
        told.append("which tables were compared with the source could not be remembered, so the next run begins anew")
    return told


def _objects_told(found: Comparison) -> Optional[bool]:
    """Whether they were compared; None where there are none, or nothing is compared at all."""
    there = any(candidate.name == OBJECTS for candidate in found.candidates)
    return found.objects is not None if there else None


def _label(name: Name) -> str:
    return ".".join(name) if name != OBJECTS else OBJECTS[1]


def _copies(dump: str) -> Dict[Name, bytes]:
    with api.open_source(dump) as file:
        toc = toc_of.read_toc(toc_of.Head(_hashing.chunks_of(file), name=dump), name=dump)
    return {(entry.schema, entry.tag): entry.copy for entry in toc.table_data()}


def _read(snapshot: Snapshot, work: Callable[[], Fingerprint], seconds: float) -> Fingerprint:
    """The savepoint outlives a reading that is stopped, and gives back what it locked and set."""
    session = snapshot.session
    session.execute("SAVEPOINT comparing")
    _limit(session, seconds)
    try:
        return work()
    finally:
        with contextlib.suppress(driver().Error):  # what failed is on its way
            session.execute("ROLLBACK TO SAVEPOINT comparing")


def _limit(session: Session, seconds: float) -> None:
    session.execute(f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")


def _attempt(found: Comparison, name: Name, read: Callable[[], Fingerprint], clock: Callable[[], float]) -> bool:
    """Read a table; False where the reading, and with it the comparison, has ended early."""
    began = clock()
    try:
        found.fingerprints[name] = read()
    except driver().errors.QueryCanceled:
        pass  # its time was over
    except driver().Error as error:
        found.trouble = f"{_label(name)}: {str(error).strip() or type(error).__name__}"
    found.seconds[name] = round(clock() - began, 3)
    return name in found.fingerprints


def _past(table: Candidate, before: Optional[Past], found: Comparison, now: datetime) -> Past:
    past = replace(before, seen=min(before.seen, now)) if before is not None else Past(seen=now)
    if table.name in found.seconds:
        past = replace(past, seconds=found.seconds[table.name], size=table.size)
    return replace(past, compared=now) if table.name in found.fingerprints else past


def _remember(order: DeepOrder, place: str, history: Mapping[Name, Past]) -> bool:
    try:
        coverage.save(order.coverage_file, place, history)
    except BackupError:
        return False
    return True


def _told(table: Mapping[str, Any], history: Mapping[Name, Past], found: Comparison) -> Dict[str, Any]:
    name = (table["schema"], table["name"])
    past = history.get(name)
    last = past.compared if past is not None else None
    return {
        **table,
        "compared": name in found.fingerprints if table["kind"] in (TABLE, CONFIGURATION) else None,
        "last_compared": format_time(last) if last is not None else None,
    }
