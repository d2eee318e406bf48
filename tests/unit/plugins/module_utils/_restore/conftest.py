# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A provisioned host with a real artifact, and a place beside production to restore to."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._restore.extract_step import Request, extract
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._archive.conftest import RUN_ID, Kit, unreadable
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    carry,
    directory_target,
    provisioned,
)

__all__ = ["Scene", "unreadable"]


class Scene:
    """Production under ``prod``, other places under ``other``, an artifact of production, and tokens."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (root / "kit").mkdir()
        self.kit = Kit(root / "kit")
        self.layout = HostLayout(str(root / "control"))
        self.production = root / "prod"
        self.other = root / "other"
        for path in (Path(self.layout.root), Path(self.layout.scratch_dir), self.production, self.other):
            path.mkdir()
        self._monkeypatch = monkeypatch
        provisioned(self.layout, directory_target(str(self.production)), directory_target(str(self.other)))
        self.be(L6)

    def be(self, level: str | None) -> None:
        """Carry that level's token, or none."""
        module: Any = types.ModuleType(_context.CONTEXT_MODULE)
        module.DATA = {"run_id": RUN_ID}
        self._monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)
        carry(self._monkeypatch, TOKENS[level] if level in (L5, L6) else None)

    def artifact(self, *sources: Source, sidecar: bool = True) -> Path:
        """An artifact of these sources, by default of a small tree of mixed kinds."""
        path, built = self.kit.build(*(sources or (self.kit.sample(),)))
        if sidecar:
            self.kit.sidecar(path, built)
        return path

    def request(self, path: Path, target: Path | str, **changes: Any) -> Request:
        """What the module is asked for."""
        told: dict[str, Any] = {
            "layout": self.layout,
            "path": str(path),
            "target": str(target),
            "selection": Selection(),
        }
        return Request(**{**told, **changes})

    def extract(self, path: Path, target: Path, *, dry_run: bool = False, **changes: Any) -> dict[str, Any]:
        """Run the step."""
        return extract(self.request(path, target, **changes), dry_run=dry_run)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A fresh one, with L6 proven."""
    return Scene(tmp_path, monkeypatch)


def tree_of(directory: Path) -> dict[str, bytes | None]:
    """Every file with its bytes, every directory with None, by path with slashes; links are not entered."""
    found: dict[str, bytes | None] = {}
    for above, names, files in os.walk(directory):
        for name in names:
            found[(Path(above) / name).relative_to(directory).as_posix()] = None
        for name in files:
            path = Path(above) / name
            found[path.relative_to(directory).as_posix()] = path.read_bytes()
    return found
