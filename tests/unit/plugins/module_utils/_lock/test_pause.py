# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose backups are paused: what is asked for, who is kept away, and for how long."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import HostPaused, InputInvalid, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import write_record
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.pause import (
    SCHEMA_VERSION,
    Pause,
    pause_of,
    read_pause,
    refuse_paused,
)

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=timezone.utc)
REASON = "the second disk is replaced"


@pytest.fixture
def layout(tmp_path: Path) -> HostLayout:
    return HostLayout(str(tmp_path))


def put(layout: HostLayout, pause: Pause) -> None:
    write_record(layout.pause_file, {"schema_version": SCHEMA_VERSION, **pause.as_body()})


def asked(until: str = "2026-12-24", reason: str = REASON) -> Pause:
    return pause_of(until, reason, by="ada@control", now=NOW)


def test_it_is_read_back_as_it_was_written(layout: HostLayout) -> None:
    assert read_pause(layout) is None
    put(layout, asked())
    assert read_pause(layout) == asked()


def test_it_holds_to_the_beginning_of_its_day(layout: HostLayout) -> None:
    put(layout, asked())
    end = datetime(2026, 12, 24, tzinfo=timezone.utc)
    with pytest.raises(HostPaused, match="no backups until 2026-12-24, says ada@control: the second disk") as caught:
        refuse_paused(layout, end - timedelta(seconds=1))
    assert caught.value.facts["until"] == "2026-12-24T00:00:00Z"
    refuse_paused(layout, end)


def test_a_clock_that_goes_back_ends_none(layout: HostLayout) -> None:
    put(layout, asked())
    with pytest.raises(HostPaused):
        refuse_paused(layout, NOW - timedelta(days=400))


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        ("2026-12-01", REASON),
        ("2026-11-30", REASON),
        ("2027-03-04", REASON),
        ("24.12.2026", REASON),
        ("", REASON),
        ("2026-12-24", "   x  "),
    ],
)
def test_what_makes_no_sense_is_refused(until: str, reason: str) -> None:
    with pytest.raises(InputInvalid):
        asked(until, reason)


def test_the_longest() -> None:
    assert asked("2027-03-03").until - NOW <= timedelta(days=92)


def test_what_cannot_be_read_keeps_no_backup_away(layout: HostLayout) -> None:
    path = Path(layout.pause_file)
    put(layout, asked())
    good = path.read_bytes()
    for bad in (b"", b"{}", good.replace(b"ada", b"eve")):
        path.write_bytes(bad)
        with pytest.raises(RecordDamaged):
            read_pause(layout)
        refuse_paused(layout, NOW)
    for change in ({"schema_version": 2}, {"until": "soon"}, {"until": None}):
        write_record(str(path), {"schema_version": SCHEMA_VERSION, **asked().as_body(), **change})
        with pytest.raises(RecordDamaged):
            read_pause(layout)
    assert json.loads(good)["body"]["reason"] == REASON
