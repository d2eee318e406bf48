# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds real artifacts from real files, and a host with a lease for the steps."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import types
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._archive.archive_step import Request, archive
from ansible_collections.wst.backup.plugins.module_utils._archive.build import Builder, Built, Description
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import sidecar_body
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import StepFile
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._fs import write_record
from ansible_collections.wst.backup.plugins.module_utils._layout import DATABASE_FACTS, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock

RUN_ID = "20261123-150000-0123abcd"
STEM = "wst-backup-20261123-150000"
DUMP_NAME = "wst_dev_database.backup"


class Kit:
    """A directory with sources, a dump, and what is built from them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dump = root / DUMP_NAME
        self.dump.write_bytes(b"PGDMP" + bytes(range(256)) * 500)
        self.roles = root / "roles.sql"
        self.roles.write_bytes(b"CREATE ROLE wst;\n")

    def tree(self, name: str, files: dict[str, bytes | None]) -> Path:
        """A source directory; None stands for an empty directory."""
        top = self.root / name
        top.mkdir(parents=True, exist_ok=True)
        for relative, data in files.items():
            path = top / relative
            if data is None:
                path.mkdir(parents=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return top

    def sample(self) -> Source:
        """A small tree of mixed kinds."""
        files: dict[str, bytes | None] = {
            "index.html": b"<html>\n" * 300,
            "leer": None,
            "Grüße/日本語 – ф.txt": "ж".encode() * 100,
            "empty.txt": b"",
            "pic.png": os.urandom(5000),
            "big.js": b"function f() {}\n" * 100_000,
            "movie.mp4": os.urandom((1 << 20) + 17),
            "a/b/c/d.json": b"{}",
        }
        return Source(name="wst", path=str(self.tree("src/wst", files)))

    def step_files(self) -> list[StepFile]:
        """The dump and roles.sql with what they must be."""
        dump, roles = self.dump.read_bytes(), self.roles.read_bytes()
        return [
            StepFile(DUMP_NAME, str(self.dump), len(dump), hashlib.sha256(dump).hexdigest(), zlib.crc32(dump)),
            StepFile("roles.sql", str(self.roles), len(roles), hashlib.sha256(roles).hexdigest()),
        ]

    def build(
        self, *sources: Source, guard: Guard | None = None, to: str = STEM + ".zip", **options: Any
    ) -> tuple[Path, Built]:
        """An artifact of these sources; ``options`` are the builder's."""
        path = self.root / to
        description = Description(
            artifact=STEM,
            run_id=RUN_ID,
            prefix="wst-backup",
            environment="test",
            database=database_facts(self),
            dump_name=DUMP_NAME,
            snapshot_at="2026-11-23T15:00:01Z",
            audit_head={"seq": 3, "hash": "ab" * 32},
        )
        guard = guard or Guard(files=[], directories=[])
        with open(path, "w+b") as file, tempfile.TemporaryFile() as central, tempfile.TemporaryFile() as spool:
            told = {"level": 6, "expected": 0, **options}
            builder = Builder(file, central=central, spool=spool, guard=guard, **told)
            built = builder.build(sources, self.step_files(), description)
        return path, built

    def sidecar(self, path: Path, built: Built) -> Path:
        """The sidecar beside an artifact, as publishing writes it."""
        target = path.with_name(path.name[: -len(".zip")] + ".manifest.json")
        body = sidecar_body(
            manifest=built.manifest,
            manifest_sha256=built.manifest_sha256,
            zip_name=path.name,
            zip_size=built.size,
            zip_sha256=built.sha256,
        )
        write_record(str(target), body)
        return target


def database_facts(kit: Kit) -> dict[str, Any]:
    """What the dump step writes, as far as the archive reads it."""
    dump, roles = kit.step_files()
    return {
        "schema_version": 1,
        "database": {"name": "wst_dev", "server_version": "17.10", "size": 4096},
        "snapshot_at": "2026-11-23T15:00:01Z",
        "tables": [{"schema": "public", "name": "t", "kind": "table", "rows": 7}],
        "rows_total": 7,
        "dump": {"name": dump.name, "size": dump.size, "sha256": dump.sha256, "crc32": dump.crc32},
        "roles": {"name": roles.name, "size": roles.size, "sha256": roles.sha256},
        "tools": {"pg_dump": "17.10"},
        "proof": {"tables": 1, "rows_total": 7, "large_objects": 0, "sequences": 0},
    }


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A fresh kit."""
    return Kit(tmp_path)


class Host:
    """A host in a directory, held by a run whose dump step is done."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.layout = HostLayout(str(kit.root / "control"))
        self.local = kit.root / "local"
        self.local.mkdir()
        self.workspace = Path(self.layout.workspace(RUN_ID))
        self.workspace.mkdir(parents=True)
        Path(self.layout.key_file).write_bytes(b"hunter2")
        RunLock(self.layout).acquire(RUN_ID, purpose="test")

    def dump_step(self) -> None:
        """Leave what the dump step leaves."""
        (self.workspace / DUMP_NAME).write_bytes(self.kit.dump.read_bytes())
        (self.workspace / "roles.sql").write_bytes(self.kit.roles.read_bytes())
        write_record(str(self.workspace / DATABASE_FACTS), database_facts(self.kit))

    def request(self, *sources: Source, **changes: Any) -> Request:
        """The module's parameters, with their defaults."""
        told: dict[str, Any] = {
            "layout": self.layout,
            "sources": sources,
            "local_dir": str(self.local),
            "mirror_dir": str(self.kit.root / "mirror"),
            "prefix": "wst-backup",
            "environment": "test",
            "dump_name": DUMP_NAME,
            "level": 6,
            "secrets": [],
        }
        return Request(**{**told, **changes})

    def archive(self, *sources: Source, **changes: Any) -> dict[str, Any]:
        """Run the step."""
        return archive(self.request(*sources, **changes))

    def layer_names(self) -> list[str]:
        """What lies on the local layer."""
        return sorted(path.name for path in self.local.iterdir())


@pytest.fixture
def host(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose run has its dump."""
    module = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {"run_id": RUN_ID}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)
    host = Host(kit)
    host.dump_step()
    return host


@pytest.fixture
def unreadable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], None]]:
    """Makes a file unreadable for this process, whoever it is, until the test ends."""
    undo: list[Callable[[], None]] = []

    def make(path: Path) -> None:
        undo.append(_lock_away(path, ours=tmp_path_factory.getbasetemp().parent))

    yield make
    for action in reversed(undo):
        action()


def _lock_away(path: Path, *, ours: Path) -> Callable[[], None]:
    if os.name == "nt":
        import ctypes

        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
        kernel.CreateFileW.restype = ctypes.c_void_p
        handle = kernel.CreateFileW(str(path), 0x80000000, 0, None, 3, 0, None)  # shared with nobody
        return lambda: kernel.CloseHandle(ctypes.c_void_p(handle))
    path.chmod(0)
    if os.geteuid() != 0:
        return lambda: path.chmod(0o600)
    for directory in path.parents:  # root reads everything, so the test goes on as nobody, who must get to the rest
        if ours in (directory, *directory.parents):
            directory.chmod(0o777)
    os.seteuid(65534)

    def back() -> None:
        os.seteuid(0)
        path.chmod(0o600)

    return back
