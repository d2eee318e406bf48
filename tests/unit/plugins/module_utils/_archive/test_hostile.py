# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus of hostile files (``tests/tools/proof``) against the function that module backup_verify calls."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tools.proof import corpus
from tools.proof.artifact import small
from tools.proof.case import PROVED, Case
from tools.proof.zipbytes import parse

from ansible_collections.wst.backup.plugins.module_utils._archive import content

CASES = list(corpus.cases())
SWELLING = [case for case in CASES if case.name.startswith(corpus.SWELLING)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_by_its_name_and_in_time(case: Case, tmp_path: Path) -> None:
    path = corpus.place(case, tmp_path)
    try:
        assert corpus.complaint(case, corpus.verified(str(path))) == ""
    finally:
        corpus.remove(path)


@pytest.mark.slow
@pytest.mark.posix  # children by fork, and /proc
@pytest.mark.timeout(300)
def test_what_might_swell_takes_no_more_memory_than_it_may(tmp_path: Path) -> None:
    complaints = {case.name: corpus.complaint(case, corpus.measured(case, tmp_path)) for case in SWELLING}
    assert len(complaints) > 80
    assert {name: complaint for name, complaint in complaints.items() if complaint} == {}


def test_names_of_cases_are_distinct_and_every_refusal_has_neighbours_that_pass() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum(case.code == PROVED for case in CASES) > 30
    data = small().zip
    assert parse(data).joined() == data  # what the corpus and the fuzzer are built with loses nothing


def test_a_member_list_without_end_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_MEMBERS", 10)
    case = next(case for case in CASES if case.name == "links/many")
    outcome = corpus.verified(str(corpus.place(case, tmp_path)))
    assert (outcome.code, "more than 10 lines" in outcome.message) == ("artifact_unsupported", True)


def nothing(path: Path) -> None:
    """There is none."""


def mkfifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


PLACES: list[Any] = [
    pytest.param(nothing, id="missing"),
    pytest.param(Path.mkdir, id="directory"),
    pytest.param(mkfifo, id="pipe", marks=pytest.mark.posix),
    pytest.param(lambda path: path.symlink_to("/dev/zero"), id="device", marks=pytest.mark.posix),
    pytest.param(lambda path: path.symlink_to("/dev/tty"), id="terminal", marks=pytest.mark.posix),
    pytest.param(lambda path: path.symlink_to("/proc/self/mem"), id="memory", marks=pytest.mark.posix),
    pytest.param(lambda path: path.symlink_to(path.name), id="loop", marks=pytest.mark.posix),
    pytest.param(unix_socket, id="socket", marks=pytest.mark.posix),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", PLACES)
def test_what_is_no_file_is_refused_and_never_waited_for(
    make: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    make(Path("x.zip"))
    outcome = corpus.verified("x.zip")
    assert outcome.code in ("path_unusable", "path_permissions", "artifact_damaged")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", PLACES[1:])
def test_a_sidecar_that_is_no_file_is_refused_and_never_waited_for(
    make: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.zip").write_bytes(small(streamed=False).zip)
    make(Path("x.manifest.json"))
    assert corpus.verified("x.zip").code in ("path_unusable", "path_permissions", "record_damaged")
