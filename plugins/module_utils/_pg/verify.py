# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of a dump: every byte decoded, every row counted, everything there that the source had.

``pg_restore --list`` passes a dump that was cut to a twentieth: its table of contents stands at the front. Only a full
decode finds what is missing or flipped.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from ansible_collections.wst.backup.plugins.module_utils import _fs, _hashing, _jobs, _process
from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged, DumpEmpty, DumpMissing
from ansible_collections.wst.backup.plugins.module_utils._pg import failures
from ansible_collections.wst.backup.plugins.module_utils._pg import toc as toc_of
from ansible_collections.wst.backup.plugins.module_utils._pg.decode import DataReader
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import (
    DumpFingerprints,
    Fingerprint,
    LargeObjects,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import PG_RESTORE, Lines, Warnings
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import CONFIGURATION, shorten
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Head, Toc
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools
from ansible_collections.wst.backup.plugins.module_utils._platform import api

Name = Tuple[str, str]  # schema and name
Source = Union[str, BinaryIO, Iterable[bytes]]


@dataclass(frozen=True)
class DumpProof:
    """What a dump was found to hold.

    ``tables`` are (schema, name, fingerprint) in the order of their data; the last is None where the rows are INSERT
    statements.
    ``sha256`` and ``crc32`` (as in a ZIP) are those of the very bytes that were decoded.
    ``warnings`` are pg_restore's.
    """

    size: int
    sha256: str
    crc32: int
    toc: Toc
    tables: List[Tuple[str, str, Optional[Fingerprint]]]
    objects: LargeObjects
    sequences: int
    warnings: Warnings

    @property
    def large_objects(self) -> int:
        """How many there are."""
        return self.objects.fingerprint.rows

    @property
    def rows_total(self) -> Optional[int]:
        """All rows; None where those of a table are unknown."""
        total = 0
        for _schema, _name, fingerprint in self.tables:
            if fingerprint is None:
                return None
            total += fingerprint.rows
        return total


def verify_dump(
    source: Source, *, tools: Tools, name: str, expected: Optional[Mapping[str, Any]] = None, size: Optional[int] = None
) -> DumpProof:
    """Decode a dump in full and compare it with what it must hold.

    :param source: the dump's path, an open file that stands at its beginning, or its bytes in chunks (a dump that lies
        stored in a ZIP). Chunks are read to their very end before this returns.
    :param name: what to call the dump in messages and progress.
    :param expected: the body of the run's ``database.json``; without it nothing is compared but the dump with itself.
    :param size: bytes, for the progress only.
    :raises DumpMissing: there is no such file; DumpEmpty: no bytes, or no tables; DumpDamaged: it does not decode, or
        does not hold what is expected; DbVersionMismatch: it is newer than the tools; Cancelled; whatever ``source``
        raises while it is read.
    """
    if isinstance(source, str):
        with _open(source, name=name) as file:
            return verify_dump(file, tools=tools, name=name, expected=expected, size=api.facts_of(file).size)
    chunks = _hashing.chunks_of(source) if hasattr(source, "read") else source  # type: ignore[arg-type]
    measured = _Measured(chunks, total=size, name=name)
    proof = _decode(measured, tools=tools, name=name)
    if expected is not None:
        compare(proof, expected, name=name)
    return proof


def _open(path: str, *, name: str) -> BinaryIO:
    try:
        return api.open_source(path)
    except FileNotFoundError as error:
        raise DumpMissing(f"{name} is not there ({path})", dump=name, path=path) from error
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error


class _Measured:
    """Passes chunks on and measures them."""

    def __init__(self, chunks: Iterable[bytes], *, total: Optional[int], name: str) -> None:
        self.size = 0
        self.crc32 = 0
        self.sha256 = hashlib.sha256()
        self._chunks = chunks
        self._total = total
        self._name = name

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.sha256.update(chunk)
            self.crc32 = zlib.crc32(chunk, self.crc32)
            self.size += len(chunk)
            _jobs.progress(self.size, self._total, self._name)
            yield chunk


def _decode(measured: _Measured, *, tools: Tools, name: str) -> DumpProof:
    _jobs.step("decode the dump")
    head = Head(measured, name=name)
    toc = toc_of.read_toc(head, name=name)
    entries = toc.table_data()
    found = DumpFingerprints(len(entries))
    reader = DataReader(entries, found, name=name)
    rest = head.whole()
    argv = [tools.pg_restore.path, "--section=data", "-f", "-"]
    warnings = Warnings(PG_RESTORE)
    lines = Lines(warnings.hear)
    result = _process.run_tool(argv, stdin=rest, consume=reader.feed, hear=lines.hear)
    tool = os.path.basename(argv[0])
    if result.exit_code != 0:
        raise failures.of_restore_tool(tool, result.exit_code, result.stderr, name=name)
    lines.end()
    warnings.end()
    failures.require_all_data(tool, warnings, place=name)
    for _chunk in rest:  # pg_restore need not read what lies behind the last block
        pass
    reader.finish()
    if not any(entry.description in toc_of.RELATIONS for entry in toc.entries):
        raise DumpEmpty(f"{name} holds no tables", dump=name, database=toc.database)
    return DumpProof(
        size=measured.size,
        sha256=measured.sha256.hexdigest(),
        crc32=measured.crc32,
        toc=toc,
        tables=[(entry.schema, entry.tag, fingerprint) for entry, fingerprint in zip(entries, found.tables)],
        objects=found.objects.found(),
        sequences=reader.sequences,
        warnings=warnings,
    )


def compare(proof: DumpProof, expected: Mapping[str, Any], *, name: str) -> None:
    """Raises ``DumpDamaged`` with every difference between the dump and the facts in ``database.json``."""
    differences = [
        *_database_differences(proof, expected),
        *_relation_differences(proof, expected),
        *_row_differences(proof, expected),
        *_sequence_differences(proof, expected),
        *_object_differences(proof.objects, expected["large_objects"]),
    ]
    if differences:
        raise DumpDamaged(
            f"{name} is not what the database held: {shorten(differences)}", dump=name, differences=differences
        )


def _database_differences(proof: DumpProof, expected: Mapping[str, Any]) -> Iterator[str]:
    wanted = expected["database"]["name"]
    if proof.toc.database != wanted:
        yield f"it is of database {proof.toc.database}, not {wanted}"


def _relation_differences(proof: DumpProof, expected: Mapping[str, Any]) -> Iterator[str]:
    """Every relation is defined; those of extensions come with ``CREATE EXTENSION``."""
    defined = {(entry.schema, entry.tag) for entry in proof.toc.entries if entry.description in toc_of.RELATIONS}
    wanted = {(table["schema"], table["name"]) for table in expected["tables"] if table["kind"] != CONFIGURATION}
    yield from ("no definition of {}.{}".format(*pair) for pair in sorted(wanted - defined))
    yield from ("unexpected {}.{}".format(*pair) for pair in sorted(defined - wanted))


def _row_differences(proof: DumpProof, expected: Mapping[str, Any]) -> Iterator[str]:
    wanted: Dict[Name, Mapping[str, Any]] = {
        (table["schema"], table["name"]): table
        for table in expected["tables"]
        if table["kind"] in ("table", CONFIGURATION)
    }
    found = {(schema, table): fingerprint for schema, table, fingerprint in proof.tables}
    if len(found) != len(proof.tables):
        yield "the data of a table twice"
    for pair in sorted(set(wanted) | set(found)):
        if pair not in found:
            yield "no data of {}.{}".format(*pair)
        elif pair not in wanted:
            yield "unexpected data of {}.{}".format(*pair)
        else:
            yield from _content_differences("{}.{}".format(*pair), found[pair], wanted[pair])


def _content_differences(label: str, found: Optional[Fingerprint], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Nothing but the number of rows is compared where the expectation has no fingerprint yet."""
    rows = found.rows if found is not None else None
    fingerprint = wanted.get("fingerprint")
    if rows != wanted["rows"]:
        yield f"{rows} rows of {label} instead of {wanted['rows']}"
    elif found is not None and fingerprint is not None and found.text != fingerprint:
        yield f"other rows of {label} than those of its fingerprint"


def _object_differences(found: LargeObjects, wanted: Mapping[str, Any]) -> Iterator[str]:
    """As for a table; where the digests are listed, the objects are named."""
    count = found.fingerprint.rows
    if count != wanted["count"]:
        yield f"{count} large objects instead of {wanted['count']}"
    elif wanted.get("fingerprint") not in (None, found.fingerprint.text):
        listed, digests = wanted.get("sha256") or {}, found.digests or {}
        changed = [str(oid) for oid, digest in sorted(digests.items()) if listed.get(str(oid)) != digest]
        yield f"other content of large objects ({shorten(changed)})" if listed else "other content of large objects"


def _sequence_differences(proof: DumpProof, expected: Mapping[str, Any]) -> Iterator[str]:
    """The value of a sequence is not part of any snapshot: only that each one is there is compared."""
    set_ = {(entry.schema, entry.tag) for entry in proof.toc.entries if entry.description == toc_of.SEQUENCE_SET}
    wanted = {(entry["schema"], entry["name"]) for entry in expected["sequences"]}
    yield from ("no value of sequence {}.{}".format(*pair) for pair in sorted(wanted - set_))
    if proof.sequences != len(set_):
        yield f"values of {proof.sequences} sequences instead of {len(set_)}"
