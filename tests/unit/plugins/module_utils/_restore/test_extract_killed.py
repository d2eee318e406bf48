# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An extraction that is killed at any call: what it leaves says what it is, and the next one does not mind it."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._restore import targets
from ansible_collections.wst.backup.plugins.module_utils._restore.extract_step import Request, extract
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import RUN_ID, STEM, Kit
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    directory_target,
    provisioned,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._restore.conftest import tree_of
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.crasher import crashes

PARTIAL = f"new.{RUN_ID}.partial"
FILES: dict[str, bytes | None] = {"a/x.txt": b"x" * 3000, "a/y.txt": b"", "leer": None}


def enter(run_id: str) -> None:
    """Be a module of that run, with the token of L5."""
    module: Any = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {"run_id": run_id, "secrets": {"authority_token": TOKENS[L5]}}
    sys.modules[_context.CONTEXT_MODULE] = module


def prepare(directory: str) -> None:
    """A host, an artifact, and a place beside production."""
    root = Path(directory)
    for name in ("control", "other", "kit"):
        (root / name).mkdir()
    provisioned(HostLayout(str(root / "control")), other=directory_target(str(root / "other")))
    kit = Kit(root / "kit")
    kit.sidecar(*kit.build(Source(name="wst", path=str(kit.tree("src/wst", FILES)))))


def run(directory: str, run_id: str) -> dict[str, Any]:
    """The step."""
    root = Path(directory)
    enter(run_id)
    path, target = str(root / "kit" / f"{STEM}.zip"), str(root / "other" / "new")
    request = Request(HostLayout(str(root / "control")), path=path, target=target, selection=Selection())
    return extract(request, dry_run=False)


def scenario(directory: str) -> None:
    """What dies: see ``crasher``. The proof of authority has tests of its own, and many calls."""
    targets.require_for = lambda *arguments, **options: None  # type: ignore[assignment,return-value]
    run(directory, RUN_ID)


@pytest.fixture
def no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process' own context, put back at the end."""
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, types.ModuleType(_context.CONTEXT_MODULE))


@pytest.mark.posix  # the swap's kills run under Windows Python too; a process for each call takes long there
@pytest.mark.slow
@pytest.mark.timeout(600)  # a process for each call
@pytest.mark.usefixtures("no_context")
def test_a_target_is_whole_or_not_there(tmp_path: Path) -> None:
    """Die before every call; a later run restores beside what is left, and names it."""
    left = set()
    for what, place in crashes(__file__, str(tmp_path), prepare):
        other = Path(place) / "other"
        before = sorted(os.listdir(other))
        left.add(tuple(before))
        assert before in ([PARTIAL], ["new"]), what
        if before == ["new"]:
            assert tree_of(other / "new" / "wst") == tree_of(Path(place) / "kit" / "src" / "wst"), what
            continue
        done = run(place, "20261124-000000-0000eeee")
        assert done["unfinished"] == [str(other / name) for name in before], what
        assert tree_of(other / "new" / "wst") == tree_of(Path(place) / "kit" / "src" / "wst"), what
    assert left == {(PARTIAL,), ("new",)}
