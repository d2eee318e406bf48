# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests of a session, and the proof that nothing of it is left running."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from wstlab import lab
from wstlab.config import LabPaths, lab_paths
from wstlab.testing import Lab, processes_of


@pytest.fixture(scope="session")
def state_dir() -> Iterator[Path]:
    """A directory for the session's lab."""
    directory = Path(tempfile.mkdtemp(prefix="wstlab-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def session_lab(state_dir: Path) -> Iterator[Lab]:
    """Two hosts and a small WST; taken down at the end, and then nothing runs any more."""
    paths = LabPaths(state=state_dir / "lab", cache=lab_paths().cache)
    try:
        record = lab.up(paths, hosts=2, bare=False)
        yield Lab(paths, record)
    finally:
        lab.down(paths, purge=False)
        left = processes_of(paths)
        lab.down(paths, purge=True)
    assert left == []


@pytest.fixture
def running(session_lab: Lab) -> Iterator[Lab]:
    """The lab without faults, before and after."""
    session_lab.clear()
    yield session_lab
    session_lab.clear()
