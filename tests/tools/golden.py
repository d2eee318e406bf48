# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a golden artifact of today's manifest schema: ``make golden``.

One is made when the schema gets a new version, and never again: what stands in ``tests/unit/golden`` is what sets on
somebody's disk look like, and must be restorable for ever. A server of major 17 makes its dump.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from unit import pgserver

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._archive import archive_step, verify_step
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import SCHEMA_VERSION
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import step as lock
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.produce import Order, make_workspace, produce
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools
from ansible_collections.wst.backup.plugins.module_utils._sets import publish_step
from ansible_collections.wst.backup.plugins.module_utils._sets.anomaly import Thresholds
from tools.paths import ROOT

GOLDEN = ROOT / "tests" / "unit" / "golden"
RUN = "20261130-120000-00601de0"
SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE app.items (id int PRIMARY KEY, name text NOT NULL, price numeric, made timestamptz, raw bytea);
INSERT INTO app.items SELECT n, 'item ' || n, n / 7.0, '2026-11-30 12:00+00', decode(md5(n::text), 'hex')
  FROM generate_series(1, 50) n;
CREATE TABLE app.parted (k int, v text) PARTITION BY LIST (k);
CREATE TABLE app.parted_1 PARTITION OF app.parted FOR VALUES IN (1);
CREATE TABLE app.parted_2 PARTITION OF app.parted FOR VALUES IN (2);
INSERT INTO app.parted SELECT 1 + n % 2, 'v' || n FROM generate_series(1, 10) n;
CREATE SEQUENCE app.numbers START 7;
SELECT nextval('app.numbers');
SELECT lo_from_bytea(5001, 'one object');
"""


def main() -> int:
    """Write it; 1 when there is one of this schema already."""
    target = GOLDEN / f"schema-{SCHEMA_VERSION}"
    if target.exists():
        print(f"{target.relative_to(ROOT)} is there and must never change")
        return 1
    with tempfile.TemporaryDirectory() as directory, pgserver.running(17) as server:
        made = _make(Path(directory), server)
        target.mkdir(parents=True)
        for path in made:
            shutil.copyfile(path, target / path.name)
    print(*sorted(path.name for path in target.iterdir()), sep="\n")
    return 0


def _make(top: Path, server: Any) -> list[Path]:
    server.run("CREATE DATABASE shop")
    server.run(SCHEMA, database="shop")
    context: Any = types.ModuleType(_context.CONTEXT_MODULE)
    context.DATA = {"run_id": RUN}
    sys.modules[_context.CONTEXT_MODULE] = context
    layout = HostLayout(str(top / "control"))
    local, mirror, web = top / "c", top / "d", top / "wst"
    for path in (top / "control", local, mirror, web, web / "empty directory", web / "content"):
        path.mkdir()
    (web / "content" / "page.html").write_text("<p>kept</p>\n" * 50)
    (web / "content" / "Grüße.txt").write_bytes(bytes(range(256)))
    (web / "empty file").touch()
    lock.take(layout, purpose="golden", stale_after=900, dry_run=False)
    options = DatabaseOptions("127.0.0.1", "shop", "postgres", port=server.port, sslmode="disable")
    order = Order(options, find_tools(str(server.bin)), "wst_dev_database.backup")
    produce(order, pgserver.PASSWORD, make_workspace(layout, RUN))
    archive_step.archive(
        archive_step.Request(
            layout=layout,
            sources=[Source(name="wst", path=str(web))],
            local_dir=str(local),
            mirror_dir=str(mirror),
            prefix="wst-backup",
            environment="golden",
            dump_name=order.dump_name,
            level=6,
            secrets=[],
        )
    )
    verify_step.verify_run(verify_step.Request(layout, level=3), write=True)
    publish_step.publish_run(publish_step.Request(layout, str(local), str(mirror), "wst-backup", Thresholds(50)))
    return sorted(path for path in local.iterdir() if not path.name.endswith(".state.json"))


if __name__ == "__main__":
    sys.exit(main())
