# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' own tool over the metrics of a made-up fleet, and over the alert rules of ``docs/monitoring.md``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

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
    promtool = shutil.which("promtool")
    if promtool is None:
        print("NOT EXERCISED: promtool check, needs Debian's package prometheus")
        return 1 if unknown or unsampled else 0
    codes = [subprocess.run([promtool, "check", "metrics"], input=text.encode(), check=False).returncode]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "rules.yml")
        path.write_text(rules, encoding="utf-8")
        codes.append(subprocess.run([promtool, "check", "rules", str(path)], check=False).returncode)
    return 1 if unknown or unsampled or any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
