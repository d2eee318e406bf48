# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""100 % branch coverage of the files that decide, out of the data of the last run of the gate ``unit``."""

from __future__ import annotations

import subprocess
import sys

from tools.paths import CACHE, ROOT, VENV_BIN, environment

LIST = ROOT / "tests" / "decision_core.txt"


def main() -> int:
    """Report what is not covered; 0 when all of it is, 2 when the list or the data are not there."""
    files = [
        line.strip()
        for line in LIST.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    missing = [name for name in files if not (ROOT / name).is_file()]
    if missing or not files:
        print(f"{LIST.relative_to(ROOT)} names no file, or files that are not there: {', '.join(missing)}")
        return 2
    if not (CACHE / "coverage").exists():
        print("no coverage data: run the gate 'unit' first")
        return 2
    argv = [str(VENV_BIN / "coverage"), "report", "--fail-under=100", "--precision=2", "--include", ",".join(files)]
    return subprocess.run(argv, cwd=ROOT, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
