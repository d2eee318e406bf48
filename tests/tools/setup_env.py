# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set up everything that the targets of the Makefile need: packages, virtual environments, the collection's link.

Runs on a bare Python 3.11 or newer. Idempotent, and quick when nothing changed: an environment is touched only when
its requirements file differs from the one that it was made from.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "tests" / "requirements"
DOWNLOADS = CACHE / "downloads"
# Collection awx.awx, which role awx is tried with. It is on Galaxy, and on PyPI inside of this package.
AWX_PACKAGE = ("ansible", "12.3.0")
AWX_MEMBERS = "ansible_collections/awx/awx/"
ENVIRONMENTS = {"core": CACHE / "venv", "tools": CACHE / "venv-tools"}

# Windows API for the lab, the archive tools that open our ZIPs in the tests, what reads units and timers, a browser for
# the pages.
DEBIAN_PACKAGES = (
    "wine",
    "wine64",
    "p7zip-full",
    "libarchive-tools",
    "unzip",
    "xz-utils",
    "git",
    "faketime",
    "systemd",
    "chromium",
    "fonts-dejavu-core",
    "prometheus",
)


class SetupError(Exception):
    """Setting up failed; the message says what to do."""


def main(argv: list[str] | None = None) -> int:
    """Set up what the arguments name (default: everything); 0 when it stands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--only", choices=sorted(ENVIRONMENTS), help="one virtual environment and the link, no Debian packages"
    )
    options = parser.parse_args(argv)
    try:
        link_collection()
        if options.only is None:
            install_debian_packages()
        for name in [options.only] if options.only else ENVIRONMENTS:
            make_environment(ENVIRONMENTS[name], requirements=REQUIREMENTS / f"{name}.txt")
        if options.only is None:
            fetch_awx_collection()
            fetch_azurite()
    except SetupError as exc:
        print(f"setup: {exc}", file=sys.stderr)
        return 1
    return 0


def link_collection() -> None:
    """Put the repository where Ansible and Python look for ``ansible_collections.wst.backup``."""
    link = CACHE / "collections" / "ansible_collections" / "wst" / "backup"
    link.parent.mkdir(parents=True, exist_ok=True)
    target = Path("..", "..", "..", "..")
    if link.is_symlink() and Path(os.readlink(link)) == target:
        return
    if link.is_symlink():
        link.unlink()
    link.symlink_to(target, target_is_directory=True)


def install_debian_packages() -> None:
    """Install what is missing where root and apt allow it; else say which tests will not run. Never fails."""
    missing = [name for name in DEBIAN_PACKAGES if not is_installed(name)]
    if not missing:
        return
    how = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0:
        print(f"setup: not root, so these Debian packages stay missing; as root: {how}", file=sys.stderr)
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for argv in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing],
    ):
        try:
            done = subprocess.run(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
            )
        except FileNotFoundError:
            print("setup: no apt-get here; without wine the lab falls back to a POSIX host", file=sys.stderr)
            return
        if done.returncode != 0:
            print(
                f"setup: {' '.join(argv)} failed ({done.returncode}); going on without {', '.join(missing)}",
                file=sys.stderr,
            )
            return


def is_installed(package: str) -> bool:
    """Whether dpkg has the package configured (False where there is no dpkg)."""
    argv = ["dpkg-query", "-W", "-f", "${Status}", package]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return done.stdout == "install ok installed"


def make_environment(directory: Path, *, requirements: Path) -> None:
    """Make or update a virtual environment so that it holds the pinned packages.

    Raises SetupError when Python cannot make one or pip cannot install.
    """
    stamp = directory / "requirements.stamp"
    wanted = stamp_of(requirements)
    python = directory / "bin" / "python"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    if not python.exists():
        print(f"setup: making {directory.relative_to(ROOT)}", file=sys.stderr)
        create_environment(directory)
    argv = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        str(requirements),
    ]
    print(f"setup: installing {requirements.relative_to(ROOT)} into {directory.relative_to(ROOT)}", file=sys.stderr)
    if subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise SetupError(f"pip could not install {requirements.relative_to(ROOT)}; its message is above")
    stamp.write_text(wanted, encoding="ascii")


def fetch_awx_collection() -> None:
    """Unpack awx.awx beside the link to the repository; where it cannot be had, say which tests will not run."""
    target = CACHE / "collections" / AWX_MEMBERS
    if target.is_dir():
        return
    package, version = AWX_PACKAGE
    wheel = DOWNLOADS / f"{package}-{version}-py3-none-any.whl"
    if not wheel.exists():
        print(f"setup: fetching {package} {version} for its collection awx.awx", file=sys.stderr)
        python = str(ENVIRONMENTS["core"] / "bin" / "python")
        argv = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        argv += ["--only-binary=:all:", "--dest", str(DOWNLOADS), f"{package}=={version}"]
        if subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            print("setup: going on without collection awx.awx; role awx will not be tried", file=sys.stderr)
            return
    building = CACHE / f"awx.building-{os.getpid()}"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(building, [name for name in archive.namelist() if name.startswith(AWX_MEMBERS)])
    target.parent.mkdir(parents=True, exist_ok=True)
    (building / AWX_MEMBERS).rename(target)
    shutil.rmtree(building)


def fetch_azurite() -> None:
    """The blob server of the offsite tests; it says by itself where it cannot be had."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    argv = [str(ENVIRONMENTS["core"] / "bin" / "python"), "-m", "tools.azurite"]
    subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=False)


def create_environment(directory: Path) -> None:
    """``python -m venv``; Debian ships ensurepip in a package of its own, which is fetched where root allows it."""
    argv = [sys.executable, "-m", "venv", str(directory)]
    if subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode == 0:
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "-qq", "update"], stdin=subprocess.DEVNULL, check=False)
        subprocess.run(["apt-get", "-qq", "install", "-y", package], stdin=subprocess.DEVNULL, check=False)
        if subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode == 0:
            return
    raise SetupError(f"{sys.executable} cannot make a virtual environment; install {package} and run again")


def stamp_of(requirements: Path) -> str:
    """What an environment was made from: the file's text and the interpreter's version."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return hashlib.sha256(requirements.read_bytes() + version.encode("ascii")).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
