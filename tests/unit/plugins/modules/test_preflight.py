# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that look before a run: every problem at once, and nothing left behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from unit import pgserver

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import PREFIX
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

KEY = b"Super-Secret-0\n"  # not-a-secret: of no server at all


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port of the loopback that is taken, and where nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def params(host: Host, volumes: Dict[str, Any], nobody: int) -> Dict[str, Any]:
    """What a run needs, on a host that has it, but for the server."""
    api.make_private_directory(host.layout.scratch_dir)
    Path(host.layout.key_file).write_bytes(KEY)
    os.chmod(host.layout.key_file, 0o600)
    source = Path(host.root).parent / "wst"
    source.mkdir()
    (source / "a.txt").write_bytes(b"abc")
    given = {
        "sources": [{"name": "wst", "path": str(source)}],
        "local_dir": host.local,
        "mirror_dir": host.mirror,
        "mirror_volume_id": "{d}",
        "database": {"host": "127.0.0.1", "port": nobody, "name": "x", "user": "x", "sslmode": "disable"},
        "tools_dir": str(pgserver.bin_dir(17)),
        "prefix": PREFIX,
    }
    host.begin("20261123-150000-0000aaaa")
    marked = host.run("mirror_init", local_dir=host.local, mirror_dir=host.mirror)
    assert marked.get("volume_id") == "{d}", marked
    return given


def codes(result: Dict[str, Any]) -> List[str]:
    return [problem["code"] for problem in result["problems"]]


def tree(host: Host) -> List[str]:
    """Everything on the host."""
    return sorted(str(path) for path in Path(host.root).parent.rglob("*"))


@pytest.mark.parametrize("check", [True, False])
def test_what_is_there_is_told_and_what_is_not_fails(host: Host, params: Dict[str, Any], check: bool) -> None:
    before = tree(host)
    result = host.run("preflight_info", check=check, **params)
    assert codes(result) == ["db_unreachable"], result["problems"]
    assert (result["failed"], result["code"], result["changed"]) == (True, "db_unreachable", False)
    assert (result["sources"]["files"], result["sources"]["bytes"]) == (1, 3)
    assert result["tools"]["pg_dump"] == "17.10"
    assert set(result["demand"]) == {"dump", "zip"}
    assert KEY.decode().strip() not in str(result)
    assert tree(host) == before


def test_every_problem_is_told_at_once(host: Host, params: Dict[str, Any], volumes: Dict[str, Any]) -> None:
    os.chmod(host.layout.key_file, 0o644)
    os.chmod(host.local, 0o755)
    volumes.update(id="{other}")
    changes = {
        "sources": [{"name": "wst", "path": os.path.join(host.root, "gone")}],
        "tools_dir": host.root,
        "min_free": 1 << 60,
    }
    result = host.run("preflight_info", **{**params, **changes})
    assert set(codes(result)) >= {
        "source_missing",
        "path_permissions",
        "mirror_wrong_volume",
        "key_permissions",
        "tool_missing",
        "db_unreachable",
        "no_space",
    }
    assert result["code"] == "source_missing"
    told = next(problem for problem in result["problems"] if problem["code"] == "key_permissions")
    assert told["facts"]["identity"]["name"] == api.identity().name
    assert api.identity().in_words() in told["message"]
    assert told["facts"]["commands"] == api.closing_commands(host.layout.key_file)
    assert "everyone may read" in told["facts"]["open_to"]
    for number, code in enumerate(codes(result), 1):
        assert f"{number}) {code}: " in result["msg"]


@pytest.mark.posix  # Windows has no modes; its access lists are tested with the platform
def test_open_directories_of_lock_and_log_are_named(host: Host, params: Dict[str, Any]) -> None:
    api.make_private_directory(host.layout.audit_dir)
    for path in (host.layout.lock_dir, host.layout.audit_dir):
        os.chmod(path, 0o755)
    problems = host.run("preflight_info", **params)["problems"]
    told = [problem["facts"]["path"] for problem in problems if problem["code"] == "path_permissions"]
    assert told == [host.layout.lock_dir, host.layout.audit_dir]


def test_a_host_without_anything_is_examined_to_the_end(host: Host, params: Dict[str, Any]) -> None:
    os.rmdir(host.layout.scratch_dir + "/20261123-150000-0000aaaa")
    os.rmdir(host.layout.scratch_dir)
    os.unlink(host.layout.key_file)
    os.unlink(os.path.join(host.mirror, "wst-mirror.json"))
    os.rmdir(host.mirror)
    result = host.run("preflight_info", **params)
    assert codes(result) == ["path_unusable", "mirror_missing", "key_missing"]


