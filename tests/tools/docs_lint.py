# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of plugins and roles: it renders, its markup is right, and every reference points at something."""

from __future__ import annotations

import subprocess
import sys

from tools.paths import ROOT, TOOLS_BIN, environment

OPTIONS = (
    "--plugin-docs",
    "--validate-collection-refs=all",
    "--disallow-unknown-collection-refs",
    "--check-extra-docs-refs",
    "--skip-rstcheck",
)


def main() -> int:
    """Run antsibull-docs from the tools' environment; its exit code."""
    argv = [str(TOOLS_BIN / "antsibull-docs"), "lint-collection-docs", *OPTIONS, "."]
    path = f"{TOOLS_BIN}:{environment()['PATH']}"  # it starts ansible-doc by name
    return subprocess.run(argv, cwd=ROOT, env=environment(PATH=path), stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
