# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-lint`` with the profile production, and no way around it."""

from __future__ import annotations

import re
import subprocess
import sys

from tools.paths import ROOT, TOOLS_BIN, environment, tracked_files

NOQA = re.compile(r"#\s*noqa\b(?!:)|skip_ansible_lint")


def main() -> int:
    """Refuse skips, then lint; 0 when both have nothing to say."""
    skips = find_skips()
    print(*skips, sep="\n")
    argv = [str(TOOLS_BIN / "ansible-lint"), "--offline", "--profile", "production", "--strict"]
    path = f"{TOOLS_BIN}:{environment()['PATH']}"  # it starts ansible-playbook and ansible-galaxy by name
    done = subprocess.run(argv, cwd=ROOT, env=environment(PATH=path), stdin=subprocess.DEVNULL, check=False)
    return 1 if skips else done.returncode


def find_skips() -> list[str]:
    """Marks that would make the linter look away."""
    found = [str(path) for path in tracked_files() if path.name == ".ansible-lint-ignore"]
    for path in tracked_files():
        if path.suffix in (".yml", ".yaml"):
            lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
            found += [f"{path}:{number}: a skip" for number, line in enumerate(lines, start=1) if NOQA.search(line)]
    return found


if __name__ == "__main__":
    sys.exit(main())
