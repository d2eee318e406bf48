# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bandit over all that is shipped. A finding that is none is told so on its line: ``# nosec B123  # why``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools.paths import ROOT, TOOLS_BIN, environment

MENTION = re.compile(r"#\s*nosec\b", re.IGNORECASE)
REASONED = re.compile(r"# nosec B\d{3}(?:,B\d{3})*  # (?:noqa: \S+ - )?(?!noqa)\w.{9,}$")


def main() -> int:
    """0 when bandit has nothing to say and every exception has its rule and its reason."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}: nosec needs its rules and a reason: # nosec B123  # why"
        for path in sorted((ROOT / "plugins").rglob("*.py"))
        for number in unreasoned(path)
    ]
    print("\n".join(bare), flush=True)
    argv = [str(TOOLS_BIN / "bandit"), "--quiet", "--recursive", "--configfile", "pyproject.toml", "plugins"]
    code = subprocess.run(argv, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode
    return code or int(bool(bare))


def unreasoned(path: Path) -> list[int]:
    """The numbers of the lines that tell bandit to look away without saying at what, or why."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, start=1) if MENTION.search(line) and not REASONED.search(line)]


if __name__ == "__main__":
    sys.exit(main())
