# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's half of a drill, step by step, as the role calls it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import step as lock
from ansible_collections.wst.backup.plugins.module_utils._pg import (
    cluster,
    compare_step,
    restore_step,
    scratch,
    scratch_step,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.scratchfile import read_scratch

RUN = "20261130-101500-1f2e3d4c"
MARK = scratch.mark_of(RUN)


class Drill:
    """A run that holds the lock of drills on a host below a temporary directory."""

    def __init__(self, monkeypatch: Any, root: Path, run_id: str = RUN) -> None:
        root.mkdir(exist_ok=True)
        self.layout = HostLayout(str(root))
        self.run_id = run_id
        module: Any = types.ModuleType(_context.CONTEXT_MODULE)
        module.DATA = {"run_id": run_id}
        monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)
        self._lane = HostLayout(str(root), drills=True)
        lock.take(self._lane, purpose="drill", stale_after=900, dry_run=False)

    @property
    def workspace(self) -> Path:
        """The run's own directory."""
        return Path(self._lane.workspace(self.run_id))

    def make(
        self,
        database: Any,
        *,
        tools: Any = None,
        server: Any = None,
        key: Path | None = None,
        size: int | None = None,
    ) -> dict[str, Any]:
        """``pg_scratch``."""
        tools = tools or database.tools
        request = scratch_step.Request(
            self.layout, str(Path(tools.pg_dump.path).parent), server=server, key_file=str(key or ""), size=size
        )
        return scratch_step.make(request, str(database.dump), tools, dry_run=False)

    def restore(self, database: Any, *, tools: Any = None, allow_missing: Any = ()) -> dict[str, Any]:
        """``pg_restore``."""
        tools = tools or database.tools
        directory = str(Path(tools.pg_dump.path).parent)
        request = restore_step.Request(self.layout, directory, str(database.dump), allow_missing=allow_missing)
        return restore_step.run(request, tools)

    def compare(self, database: Any, body: Any, *, tools: Any = None, **changes: Any) -> dict[str, Any]:
        """``pg_compare``."""
        tools = tools or database.tools
        directory = str(Path(tools.pg_dump.path).parent)
        request = compare_step.Request(self.layout, directory, str(database.dump), database=body, **changes)
        return compare_step.run(request, tools)

    def remove(self, database: Any) -> dict[str, Any]:
        """``pg_scratch`` with ``state=absent``."""
        return scratch_step.remove(self.layout, str(database.server.bin), dry_run=False)

    def end(self) -> dict[str, Any]:
        """``run_lock`` with ``state=absent``."""
        return lock.give_back(self._lane, dry_run=False)


def server_of(database: Any, **changes: Any) -> DatabaseOptions:
    """The test's own server as the scratch server of the inventory."""
    return database.options(name="postgres", **changes)  # type: ignore[no-any-return]


def key_file(directory: Path, password: str) -> Path:
    """A key file as the host has it."""
    path = directory / "restore.key"
    path.write_text(password)
    path.chmod(0o600)
    return path


def retake(drill: Drill) -> None:
    """Take the lock again after ``end``."""
    lock.take(drill._lane, purpose="drill", stale_after=900, dry_run=False)


def killed_while_its_server_runs(drill: Drill, database: Any) -> int:
    """A step's process is killed while the drill's server is up; the server's process."""
    made = read_scratch(str(drill.workspace))
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            with cluster.running(cluster.find_cluster(made.cluster, str(database.server.bin))):
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    return int(Path(made.cluster, "data", "postmaster.pid").read_text().split()[0])


def lives(pid: int) -> bool:
    """Whether that process does, and is no zombie that nobody has looked at."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


@contextlib.contextmanager
def extensions(server: Any, *names: str) -> Iterator[None]:
    """Extensions of these names on that server's major, each with a configuration table ``<name>_settings``."""
    (directory,) = (path.parent for path in Path(server.bin).parent.rglob("plpgsql.control"))
    made = []
    for name in names:
        control, script = directory / f"{name}.control", directory / f"{name}--1.0.sql"
        control.write_text("default_version = '1.0'\nrelocatable = false\ncomment = 'simulated'\n")
        table = f"{name}_settings"
        script.write_text(
            f"CREATE TABLE {table} (name text PRIMARY KEY, value text);\n"
            f"SELECT pg_catalog.pg_extension_config_dump('{table}', '');\n"
        )
        made += [control, script]
    try:
        yield
    finally:
        for path in made:
            path.unlink()
