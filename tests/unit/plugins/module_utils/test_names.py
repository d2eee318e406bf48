# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of runs, artifacts and the files of a set."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils import _names
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid

EPOCH = datetime(1990, 1, 1, tzinfo=timezone.utc)
times = st.integers(min_value=0, max_value=60 * 365 * 86400).map(lambda s: EPOCH + timedelta(seconds=s))
prefixes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)
nonces = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)


@given(time=times, prefix=prefixes, nonce=nonces)
def test_every_name_of_a_run_is_read_back(time: datetime, prefix: str, nonce: str) -> None:
    run_id = time.strftime(_names.STAMP_FORMAT) + "-" + nonce
    artifact = _names.artifact_of_run(run_id, prefix)
    assert artifact.time == time
    assert _names.parse_artifact(artifact.zip, prefix) == artifact
    expected = {
        artifact.zip: (_names.ZIP, None),
        artifact.sidecar: (_names.SIDECAR, None),
        artifact.state: (_names.STATE, None),
        artifact.zip_partial(run_id): (_names.ZIP, run_id),
        artifact.sidecar_partial(run_id): (_names.SIDECAR, run_id),
    }
    for name, (part, owner) in expected.items():
        parsed = _names.parse_layer_file(name, prefix)
        assert parsed == _names.LayerFile(artifact=artifact, part=part, run_id=owner)


@given(first=times, second=times)
def test_artifacts_order_by_time(first: datetime, second: datetime) -> None:
    names = [_names.ArtifactName(time=t, stem="x-" + t.strftime(_names.STAMP_FORMAT)) for t in (first, second)]
    assert (names[0] < names[1]) == (first < second)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "wst-backup-20261123-150000.ZIP",
        "WST-backup-20261123-150000.zip",
        "wst-backup-20261123-150000.zip ",
        "wst-backup-20261123-150000.zip\n",
        "wst-backup-20261123-150000.zip.bak",
        "wst-backup-20261123-150000 (1).zip",
        "wst-backup-20261323-150000.zip",
        "wst-backup-20261123-250000.zip",
        "wst-backup-20261123-150000.zip.partial",
        "wst-backup-20261123-150000.zip.20261123-150000-XXXXXXXX.partial",
        "wst-backup-２０２６1123-150000.zip",
        "other-20261123-150000.zip",
        "wst-backup-x-20261123-150000.zip",
        "wst-backup-20261123-150000.manifest.json.tmp",
    ],
)
def test_what_is_not_to_the_letter_is_foreign(name: str) -> None:
    assert _names.parse_layer_file(name, "wst-backup") is None


@pytest.mark.parametrize("owner", ["20261123-150000-0123abcd", "0123456789abcdef"])
def test_leftovers_name_who_wrote_them(owner: str) -> None:
    for name in (f"wst-probe.{owner}.partial", f"wst-mirror.json.{owner}.partial"):
        assert _names.parse_leftover(name) == owner
    assert _names.parse_leftover(_names.probe_name(owner)) == owner


@pytest.mark.parametrize(
    "name",
    [
        "",
        "wst-mirror.json",
        "wst-probe",
        "wst-probe.partial",
        "wst-probe..partial",
        "wst-probe.0123456789abcde.partial",
        "wst-probe.0123456789abcdef0.partial",
        "wst-probe.0123456789ABCDEF.partial",
        "WST-probe.0123456789abcdef.partial",
        "wst-probe.0123456789abcdef.PARTIAL",
        "wst-probe.0123456789abcdef.partial ",
        "wst-probe.0123456789abcdef.partial\n",
        "wst-probe.0123456789abcdef.partial.bak",
        "my-wst-probe.0123456789abcdef.partial",
        "wst-probe-0123456789abcdef.partial",
        "wst-mirrorxjson.0123456789abcdef.partial",
        "wst-mirror.json.20261123-150000-0123abc.partial",
        "wst-mirror.json.\uff12\uff10\uff12\uff161123-150000-0123abcd.partial",
        "wst-state.json.0123456789abcdef.partial",
    ],
)
def test_what_is_no_leftover_to_the_letter_is_none(name: str) -> None:
    assert _names.parse_leftover(name) is None


def test_only_a_final_zip_is_an_artifact() -> None:
    artifact = _names.artifact_of_run("20261123-150000-0123abcd", "wst-backup")
    assert _names.parse_artifact(artifact.sidecar, "wst-backup") is None
    assert _names.parse_artifact(artifact.zip_partial("20261123-150000-0123abcd"), "wst-backup") is None


@pytest.mark.parametrize("run_id", ["", "x", "20261123-150000", "20261123-150000-0123ABCD", "20269923-150000-0123abcd"])
def test_a_run_id_becomes_part_of_paths_so_it_is_checked(run_id: str) -> None:
    with pytest.raises(InputInvalid):
        _names.check_run_id(run_id)


@pytest.mark.parametrize("prefix", ["", ".x", "a/b", "a\\b", "a b", "x" * 65, "ä", "..", "a\n"])
def test_a_prefix_is_a_plain_file_name(prefix: str) -> None:
    with pytest.raises(InputInvalid):
        _names.check_prefix(prefix)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_the_hosts_time_zone_means_nothing(zone: str) -> None:
    """Not in the hour that a clock has twice in autumn either: names are made and read in UTC."""
    program = (
        "from datetime import datetime, timedelta, timezone\n"
        "from ansible_collections.wst.backup.plugins.module_utils import _clock, _names\n"
        "first = datetime(2026, 4, 4, 12, tzinfo=timezone.utc)\n"
        "for hours in range(24 * 365):\n"
        "    moment = first + timedelta(hours=hours)\n"
        "    assert _clock.parse_time(_clock.format_time(moment)) == moment\n"
        "    run_id = moment.strftime(_names.STAMP_FORMAT) + '-0123abcd'\n"
        "    assert _names.artifact_of_run(run_id, 'wst-backup').time == moment\n"
        "now = _clock.utc_now()\n"
        "assert abs((datetime.now().astimezone() - now).total_seconds()) < 60\n"
        "print(_clock.format_time(now))\n"
    )
    env = {**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True, text=True).stdout
    said = datetime.strptime(told.strip(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert abs(datetime.now(timezone.utc) - said) < timedelta(minutes=1)
