# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The marker: a file that an explicit act puts on the disk that shall be the mirror.

Nothing else ever makes one, so a letter that now belongs to another disk, an empty mount folder or a disk that was
swapped in by mistake has none, or the wrong one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record, write_record
from ansible_collections.wst.backup.plugins.module_utils._names import MARKER

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Marker:
    """What the marker says."""

    volume_id: str
    created: datetime
    host: str  # for people: which host made it
    prefix: str


def marker_path(mirror_dir: str) -> str:
    """Where it stands."""
    return os.path.join(mirror_dir, MARKER)


def read_marker(mirror_dir: str) -> Optional[Marker]:
    """The marker, or None where there is none; raises ``RecordDamaged`` and what the file system has."""
    path = marker_path(mirror_dir)
    body = read_record(path)
    if body is None:
        return None
    try:
        if body["schema_version"] != SCHEMA_VERSION:
            raise ValueError("schema {!r}".format(body["schema_version"]))
        return Marker(
            volume_id=str(body["volume_id"]),
            created=parse_time(body["created"]),
            host=str(body["host"]),
            prefix=str(body["prefix"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{path} is no marker of this version", path=path) from error


def write_marker(mirror_dir: str, marker: Marker) -> None:
    """Put it there, over an older one; raises what the file system has."""
    body = {
        "schema_version": SCHEMA_VERSION,
        "volume_id": marker.volume_id,
        "created": format_time(marker.created),
        "host": marker.host,
        "prefix": marker.prefix,
    }
    write_record(marker_path(mirror_dir), body)
