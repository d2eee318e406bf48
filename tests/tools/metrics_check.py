# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' own tool over the metrics of a made-up fleet, and over the alert rules of ``docs/monitoring.md``.

The rules are also run: ``words/alerts.yml`` says of each when it fires and when it does not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tools.assurance_pages import WORDS
from tools.pages.fleet import fleet
from tools.paths import COLLECTIONS, ROOT

RULES = re.compile(r"^```yaml\n(groups:.*?)^```", re.M | re.S)


def main() -> int:
    """0 when promtool finds nothing in either; without promtool the rules' metrics are still held against the names."""
    sys.path.insert(0, str(COLLECTIONS))
    from ansible_collections.wst.backup.plugins.plugin_utils._fleet_metrics import METRICS, metrics

    text = metrics(fleet(seed=1, hosts=11, days=30))
    (rules,) = RULES.findall((ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"))
    unknown = set(re.findall(r"\bwst_backup_\w+", rules)) - set(METRICS)
    unsampled = [name for name in METRICS if f"\n{name}{{" not in text]
    for name in sorted(unknown):
        print(f"a rule has {name}, which no metric is called")
    for name in unsampled:
        print(f"{name} has no sample in a whole fleet")
    tests = (WORDS / "alerts.yml").read_text(encoding="utf-8")
    untested = not_run_both_ways(yaml.safe_load(rules), yaml.safe_load(tests))
    for name in untested:
        print(f"{name} is not shown both to fire and not to")
    bad = bool(unknown or unsampled or untested)
    promtool = shutil.which("promtool")
    if promtool is None:
        print("NOT EXERCISED: promtool over metrics and alert rules, needs Debian's package prometheus")
        return 1 if bad else 0
    codes = [subprocess.run([promtool, "check", "metrics"], input=text.encode(), check=False).returncode]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "rules.yml")
        path.write_text(rules, encoding="utf-8")
        own = path.with_name("tests.yml")
        own.write_text(tests, encoding="utf-8")
        for what, file in (("check", path), ("test", own)):
            codes.append(subprocess.run([promtool, what, "rules", str(file)], check=False).returncode)
    return 1 if bad or any(codes) else 0


def not_run_both_ways(rules: Any, tests: Any) -> list[str]:
    """The alerts of which no test expects one, or no test expects none."""
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    shown = {
        (each["alertname"], bool(each["exp_alerts"])) for test in tests["tests"] for each in test["alert_rule_test"]
    }
    return sorted(name for name in alerts if not {(name, True), (name, False)} <= shown)


if __name__ == "__main__":
    sys.exit(main())
