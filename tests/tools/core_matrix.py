# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One backup under every ansible-core that the collection promises and this machine can run.

Each version lives in an environment of its own under ``.cache/matrix``, with the same pins as everything else.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tools.lab import describe_lane, lab
from tools.paths import CACHE, ROOT, VENV_BIN, environment

MATRIX = CACHE / "matrix"
VERSIONS = ROOT / "tests" / "requirements" / "matrix.txt"
PINS = ROOT / "tests" / "requirements" / "core.txt"
# What Ansible needs to reach the lab, beside itself.
PACKAGES = ("pywinrm", "requests_ntlm", "pyspnego")
# ansible-core brings its own bounds for these.
UNPINNED = ("ansible-core", "resolvelib")
MIRROR = ("playbooks/mirror_init.yml", "-i", "inventory/lab")
PLAYBOOK = ("playbooks/backup.yml", "-i", "inventory/lab")
SECONDS = 300


class MatrixError(Exception):
    """A version could not be tried."""


@dataclass(frozen=True)
class Version:
    """An ansible-core and the oldest Python that it is tried with."""

    core: str
    python: str


def main() -> int:
    """Try them all; 0 when every one that can run here made a backup."""
    versions = read_versions(VERSIONS.read_text(encoding="utf-8"))
    failed = 0
    print(*describe_lane(engine=bool(os.environ.get("WST_LAB_POWERSHELL"))), sep="\n", flush=True)
    with lab() as lab_environment:
        call([str(VENV_BIN / "ansible-playbook"), *MIRROR], environment(**lab_environment))
        for version in versions:
            interpreter = find_python(version.python)
            if interpreter is None:
                print(
                    f"NOT EXERCISED: ansible-core {version.core}: no Python {version.python} or newer here", flush=True
                )
                continue
            try:
                seconds = back_up(version, interpreter=interpreter, lab_environment=lab_environment)
            except MatrixError as exc:
                failed += 1
                print(f"ansible-core {version.core}: FAILED\n{exc}", flush=True)
            else:
                python = interpreter_version(interpreter)
                print(f"ansible-core {version.core} (Python {python}): backed up in {seconds:.0f} s", flush=True)
    return 1 if failed else 0


def read_versions(text: str) -> list[Version]:
    """The versions in the list."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Version(core, python) for core, python in lines]


def find_python(wanted: str) -> Path | None:
    """The oldest interpreter here that is at least the wanted version, by PATH and pyenv."""
    minor = int(wanted.split(".")[1])
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for candidate in range(minor, minor + 3):
        found = [shutil.which(f"python3.{candidate}"), *sorted(home.glob(f"versions/3.{candidate}.*/bin/python3"))]
        for path in found:
            if path is not None and interpreter_version(Path(path)).startswith(f"3.{candidate}."):
                return Path(path)
    return None


def interpreter_version(python: Path) -> str:
    """Its version, or nothing when it does not start (a pyenv shim of a version that is not chosen does not)."""
    argv = [str(python), "-c", "import platform; print(platform.python_version())"]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def back_up(version: Version, *, interpreter: Path, lab_environment: dict[str, str]) -> float:
    """Make one backup; how long it took. Raises MatrixError with the end of the output."""
    directory = make_environment(version, interpreter=interpreter)
    started = time.monotonic()
    path = f"{directory / 'bin'}:{environment()['PATH']}"
    home = str(MATRIX / f"home-{version.core}")  # caches of one version are no good for another
    call(
        [str(directory / "bin" / "ansible-playbook"), *PLAYBOOK],
        environment(**lab_environment, PATH=path, ANSIBLE_HOME=home),
    )
    return time.monotonic() - started


def make_environment(version: Version, *, interpreter: Path) -> Path:
    """The version's virtual environment, made when it is not there."""
    directory = MATRIX / version.core
    stamp = directory / "complete"
    if stamp.exists():
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    MATRIX.mkdir(parents=True, exist_ok=True)
    constraints = MATRIX / "constraints.txt"
    constraints.write_text(constraints_of(PINS.read_text(encoding="utf-8")), encoding="utf-8")
    pip = [str(directory / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    call([str(interpreter), "-m", "venv", str(directory)], environment())
    call([*pip, "--constraint", str(constraints), f"ansible-core=={version.core}", *PACKAGES], environment())
    stamp.touch()
    return directory


def constraints_of(pins: str) -> str:
    """The pins that hold for every version."""
    lines = [line for line in pins.splitlines() if "==" in line and not line.startswith("#")]
    return "\n".join(line for line in lines if re.split("==", line)[0] not in UNPINNED) + "\n"


def call(argv: list[str], env: dict[str, str]) -> None:
    """Run a command in the clone; MatrixError with the end of its output when it fails or takes too long."""
    try:
        done = subprocess.run(
            argv,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise MatrixError(f"{argv[0]} took longer than {SECONDS} s") from exc
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-25:])
        raise MatrixError(f"{' '.join(argv)}: exit code {done.returncode}\n{end}")


if __name__ == "__main__":
    sys.exit(main())
