# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the pip bootstrap that ansible-test downloads: the interpreter's own pip, then the configured index.

ansible-test runs it by name inside a virtual environment that has no pip yet, with pip's options and the packages to
install as arguments. ``tools.sanity`` puts it where ansible-test keeps the downloaded one.
"""

from __future__ import annotations

import subprocess
import sys

# Options that only the downloaded script understands.
FOREIGN_OPTIONS = frozenset({"--no-setuptools", "--no-wheel"})


def main() -> int:
    """Install pip and then what was asked for; the exit code of the step that failed, or 0."""
    # In a child: ensurepip switches pip's configuration files off for the process that runs it.
    made = subprocess.call([sys.executable, "-m", "ensurepip"], stdin=subprocess.DEVNULL)
    if made != 0:
        return made
    wanted = [argument for argument in sys.argv[1:] if argument not in FOREIGN_OPTIONS]
    return subprocess.call([sys.executable, "-m", "pip", "install", *wanted], stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
