# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the task ``compliance_report`` takes for a fleet with a year of history: ``python -m tools.report_time``.

The task runs in Ansible as in ``compliance.yml``, on results of hosts that never were. To get these results into
Ansible takes longer than the task; where hosts are judged that is a part of judging each, and it is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
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
        took, output = timed(directory)
        kept = directory / "control" / "fleet"
        if took is None or not (kept / "compliance.html").is_file():
            print(output)
            return 1
        sizes = ", ".join(f"{path.suffix[1:]} {path.stat().st_size / 1e6:.1f} MB" for path in sorted(kept.iterdir()))
        print(f"compliance_report: {options.hosts} hosts, {runs:,} runs: {took.said()} ({sizes})")
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


@dataclass(frozen=True)
class Moment:
    """A time, and the processor time until then, in seconds."""

    clock: float
    processor: float

    def said(self) -> str:
        """As the difference of two."""
        return f"{self.clock:.1f} s, of which the processor {self.processor:.1f} s"


def moment_of(pid: int) -> Moment:
    """Now, of that process and all that it has started, also of what has ended and is not waited for yet."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile; whoever waited for it has its time
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            if str(pid) in (stat.parent.name, fields[1]):
                ticks += sum(map(int, fields[11:15]))
    return Moment(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"))


def timed(directory: Path) -> tuple[Moment | None, str]:
    """What passed between the task's line and the next one's, and all that was said; None where one never came."""
    argv = [str(VENV_BIN / "ansible-playbook"), "-i", str(directory / "inventory.yml"), str(directory / "play.yml")]
    began: Moment | None = None
    took: Moment | None = None
    said: list[str] = []
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
                began = moment_of(running.pid)
            elif began is not None and took is None and line.startswith("TASK ["):
                now = moment_of(running.pid)
                took = Moment(now.clock - began.clock, now.processor - began.processor)
    return took if running.returncode == 0 else None, "".join(said)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
