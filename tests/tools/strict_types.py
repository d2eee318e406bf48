# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict types of what is shipped, and of these tools; the seam's Windows half as Windows sees it."""

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
    seam = ROOT / "plugins" / "module_utils" / "_platform"
    windows = [f"{PLUGINS}.module_utils._platform.{path.stem}" for path in sorted(seam.glob("_win*.py"))]
    runs = [
        [mypy, "--platform", "linux", *shipped],
        [mypy, "--platform", "win32", *(argument for module in windows for argument in ("-m", module))],
        [mypy, "-p", "tools"],
    ]
    codes = []
    for argv in runs:
        print("$", *argv[1:], flush=True)
        codes.append(
            subprocess.run(
                argv, cwd=ROOT, env=environment(MYPYPATH=f"{ROOT / 'tests'}:{ROOT / 'tests' / 'lab'}"), check=False
            ).returncode
        )
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
