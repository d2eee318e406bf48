# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Artifacts of every manifest schema that there ever was are verified, restored and equal (``tools.golden``)."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from unit import pgserver
from unit.plugins.module_utils._pg import drill_kit

from ansible_collections.wst.backup.plugins.module_utils._archive import verify_step
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import SCHEMA_VERSION
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools, find_tools
from ansible_collections.wst.backup.plugins.module_utils._restore import compare, extract_step
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import opened
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    carry,
    provisioned,
)

GOLDEN = Path(__file__).parents[3] / "golden"
SCHEMAS = sorted(GOLDEN.iterdir())


@dataclass
class Restored:
    """What ``drill_kit`` asks of a database: its dump, and the programs of a server."""

    dump: Path
    major: int

    @property
    def tools(self) -> Tools:
        return find_tools(str(pgserver.bin_dir(self.major)))

    @property
    def server(self) -> Any:
        return self

    @property
    def bin(self) -> Path:
        return pgserver.bin_dir(self.major)


def test_there_is_one_of_each_schema() -> None:
    assert [path.name for path in SCHEMAS] == [f"schema-{number}" for number in range(1, SCHEMA_VERSION + 1)]


@pytest.mark.posix  # makes servers of its own
@pytest.mark.slow
@pytest.mark.parametrize("major", [17, 18])
@pytest.mark.parametrize("golden", SCHEMAS, ids=lambda path: path.name)
def test_it_is_restored_and_equal(golden: Path, major: int, tmp_path: Path, monkeypatch: Any) -> None:
    layer = tmp_path / "layer"
    shutil.copytree(golden, layer)
    (artifact,) = layer.glob("*.zip")
    drill = drill_kit.Drill(monkeypatch, tmp_path / "host")
    provisioned(drill.layout)
    carry(monkeypatch, TOKENS[L5])
    verified = verify_step.verify_path(verify_step.Request(drill.layout, level=2), str(artifact))
    assert (verified["state"], verified["level"]) == ("complete", 2)
    drill.workspace.parent.mkdir(exist_ok=True)
    drill.workspace.mkdir()
    tree = drill.workspace / "set"
    request = extract_step.Request(drill.layout, str(artifact), str(tree), Selection())
    restored = extract_step.extract(request, dry_run=False)
    assert restored["files"] == 5
    compared = compare.compare(compare.Request(drill.layout, str(artifact), str(tree), Selection()))
    assert compared["equal"]
    page = (tree / "wst" / "content" / "page.html").read_bytes()
    assert hashlib.sha256(page).hexdigest() == hashlib.sha256(b"<p>kept</p>\n" * 50).hexdigest()
    database = Restored(Path(restored["dump"]), major)
    drill.make(database)
    drill.restore(database)
    with opened(str(artifact)) as found:
        assert found.found is not None
        body = found.found.body["database"]
    result = drill.compare(database, body)
    assert (result["tables"], result["rows"], result["large_objects"], result["sequences"]) == (2, 60, 1, 1)
    drill.remove(database)
