# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenario, with molecule's own state under ``.cache`` and this clone as the collection."""

from __future__ import annotations

import subprocess
import sys

from tools.lab import lab_variables
from tools.paths import CACHE, COLLECTIONS, ROOT, TOOLS_BIN, environment


def main() -> int:
    """Run the scenario from create to destroy; molecule's exit code."""
    path = f"{TOOLS_BIN}:{environment()['PATH']}"  # it starts ansible-playbook by name
    env = environment(
        **lab_variables(),
        PATH=path,
        XDG_CACHE_HOME=str(CACHE / "xdg"),
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        ANSIBLE_HOME=str(CACHE / "molecule-home"),
    )
    argv = [str(TOOLS_BIN / "molecule"), "test", "--scenario-name", "default", *sys.argv[1:]]
    return subprocess.run(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
