# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known vulnerabilities of what we pin and require, asked of a database on the internet; so it is no gate of the tests.

An audit that could not ask has found nothing out, and says so: its exit code is 2, that of findings is 1. pip-audit
itself calls "no known vulnerabilities" a success where the index in use answered for none of the packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools.paths import ROOT, TOOLS_BIN, environment

ENVIRONMENTS = ROOT / "tests" / "requirements"
CONTROL_NODE = ROOT / "meta" / "ee-requirements.txt"  # lower bounds: what pip would install today is looked at
PINNED = tuple(ENVIRONMENTS / f"{name}.txt" for name in ("core", "tools", "windows"))
CLEAN, VULNERABLE, NOT_ASKED = 0, 1, 2
SECONDS = 600
SHOWN = 5


def main() -> int:
    """0: nothing known. 1: something is. 2: nobody could be asked, about one package at least."""
    return max(audit(path) for path in (*PINNED, CONTROL_NODE))


def audit(requirements: Path) -> int:
    """Ask about one file, and tell what came of it."""
    argv = [str(TOOLS_BIN / "pip-audit"), "--progress-spinner=off", "--format=json", "--requirement", str(requirements)]
    if requirements in PINNED:
        argv += ["--no-deps", "--disable-pip"]  # complete as they stand; nothing has to be resolved
    try:
        done = subprocess.run(
            argv,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        answer, noise = done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        answer, noise = "", f"no answer within {SECONDS} seconds"
    verdict, lines = judge(answer)
    name = str(requirements.relative_to(ROOT))
    if not lines:
        lines = noise.strip().splitlines()[-SHOWN:]
    if verdict == NOT_ASKED:
        lines.append(f"!!! NOT AUDITED: {name}: the vulnerability database could not be asked about all of it")
    print("\n".join([f"--- {name}: {('clean', 'VULNERABLE', 'unknown')[verdict]}", *lines]), flush=True)
    return verdict


def judge(answer: str) -> tuple[int, list[str]]:
    """What pip-audit's JSON says: the verdict, and a line for each finding and for what was not looked at."""
    try:
        packages = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return NOT_ASKED, []
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'none'}"
        for package in packages
        for flaw in package.get("vulns", ())
    ]
    skipped = [f"{package['name']}: {package['skip_reason']}" for package in packages if "skip_reason" in package]
    lines = found + skipped[:SHOWN] + ([f"and {len(skipped) - SHOWN} more"] if len(skipped) > SHOWN else [])
    if skipped or not packages:
        return NOT_ASKED, lines
    return (VULNERABLE if found else CLEAN), lines


if __name__ == "__main__":
    sys.exit(main())
