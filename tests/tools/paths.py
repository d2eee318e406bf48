# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things stand in a clone, and what of it is tracked."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
LOGS = CACHE / "logs"
COLLECTIONS = CACHE / "collections"
VENV_BIN = CACHE / "venv" / "bin"
TOOLS_BIN = CACHE / "venv-tools" / "bin"


def tracked_files(*, root: Path = ROOT) -> list[Path]:
    """Files that git knows, or would add, relative to the root; sorted, existing ones only."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(argv, cwd=root, capture_output=True, check=True).stdout.split(b"\0")
    paths = {Path(os.fsdecode(name)) for name in names if name}
    return sorted(path for path in paths if (root / path).is_file() or (root / path).is_symlink())


def environment(**extra: str) -> dict[str, str]:
    """The environment for children: our interpreters first, plain output, the collection where it is looked for.

    Bytecode is kept, whatever the shell says: many tests start a Python of their own that imports the collection.
    """
    path = os.pathsep.join([str(VENV_BIN), str(TOOLS_BIN), os.environ.get("PATH", os.defpath)])
    ours = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "tests" / "lab")])
    plain = {"ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": ours}
    return {**os.environ, "PATH": path, **plain, "PYTHONDONTWRITEBYTECODE": "", **extra}
