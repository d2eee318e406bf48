# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting up: what is stamped, what is pinned, which interpreter is taken."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from tools.core_matrix import VERSIONS, constraints_of, find_python, read_versions
from tools.sanity import bootstrap_versions, pip_settings
from tools.setup_env import REQUIREMENTS, stamp_of


@pytest.mark.parametrize("name", ["core.txt", "tools.txt"])
def test_every_requirement_is_pinned_exactly(name: str) -> None:
    lines = [
        line for line in (REQUIREMENTS / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []


def test_a_changed_requirement_changes_the_stamp(tmp_path: Path) -> None:
    file = tmp_path / "core.txt"
    file.write_text("a==1\n", encoding="utf-8")
    before = stamp_of(file)
    assert stamp_of(file) == before
    file.write_text("a==2\n", encoding="utf-8")
    assert stamp_of(file) != before


def test_the_matrix_names_what_the_collection_promises() -> None:
    versions = read_versions(VERSIONS.read_text(encoding="utf-8"))
    assert [version.core.rsplit(".", 1)[0] for version in versions] == ["2.17", "2.18", "2.20", "2.21"]


def test_constraints_leave_ansible_core_free() -> None:
    assert constraints_of("# pins\nansible-core==2.19.14\nJinja2==3.1.6\nresolvelib==1.2.1\n") == "Jinja2==3.1.6\n"


def test_an_interpreter_is_found_only_when_it_is_new_enough() -> None:
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_python(mine) is not None
    assert find_python("3.99") is None


def test_ansible_test_is_given_the_bootstrap_that_it_asks_for() -> None:
    assert bootstrap_versions()


def test_pip_settings_are_a_configuration_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///srv/a file:///srv/b")
    text = pip_settings()
    assert text.startswith("[global]\n")
    assert "extra-index-url = file:///srv/a file:///srv/b\n" in text
