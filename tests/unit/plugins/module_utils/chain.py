# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run, a repair and a recovery do with files, in order, through the library: for tests that watch it."""

from __future__ import annotations

import hashlib
import os
import sys
import types
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Callable

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs
from ansible_collections.wst.backup.plugins.module_utils._archive import archive_step, verify_step
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._audit import step as audit_step
from ansible_collections.wst.backup.plugins.module_utils._audit.log import Event
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L6
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._keychange.files import KeyFiles
from ansible_collections.wst.backup.plugins.module_utils._layout import DATABASE_FACTS, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import leavings
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock
from ansible_collections.wst.backup.plugins.module_utils._mirror import modules as mirror_modules
from ansible_collections.wst.backup.plugins.module_utils._mirror.repair_step import repair_layers
from ansible_collections.wst.backup.plugins.module_utils._mirror.volume import Tolerance
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import make_workspace
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight import targets
from ansible_collections.wst.backup.plugins.module_utils._restore import compare, extract_step, swap_step
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import Selection
from ansible_collections.wst.backup.plugins.module_utils._retention import step as retention_step
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets import publish_step, sweep_step, verify_set
from ansible_collections.wst.backup.plugins.module_utils._sets.anomaly import Thresholds
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    carry,
    directory_target,
    provisioned,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import PREFIX, publish_set

DUMP_NAME = "wst_dev_database.backup"
DUMP = b"PGDMP" + bytes(range(256)) * 500
ROLES = b"CREATE ROLE wst;\n"
BEGAN = utc_now()


def run_id_of(days: int) -> str:
    """The id of a run that started so many days ago; negative for one to come."""
    return (BEGAN - timedelta(days=days)).strftime("%Y%m%d-%H%M%S") + f"-{abs(days):08x}"


RUN = run_id_of(0)


