# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that times ``compliance_report`` runs that task in Ansible, and says so when it fails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tools import report_time

pytestmark = pytest.mark.slow


def test_a_small_fleet_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_time.main(["--hosts", "3", "--days", "2"]) == 0
    told = capsys.readouterr().out
    assert re.fullmatch(
        r"compliance_report: 3 hosts, 36 runs: \d+\.\d s, of which the processor \d+\.\d s "
        r"\(html .* MB, json .* MB, prom .* MB\)\n",
        told,
    )


def test_a_task_that_failed_has_no_time(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(report_time, "MADE", report_time.MADE.replace(year=1))  # no time that a report takes
    assert report_time.main(["--hosts", "1", "--days", "1"]) == 1
    assert "report_invalid" in capsys.readouterr().out
