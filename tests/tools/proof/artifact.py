# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small artifact of ours, made by the code that makes every artifact: a member of each kind that there is."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.wst.backup.plugins.module_utils._archive import build
from ansible_collections.wst.backup.plugins.module_utils._archive.build import Builder, Built, Description
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import StepFile
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.wanted import Expected
from ansible_collections.wst.backup.plugins.module_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.module_utils._records import encode_record
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, encode_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import Event, SetState, Verified, state_body

STEM = "wst-backup-20261123-150000"
RUN_ID = "20261123-150000-0123abcd"
DUMP = "wst.backup"
MOMENT = 1_795_446_001  # odd, so that the two seconds of a ZIP do not hold it


@dataclass(frozen=True)
class Artifact:
    """What stands on a disk after a run: the ZIP, its sidecar and its state."""

    zip: bytes
    sidecar: bytes
    state: bytes
    expected: Expected


def small(*, streamed: bool = True) -> Artifact:
    """A new one, of a few KiB and the same bytes each time on one machine.

    ``streamed`` adds a member with a data descriptor (1 MiB of zeros).
    """
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        _fill(root / "wst", streamed=streamed)
        data, built = _build(root)
    sidecar = Sidecar(
        artifact=STEM + ".zip",
        size=built.size,
        sha256=built.sha256,
        manifest_sha256=built.manifest_sha256,
        level=3,
        run_id=RUN_ID,
    )
    return Artifact(
        zip=data,
        sidecar=encode_sidecar(sidecar, built.manifest),
        state=encode_record(state_body(_state(built))),
        expected=Expected(size=built.size, sha256=built.sha256, manifest_sha256=built.manifest_sha256),
    )


def _fill(top: Path, *, streamed: bool) -> None:
    files: dict[str, bytes] = {"index.html": b"<p>" * 40, "ä/日.txt": b"text", "leer.txt": b""}
    if streamed:
        files["null.log"] = bytes((1 << 20) + 1)
    for name, content in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (top / "d").mkdir()


def _build(root: Path) -> tuple[bytes, Built]:
    dump, roles = b"PGDMP" + bytes(range(64)), b"CREATE ROLE wst;\n"
    (root / DUMP).write_bytes(dump)
    (root / "roles.sql").write_bytes(roles)
    extras = [
        StepFile(DUMP, str(root / DUMP), len(dump), hashlib.sha256(dump).hexdigest(), zlib.crc32(dump)),
        StepFile("roles.sql", str(root / "roles.sql"), len(roles), hashlib.sha256(roles).hexdigest()),
    ]
    facts: dict[str, Any] = {"tables": [{"schema": "public", "name": "t", "rows": 7}], "tools": {"pg_dump": "17.10"}}
    description = Description(STEM, RUN_ID, "wst-backup", "test", facts, DUMP, "2026-11-23T15:00:01Z")
    for path in root.rglob("*"):
        os.utime(path, (MOMENT, MOMENT))
    guard = Guard(files=[], directories=[])
    with open(root / "x.zip", "w+b") as file, tempfile.TemporaryFile() as central, tempfile.TemporaryFile() as spool:
        builder = Builder(file, central=central, spool=spool, guard=guard, level=9, expected=0)
        # The path of a source and the time stand in the manifest.
        with _inside(root), mock.patch.object(build, "utc_now", return_value=parse_time("2026-11-23T15:00:02Z")):
            built = builder.build([Source("wst", "wst")], extras, description)
    return (root / "x.zip").read_bytes(), built


@contextmanager
def _inside(directory: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def _state(built: Built) -> SetState:
    at = parse_time("2026-11-23T15:10:00Z")
    return SetState(
        artifact=STEM,
        layer="local",
        published=Event(at, RUN_ID),
        verified=Verified(at, RUN_ID, 3, built.sha256),
        mirrored=Event(at, RUN_ID),
    )
