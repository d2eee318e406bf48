# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks against the lab, in parts that run beside each other, each with a lab of its own.

``windows`` is the main job, its failures, drills, restores, authority and keys on the Windows stand-in, and ``network``
what breaks while a run goes on; both less what is marked ``either_lane``, which does not depend on the host's system.
``posix`` is what is so marked, on the POSIX lane, which is quicker. With ``--all-tests`` each part runs what is marked
as well as what is not. All use the lab's own interpreter of the one command that the transport sends. A real engine
takes 1.5 s a call, so only what PowerShell has a part in, the transport and the bootstrap, runs with it: ``engine``.
Where there is one (``WST_LAB_POWERSHELL``), the other parts leave that out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.lab import describe_lane
from tools.paths import CACHE, ROOT, VENV_BIN, environment

TESTS = ROOT / "tests" / "integration"
NETWORK = ("test_transport*.py", "test_network*.py", "test_crashes*.py")
ENGINE = ("test_transport*.py", "test_bootstrap*.py")
PARTS = ("windows", "network", "posix", "engine")
ALL = "--all-tests"


def main(arguments: list[str]) -> int:
    """Run one part; pytest's exit code. Further arguments are pytest's; files among them take the place of all."""
    if not arguments or arguments[0] not in PARTS:
        print(f"usage: python -m tools.integration {'|'.join(PARTS)} [PYTEST ARGUMENT...]")
        return 2
    part, *others = arguments
    env = environment()
    engine = env.pop("WST_LAB_POWERSHELL", "")
    if part == "engine":
        if not os.path.isfile(engine):
            print(f"WST_LAB_POWERSHELL does not name a PowerShell: {engine!r}")
            return 2
        env["WST_LAB_POWERSHELL"] = engine
    if part == "posix":
        os.environ["WST_LAB_LANE"] = env["WST_LAB_LANE"] = "posix"
    lab = str(CACHE / f"test-lab-{part}")
    env.update(WST_TEST_LAB_DIR=lab, WST_LAB_DIR=f"{lab}-transport")
    print(*describe_lane(engine=part == "engine"), sep="\n", flush=True)
    named = any(os.path.exists(word.partition("::")[0]) for word in others)
    chosen = (
        others
        if named
        else [*targets(part, everything=ALL in others, engine=bool(engine)), *(word for word in others if word != ALL)]
    )
    argv = [str(VENV_BIN / "python"), "-m", "pytest", "--timeout=900", "--durations=0", "--durations-min=5", *chosen]
    return subprocess.run(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode


def targets(part: str, *, everything: bool, engine: bool) -> list[str]:
    """The arguments for a part; the files of ``windows`` are what ``network`` leaves."""
    network, every = matching(NETWORK), matching(("test_*.py",))
    chosen = {"windows": every - network, "network": network, "posix": every, "engine": matching(ENGINE)}[part]
    if engine and part in ("windows", "network") and not everything:
        chosen -= matching(ENGINE)
    marked = {"windows": "not either_lane", "network": "not either_lane", "posix": "either_lane"}.get(part)
    return [*(["-m", marked] if marked and not everything else []), *sorted(str(path) for path in chosen)]


def matching(patterns: tuple[str, ...]) -> set[Path]:
    """The test files that one of the patterns fits."""
    return {path for pattern in patterns for path in TESTS.glob(pattern)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
