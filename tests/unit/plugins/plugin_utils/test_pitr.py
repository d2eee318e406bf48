# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of Azure's words about a server's backups: what it does not say is unknown."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils import _pitr
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.fake_arm import backup, resource

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=timezone.utc)

TIMES = st.integers(0, 200_000_000_000).map(lambda second: datetime.fromtimestamp(second, timezone.utc))


@given(when=TIMES, hours=st.integers(-14, 14))
def test_times_are_read_with_any_zone_and_any_number_of_digits(when: datetime, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    for digits in ("", ".1", ".1234567"):
        text = when.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S") + digits + f"{hours:+03d}:00"
        text = text if len(text.split("-")[0]) == 4 else f"0{text}"
        read = _pitr.moment(text)
        assert read is not None
        assert abs(read - when) < timedelta(seconds=2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("backupRetentionDays", "geoRedundantBackup", "earliestRestoreDate")


@given(
    backup_of=st.dictionaries(st.sampled_from(FIELDS), JSON),
    listed=st.lists(JSON.filter(lambda v: isinstance(v, dict))),
)
def test_whatever_azure_says_what_is_not_understood_is_unknown(backup_of: dict[str, Any], listed: list[Any]) -> None:
    told = _pitr.facts_of({"properties": {"backup": backup_of}}, listed, now=NOW)
    assert told["geo_redundant"] in (True, False, None)
    if told["enabled"]:
        assert told["retention_days"] > 0
        assert told["earliest_restore_point"] is not None
    _pitr.remarks_of(told)
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(None, None), (7, None), ("", None), ("soon", None), ("2026-11-30T14:00:00", None), ("9" * 400, None),
     ("2026-11-30T14:00:00z", NOW), ("2026-11-30T15:00:00+01:00", NOW)],
)  # fmt: skip
def test_what_is_no_time_is_unknown(value: Any, wanted: datetime | None) -> None:
    assert _pitr.moment(value) == wanted


def test_nothing_retained_is_off_and_a_clock_that_is_wrong_is_told() -> None:
    off = _pitr.facts_of(resource(backupRetentionDays=0), [], now=NOW)
    assert off["enabled"] is False
    ahead = _pitr.facts_of(resource(earliestRestoreDate="2026-12-30T14:00:00Z"), [], now=NOW)
    assert ahead["earliest_restore_point_age"] < 0
    assert "clock" in " ".join(_pitr.remarks_of(ahead))
    stopped = resource()
    stopped["properties"]["state"] = "Stopped"
    assert "Stopped" in " ".join(_pitr.remarks_of(_pitr.facts_of(stopped, [], now=NOW)))


def test_the_newest_completed_backup_is_the_last() -> None:
    listed = [backup("two", "2026-11-30T01:00:00Z"), backup("one", "2026-11-29T01:00:00Z"), backup("runs", None)]
    told = _pitr.facts_of(resource(), listed, now=NOW)
    assert (told["backups"], told["last_backup"]["name"], told["last_backup"]["age"]) == (2, "two", 13 * 3600)
    asked = _pitr.facts_of(resource(), [*listed, backup("x", "2026-11-30T12:00:00Z", "Customer On-Demand")], now=NOW)
    assert (asked["backups"], asked["last_backup"]["name"]) == (3, "two"), "one that a person asked for proves little"
    assert _pitr.facts_of({"name": "x"}, [], now=NOW)["server"]["created_at"] is None
    assert _pitr.remarks_of(told) == []
    assert "not known" in " ".join(_pitr.remarks_of(_pitr.facts_of(resource(earliestRestoreDate=None), [], now=NOW)))
