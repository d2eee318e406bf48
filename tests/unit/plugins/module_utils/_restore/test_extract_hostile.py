# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every hostile file of the corpus, extracted: what the verification refuses, no restore gives out as good."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tools.proof import corpus
from tools.proof.case import PROVED, Case

from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._restore.extract import Extractor, survey
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import opened
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection

# What an extraction finds in another way, or not: it never reads the ZIP as a whole, so only a verification knows that
# the file has another digest than its sidecar says. Every member of such a file is still proved by its own.
OTHERWISE = {
    "ours/lacks-dump": "artifact_incomplete",
    "ours/empty-dump": "artifact_damaged",
    "ours/empty-dump-and-told-so": PROVED,  # its files are good; who asks for the dump is refused, see test_extract.py
    "manifest/source-missing": "artifact_damaged",
    "manifest/sources-without-end": "artifact_damaged",
    "sidecar/other-digest": PROVED,
}


def extracted(case: Case, directory: Path) -> str:
    """The failure's code."""
    into = directory / "into"
    into.mkdir()
    try:
        with opened(str(corpus.place(case, directory))) as artifact:
            plan = survey(artifact, Selection())
            extractor = Extractor(artifact, Selection(), plan, into=str(into), lost=Notes())
            extractor.extract(access_lists=True)
    except BackupError as error:
        return error.code
    return PROVED


@pytest.mark.posix  # what is refused is decided above the seam, and under wine this takes many minutes
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_hostile_is_restored_and_nothing_is_written_elsewhere(tmp_path: Path) -> None:
    wrong = {}
    for case in corpus.cases():
        directory = tmp_path / "case"
        directory.mkdir()
        code = extracted(case, directory)
        if code != OTHERWISE.get(case.name, case.code):
            wrong[case.name] = code
        assert len(os.listdir(directory)) <= 3, case.name  # the file, its sidecar, and where it was to go
        assert os.listdir(tmp_path) == ["case"], case.name
        shutil.rmtree(directory)
    assert wrong == {}
