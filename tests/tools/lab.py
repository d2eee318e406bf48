# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab host, for the gates: brought up when it is not, and then taken down again.

Gates share a lab of their own beside the one of ``make demo``, so that a test never touches somebody's demonstration.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tools.paths import CACHE, ROOT, VENV_BIN, environment


class LabFailed(Exception):
    """The lab could not be brought up, seeded or taken down; its own words are in the output."""


@contextmanager
def lab(*, seeded: bool = True) -> Iterator[dict[str, str]]:
    """A running lab; what the environment must say to reach it. One that ran already is left running."""
    variables = lab_variables()
    was_up = wstlab("status", quiet=True) == 0
    try:
        if not was_up:
            command("up")
        if seeded:
            command("seed")
        yield variables
    finally:
        if not was_up:
            wstlab("down")


def lab_variables() -> dict[str, str]:
    """Which lab the gates use."""
    return {"WST_LAB_DIR": os.environ.get("WST_LAB_DIR") or str(CACHE / "lab-test")}


def command(*arguments: str) -> None:
    """A lab command that must succeed."""
    code = wstlab(*arguments)
    if code != 0:
        raise LabFailed(f"wstlab {' '.join(arguments)} ended with code {code}")


def wstlab(*arguments: str, quiet: bool = False) -> int:
    """Run the lab's command; its exit code."""
    env = environment(**lab_variables(), PYTHONPATH=str(ROOT / "tests" / "lab"))
    argv = [str(VENV_BIN / "python"), "-m", "wstlab", *arguments]
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
    ).returncode
