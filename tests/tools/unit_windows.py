# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests of module_utils under the lab's Windows Python: the same files, the other half of the platform seam.

Runs in a wine prefix of its own, so that a lab beside it is not disturbed. pytest and hypothesis are pure Python
and come from pip for that platform, once.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from tools.paths import CACHE, ROOT, VENV_BIN, environment
from wstlab.config import LabPaths, have_wine
from wstlab.windows_runtime import windows_runtime
from wstlab.wine import Wine, make_prefix, windows_path

TESTS = "tests/unit/plugins/module_utils"
SITE = CACHE / "win-site"
SECONDS = 2000
PINS = ROOT / "tests" / "requirements" / "windows.txt"
# Put on sys.path by hand: the embedded layout of Windows Python ignores PYTHONPATH.
START = "import sys; sys.path[:0] = {paths!r}; import pytest; sys.exit(pytest.main({arguments!r}))"


def main() -> int:
    """Run them; pytest's exit code. Without wine nothing runs, and the summary says so."""
    if not have_wine():
        print("NOT EXERCISED: unit tests under Windows Python: no wine on this machine")
        return 1
    make_site()
    paths = LabPaths(state=CACHE / "wine-unit", cache=CACHE)
    python = windows_runtime(paths) / "python" / "python.exe"
    wine = make_prefix(paths, paths.host(1))
    wine.start()
    try:
        # The first program starts wine's services, which would inherit pytest's pipe.
        quiet = subprocess.DEVNULL
        argv, env = wine.argv("cmd", "/c", "exit"), wine.environment()
        subprocess.run(argv, env=env, stdin=quiet, stdout=quiet, stderr=quiet, check=True, timeout=120)
        print("LANE: unit tests under Windows Python by wine", flush=True)
        return run_pytest(wine, python, sys.argv[1:] or [TESTS])
    finally:
        wine.stop()


def run_pytest(wine: Wine, python: Path, tests: list[str]) -> int:
    """Run pytest under wine, its output through a pipe: Windows Python there takes no file for its streams."""
    arguments = ["-o", "cache_dir=C:\\pytest-cache", "--basetemp", "C:\\pytest", *tests]
    start = START.format(paths=[windows_path(SITE)], arguments=arguments)
    extra = {
        "CI": environment().get("CI", ""),
        "HYPOTHESIS_STORAGE_DIRECTORY": "C:\\hypothesis",
        "PYTHONPYCACHEPREFIX": "C:\\pycache",
        "PYTHONUTF8": "1",
    }
    process = subprocess.Popen(
        wine.argv(windows_path(python), "-c", start),
        cwd=ROOT,
        env={**wine.environment(), **extra},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if process.stdin is not None:
        process.stdin.close()
    # Not read to its end: a process of wine's own may hold the pipe for as long as the prefix is up.
    reader = threading.Thread(target=copy_lines, args=(process.stdout,), daemon=True)
    reader.start()
    code = process.wait(timeout=SECONDS)
    reader.join(timeout=10)
    return code


def copy_lines(stream: IO[bytes]) -> None:
    """Hand the output through, line by line."""
    for line in stream:
        sys.stdout.write(line.decode("utf-8", "replace").replace("\r\n", "\n"))
        sys.stdout.flush()


def make_site() -> None:
    """Bring pytest and what it needs, for Windows, into a directory of their own."""
    wanted = hashlib.sha256(PINS.read_bytes()).hexdigest()
    stamp = SITE / "requirements.stamp"
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    shutil.rmtree(SITE, ignore_errors=True)
    platform = ["--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp", "--only-binary=:all:"]
    pip = [str(VENV_BIN / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run(
        [*pip, *platform, "--target", str(SITE), "--requirement", str(PINS)], check=True, stdin=subprocess.DEVNULL
    )
    stamp.write_text(wanted, encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