class Chain:
    """A host below one directory. ``steps`` are to be called in their order; nothing of it was made before."""

    def __init__(self, top: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top = top
        self.layout = HostLayout(os.path.join(top, "control"))
        self.local = Layer(LOCAL, os.path.join(top, "c"))
        self.mirror = Layer(MIRROR, os.path.join(top, "d"))
        self.source = Source(name="wst", path=os.path.join(top, "source"))
        self.artifact = artifact_of_run(RUN, PREFIX)
        self.results: dict[str, Any] = {}
        self._monkeypatch = monkeypatch
        real = api.volume

        def volume(path: str) -> api.Volume:
            return replace(
                real(path),
                id="{d}",
                disk="0",
                kind="fixed",
                filesystem="NTFS",
                label="",
                compressed=False,
                locked=False,
            )

        monkeypatch.setattr(api, "volume", volume)
        context: Any = types.ModuleType(_context.CONTEXT_MODULE)
        context.DATA = {"run_id": RUN}
        monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, context)  # gone again after the test

    def steps(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and calls, each of which a module does on the host."""
        yield "lock", lambda: RunLock(self.layout).acquire(RUN, purpose="test")
        yield "audit", lambda: audit_step.record(self.layout, Event("backup_started"), dry_run=False)
        yield "local layer", lambda: _fs.ensure_private_directory(self.local.path)
        yield "mirror init", lambda: mirror_modules.initialise(self.request(), replace=False, dry_run=False)
        yield "probe", lambda: [targets.probe(path) for path in (self.layout.root, self.local.path)]
        yield "dump", self.dump
        yield "archive", self.archive
        yield "verify", lambda: verify_step.verify_run(verify_step.Request(self.layout, level=3), write=True)
        yield "publish", self.publish
        yield "older sets", lambda: [publish_set(self.local, run_id_of(day)) for day in range(1, 20)]
        yield "mirror", self.mirror_all
        yield "retention", self.retain
        yield "hold and verify", self.verify_held
        yield "damage", self.damage
        yield "repair", lambda: repair_layers(self.request(), volume_id="{d}", dry_run=False)
        yield "sweep", self.sweep
        yield "leavings", self.sweep_workspaces

    def recovery(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """What comes after a run: the set is restored beside its source, compared and swapped in, and back; a new key.

        What is restored into production is open to whom production is; so this is no part of ``steps``.
        """
        new, key = os.path.join(self.top, "source.new"), KeyFiles(os.path.join(self.layout.root, "db.key"), None)
        path, told = self.local.file(self.artifact.zip), {"layout": self.layout}
        sidecar = self.local.file(self.artifact.sidecar)
        swapped = swap_step.Request(state=swap_step.STATE_SWAPPED, pairs=[(new, self.source.path)], **told)
        back = swap_step.Request(state=swap_step.STATE_UNDONE, swap=RUN, **told)
        forget = swap_step.Request(state=swap_step.STATE_ABSENT, swap=RUN, **told)
        yield "authority", self.authorise
        yield (
            "extract",
            lambda: extract_step.extract(
                extract_step.Request(path=path, target=new, selection=Selection(), sidecar=sidecar, **told),
                dry_run=False,
            ),
        )
        yield (
            "compare",
            lambda: compare.compare(
                compare.Request(path=path, tree=new, selection=Selection(), sidecar=sidecar, **told)
            ),
        )
        yield "swap", lambda: swap_step.run(swapped, dry_run=False)
        yield "undo", lambda: swap_step.run(back, dry_run=False)
        yield "forget", lambda: swap_step.run(forget, dry_run=False)
        yield "stage", lambda: key.stage("Planted-0123456789")
        yield "promote", lambda: key.promote("Planted-0123456789")

    def authorise(self) -> None:
        """The host has a record, and this process carries a token of L6."""
        provisioned(self.layout, directory_target(self.source.path))
        carry(self._monkeypatch, TOKENS[L6])

    def request(self) -> mirror_modules.Request:
        """Of the modules about the mirror."""
        return mirror_modules.Request(
            self.layout, self.local.path, self.mirror.path, PREFIX, Tolerance(same_disk=True), lambda text: None
        )

    def dump(self) -> None:
        """What pg_dump's step leaves."""
        workspace = make_workspace(self.layout, RUN)
        facts: dict[str, Any] = {"schema_version": 1, "tables": [], "snapshot_at": "2026-11-23T15:00:01Z"}
        for key, name, data in (("dump", DUMP_NAME, DUMP), ("roles", "roles.sql", ROLES)):
            with api.create_new(os.path.join(workspace, name)) as file:
                file.write(data)
            sha256 = hashlib.sha256(data).hexdigest()
            facts[key] = {"name": name, "size": len(data), "sha256": sha256, "crc32": zlib.crc32(data)}
        facts["proof"] = {"tables": 0, "rows_total": 0, "large_objects": 0, "sequences": 0}
        _fs.write_record(os.path.join(workspace, DATABASE_FACTS), facts)

    def archive(self) -> dict[str, Any]:
        """backup_archive."""
        return archive_step.archive(
            archive_step.Request(
                layout=self.layout,
                sources=[self.source],
                local_dir=self.local.path,
                mirror_dir=self.mirror.path,
                prefix=PREFIX,
                environment="test",
                dump_name=DUMP_NAME,
                level=6,
                secrets=[],
            )
        )

    def publish(self) -> dict[str, Any]:
        """backup_publish."""
        return publish_step.publish_run(
            publish_step.Request(self.layout, self.local.path, self.mirror.path, PREFIX, Thresholds(50))
        )

    def mirror_all(self) -> dict[str, Any]:
        """backup_mirror."""
        return mirror_modules.mirror(self.request(), volume_id="{d}", policy=Policy(), dry_run=False)

    def retain(self) -> dict[str, Any]:
        """backup_retention."""
        layers = [self.local, self.mirror]
        return retention_step.retain(self.layout, layers, prefix=PREFIX, policy=Policy(), warn=lambda text: None)

    def verify_held(self) -> dict[str, Any]:
        """backup_verify of the published set."""
        request = verify_step.Request(self.layout, level=2)
        path = self.local.file(self.artifact.zip)
        return verify_set.verify_set(request, path, layer_name=LOCAL, prefix=PREFIX)

    def damage(self) -> None:
        """A file of the mirror is gone, for the repair; a dead run has left a partial and a workspace."""
        os.unlink(api.long_path(self.mirror.file(self.artifact.zip)))
        dead = run_id_of(3)
        with api.create_new(self.local.file(artifact_of_run(dead, PREFIX).zip_partial(dead))) as file:
            file.write(b"half")
        with api.create_new(os.path.join(make_workspace(self.layout, dead), "dump")) as file:
            file.write(b"half")

    def sweep(self) -> dict[str, Any]:
        """backup_sweep."""
        layers = [self.local, self.mirror]
        return sweep_step.sweep_layers(
            self.layout, layers, prefix=PREFIX, objections=lambda *layer: (), warn=lambda text: None
        )

    def sweep_workspaces(self) -> leavings.Swept:
        """What run_lock does when it takes the host and gives it back."""
        swept = leavings.sweep(self.layout, own=RUN, now=utc_now())
        leavings.remove_workspace(self.layout, RUN)
        return swept

    def run(self) -> None:
        """All of it."""
        self._do(self.steps())

    def recover(self) -> None:
        """What comes after it."""
        self._do(self.recovery())

    def _do(self, steps: Iterator[tuple[str, Callable[[], Any]]]) -> None:
        for name, step in steps:
            self.results[name] = step()

    def check(self) -> None:
        """That the steps did what they are there for."""
        assert self.results["archive"]["files"] > 0
        assert self.results["publish"]["changed"]
        assert self.artifact.stem in self.results["mirror"]["mirrored"]
        assert len(self.results["retention"]["removed"][LOCAL]) > 0
        assert [one["artifact"] for one in self.results["repair"]["repaired"]] == [self.artifact.stem]
        assert len(self.results["sweep"]["layers"][0]["swept"]) == 1
        assert len(self.results["leavings"].removed) == 1
        assert self.results["leavings"].kept == []

    def check_recovery(self) -> None:
        """The same of what comes after it."""
        assert self.results["extract"]["files"] > 0
        assert self.results["compare"]["equal"] is True
        assert [self.results[name]["changed"] for name in ("swap", "undo", "forget")] == [True] * 3
        assert os.path.isdir(api.long_path(self.source.path))
