# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test sanity`` without a container, on a copy of what is shipped.

ansible-test wants ``.../ansible_collections/<namespace>/<name>`` inside a git repository of its own, so the copy gets a
throwaway one. Its home is under ``.cache/sanity``, so nothing is left in the user's, and its environments are reused.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import yaml

from tools.paths import CACHE, ROOT, VENV_BIN, environment, tracked_files

SANITY = CACHE / "sanity"
COPY = SANITY / "ansible_collections" / "wst" / "backup"
HOME = SANITY / "home"
SETTINGS = (("tests", "sanity"), ("tests", "config.yml"))

# name -> why it is not run; each is told in the summary.
NOT_RUN = {
    "shellcheck": "needs the shellcheck program",
    "pslint": "needs pwsh",
}


def main(arguments: list[str] | None = None) -> int:
    """Run every sanity test that can run here, or those that the arguments name (``--test pylint``)."""
    refuse_ignores()
    copy_tree()
    prepare_home()
    argv = [str(VENV_BIN / "ansible-test"), "sanity", "--color", "no", "--python", current_python()]
    for name, reason in NOT_RUN.items():
        if shutil.which(name) is None:
            argv += ["--skip-test", name]
            print(f"NOT EXERCISED: sanity test {name}: {reason}")
    argv += sys.argv[1:] if arguments is None else arguments
    done = subprocess.run(argv, cwd=COPY, env=sanity_environment(), stdin=subprocess.DEVNULL, check=False)
    return done.returncode


def current_python() -> str:
    """The version of the interpreter that runs the collection's control side here, as ``3.11``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def refuse_ignores() -> None:
    """An ignore file is there so that it can be seen to be empty."""
    for path in sorted((ROOT / "tests" / "sanity").glob("ignore-*.txt")):
        if path.read_text(encoding="utf-8").strip():
            raise SystemExit(f"{path.relative_to(ROOT)} must stay empty: mend the code instead")


def copy_tree() -> None:
    """Make the copy equal to what is shipped and commit it to its own repository."""
    shutil.rmtree(COPY, ignore_errors=True)
    for path in shipped_files():
        target = COPY / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target, follow_symlinks=False)
    identity = ["-c", "user.name=sanity", "-c", "user.email=sanity@localhost", "-c", "commit.gpgsign=false"]
    for argv in (
        ["init", "--quiet"],
        ["add", "--all", "--force"],
        [*identity, "commit", "--quiet", "--message", "copy"],
    ):
        subprocess.run(["git", *argv], cwd=COPY, check=True, stdin=subprocess.DEVNULL)


def shipped_files() -> list[Path]:
    """The tracked files that the built collection holds, and the settings of ansible-test."""
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    kept = [path for path in tracked_files() if not any(left_out(part, ignored) for part in [path, *path.parents])]
    return [*kept, *(path for path in tracked_files() if path.parts[:2] in SETTINGS)]


def left_out(path: Path, patterns: list[str]) -> bool:
    """Whether a path of the collection is kept out of the artifact, by the rule of ``ansible-galaxy``."""
    return any(fnmatch(path.as_posix(), pattern) for pattern in patterns)


def prepare_home() -> None:
    """Give ansible-test's home the pip bootstrap that it would download, and the machine's pip settings."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in bootstrap_versions():
        shutil.copy2(ROOT / "tests" / "tools" / "pip_bootstrap.py", cache / f"get_pip_{version.replace('.', '_')}.py")
    settings = HOME / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(pip_settings(), encoding="utf-8")
    settings.chmod(0o600)


def bootstrap_versions() -> list[str]:
    """The pip versions that this ansible-test asks its bootstrap for."""
    done = subprocess.run(
        [str(VENV_BIN / "python"), "-c", "import ansible_test; print(ansible_test.__path__[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    source = Path(done.stdout.strip(), "_internal", "python_requirements.py").read_text(encoding="utf-8")
    return re.findall(r"pip='([0-9.]+)'", source)


def pip_settings() -> str:
    """pip's effective settings as a configuration file: ansible-test drops PIP_* variables, and the home is another."""
    argv = [str(VENV_BIN / "python"), "-m", "pip", "config", "list"]
    listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    pairs: dict[str, str] = {}
    for line in listed.splitlines():
        match = re.fullmatch(r"(?::env:|global|install|user)\.([a-z-]+)='(.*)'", line.strip())
        if match and match[1] not in ("config-file", "require-virtualenv"):
            pairs.setdefault(match[1], match[2].replace("\\n", " "))
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in sorted(pairs.items()))


def sanity_environment() -> dict[str, str]:
    """A home of its own, a UTF-8 locale that every Debian has, and no path of ours into ansible-test's interpreters."""
    kept = {name: value for name, value in environment().items() if name not in ("PYTHONPATH", "ANSIBLE_CONFIG")}
    return {**kept, "HOME": str(HOME), "LC_ALL": os.environ.get("LC_ALL") or "C.UTF-8"}


if __name__ == "__main__":
    sys.exit(main())
