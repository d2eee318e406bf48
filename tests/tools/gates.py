# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every gate of the project, and the command that runs them: ``python -m tools.gates --all | --quick | NAME...``.

To add a gate, add it to ``GATES``. Three lanes run beside each other on two cores, each about as long as the others:
``light``, ``lab`` (those that need the lab host) and ``rest``, whatever would make the other two too long.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import replace

from tools.gate_runner import Gate, run_gates, say, summarise
from tools.paths import LOGS, TOOLS_BIN, VENV_BIN

ENGINE = "integration-engine"
PYTHON = str(VENV_BIN / "python")
RUFF = str(VENV_BIN / "ruff")
COVERAGE = str(VENV_BIN / "coverage")


def own(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of our own tools."""
    return (PYTHON, "-m", f"tools.{module}", *arguments)


GATES = (
    Gate("ruff", (RUFF, "check", "."), "lint of all Python", quick=True),
    Gate("ruff-format", (RUFF, "format", "--check", "."), "format of all Python", quick=True),
    Gate("mypy", own("strict_types"), "strict types of module_utils and plugin_utils", quick=True),
    Gate("layers", own("layers"), "imports point downwards; one place knows the operating system", quick=True),
    Gate("bandit", own("bandit_scan"), "weaknesses in what is shipped, every exception with its reason", quick=True),
    Gate("credentials", own("credentials"), "no credential in a tracked file", quick=True),
    Gate("docs-generated", own("generated"), "generated pages are up to date", quick=True),
    Gate(
        "unit",
        (COVERAGE, "run", "-m", "pytest", "tests/unit", "--part", "quick"),
        "unit tests that are quick; the coverage of what decides",
        kind="pytest",
        quick=True,
        quick_arguments=("--quick",),
        seconds=2400,
    ),
    Gate(
        "unit-slow",
        (PYTHON, "-m", "pytest", "tests/unit", "--part", "slow", "--durations=15"),
        "unit tests that need a server, or seconds",
        kind="pytest",
        seconds=2400,
    ),
    Gate("fuzz", own("proof", "fuzz", "--seconds", "25"), "mutated archives are proved or refused by name"),
    # Always the same faults, so that red is about the change; `make torture` draws new ones.
    Gate(
        "torture",
        own("torture", "-n", "30", "--seed", "1", "--each-kind"),
        "random faults over whole runs",
        seconds=600,
    ),
    Gate("decision-core", own("decision_core"), "100 % branch coverage of what decides", quick=True),
    Gate("changelog", (str(TOOLS_BIN / "antsibull-changelog"), "lint"), "changelog fragments"),
    Gate("docs-lint", own("docs_lint"), "documentation of the plugins"),
    Gate("metrics", own("metrics_check"), "promtool over metrics and alert rules"),
    Gate("build", own("build_check"), "the built collection installs and works", seconds=300),
    Gate("ansible-lint", own("ansible_lint"), "profile production, no skips", seconds=900),
    Gate(
        "sanity",
        own("sanity"),
        "ansible-test sanity, empty ignore files",
        kind="steps",
        step=r'^Running sanity test "',
        seconds=1500,
    ),
    Gate(
        "lab-unit",
        (PYTHON, "-m", "pytest", "tests/lab/tests"),
        "the lab's own tests",
        kind="pytest",
        lane="lab",
        seconds=900,
    ),
    Gate(
        "integration-windows",
        own("integration", "windows"),
        "the whole work of a host and its failures, on the Windows stand-in",
        kind="pytest",
        lane="lab",
        seconds=3600,
    ),
    Gate(
        "integration-posix",
        own("integration", "posix"),
        "the part of it that does not depend on the system, on the POSIX lane",
        kind="pytest",
        lane="rest",
        seconds=5200,
    ),
    Gate(
        "pages",
        (PYTHON, "-m", "pytest", "tests/pages"),
        "the pages for people, in a real Chromium",
        kind="pytest",
        lane="lab",
        seconds=2400,
    ),
    Gate(
        ENGINE,
        own("integration", "engine"),
        "what PowerShell has a part in, with a real one",
        kind="pytest",
        lane="lab",
        seconds=1200,
    ),
    Gate(
        "integration-network",
        own("integration", "network"),
        "what breaks while a run goes on, on the Windows stand-in",
        kind="pytest",
        seconds=2400,
    ),
    Gate(
        "unit-windows",
        own("unit_windows"),
        "unit tests under Windows Python",
        kind="pytest",
        lane="light",
        seconds=2400,
    ),
    Gate(
        "core-matrix",
        own("core_matrix"),
        "a backup under every ansible-core",
        kind="steps",
        step=r"^ansible-core \S+ .*: backed up",
        lane="lab",
        seconds=1200,
    ),
    Gate("molecule", own("molecule_run"), "the molecule scenario", lane="lab", seconds=900),
)


def main(argv: list[str] | None = None) -> int:
    """Run the gates that the arguments choose; 0 when all let through."""
    parser = argparse.ArgumentParser(description="Run the project's gates.")
    parser.add_argument("--all", action="store_true", help="every gate")
    parser.add_argument("--quick", action="store_true", help="the gates that answer within three minutes")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args(argv)
    if options.list:
        say("\n".join(f"{gate.name:<15} {gate.about}" for gate in GATES))
        return 0
    unknown = set(options.names) - {gate.name for gate in GATES}
    if unknown:
        parser.error(f"no such gate: {', '.join(sorted(unknown))} (--list names them)")
    chosen = [gate for gate in GATES if options.all or (options.quick and gate.quick) or gate.name in options.names]
    if not chosen:
        parser.error("name a gate, or --quick, or --all")
    if options.quick and not options.all:
        chosen = [replace(gate, argv=(*gate.argv, *gate.quick_arguments)) for gate in chosen]
    missing = []
    if options.all and not os.environ.get("WST_LAB_POWERSHELL"):
        chosen = [gate for gate in chosen if gate.name != ENGINE]
        missing = ["PowerShell: WST_LAB_POWERSHELL names none, so the lab's own interpreter took its place"]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # children end with us
    started = time.monotonic()
    results = run_gates(chosen, logs=LOGS, say=say)
    say(summarise(results, logs=LOGS, seconds=time.monotonic() - started, missing=missing))
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
