# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the task ``compliance_report`` takes for a fleet with a year of history: ``python -m tools.report_time``.

The task runs in Ansible as in ``compliance.yml``, on results of hosts that never were. To get these results into
Ansible takes longer than the task; where hosts are judged that is a part of judging each, and it is not counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.pages.fleet import MADE, fleet
from tools.paths import ROOT, VENV_BIN, environment

PLAY = [
    {
        "hosts": "wst",
        "gather_facts": False,
        "tasks": [
            {"set_fact": {"judged": "{{ lookup('file', inventory_dir ~ '/' ~ inventory_hostname) | from_json }}"}},
            {
                "wst.backup.compliance_report": {"hosts": "{{ ansible_play_hosts_all }}", "variables": ["judged"]},
                "register": "told",
                "run_once": True,
            },
            {"debug": {"msg": "{{ told.lines | last }}"}, "run_once": True},
        ],
    }
]
TASK = "TASK [wst.backup.compliance_report]"


def main(arguments: list[str]) -> int:
    """Print the time and the sizes; 1 where the task failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.report_time")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        runs = prepare(directory, hosts=options.hosts, days=options.days)
        seconds, output = timed(directory)
        kept = directory / "control" / "fleet"
        if seconds is None or not (kept / "compliance.html").is_file():
            print(output)
            return 1
        sizes = ", ".join(f"{path.suffix[1:]} {path.stat().st_size / 1e6:.1f} MB" for path in sorted(kept.iterdir()))
        print(f"compliance_report: {options.hosts} hosts, {runs:,} runs: {seconds:.1f} s ({sizes})")
    return 0


def prepare(directory: Path, *, hosts: int, days: int) -> int:
    """Results, inventory and play; how many runs are in them."""
    document = fleet(seed=7, hosts=hosts, days=days)
    known = f"{MADE:%Y-%m-%dT%H:%M:%SZ}"
    for host in document["hosts"]:
        result = {**host, "collection": document["collection"], "known_at": host["known_at"] or known}
        (directory / host["name"]).write_text(json.dumps(result), encoding="utf-8")
    inventory: dict[str, Any] = {
        "wst": {
            "hosts": {host["name"]: {"ansible_connection": "local"} for host in document["hosts"]},
            "vars": {"wst_backup_control_dir": str(directory / "control")},
        }
    }
    (directory / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
    (directory / "play.yml").write_text(json.dumps(PLAY), encoding="utf-8")
    return sum(len(host["runs"]) for host in document["hosts"])


def timed(directory: Path) -> tuple[float | None, str]:
    """Seconds between the task's line and the next one's, and all that was said; None where one never came."""
    argv = [str(VENV_BIN / "ansible-playbook"), "-i", str(directory / "inventory.yml"), str(directory / "play.yml")]
    began, seconds, said = None, None, []
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**environment(), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            said.append(line)
            if line.startswith(TASK):
                began = time.monotonic()
            elif began is not None and seconds is None and line.startswith("TASK ["):
                seconds = time.monotonic() - began
    return seconds if running.returncode == 0 else None, "".join(said)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
