# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``execution-environment.yml``: the real ansible-builder makes a build context of it, and what that holds is read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT, TOOLS_BIN, environment

FILE = ROOT / "execution-environment.yml"


def artifact() -> str:
    """The name that ansible-galaxy gives this version's artifact."""
    about = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    return f"{about['namespace']}-{about['name']}-{about['version']}.tar.gz"


def create(work: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy2(FILE, work)
    argv = [str(TOOLS_BIN / "ansible-builder"), "create", "--output-filename", "Containerfile"]
    return subprocess.run(argv, cwd=work, env=environment(), capture_output=True, text=True, check=False)


def test_the_image_gets_this_version_of_the_collection() -> None:
    described = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert [each["src"] for each in described["additional_build_files"]] == [artifact()]
    assert f":{artifact()[len('wst-backup-') : -len('.tar.gz')]}\n" in FILE.read_text(encoding="utf-8")


@pytest.mark.skipif(not (TOOLS_BIN / "ansible-builder").exists(), reason="NOT EXERCISED: ansible-builder, make setup")
def test_ansible_builder_makes_a_context_with_winrm_kerberos_and_the_collection(tmp_path: Path) -> None:
    (tmp_path / artifact()).write_bytes(b"an artifact")
    done = create(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    build = tmp_path / "context" / "_build"
    assert (build / "collections" / artifact()).read_bytes() == b"an artifact"
    galaxy = yaml.safe_load((build / "requirements.yml").read_text())
    assert galaxy["collections"] == [{"name": f"collections/{artifact()}", "type": "file"}]
    assert (build / galaxy["collections"][0]["name"]).is_file()  # by the directory that the Containerfile installs from
    assert "pywinrm[kerberos]>=0.4.3" in (build / "requirements.txt").read_text().splitlines()
    assert "krb5-workstation [platform:rpm]" in (build / "bindep.txt").read_text().splitlines()
    container = (tmp_path / "context" / "Containerfile").read_text()
    assert "/usr/bin/python3" in container
    assert "ansible-galaxy collection install" in container
    assert "WORKDIR /build" in container
