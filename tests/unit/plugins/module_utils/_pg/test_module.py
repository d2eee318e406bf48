# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``pg_dump`` as a process, as Ansible runs it: JSON in, JSON out, and the world afterwards."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.doc_fragments.database import ModuleDocFragment
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock
from ansible_collections.wst.backup.plugins.module_utils._pg import coverage
from ansible_collections.wst.backup.plugins.module_utils._pg.options import argument_spec
from ansible_collections.wst.backup.plugins.module_utils._pg.record import sentences
from ansible_collections.wst.backup.plugins.module_utils._pg.rotation import Past

pytestmark = pytest.mark.posix  # needs a server of its own

RUN_ID = "20261123-150000-0123abcd"
MODULE = "ansible_collections.wst.backup.plugins.modules.pg_dump"
PROGRAM = """
import json, runpy, sys, types
context = types.ModuleType("_wst_backup_context")
context.DATA = {"run_id": sys.argv[1]} if sys.argv[1] else {}
sys.modules[context.__name__] = context
from ansible.module_utils import basic
arguments = {"ANSIBLE_MODULE_ARGS": json.loads(sys.stdin.read())}
try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:
    basic._ANSIBLE_ARGS = json.dumps(arguments).encode()
    runpy.run_module(sys.argv[2], run_name="__main__", alter_sys=False)
else:
    with patch_module_args(arguments["ANSIBLE_MODULE_ARGS"]):
        runpy.run_module(sys.argv[2], run_name="__main__", alter_sys=False)
"""


class Host:
    """A host root with a key and a lease."""

    def __init__(self, database: Any, root: Path) -> None:
        self.database = database
        self.layout = HostLayout(str(root))
        root.mkdir(mode=0o700)
        Path(self.layout.key_file).write_text(database.password + "\n", encoding="ascii")
        RunLock(self.layout).acquire(RUN_ID, purpose="test")

    def call(self, *, run_id: str = RUN_ID, check: bool = False, **changes: Any) -> dict[str, Any]:
        """The module's result; its whole output must have no password in it."""
        options = dataclasses.asdict(self.database.options())
        arguments = {"root": self.layout.root, "database": options, "tools_dir": str(self.database.server.bin)}
        argv = [sys.executable, "-c", PROGRAM, run_id, MODULE]
        text = json.dumps({**arguments, "_ansible_check_mode": check, **changes})
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(argv, input=text.encode(), env=env, capture_output=True, check=False)
        assert self.database.password.encode() not in done.stdout + done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert (done.returncode == 0) == (not result.get("failed")), done.stderr.decode()
        return result

    def workspace(self) -> list[str]:
        """What is in the run's workspace."""
        path = Path(self.layout.workspace(RUN_ID))
        return sorted(entry.name for entry in path.iterdir()) if path.exists() else []


@pytest.fixture
def host(database17: Any, tmp_path: Path) -> Host:
    database17.run("CREATE TABLE t AS SELECT generate_series(1, 10) AS a", "SELECT lo_from_bytea(0, 'x')")
    return Host(database17, tmp_path / "root")


def test_check_run_check_run(host: Host) -> None:
    checked = host.call(check=True)
    assert (checked["changed"], checked["server_version"]) == (True, "17.10")
    assert host.workspace() == []
    result = host.call()
    assert (result["changed"], result["tables"], result["rows"], result["large_objects"]) == (True, 1, 10, 1)
    assert result["size"] == os.path.getsize(result["dump"])
    assert host.workspace() == ["database.json", "roles.sql", "wst_dev_database.backup"]
    assert (result["compared"], result["overdue"], "warnings" in result) == (1, [], False)
    assert os.path.exists(host.layout.coverage_file)
    before = Path(result["dump"]).read_bytes()
    assert host.call(check=True)["changed"] is True
    again = host.call()
    assert (again["failed"], again["code"]) == (True, "artifact_exists")
    assert Path(result["dump"]).read_bytes() == before