def test_a_rotation_that_did_not_end_is_told(host: Host, params: Dict[str, Any]) -> None:
    staged = Path(host.layout.key_file + ".new")
    assert "of a rotation" not in str(host.run("preflight_info", **params))
    staged.write_bytes(KEY)
    assert f"{staged} is of a rotation" in str(host.run("preflight_info", **params).get("warnings"))


def test_the_key_of_who_restores_is_judged_as_the_other(host: Host, params: Dict[str, Any]) -> None:
    """Where there is one. Who reads it may replace production's database."""
    path = Path(host.layout.restore_key_file)
    path.write_bytes(KEY)
    os.chmod(path, 0o600)
    quiet = host.run("preflight_info", **params)
    assert codes(quiet) == ["db_unreachable"], quiet["problems"]
    assert "restore" not in str(quiet.get("warnings"))
    os.chmod(path, 0o644)
    problems = host.run("preflight_info", **params)["problems"]
    (told,) = [problem for problem in problems if problem["code"] == "key_permissions"]
    assert told["facts"]["path"] == str(path)
    assert told["facts"]["commands"] == api.closing_commands(str(path))
    os.chmod(path, 0o600)
    path.write_bytes(b'"' + KEY)
    Path(f"{path}.new").write_bytes(KEY)
    unfit = host.run("preflight_info", **params)
    assert codes(unfit) == ["db_unreachable"], "a backup needs no such key"
    assert f"a restore would fail: {path}" in str(unfit["warnings"])
    assert f"{path}.new is of a rotation" in str(unfit["warnings"])
    assert "key_rotation_key=restore" in str(unfit["warnings"])
    assert KEY.decode().strip() not in str(unfit)


def test_a_prefix_that_makes_no_sense_is_refused(host: Host, params: Dict[str, Any]) -> None:
    assert host.run("preflight_info", **{**params, "prefix": "a/b"})["code"] == "input_invalid"


def test_directories_are_made_and_closed(host: Host) -> None:
    """Check, do, check again, do again; what stands open is told by name."""
    new, wide = os.path.join(host.local, "new", "deep"), os.path.join(host.local, "wide")
    os.mkdir(wide)
    os.chmod(wide, 0o777)
    before = tree(host)
    results = []
    for check in (True, False, True, False):
        results.append(host.run("host_directories", check=check, directories=[new, wide]))
        if len(results) == 1:
            assert tree(host) == before
    assert [result["changed"] for result in results] == [True, True, False, False]
    assert (results[1]["directories"][new], results[1]["directories"][wide]) == ("absent", "open")
    assert list(results[1]["problems"]) == [wide]
    assert set(results[2]["directories"].values()) == {"private"}
    for path in (new, wide, host.layout.lock_dir, host.layout.audit_dir, host.layout.runs_dir, host.layout.scratch_dir):
        assert api.access_problems(path) == []


def test_a_file_in_a_directory_s_place_is_named(host: Host) -> None:
    Path(host.local, "file").write_bytes(b"x")
    told = host.run("host_directories", directories=[os.path.join(host.local, "file")])
    assert told["code"] == "path_unusable"
    assert host.run("host_directories", operator="no-such-account")["code"] == "input_invalid"


def test_a_host_tells_of_itself(host: Host) -> None:
    gone = os.path.join(host.root, "gone")
    told = host.run("host_info", tools_dirs=[str(pgserver.bin_dir(17))], directories=[host.local, gone])
    assert told["changed"] is False
    assert told["directories"][gone] == {"there": False}
    assert told["directories"][host.local]["there"] is True
    assert told["directories"][host.local]["volume"]["free"] > 0
    assert told["tools"][str(pgserver.bin_dir(17))]["pg_dump"] == "17.10"
    assert told["boot_id"] == api.boot_id()
    assert host.run("host_info", tools_dirs=[host.root])["code"] == "tool_missing"


@pytest.mark.parametrize("fit", [True, False])
def test_only_the_mirror_itself_is_probed(
    host: Host, params: Dict[str, Any], volumes: Dict[str, Any], monkeypatch: pytest.MonkeyPatch, fit: bool
) -> None:
    """A disk that is not the mirror gets not a byte."""
    made: List[str] = []
    real = api.create_new
    monkeypatch.setattr(api, "create_new", lambda path: made.append(os.path.dirname(path)) or real(path))
    if not fit:
        volumes.update(id="{other}")
    result = host.run("preflight_info", **params)
    assert ("mirror_wrong_volume" in codes(result)) is not fit
    assert host.local in made
    assert (host.mirror in made) is fit
