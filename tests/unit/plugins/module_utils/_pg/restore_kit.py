# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's half of a breakglass restore, step by step, with a production database that an application uses."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import psycopg
from unit.plugins.module_utils._authority import authority_kit

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import Database as Target
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import Targets
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import step as lock
from ansible_collections.wst.backup.plugins.module_utils._pg import (
    compare_step,
    kept_step,
    restore_step,
    scratch_step,
    singlenames,
    swap_step,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.restore_owned import Owned

RUN = "20261130-101500-1f2e3d4c"
STAMP = "20261130_101500"
SECRET = "App-Secret-1"


class Restore:
    """A run that holds the host's lock, for a database that is production there."""

    def __init__(self, monkeypatch: Any, root: Path, database: Any, *, user: str = "postgres") -> None:
        root.mkdir(exist_ok=True)
        self.layout = HostLayout(str(root))
        self.database = database
        self._monkeypatch = monkeypatch
        self.server = database.options(name="postgres", user=user)
        self.key = root / "restore.key"
        self.key.write_text(database.password if user == "postgres" else SECRET)
        self.key.chmod(0o600)
        production = Targets(databases=(Target(self.server.host, self.server.port, database.name),))
        authority_kit.provisioned(self.layout, production)
        self.begin(RUN)

    @property
    def place(self) -> str:
        """The target as people type it."""
        return f"{self.server.host}:{self.server.port}/{self.database.name}"

    @property
    def candidate(self) -> str:
        """What the restored database is called before the swap."""
        return f"{self.database.name}_restore_{STAMP}"

    @property
    def beside(self) -> str:
        """What the database with single tables is called."""
        return f"{self.database.name}_tables_{STAMP}"

    @property
    def before(self) -> str:
        """What the old database is called after the swap."""
        return f"{self.database.name}_before_{STAMP}"

    @property
    def workspace(self) -> Path:
        """The run's own directory."""
        return Path(self.layout.workspace(self.run_id))

    def begin(self, run_id: str, level: str = "L6") -> None:
        """Take the host's lock as another run, which has proven that level."""
        self.run_id = run_id
        module: Any = types.ModuleType(_context.CONTEXT_MODULE)
        module.DATA = {"run_id": run_id}
        self._monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)
        authority_kit.carry(self._monkeypatch, authority_kit.TOKENS[level])
        lock.take(self.layout, purpose="restore", stale_after=900, dry_run=False)

    def end(self) -> None:
        """Give the host's lock back."""
        lock.give_back(self.layout, dry_run=False)

    def make(self) -> dict[str, Any]:
        """``pg_scratch``."""
        request = scratch_step.Request(
            self.layout, self.tools_dir, server=self.server, key_file=str(self.key), target=self.database.name
        )
        return scratch_step.make(request, str(self.database.dump), self.database.tools, dry_run=False)

    def restore(self, *, owners: bool = True, allow_missing: Any = (), **changes: Any) -> dict[str, Any]:
        """``pg_restore``."""
        owned = Owned(**changes) if owners else None
        request = restore_step.Request(
            self.layout, self.tools_dir, str(self.database.dump), allow_missing=allow_missing, owned=owned
        )
        return restore_step.run(request, self.database.tools)

    def make_for_tables(self) -> dict[str, Any]:
        """``pg_scratch`` with ``purpose=tables``."""
        request = scratch_step.Request(
            self.layout, self.tools_dir, self.server, str(self.key), target=self.database.name, stays=True
        )
        return scratch_step.make(request, str(self.database.dump), self.database.tools, dry_run=False)

    def restore_tables(self, *names: str) -> dict[str, Any]:
        """``pg_restore`` with ``tables``."""
        request = restore_step.Request(
            self.layout, self.tools_dir, str(self.database.dump), tables=singlenames.parse_all(names)
        )
        return restore_step.run(request, self.database.tools)

    def keep(self) -> dict[str, Any]:
        """``pg_scratch`` with ``state=kept``."""
        return kept_step.keep(self.layout, self.tools_dir, dry_run=False)

    def remove_kept(self, name: str, *, dry_run: bool = False, reason: str = "it was copied") -> dict[str, Any]:
        """``pg_scratch`` with ``state=absent`` and a name."""
        request = kept_step.Removal(self.layout, self.server, str(self.key), name, reason)
        return kept_step.remove(request, dry_run=dry_run)

    def compare(self, body: Any = None, **changes: Any) -> dict[str, Any]:
        """``pg_compare``."""
        request = compare_step.Request(self.layout, self.tools_dir, str(self.database.dump), database=body, **changes)
        return compare_step.run(request, self.database.tools)

    def swap(self, state: str = "swapped", *, dry_run: bool = False, **changes: Any) -> dict[str, Any]:
        """``pg_swap``."""
        values = {"reason": "a test", "target": self.place, "confirm": self.place, **changes}
        return swap_step.run(swap_step.Request(self.layout, state, **values), dry_run=dry_run)

    def remove(self) -> dict[str, Any]:
        """``pg_scratch`` with ``state=absent``."""
        return scratch_step.remove(self.layout, self.tools_dir, dry_run=False)

    def produce_again(self) -> Any:
        """Another dump of production in the place of the first; what its manifest says."""
        for path in self.database.workspace.glob("*"):
            if path.is_file():
                path.unlink()
        return self.database.produce()

    def all(self, body: Any) -> dict[str, Any]:
        """Everything up to the swap."""
        self.make()
        self.restore()
        return self.compare(body)

    @property
    def tools_dir(self) -> str:
        """Of the server's own major."""
        return str(Path(self.database.tools.pg_dump.path).parent)

    def named(self) -> set[str]:
        """The databases of the server that have to do with this one."""
        rows = self.database.server.rows("SELECT datname FROM pg_database WHERE NOT datistemplate")
        return {name for (name,) in rows if name.startswith(self.database.name)}

    def reachable(self) -> list[str]:
        """Those of them that a superuser can log in to."""
        found = []
        for name in sorted(self.named()):
            try:
                self.database.server.rows("SELECT 1", database=name)
                found.append(name)
            except psycopg.OperationalError:
                continue
        return found

    def clean(self) -> None:
        """Drop what the test's own fixture does not know of."""
        for name in self.named() - {self.database.name}:
            quoted = name.replace('"', '""')
            self.database.server.run(f'ALTER DATABASE "{quoted}" ALLOW_CONNECTIONS true')
            self.database.server.run(f'DROP DATABASE "{quoted}" WITH (FORCE)')
