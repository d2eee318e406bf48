# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host and control node both write, though neither may import the other: times, and the words of verdicts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils import _clock as on_host
from ansible_collections.wst.backup.plugins.module_utils._compliance import finding
from ansible_collections.wst.backup.plugins.plugin_utils import _clock, _verdicts

ZONES = st.integers(min_value=-12 * 60, max_value=14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 2), max_value=datetime(2999, 12, 30), timezones=ZONES)  # noqa: DTZ001
WORDS = st.lists(st.sampled_from(sorted(_verdicts.OF_HOSTS)))


@given(MOMENTS, st.integers(min_value=-(10**8), max_value=10**8))
def test_a_time_has_one_form(moment: datetime, seconds: int) -> None:
    moment = moment.replace(microsecond=0)
    text = _clock.format_time(moment)
    assert text == on_host.format_time(moment)
    assert _clock.parse_time(text) == on_host.parse_time(text) == moment
    assert _clock.age_of(text, moment + timedelta(seconds=seconds)) == seconds
    assert _clock.age_of(None, moment) is None


def test_a_time_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match="zone"):
        _clock.format_time(datetime(2026, 11, 30))  # noqa: DTZ001
    assert _clock.utc_now().tzinfo is timezone.utc


def test_a_verdict_has_one_word() -> None:
    for name in ("COMPLIANT", "NON_COMPLIANT", "UNKNOWN", "EXEMPT"):
        assert getattr(_verdicts, name) == getattr(finding, name)


@given(WORDS)
def test_the_fleet_is_compliant_only_where_all_hosts_are(verdicts: list[str]) -> None:
    told = _verdicts.of_all(verdicts)
    assert (told == "compliant") is (bool(verdicts) and set(verdicts) == {"compliant"})
    assert (told == "non-compliant") is ("non-compliant" in verdicts)
