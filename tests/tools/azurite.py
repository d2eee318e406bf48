# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azurite, the blob server that the offsite tests run against: fetched by npm, every package of it by its hash.

It needs Node.js with npm, which no test installs: where they are missing, the summary says what was not exercised.
``tests/requirements/azurite/package-lock.json`` pins it. The version is the newest that Node.js 20 runs: 3.36 wants 21.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.paths import CACHE, ROOT

PINS = ROOT / "tests" / "requirements" / "azurite"
HOME = CACHE / "azurite"
SERVER = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")
MISSING = "NOT EXERCISED: a real blob server (Azurite), because {why}"


def program() -> list[str]:
    """The words that start the server; empty where it is not there, see ``why_missing``."""
    node = shutil.which("node")
    return [node, str(HOME / SERVER)] if node and (HOME / SERVER).is_file() else []


def why_missing() -> str:
    """Why it is not there."""
    return "make setup could not fetch it" if shutil.which("node") and shutil.which("npm") else "Node.js is missing"


def fetch() -> None:
    """Install what the lock file names, where it is not there; where that fails, say which tests will not run."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        print("setup: no Node.js with npm here; offsite copies will be tried without a real server", file=sys.stderr)
        return
    stamp = HOME / "pins.stamp"
    wanted = hashlib.sha256((PINS / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return
    building = CACHE / f"azurite.building-{os.getpid()}"
    building.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINS / name, building)
    print("setup: fetching Azurite", file=sys.stderr)
    argv = [npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(argv, cwd=building, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode != 0:
        print("setup: going on without Azurite; offsite copies will be tried without a real server", file=sys.stderr)
        shutil.rmtree(building)
        return
    (building / stamp.name).write_text(wanted, encoding="ascii")
    shutil.rmtree(HOME, ignore_errors=True)
    building.rename(HOME)


if __name__ == "__main__":
    fetch()
