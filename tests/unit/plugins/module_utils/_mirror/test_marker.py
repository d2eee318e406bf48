# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that makes a volume the mirror."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import write_record
from ansible_collections.wst.backup.plugins.module_utils._mirror.marker import (
    SCHEMA_VERSION,
    Marker,
    marker_path,
    read_marker,
    write_marker,
)

MADE = Marker("{d}", datetime(2026, 11, 23, 15, tzinfo=timezone.utc), "host", "wst-backup")
BODY: Dict[str, Any] = {
    "schema_version": SCHEMA_VERSION,
    "volume_id": "{d}",
    "created": "2026-11-23T15:00:00Z",
    "host": "host",
    "prefix": "wst-backup",
}


def test_a_marker_comes_back(tmp_path: Path) -> None:
    assert read_marker(str(tmp_path)) is None
    write_marker(str(tmp_path), MADE)
    assert read_marker(str(tmp_path)) == MADE


def test_what_it_says_is_a_record_like_others(tmp_path: Path) -> None:
    write_record(marker_path(str(tmp_path)), BODY)
    assert read_marker(str(tmp_path)) == MADE


@pytest.mark.parametrize(
    "change",
    [{"schema_version": SCHEMA_VERSION + 1}, {"schema_version": ...}, {"created": "yesterday"}, {"created": 7}]
    + [{name: ...} for name in ("volume_id", "created", "host", "prefix")],
)
def test_a_marker_of_another_version_is_not_guessed_at(tmp_path: Path, change: Dict[str, Any]) -> None:
    body = {name: value for name, value in {**BODY, **change}.items() if value is not ...}
    write_record(marker_path(str(tmp_path)), body)
    with pytest.raises(RecordDamaged, match="no marker of this version"):
        read_marker(str(tmp_path))


@pytest.mark.parametrize("at", range(0, 300, 23))
def test_a_flipped_bit_is_found(tmp_path: Path, at: int) -> None:
    write_marker(str(tmp_path), MADE)
    path = Path(marker_path(str(tmp_path)))
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(RecordDamaged):
        read_marker(str(tmp_path))
