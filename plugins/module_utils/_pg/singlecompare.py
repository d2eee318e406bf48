# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database must be that has single tables of another one: their rows, and of nothing else any. Decides only."""

from __future__ import annotations

from dataclasses import replace
from typing import AbstractSet, Any, Dict, List, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg import compare
from ansible_collections.wst.backup.plugins.module_utils._pg.compare import Found, Promise
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import Fingerprint
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import Name
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import CONFIGURATION, PARTITIONED
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import DumpProof


def found_of(found: Found, parts: AbstractSet[Name]) -> Found:
    """What is there, less the configuration of extensions: they bring rows of their own."""
    own = [
        (table, each) for table, each in found.own if table.kind != CONFIGURATION or (table.schema, table.name) in parts
    ]
    return replace(found, own=own)


def of_manifest(database: Mapping[str, Any], parts: AbstractSet[Name]) -> Promise:
    """By the ``database`` part of a manifest.

    :param parts: the tables whose rows came back, partitions by their own names.
    :raises DumpDamaged: the manifest lacks what is needed, which are the rows of each of the parts, too.
    """
    whole = compare.promise_of(database)
    rows: Dict[Name, Fingerprint] = {}
    unknown = set()
    met = set()
    try:
        for each in database["tables"]:
            name = (each["schema"], each["name"])
            root = tuple(each["root"] or name)
            if root not in whole.tables or (each.get("kind") == CONFIGURATION and name not in parts):
                continue
            rows.setdefault(root, Fingerprint())
            if name in parts and each.get("kind") != PARTITIONED:
                met.add(name)
                rows[root] += Fingerprint(int(each["rows"]), int(each.get("fingerprint") or "0", 16))
                unknown |= set() if each.get("fingerprint") else {root}
    except (KeyError, TypeError, ValueError) as error:
        raise DumpDamaged(f"the manifest does not say what the tables held ({error})") from error
    if met != parts:
        lacking = ["{}.{}".format(*name) for name in sorted(parts - met)]
        raise DumpDamaged(f"the manifest does not know {', '.join(lacking)}, which the dump has", tables=lacking)
    tables = {root: (each.rows, None if root in unknown else each.text) for root, each in rows.items()}
    return _without_objects(whole, tables)


def of_dump(proof: DumpProof, found: Found, parts: AbstractSet[Name]) -> Promise:
    """By a dump alone, see ``compare.promise_of_dump``."""
    tables: List[Any] = [
        (schema, name, each if (schema, name) in parts else Fingerprint())
        for schema, name, each in proof.tables
        if (schema, name) in parts or _is_own(found, (schema, name))
    ]
    whole = compare.promise_of_dump(replace(proof, tables=tables), found)
    return _without_objects(whole, whole.tables)


def _is_own(found: Found, name: Name) -> bool:
    return any((table.schema, table.name) == name for table, _fingerprint in found.own)


def _without_objects(promise: Promise, tables: Mapping[Name, Any]) -> Promise:
    """Large objects are no table's: there is none."""
    none: Optional[str] = None
    return replace(promise, tables=tables, large_objects=0, objects=none, object_digests=None)
