# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make demo``: the lab host comes up, gets a realistic WST, and is backed up over WinRM."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.paths import ROOT, VENV_BIN, environment

INVENTORY = "inventory/lab"


def main() -> int:
    """Every step in its order; the exit code of the first that failed, or 0. The lab stays up (``make lab-down``)."""
    state = Path(os.environ.get("WST_LAB_DIR") or ROOT / ".lab")
    prepared = state / "mirror-initialised"  # a new lab has a new disk
    for step in ("up", "seed"):
        code = run([str(VENV_BIN / "python"), "-m", "wstlab", step])
        if code != 0:
            return code
    if not prepared.exists():
        code = playbook("mirror_init")
        if code != 0:
            return code
        prepared.touch()
    return playbook("backup")


def playbook(name: str) -> int:
    """Run one of the collection's playbooks against the lab."""
    return run([str(VENV_BIN / "ansible-playbook"), f"playbooks/{name}.yml", "-i", INVENTORY])


def run(argv: list[str]) -> int:
    """A command with the terminal as its output; its exit code."""
    env = {name: value for name, value in environment().items() if name not in ("NO_COLOR", "ANSIBLE_NOCOLOR")}
    return subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