def test_what_pg_dump_warns_of_is_told(host: Host) -> None:
    """The dump is made, and nobody has to look into it to learn what it lacks."""
    database = host.database
    database.run(
        f"CREATE ROLE reader LOGIN PASSWORD '{database.password}'",
        "GRANT pg_read_all_data TO reader",
        "DO $$BEGIN EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO reader', "
        "(SELECT max(oid) FROM pg_largeobject_metadata)); END$$",
        "CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 dbname=none' PUBLICATION p "
        "WITH (connect = false, enabled = false, slot_name = NONE)",
    )
    try:
        result = host.call(database=dataclasses.asdict(database.options(user="reader")))
    finally:
        database.run("DROP SUBSCRIPTION feed", "DROP OWNED BY reader", "DROP ROLE reader")
    assert (result.get("failed"), result["pg_dump_warnings"]) == (None, {"missing": 1})
    told = "subscriptions not dumped because current user is not a superuser"
    assert [told in str(warning) for warning in result["warnings"]] == [True]


def test_warnings_are_told_by_what_they_mean() -> None:
    kinds = {"harmless": 1, "missing": 1, "restore": 30, "unknown": 1}
    first = [{"kind": kind, "text": f"{kind} {n}"} for kind, number in kinds.items() for n in range(number)]
    warnings = {"counts": {**kinds, "restore": 70}, "first": first, "noise": []}
    told = sentences(warnings, tool="pg_dump", place="database.warnings")
    assert len(told) == 21
    assert told[0] == "pg_dump says that something is not in the dump: missing 0"
    assert told[1] == "pg_dump says that something may not restore as it was: restore 0"
    assert "harmless" not in str(told)
    assert told[-1] == "pg_dump warned 52 times more; the first of each kind are in the manifest, database.warnings"
    few = {"counts": {"harmless": 1, "unknown": 1}, "first": [first[0], first[-1]], "noise": []}
    assert sentences(few, tool="pg_restore") == ["pg_restore says: unknown 0"]
    assert sentences(warnings, tool="pg_restore")[-1] == "pg_restore warned 52 times more"


def test_a_table_that_is_overdue_is_a_warning(host: Host) -> None:
    long_ago = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=8)
    never = Past(seen=long_ago, seconds=1000.0, size=1)  # more than its time
    coverage.save(host.layout.coverage_file, host.database.options().place, {("public", "t"): never})
    result = host.call(deep_budget=1)
    assert (result["compared"], result["overdue"]) == (0, ["public.t"])
    assert "public.t" in json.dumps(result["warnings"])  # texts, or objects from ansible-core 2.19 on
    assert host.call(deep_budget=-1)["code"] == "input_invalid"


def test_failures_are_results(host: Host) -> None:
    Path(host.layout.key_file).write_text("wrong\n", encoding="ascii")
    failed = host.call()
    assert (failed["code"], failed["facts"]["server"]) == ("db_auth_failed", host.database.options().place)
    assert failed["remedy"] in failed["msg"]
    assert host.call(check=True)["code"] == "db_auth_failed"
    Path(host.layout.key_file).write_text('"quoted"\n', encoding="ascii")
    assert host.call()["code"] == "key_malformed"
    assert host.call(key_file=str(host.layout.root) + "/none")["code"] == "key_missing"
    assert host.call(tools_dir=str(host.layout.root))["code"] == "tool_missing"
    assert host.call(dump_name="../x")["code"] == "input_invalid"
    options = dataclasses.asdict(host.database.options(port=6432))
    assert host.call(database=options)["code"] == "input_invalid"
    assert host.workspace() == []


def test_outside_of_a_run_and_without_the_lease(host: Host) -> None:
    assert host.call(run_id="")["code"] == "not_proved"
    assert host.call(run_id="20261123-160000-0123abcd")["code"] == "lease_lost"
    assert host.workspace() == []


def test_the_fragment_documents_the_specification() -> None:
    import yaml

    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["database"]
    spec = argument_spec()
    assert set(documented["suboptions"]) == set(spec["options"])
    for name, option in spec["options"].items():
        for field in ("type", "default", "choices", "required"):
            assert documented["suboptions"][name].get(field) == option.get(field), (name, field)
