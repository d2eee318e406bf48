# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool that tortures: what a power cut takes back, what the judge sees, and which step is which."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tools.torture import fault, independent, power
from tools.torture.steps import Variables, read_steps

pytestmark = pytest.mark.posix

SEAMED = """
import os, sys
from pathlib import Path
from random import Random
from tools.torture.seam import Seam
from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._platform import api
root, aside = Path(sys.argv[1]), Path(sys.argv[2])
journal = os.open(aside / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
Seam(root, counted=0, strike=lambda *told: None, journal=journal, stash=aside).install()
{work}
"""


@pytest.fixture
def changes(tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Does what a text of Python says in a process that is watched; returns the journal of its changes."""
    (tmp_path / "root").mkdir()
    (tmp_path / "aside").mkdir()

    def run(work: str) -> list[dict[str, Any]]:
        argv = [sys.executable, "-c", SEAMED.format(work=work), str(tmp_path / "root"), str(tmp_path / "aside")]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
        return [json.loads(line) for line in (tmp_path / "aside" / "journal").read_bytes().splitlines()]

    return run


def outcomes(changes: list[dict[str, Any]], root: Path) -> set[tuple[str, ...]]:
    """What stands in the directory after a power cut, as chance has it, in many tries of the same changes."""
    found = set()
    kept = {path.name: path.read_bytes() for path in root.iterdir()}
    for seed in range(60):
        power.fail(changes, Random(seed))
        found.add(tuple(f"{path.name}={path.read_bytes()!r}" for path in sorted(root.iterdir())))
        for path in root.iterdir():
            path.unlink()
        for name, data in kept.items():
            (root / name).write_bytes(data)
    return found


def test_what_was_flushed_stays(changes: Any, tmp_path: Path) -> None:
    journal = changes("_fs.atomic_write(str(root / 'a'), b'old'); _fs.atomic_write(str(root / 'a'), b'new')")
    assert outcomes(journal, tmp_path / "root") == {("a=b'new'",)}


def test_what_was_not_flushed_may_be_gone_in_each_of_its_ways(changes: Any, tmp_path: Path) -> None:
    journal = changes("f = api.create_new(str(root / 'a')); f.write(b'1234'); f.close()")
    found = outcomes(journal, tmp_path / "root")
    assert {(), ("a=b'1234'",), ("a=b'\\x00\\x00\\x00\\x00'",), ("a=b''",)} <= found
    assert all(not each or each[0].startswith("a=") for each in found)


def test_a_name_is_lost_without_its_content(changes: Any, tmp_path: Path) -> None:
    """Flushed bytes under a name that was not: the old name is back with all of them."""
    work = "f = api.create_new(str(root / 'a')); f.write(b'1234'); api.flush_file(f); api.flush_directory(str(root))"
    journal = changes(work + "; f.close(); os.replace(root / 'a', root / 'b')")
    assert outcomes(journal, tmp_path / "root") == {("a=b'1234'",), ("b=b'1234'",)}


def test_what_was_removed_or_replaced_may_be_back(changes: Any, tmp_path: Path) -> None:
    work = "_fs.atomic_write(str(root / 'a'), b'old'); _fs.atomic_write(str(root / 'b'), b'new');"
    journal = changes(work + "os.replace(root / 'b', root / 'a')")
    assert outcomes(journal, tmp_path / "root") == {("a=b'new'",), ("a=b'old'", "b=b'new'")}


def test_the_same_seed_draws_the_same_faults() -> None:
    def drawn(seed: int) -> list[fault.Fault]:
        chance = Random(seed)
        return [fault.draw(chance, changes=200, steps=11) for _number in range(200)]

    assert drawn(5) == drawn(5) != drawn(6)
    assert {each.kind for each in drawn(5)} == set(fault.WEIGHTS)
    assert all(1 <= each.at <= 201 for each in drawn(7))
    assert {each.at for seed in range(60) for each in drawn(seed) if each.kind == fault.POWER} == set(range(1, 202))


def test_the_role_s_steps_are_what_runs() -> None:
    steps = read_steps()
    assert [step.module for step in steps][:3] == ["run_lock", "audit_log", "backup_sweep"]
    assert [step.module for step in steps][-3:] == ["backup_mirror", "backup_retention", "audit_log"]
    variables = Variables({"backup_root": "/root", "backup_sources": [{"name": "a", "path": "/a"}]})
    registered: dict[str, Any] = {step.register: {} for step in steps}
    (retention,) = (step for step in steps if step.module == "backup_retention")
    registered["__backup_publish"] = {"suspect": ["rows fell"]}
    assert not variables.applies(retention, registered)
    registered["__backup_publish"] = {"suspect": []}
    assert variables.applies(retention, registered)
    arguments = variables.arguments(retention, registered)
    assert (arguments["root"], arguments["keep_min"]) == ("/root", 7)
    assert [layer["name"] for layer in arguments["layers"]] == ["local", "mirror"]
    (preflight,) = (step for step in steps if step.module == "preflight_info")
    assert "key_file" not in variables.arguments(preflight, registered)  # default(omit, true)


def test_the_judge_sees_bad_content(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("members.jsonl", json.dumps({"kind": "file", "path": "a", "sha256": "0" * 64}))
        archive.writestr("manifest.json", "{}")
        archive.writestr("a", b"1")
        archive.writestr("extra", b"1")
        archive.writestr(independent.DUMP, b"no dump")
    (tmp_path / "x.manifest.json").write_text('{"body": {}}')
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "pg_restore").write_text("#!/bin/sh\nexit 1\n")
    (tools / "pg_restore").chmod(0o755)
    problems = " ".join(independent.judge(tmp_path, "x", tools_dir=str(tools), least_rows=1).problems)
    for each in ("the sidecar does not name", "a is not what was read", "['extra'", "pg_restore:"):
        assert each in problems, problems
