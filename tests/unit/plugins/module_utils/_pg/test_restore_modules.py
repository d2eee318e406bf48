# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of a restore for good as processes, as Ansible runs them: JSON in, JSON out, and the world afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from unit.plugins.module_utils._authority.authority_kit import TOKENS
from unit.plugins.module_utils._pg.restore_kit import SECRET, Restore
from unit.plugins.module_utils._pg.test_module import PROGRAM
from unit.plugins.module_utils._pg.test_restore_steps import as_application, shop

pytestmark = [pytest.mark.posix, pytest.mark.slow]

PACKAGE = "ansible_collections.wst.backup.plugins.modules."
WITH_SECRETS = PROGRAM.replace(
    '{"run_id": sys.argv[1]}', '{"run_id": sys.argv[1], "secrets": json.loads(os.environ["S"])}'
)


@pytest.fixture
def restore(database17: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[Any]:
    for run, _body in shop(database17, monkeypatch, tmp_path):
        yield run


def call(run: Restore, module: str, *, level: str = "L6", check: bool = False, **params: Any) -> dict[str, Any]:
    """The module's result; no secret may be in what it says."""
    arguments = {"root": run.layout.root, "_ansible_check_mode": check, **params}
    secrets = {"authority_token": TOKENS[level]} if level in TOKENS else {}
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "S": json.dumps(secrets),
    }
    argv = [sys.executable, "-c", "import os\n" + WITH_SECRETS, run.run_id, PACKAGE + module]
    done = subprocess.run(argv, input=json.dumps(arguments).encode(), env=environment, capture_output=True, check=False)
    for secret in (SECRET, run.database.password, *TOKENS.values()):
        assert secret.encode() not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_whole_way(restore: Any) -> None:
    run = restore
    server = {**vars(run.server)}
    tools, dump = {"tools_dir": run.tools_dir}, {"dump": str(run.database.dump)}
    made = {"purpose": "restore", "target": run.database.name, "server": server, **tools, **dump}
    swap = {"reason": "a test", "target": run.place, "confirm": run.place}

    assert call(run, "pg_scratch", check=True, level="L5", **made)["database"] == run.candidate
    for check in (True, False):
        assert call(run, "pg_scratch", check=check, level="operator", **made)["code"] == "not_authorized"
    assert call(run, "pg_restore", check=True, owners=True, **tools, **dump)["changed"] is True
    assert call(run, "pg_swap", check=True, **swap)["changed"] is True
    assert call(run, "pg_swap", check=True, level="L5", **swap)["code"] == "not_authorized"
    assert run.named() == {run.database.name}

    assert call(run, "pg_scratch", **{**made, "server": None})["code"] == "input_invalid"
    message = call(run, "pg_scratch", **{**made, "target": "postgres"})
    assert (message["code"], run.named()) == ("restore_target_refused", {run.database.name})
    assert call(run, "pg_scratch", **made)["database"] == run.candidate
    assert call(run, "pg_swap", **swap)["code"] == "not_proved"
    roles = str(run.database.workspace / "roles.sql")
    refused = call(run, "pg_restore", owners=True, roles=roles, expected_bytes=10**9, free_bytes=10**6, **tools, **dump)
    assert refused["code"] == "no_space"
    restored = call(run, "pg_restore", owners=True, roles=roles, leave_out=["publications"], **tools, **dump)
    assert restored["restored"] > 20
    assert (restored["remarks"], restored.get("warnings", [])) == ([], [])
    assert call(run, "pg_compare", **tools, **dump)["rows"] == 100
    assert call(run, "pg_swap", **{**swap, "confirm": "x"})["code"] == "restore_target_refused"
    done = call(run, "pg_swap", **swap)
    assert (done["status"], done["old"]) == ("swapped", run.before)
    assert as_application(run, "SELECT count(*) FROM app.items") == [(100,)]
    assert call(run, "pg_swap", state="resumed", reason="a test")["changed"] is False
    assert call(run, "pg_scratch", state="absent", **tools)["removed"] == []
    assert call(run, "pg_swap", state="absent", swap=done["swap"], reason="a test")["status"] == "removed"
    assert run.named() == {run.database.name}


def test_single_tables_the_whole_way(restore: Any) -> None:
    """Beside production for L5, and away again by its name; a name that is empty is no success."""
    run = restore
    tools, dump = {"tools_dir": run.tools_dir}, {"dump": str(run.database.dump)}
    server = {"server": {**vars(run.server)}}
    made = {"purpose": "tables", "target": run.database.name, **server, **tools, **dump}
    tables = {"tables": ["app.items"], **tools, **dump}

    assert call(run, "pg_scratch", check=True, level="L5", **made)["database"] == run.beside
    assert call(run, "pg_scratch", level="operator", **made)["code"] == "not_authorized"
    assert call(run, "pg_restore", check=True, **tables)["changed"] is True
    assert call(run, "pg_scratch", check=True, state="kept", **tools)["changed"] is True
    assert call(run, "pg_scratch", state="kept", **tools)["code"] == "not_proved"
    assert run.named() == {run.database.name}

    assert call(run, "pg_scratch", level="L5", **made)["database"] == run.beside
    for asked in (["app.item"], ["items"], []):
        assert call(run, "pg_restore", **{**tables, "tables": asked})["code"] == "input_invalid"
    assert call(run, "pg_restore", **tables, owners=True)["code"] == "input_invalid"
    assert call(run, "pg_restore", **tables)["tables"] == ["app.items"]
    assert call(run, "pg_scratch", state="kept", **tools)["code"] == "not_proved"
    assert call(run, "pg_compare", **tools, **dump)["rows"] == 100
    kept = call(run, "pg_scratch", state="kept", **tools)
    assert (kept["database"], kept["tables"]) == (run.beside, ["app.items"])
    assert call(run, "pg_scratch", state="absent", **tools)["removed"] == []

    remove = {"state": "absent", "database": run.beside, "reason": "a test", **server, **tools}
    for changes in ({"database": ""}, {"reason": ""}, {"state": "kept"}):
        assert call(run, "pg_scratch", **{**remove, **changes})["code"] == "input_invalid"
    assert call(run, "pg_scratch", **{**remove, "reason": None})["failed"] is True
    assert call(run, "pg_scratch", level="operator", **remove)["code"] == "not_authorized"
    assert call(run, "pg_scratch", **{**remove, "database": run.database.name})["code"] == "restore_target_refused"
    assert run.named() == {run.database.name, run.beside}
    assert call(run, "pg_scratch", level="L5", check=True, **remove)["changed"] is True
    assert call(run, "pg_scratch", level="L5", **remove)["removed"] == [run.beside]
    assert call(run, "pg_scratch", level="L5", **remove)["changed"] is False
    assert run.named() == {run.database.name}
