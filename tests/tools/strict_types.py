# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict types, as Linux and as Windows see the code: the platform seam has a half for each."""

from __future__ import annotations

import subprocess
import sys

from tools.paths import ROOT, VENV_BIN, environment

PLUGINS = "ansible_collections.wst.backup.plugins"
PACKAGES = (f"{PLUGINS}.module_utils", f"{PLUGINS}.plugin_utils")


def main() -> int:
    """Check both; 0 when neither has anything to say."""
    mypy = str(VENV_BIN / "mypy")
    shipped = [argument for package in PACKAGES for argument in ("-p", package)]
    runs = [[mypy, "--platform", platform, *shipped] for platform in ("linux", "win32")]
    runs.append([mypy, "-p", "tools"])
    codes = []
    for argv in runs:
        print("$", *argv[1:], flush=True)
        codes.append(
            subprocess.run(argv, cwd=ROOT, env=environment(MYPYPATH=str(ROOT / "tests")), check=False).returncode
        )
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
