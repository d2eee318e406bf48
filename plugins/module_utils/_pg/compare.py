# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing a restored database with what its dump and its manifest promise. Fingerprints are those of ``live``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg import live
from ansible_collections.wst.backup.plugins.module_utils._pg import tables as tables_of
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import Fingerprint, LargeObjects
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import CONFIGURATION, Table
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import EXTENSION, SEQUENCE_SET, Entry, Toc

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session
    from ansible_collections.wst.backup.plugins.module_utils._pg.verify import DumpProof

Name = Tuple[str, str]  # schema and name

_SETVAL = re.compile(rb"SELECT pg_catalog\.setval\(E?'.*', (-?[0-9]+), (true|false)\);\s*", re.DOTALL)
_SEQUENCES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_EXTENSIONS = "SELECT extname, extversion FROM pg_catalog.pg_extension"


@dataclass(frozen=True)
class Promise:
    """What a database must be: rows and fingerprints by the partitioned table where there is one.

    A fingerprint of None was not taken (rows as INSERT statements). ``objects`` is that of the large objects.
    """

    tables: Mapping[Name, Tuple[Optional[int], Optional[str]]]
    large_objects: int
    objects: Optional[str]
    object_digests: Optional[Mapping[str, str]]
    extensions: Mapping[str, Optional[str]]  # version by name, None where it is not known

    def without(self, tables: Iterable[Name], extensions: Iterable[str]) -> Promise:
        """The same less what was left out on purpose."""
        out, gone = set(tables), set(extensions)
        return replace(
            self,
            tables={pair: value for pair, value in self.tables.items() if pair not in out},
            extensions={name: version for name, version in self.extensions.items() if name not in gone},
        )


