# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``coverage.json`` below the host root: when each table was last compared with its source.

It only decides whose turn it is. A file that is lost or damaged means that no table was ever compared, and so the
comparison begins anew. Version 1 of its body:

``schema_version``
    1
``databases``
    {``host:port/name``: a list of ``schema``, ``name``, ``seen``, ``compared``, ``seconds``, ``size``}; null stands for
    never in ``compared`` and ``seconds``
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record, write_record
from ansible_collections.wst.backup.plugins.module_utils._pg.rotation import Name, Past

SCHEMA_VERSION = 1


def load(path: str, place: str) -> Dict[Name, Past]:
    """What is remembered of the tables of that database; nothing where the file cannot be used."""
    try:
        return {(entry["schema"], entry["name"]): _past(entry) for entry in _databases(path).get(place, [])}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def save(path: str, place: str, history: Mapping[Name, Past]) -> None:
    """Remember these tables of that database and leave other databases as they are; raises as ``write_record``."""
    databases = {**_databases(path), place: [_entry(name, past) for name, past in sorted(history.items())]}
    write_record(path, {"schema_version": SCHEMA_VERSION, "databases": databases})


def _databases(path: str) -> Dict[str, Any]:
    try:
        body = read_record(path) or {}
    except BackupError:
        return {}
    found = body.get("databases")
    return found if body.get("schema_version") == SCHEMA_VERSION and isinstance(found, dict) else {}


def _past(entry: Mapping[str, Any]) -> Past:
    compared = entry["compared"]
    return Past(
        seen=parse_time(entry["seen"]),
        compared=parse_time(compared) if compared is not None else None,
        seconds=float(entry["seconds"]) if entry["seconds"] is not None else None,
        size=int(entry["size"]),
    )


def _entry(name: Name, past: Past) -> Dict[str, Any]:
    return {
        "schema": name[0],
        "name": name[1],
        "seen": format_time(past.seen),
        "compared": format_time(past.compared) if past.compared is not None else None,
        "seconds": past.seconds,
        "size": past.size,
    }
