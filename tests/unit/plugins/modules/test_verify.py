# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module backup_verify as Ansible would start it, on a few of the hostile files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tools.proof import corpus
from tools.proof.case import PROVED

from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

SOME = (
    "shape/good",
    "shape/text",
    "names/traversal",
    "kinds/aes",
    "streams/no-last-block",
    "bombs/announces-less",
    "ours/good",
    "ours/lacks-dump",
    "ours/planted",
    "manifest/source-name-number",
    "lines/mtime-infinite",
    "links/name-of-a-file",
    "json/nested-lists",
    "sidecar/cut",
)


@pytest.mark.parametrize("name", SOME)
def test_a_refusal_has_a_code_facts_and_a_remedy(host: Host, tmp_path: Path, name: str) -> None:
    case = next(case for case in corpus.cases() if case.name == name)
    path = corpus.place(case, tmp_path)
    result = host.run("backup_verify", path=str(path), level=2)
    if case.code == PROVED:
        assert (result["level"], result["changed"]) == (2, False)
        return
    assert result["failed"] is True
    assert result["code"] == case.code
    assert str(path.with_suffix("")) in result["msg"] or case.code == "dump_missing"
    assert result["remedy"]
    assert result["facts"]


@pytest.mark.timeout(20)
def test_a_pipe_is_not_waited_for(host: Host, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.zip")
    result = host.run("backup_verify", path=str(tmp_path / "x.zip"), level=1)
    assert (result["failed"], result["code"]) == (True, "path_unusable")
