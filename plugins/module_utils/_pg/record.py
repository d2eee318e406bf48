# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``database.json``: what the dump step proved, for the steps after it and for the manifest.

Written with ``_fs.write_record`` into the run's workspace, last of all: where it is, the dump is whole and proved.
Version 1 of its body; sizes are bytes, times ``YYYY-MM-DDTHH:MM:SSZ``, names are Unicode and not quoted:

``schema_version``
    1
``database``
    ``name``, ``host``, ``port``, ``owner``, ``server_version`` ("17.10"), ``server_version_num`` (170010),
    ``encoding``, ``collate``, ``ctype``, ``locale_provider`` (libc, icu, builtin), ``locale``, ``collation_version``,
    ``size``, ``settings`` (["TimeZone=UTC", ...] of ALTER DATABASE), ``role_settings`` ({role: [setting, ...]} in this
    database)
``snapshot_at``
    the snapshot's moment on the server's clock
``tables``
    a list, in the order of the names' bytes: ``schema``, ``name``, ``kind`` (table, partitioned, configuration,
    materialized_view, foreign), ``rows`` (null where the dump has none of its own), ``root`` ([schema, name] of the
    partitioned table that it is a part of, or null), ``populated`` (of a materialized view), ``fingerprint`` (of the
    rows in the dump, see ``fingerprint.py``: 64 hexadecimal digits; null where ``rows`` is), ``compared`` (whether this
    run found the source's rows to have that fingerprint; null where the dump has no rows under this name),
    ``last_compared`` (when a run last did; null for never)
``rows_total``
    rows in the dump; a partitioned table's are those of its parts, counted once
``sequences``
    ``schema``, ``name``; values are in the dump only, because no snapshot covers them
``large_objects``
    ``count``, ``fingerprint``, ``sha256`` ({oid: SHA-256 of its content}; null where there are more than a thousand)
``deep``
    ``budget`` (seconds; 0: the source was not asked), ``compared`` (tables), ``large_objects`` (whether all of them
    were; null where there are none or the source was not asked), ``overdue`` ([schema, name] of what no run has
    compared for a week; the large objects are ["", "large objects"]), ``trouble`` (what ended the comparison early, or
    null), ``remembered`` (whether the host knows of it; null with no budget)
``extensions``
    ``name``, ``version``, ``schema``
``dump``
    ``name`` (file name), ``size``, ``sha256``, ``crc32`` (as in a ZIP, a number), ``format`` (archive version),
    ``compression``, ``toc_entries``
``roles``
    ``name``, ``size``, ``sha256`` of roles.sql
``tools``
    ``pg_dump``, ``pg_restore``, ``psycopg``, ``libpq``
``warnings``
    of pg_dump, which ended well: ``counts`` ({kind: number}; kinds as in ``messages``: harmless, missing, restore,
    unknown), ``first`` (the first 50 of each kind: ``kind``, ``text``), ``noise`` (up to 20 lines that are not its own)
``proof``
    ``tables`` (with data), ``rows_total``, ``large_objects``, ``sequences``: what the full decode found, equal to the
    above; ``warnings`` as above, of the pg_restore that decoded it
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import driver
from ansible_collections.wst.backup.plugins.module_utils._pg.facts import DatabaseFacts
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import Fingerprint
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import (
    MISSING,
    PG_DUMP,
    PG_RESTORE,
    RESTORE,
    UNKNOWN,
    Warnings,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.snapshot import Snapshot
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import PARTITIONED
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import DumpProof

SCHEMA_VERSION = 1
MAX_SENTENCES = 20
_MEANINGS = {
    MISSING: "says that something is not in the dump",
    RESTORE: "says that something may not restore as it was",
    UNKNOWN: "says",
}  # the gravest first; what is harmless is recorded only


def expectation(snapshot: Snapshot, facts: DatabaseFacts, options: DatabaseOptions) -> Dict[str, Any]:
    """The part of the body that the database alone determines: what the dump must hold."""
    return {
        "schema_version": SCHEMA_VERSION,
        "database": {**facts.survey.server, "host": options.host, "port": options.port},
        "snapshot_at": format_time(snapshot.taken_at),
        "tables": _tables(facts),
        "rows_total": facts.rows_total,
        "sequences": [{"schema": schema, "name": name} for schema, name in facts.survey.sequences],
        "large_objects": {"count": facts.survey.large_objects},
        "extensions": facts.survey.extensions,
    }


def _tables(facts: DatabaseFacts) -> List[Dict[str, Any]]:
    return [
        {
            "schema": entry.table.schema,
            "name": entry.table.name,
            "kind": entry.table.kind,
            "rows": entry.rows,
            "root": list(entry.table.root) if entry.table.root else None,
            "populated": entry.table.populated,
        }
        for entry in facts.tables
    ]


def dump_part(proof: DumpProof, *, name: str) -> Dict[str, Any]:
    """The body's ``dump`` and ``proof``."""
    return {
        "dump": {
            "name": name,
            "size": proof.size,
            "sha256": proof.sha256,
            "crc32": proof.crc32,
            "format": proof.toc.format,
            "compression": proof.toc.compression,
            "toc_entries": len(proof.toc.entries),
        },
        "proof": {
            "tables": len(proof.tables),
            "rows_total": proof.rows_total,
            "large_objects": proof.large_objects,
            "sequences": proof.sequences,
            **warnings_part(proof.warnings),
        },
    }


def warnings_part(warnings: Warnings) -> Dict[str, Any]:
    """The body's ``warnings``, and those of its ``proof``."""
    first = [{"kind": message.kind, "text": message.text} for message in warnings.first]
    return {"warnings": {"counts": dict(warnings.counts), "first": first, "noise": list(warnings.noise)}}


def all_sentences(body: Mapping[str, Any]) -> List[str]:
    """What the operator should read of what both tools said, each quoted."""
    return [
        *sentences(body["warnings"], tool=PG_DUMP, place="database.warnings"),
        *sentences(body["proof"]["warnings"], tool=PG_RESTORE, place="database.proof.warnings"),
    ]


def sentences(warnings: Mapping[str, Any], *, tool: str, place: str = "") -> List[str]:
    """The same of one tool. ``place``: where in the manifest more of them are."""
    told = [
        f"{tool} {meaning}: {warning['text']}"
        for kind, meaning in _MEANINGS.items()
        for warning in warnings["first"]
        if warning["kind"] == kind
    ][:MAX_SENTENCES]
    more = sum(warnings["counts"].get(kind, 0) for kind in _MEANINGS) - len(told)
    if more:
        where = f"; the first of each kind are in the manifest, {place}" if place else ""
        told.append(f"{tool} warned {more} times more{where}")
    return told


def content_part(body: Mapping[str, Any], proof: DumpProof) -> Dict[str, Any]:
    """The body's ``tables`` and ``large_objects`` with the fingerprints that the full decode found."""
    found = {(schema, name): fingerprint for schema, name, fingerprint in proof.tables if fingerprint is not None}
    for table in body["tables"]:
        pair = (table["schema"], table["name"])
        if table["root"] and pair in found:
            root = (table["root"][0], table["root"][1])
            found[root] = found.get(root, Fingerprint()) + found[pair]
    digests = proof.objects.digests
    return {
        "tables": [{**table, "fingerprint": _fingerprint(table, found)} for table in body["tables"]],
        "large_objects": {
            "count": proof.large_objects,
            "fingerprint": proof.objects.fingerprint.text,
            "sha256": None if digests is None else {str(oid): digest for oid, digest in digests.items()},
        },
    }


def _fingerprint(table: Mapping[str, Any], found: Mapping[Tuple[str, str], Fingerprint]) -> Optional[str]:
    if table["rows"] is None:
        return None
    pair = (table["schema"], table["name"])
    if table["kind"] == PARTITIONED:  # with or without parts
        return found.get(pair, Fingerprint()).text
    return found[pair].text


def tools_part(tools: Tools) -> Dict[str, str]:
    """The body's ``tools``."""
    psycopg = driver()
    libpq = psycopg.pq.version()
    return {**tools.versions(), "psycopg": psycopg.__version__, "libpq": f"{libpq // 10000}.{libpq % 10000}"}