def promise_of(database: Mapping[str, Any]) -> Promise:
    """Of the ``database`` part of a manifest; raises DumpDamaged where it lacks what is needed."""
    try:
        tables = {
            (table["schema"], table["name"]): (table["rows"], table.get("fingerprint"))
            for table in database["tables"]
            if table["root"] is None and table["rows"] is not None
        }
        objects = database["large_objects"]
        return Promise(
            tables=tables,
            large_objects=int(objects["count"]),
            objects=objects.get("fingerprint"),
            object_digests=objects.get("sha256"),
            extensions={each["name"]: each["version"] for each in database["extensions"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DumpDamaged(f"the manifest does not say what the database held ({error})") from error


@dataclass(frozen=True)
class Found:
    """What the restored database is. ``own`` has each table by itself, the parts of partitioned ones among them."""

    own: List[Tuple[Table, Fingerprint]]
    empty: List[Name]  # partitioned tables, which may have no parts
    objects: LargeObjects

    @property
    def tables(self) -> Dict[Name, Fingerprint]:
        """By the partitioned table where there is one."""
        sums = {pair: Fingerprint() for pair in self.empty}
        for table, fingerprint in self.own:
            root = table.root or (table.schema, table.name)
            sums[root] = sums.get(root, Fingerprint()) + fingerprint
        return sums

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(fingerprint.rows for _table, fingerprint in self.own)

    def with_table(self, table: Table, fingerprint: Fingerprint) -> Found:
        """The same, had that table this fingerprint."""
        own = [(each, fingerprint if each == table else before) for each, before in self.own]
        return replace(self, own=own)


def promise_of_dump(proof: DumpProof, found: Found) -> Promise:
    """Of a dump alone: less than a manifest's, for whoever damaged the dump has changed this, too.

    :param found: says which tables are parts of which; a dump does not.
    """
    roots = {(table.schema, table.name): table.root for table, _fingerprint in found.own if table.root}
    sums: Dict[Name, Optional[Fingerprint]] = {pair: Fingerprint() for pair in found.empty}
    for schema, name, fingerprint in proof.tables:
        root = roots.get((schema, name)) or (schema, name)
        before = sums.get(root, Fingerprint())
        sums[root] = None if before is None or fingerprint is None else before + fingerprint
    digests = proof.objects.digests
    return Promise(
        tables={pair: (each.rows, each.text) if each is not None else (None, None) for pair, each in sums.items()},
        large_objects=proof.large_objects,
        objects=proof.objects.fingerprint.text,
        object_digests=None if digests is None else {str(oid): digest for oid, digest in digests.items()},
        extensions={entry.tag: None for entry in proof.toc.entries if entry.description == EXTENSION},
    )


def read_database(session: Session, toc: Toc) -> Found:
    """Fingerprints of every table and of the large objects.

    The columns come from the dump's own statements. A table without rows in the dump has none here either, or they are
    counted: then it differs.

    :raises Cancelled; what the session raises.
    """
    copies = copies_of(toc)
    listed = tables_of.list_tables(session)
    own: List[Tuple[Table, Fingerprint]] = []
    _jobs.step("compare the tables", unit="tables")
    with_rows = [table for table in listed if table.has_rows]
    for number, table in enumerate(with_rows):
        _jobs.progress(number, len(with_rows), table.label)
        found = fingerprint(session, table, copies.get((table.schema, table.name)))
        if found is not None:
            own.append((table, found))
    roots = [table for table in listed if table.kind == tables_of.PARTITIONED and table.root is None]
    _jobs.step("compare the large objects")
    with session.transaction():
        objects = live.read_large_objects(session)
    return Found(own, [(table.schema, table.name) for table in roots], objects)


def copies_of(toc: Toc) -> Dict[Name, bytes]:
    """The COPY statement of each table that has rows in the dump."""
    return {(entry.schema, entry.tag): entry.copy for entry in toc.table_data()}


def fingerprint(session: Session, table: Table, copy: Optional[bytes]) -> Optional[Fingerprint]:
    """Of one table as it is now. None for a configuration table whose rows the dump does not have."""
    if copy is None:
        if table.kind == CONFIGURATION:
            return None
        copy = b"COPY x.x  FROM stdin;"  # all columns, whatever they are: the rows count
    return live.fingerprint_table(session, table, copy)


def differences(promise: Promise, found: Found) -> List[str]:
    """A sentence for each table, and for large objects, that are not as promised. Decides only."""
    told: List[str] = []
    here = found.tables
    for pair in sorted(set(promise.tables) | set(here)):
        told += _of_table("{}.{}".format(*pair), promise.tables.get(pair), here.get(pair))
    return [*told, *_of_objects(promise, found.objects)]


def _of_table(
    label: str, wanted: Optional[Tuple[Optional[int], Optional[str]]], found: Optional[Fingerprint]
) -> Iterator[str]:
    if found is None:
        yield f"table {label} is not there"
    elif wanted is None:
        yield f"table {label} was not promised"
    elif wanted[0] is not None and found.rows != wanted[0]:
        yield f"{found.rows} rows of {label} instead of {wanted[0]}"
    elif wanted[1] is not None and found.text != wanted[1]:
        yield f"other rows of {label} than those of its fingerprint"


def _of_objects(promise: Promise, found: LargeObjects) -> Iterator[str]:
    count = found.fingerprint.rows
    if count != promise.large_objects:
        yield f"{count} large objects instead of {promise.large_objects}"
    elif promise.objects not in (None, found.fingerprint.text):
        listed, digests = promise.object_digests or {}, found.digests or {}
        changed = [str(oid) for oid, digest in sorted(digests.items()) if listed.get(str(oid)) != digest]
        named = f" ({tables_of.shorten(changed)})" if listed and changed else ""
        yield f"other content of large objects{named}"


def sequence_differences(session: Session, entries: Iterable[Entry]) -> Tuple[int, List[str]]:
    """How many sequences there are, and a sentence for each that is not where the dump sets it.

    Sequences are in no snapshot, so that the source's own value proves nothing; the dump's does.
    """
    sql = driver().sql
    here = set(session.execute(_SEQUENCES).fetchall())
    wanted = {(entry.schema, entry.tag): _setval(entry) for entry in entries if entry.description == SEQUENCE_SET}
    told = []
    for pair, value in sorted(wanted.items()):
        label = "{}.{}".format(*pair)
        if pair not in here:
            told.append(f"sequence {label} is not there")
            continue
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(*pair))
        (now,) = session.execute(query).fetchall()
        if now != value:
            told.append(f"sequence {label} stands at {now[0]} instead of {value[0]}")
    return len(wanted), told


def _setval(entry: Entry) -> Tuple[int, bool]:
    match = _SETVAL.fullmatch(entry.definition)
    if match is None:
        raise DumpDamaged(f"the dump sets the sequence {entry.schema}.{entry.tag} in a way that is not known")
    return int(match[1]), match[2] == b"true"


def extension_notes(session: Session, promise: Promise) -> Tuple[List[str], List[str]]:
    """Differences and remarks: an extension that is not there; one that has another version, which is no failure."""
    here = dict(session.execute(_EXTENSIONS).fetchall())
    missing = [f"extension {name} is not there" for name in sorted(promise.extensions) if name not in here]
    remarks = [
        f"extension {name} has version {here[name]} here and {version} in the source"
        for name, version in sorted(promise.extensions.items())
        if name in here and version is not None and here[name] != version
    ]
    return missing, remarks
