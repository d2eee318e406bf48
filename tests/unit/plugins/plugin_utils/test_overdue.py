# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schedule that died shows: in the verdict, and in Prometheus' own reading of old metrics by the documented rules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tools.metrics_check import RULES
from tools.paths import ROOT
from unit.plugins.module_utils._compliance.test_rules import DEV, NOW, facts

from ansible_collections.wst.backup.plugins.module_utils._compliance.verdict import report
from ansible_collections.wst.backup.plugins.plugin_utils._fleet import fleet
from ansible_collections.wst.backup.plugins.plugin_utils._fleet_metrics import metrics

LAST_RUN = NOW - timedelta(hours=1)  # of the host that these facts describe
SAMPLE = re.compile(r"^(wst_backup_\w+\{.*\}) (\S+)$", re.M)


def judged(at: datetime) -> dict[str, Any]:
    """The host as it is judged then, when nothing has run since its last backup."""
    found: dict[str, Any] = {**report(replace(facts(), now=at), DEV), "collection": "1"}
    return fleet({"host": found}, known={}, evidence={}, made=at, controller="me", period_days=30)


def firing(document: dict[str, Any], *, hours: float, work: Path) -> set[str]:
    """The alerts of the host that fire so many hours after its last run, with metrics as they were in that document."""
    zero = LAST_RUN.timestamp()  # promtool's clock begins at 0
    series = []
    for name, value in SAMPLE.findall(metrics(document)):
        shifted = float(value) - (zero if "_timestamp_seconds" in name else 0)
        series.append({"series": name, "values": f"{shifted:.0f}+0x{int(hours * 60) + 120}"})
    (rules,) = RULES.findall((ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"))
    (work / "rules.yml").write_text(rules, encoding="utf-8")
    at = f"{int(hours * 60)}m"
    wanted = [{"eval_time": at, "alertname": alert, "exp_alerts": []} for alert in re.findall(r"alert: (\w+)", rules)]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": wanted}
    given = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (work / "test.yml").write_text(json.dumps(given), encoding="utf-8")
    argv = ["promtool", "test", "rules", "test.yml"]
    done = subprocess.run(argv, cwd=work, capture_output=True, text=True, check=False)
    fired = set(re.findall(r"alertname:\s*(\w+)", done.stdout + done.stderr))  # none was expected, so it tells each
    assert bool(fired) == (done.returncode != 0), done
    return fired


def test_thirty_hours_without_a_run_are_no_compliance() -> None:
    before, after = (
        judged(LAST_RUN + timedelta(hours=24))["hosts"][0],
        judged(LAST_RUN + timedelta(hours=30))["hosts"][0],
    )
    assert before["verdict"] == "compliant"
    assert after["verdict"] == "non-compliant"
    assert {each["id"]: each["verdict"] for each in after["requirements"]}["R1"] == "non-compliant"
    assert [each["overdue"] for each in after["next"] if each["what"] == "backup"] == [True]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="NOT EXERCISED: alerts, need Debian's package prometheus")
def test_the_alert_fires_with_metrics_that_nobody_writes_any_more(tmp_path: Path) -> None:
    """The control node judged the host an hour after its backup, then died: no backup, no evaluation."""
    document = judged(LAST_RUN + timedelta(hours=1))
    assert firing(document, hours=2, work=tmp_path) == set()
    assert firing(document, hours=5, work=tmp_path) == {"WstBackupNotEvaluated"}
    assert firing(document, hours=30, work=tmp_path) == {"WstBackupNotEvaluated", "WstBackupOverdue"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="NOT EXERCISED: alerts, need Debian's package prometheus")
def test_the_alerts_fire_where_only_backups_stopped(tmp_path: Path) -> None:
    document = judged(LAST_RUN + timedelta(hours=30))
    assert firing(document, hours=30.5, work=tmp_path) == {"WstBackupNotCompliant", "WstBackupOverdue"}
