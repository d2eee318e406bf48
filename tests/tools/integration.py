# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks against the lab. All with the lab's own interpreter; with ``--engine``, what PowerShell has a part in.

The lab's interpreter accepts the one command that the transport sends and refuses the rest. A real engine parses it,
at 1.5 s a call, so only the tests of the transport and of the bootstrap run a second time with it.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tools.lab import describe_lane
from tools.paths import ROOT, VENV_BIN, environment

TESTS = ROOT / "tests" / "integration"
WITH_ENGINE = ("test_transport*.py", "test_bootstrap*.py")


def main(arguments: list[str]) -> int:
    """Run one of the two lanes; pytest's exit code."""
    engine = "--engine" in arguments
    env = environment()
    given = env.pop("WST_LAB_POWERSHELL", "")
    if engine and not os.path.isfile(given):
        print(f"WST_LAB_POWERSHELL does not name a PowerShell: {given!r}")
        return 2
    targets = [str(TESTS)]
    if engine:
        env["WST_LAB_POWERSHELL"] = given
        targets = [str(path) for pattern in WITH_ENGINE for path in sorted(TESTS.glob(pattern))]
    print(*describe_lane(engine=engine), sep="\n", flush=True)
    others = [argument for argument in arguments if argument != "--engine"]
    argv = [str(VENV_BIN / "python"), "-m", "pytest", "--timeout=900", *(others or targets)]
    return subprocess.run(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
