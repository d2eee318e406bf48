# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must stay out of every artifact is known by whatever name it has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive.guard import own_guard
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform._types import id_of_stat


@pytest.mark.parametrize("name", ["db.key", "db.key.new", "restore.key", "restore.key.new"])
def test_a_key_is_known_by_a_hard_link_in_a_source(tmp_path: Path, name: str) -> None:
    root, source = tmp_path / "control", tmp_path / "site"
    root.mkdir()
    source.mkdir()
    (root / name).write_text("Super-Secret-0")
    os.link(root / name, source / "harmless.txt")
    guard = own_guard(HostLayout(str(root)), layers=[], secrets=[])
    assert guard.knows(str(root / name))
    assert guard.knows_id(id_of_stat(os.stat(source / "harmless.txt")))
    (source / "other.txt").write_text("Super-Secret-0")
    assert not guard.knows_id(id_of_stat(os.stat(source / "other.txt")))
