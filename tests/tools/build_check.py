# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection, installs the result into an empty place, and uses it from there as a stranger would.

What is installed has neither tests nor a lab; every module must show its documentation and the playbooks must be
found by their full names.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tools.paths import CACHE, ROOT, VENV_BIN, environment, tracked_files

PLACE = CACHE / "build-check"
NAME = "wst.backup"
# Nothing that starts with one of these belongs into the artifact.
KEPT_OUT = (
    "tests/",
    ".cache/",
    ".lab/",
    ".ci/",
    ".git",
    ".ansible",
    "inventory/lab",
    "extensions/molecule",
    "Makefile",
)


class BuildError(Exception):
    """The built collection is not what a user needs."""


def main() -> int:
    """Build, install, look; 0 when the result is usable."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    (PLACE / "ansible.cfg").write_text("[defaults]\n", encoding="ascii")
    try:
        artifact = build()
        check_contents(artifact)
        run("ansible-galaxy", "collection", "install", "--offline", str(artifact), "-p", str(PLACE))
        check_documentation()
        check_playbooks()
    except BuildError as exc:
        print(f"build: {exc}")
        return 1
    return 0


def build() -> Path:
    """Build from a copy of the tracked files, so that nothing else can slip in; the artifact's path."""
    source = PLACE / "source"
    for path in tracked_files():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, source / path)
    run("ansible-galaxy", "collection", "build", str(source), "--output-path", str(PLACE))
    found = sorted(PLACE.glob("*.tar.gz"))
    if len(found) != 1:
        raise BuildError(f"expected one artifact, found {[path.name for path in found]}")
    return found[0]


def check_contents(artifact: Path) -> None:
    """The artifact has what it must and nothing of the workshop."""
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
    strays = [name for name in names if name.startswith(KEPT_OUT) or "__pycache__" in name]
    missing = {"LICENSE", "MANIFEST.json", "meta/runtime.yml", "README.md", "CHANGELOG.md"} - set(names)
    if strays or missing:
        raise BuildError(f"strays in the artifact: {strays[:10]}; missing: {sorted(missing)}")
    print(f"{artifact.name}: {len(names)} entries, {artifact.stat().st_size} bytes")


def check_documentation() -> None:
    """``ansible-doc`` shows every module, with examples and a description of its result."""
    wanted = {f"{NAME}.{path.stem}" for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__"}
    if not wanted:
        raise BuildError("the collection has no module")
    shown = json.loads(run("ansible-doc", "--json", *sorted(wanted)))
    for name in sorted(wanted):
        page = shown.get(name) or {}
        if not (page.get("doc") and page.get("examples") and page.get("return")):
            raise BuildError(f"ansible-doc shows no documentation, examples or return values of {name}")
    print(f"ansible-doc: {len(wanted)} modules")


def check_playbooks() -> None:
    """Every playbook is found by its full name, and its syntax is right."""
    names = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
    if not names:
        raise BuildError("the collection has no playbook")
    for name in names:
        run("ansible-playbook", "--syntax-check", "-i", "localhost,", f"{NAME}.{name}")
        print(f"{NAME}.{name}: syntax ok")


def run(tool: str, *arguments: str) -> str:
    """Run one of Ansible's tools from outside of the clone, seeing only the installed copy; its standard output."""
    extra = {
        "ANSIBLE_COLLECTIONS_PATH": str(PLACE),
        "ANSIBLE_CONFIG": str(PLACE / "ansible.cfg"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }
    argv = [str(VENV_BIN / tool), *arguments]
    done = subprocess.run(
        argv, cwd=PLACE, env=environment(**extra), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"{tool} {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
