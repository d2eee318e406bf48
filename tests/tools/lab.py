# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab host, for the gates: brought up when it is not, and then taken down again.

Gates share a lab of their own beside the one of ``make demo``, so that a test never touches somebody's demonstration.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tools.paths import CACHE, ROOT, VENV_BIN, environment

# A tenth of the demonstration's files and rows: what gates prove with it does not depend on their number.
SCALE = "0.1"


class LabFailed(Exception):
    """The lab could not be brought up, seeded or taken down; its own words are in the output."""


@contextmanager
def lab() -> Iterator[dict[str, str]]:
    """A running lab with a WST to back up; what the environment must say to reach it.

    One that ran already is left as it is.
    """
    running = is_running()
    try:
        if not running:
            command("down", "--purge")  # what an interrupted run left, perhaps of an older lab
            command("up")
            command("seed", "--scale", SCALE)
        yield lab_variables()
    finally:
        if not running:
            command("down", "--purge")


def lab_variables() -> dict[str, str]:
    """Which lab the gates use."""
    return {"WST_LAB_DIR": os.environ.get("WST_LAB_DIR") or str(CACHE / "gate-lab")}


def is_running() -> bool:
    """Whether all of the lab's parts run."""
    done = wstlab("status", capture=True)
    return done.returncode == 0 and "NOT RUNNING" not in done.stdout


def command(*arguments: str) -> None:
    """A lab command that must succeed."""
    code = wstlab(*arguments).returncode
    if code != 0:
        raise LabFailed(f"wstlab {' '.join(arguments)} ended with code {code}")


def wstlab(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the lab's command."""
    env = environment(**lab_variables())
    argv = [str(VENV_BIN / "python"), "-m", "wstlab", *arguments]
    return subprocess.run(
        argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=capture, text=True, check=False
    )


def describe_lane(*, engine: bool) -> list[str]:
    """What the lab stands for here, and what it cannot stand for, in the summary's words."""
    wanted = os.environ.get("WST_LAB_LANE", "auto")
    wine = wanted == "wine" or (wanted == "auto" and shutil.which("wine") and shutil.which("wineserver"))
    if not wine:
        return [
            "LANE: POSIX host over Ansible's local connection",
            "NOT EXERCISED: WinRM, Windows Python and the Windows tools: no wine on this machine",
        ]
    shell = "a real PowerShell engine" if engine else "the lab's own interpreter of the transport's command"
    return [f"LANE: wine host over WinRM, {shell}"]
