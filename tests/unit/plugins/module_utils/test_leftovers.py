# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which small files of killed processes go, and which stay: only what is certainly ours and nobody's any more goes."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import PathUnusable
from ansible_collections.wst.backup.plugins.module_utils._leftovers import LARGEST, leftovers, record_partials
from ansible_collections.wst.backup.plugins.module_utils._mirror.marker import Marker, write_marker
from ansible_collections.wst.backup.plugins.module_utils._preflight import targets

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)
OWN = "20261123-145000-00000001"
PROBE = "wst-probe.0123456789abcdef.partial"
MARKER = "wst-mirror.json.20261122-150000-0000cccc.partial"


def put(directory: Path, name: str, *, age: timedelta = timedelta(days=2), size: int = 10) -> str:
    """A file of that age."""
    path = directory / name
    path.write_bytes(b"x" * size)
    at = (NOW - age).timestamp()
    os.utime(path, (at, at))
    return name


def found(directory: Path) -> List[str]:
    return leftovers(str(directory), own=OWN, now=NOW)


def test_old_probes_and_unfinished_markers_go(tmp_path: Path) -> None:
    for name in (PROBE, MARKER, "wst-mirror.json.0123456789abcdef.partial"):
        put(tmp_path, name, age=timedelta(hours=1))
    assert found(tmp_path) == sorted(os.listdir(tmp_path))


RECORDS = [
    "lease.json",
    "coverage.json",
    "authority.json",
    "authority.attempts.json",
    "audit.jsonl",
    "audit-12.jsonl",
    "audit.torn-3",
    "20261122-150000-0000cccc.json",
]


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("owner", ["20261122-150000-0000cccc", "0123456789abcdef"])
def test_old_unfinished_records_go_and_nothing_else(tmp_path: Path, record: str, owner: str) -> None:
    for name in (record, f"{record}.{OWN}.partial", f"{record}.{owner}.partial.txt", f"db.key.{owner}.partial"):
        put(tmp_path, name)
    (tmp_path / f"{record}.{owner[:-1]}0.partial").mkdir()
    put(tmp_path, f"{record}.{owner[:-1]}1.partial", age=timedelta(minutes=59))
    doomed = put(tmp_path, f"{record}.{owner}.partial", size=LARGEST + 1)
    assert record_partials(str(tmp_path), own=OWN, now=NOW) == [doomed]
    assert leftovers(str(tmp_path), own=OWN, now=NOW) == []
    assert record_partials(str(tmp_path / "not there"), own=OWN, now=NOW) == []


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=59), timedelta(days=-400)])
def test_a_young_one_stays(tmp_path: Path, age: timedelta) -> None:
    """Its process may live; so it may when the clock has been set back."""
    put(tmp_path, PROBE, age=age)
    assert found(tmp_path) == []


def test_the_live_runs_own_stays(tmp_path: Path) -> None:
    put(tmp_path, f"wst-mirror.json.{OWN}.partial")
    assert found(tmp_path) == []


def test_what_cannot_be_ours_stays(tmp_path: Path) -> None:
    """By its name (see ``test_names`` too), its size or its kind."""
    put(tmp_path, PROBE.upper())
    put(tmp_path, "notes.partial")
    put(tmp_path, "wst-mirror.json")
    put(tmp_path, MARKER, size=LARGEST + 1)
    (tmp_path / PROBE.replace("0", "1")).mkdir()
    assert found(tmp_path) == []


@pytest.mark.posix
def test_a_link_of_our_name_stays(tmp_path: Path) -> None:
    os.symlink(tmp_path / "target", tmp_path / PROBE)
    assert found(tmp_path) == []


def test_a_directory_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert found(tmp_path / "gone") == []


def test_a_directory_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    put(tmp_path, "file")
    with pytest.raises(PathUnusable):
        found(tmp_path / "file")


def test_what_a_killed_probe_leaves_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that are written are those that are swept."""
    monkeypatch.setattr(targets, "_remove", lambda _name: None)
    targets.probe(str(tmp_path))
    assert leftovers(str(tmp_path), own=OWN, now=datetime.now(timezone.utc) + timedelta(days=1)) == os.listdir(tmp_path)
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("run_id", [None, "20261122-150000-0000cccc"])
def test_what_a_killed_mirror_init_leaves_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_id: Any
) -> None:
    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_context, "current", lambda: _context.Context(run_id=run_id))
    monkeypatch.setattr(_fs.api, "replace", killed)
    monkeypatch.setattr(_fs, "_forget", lambda _path: None)
    with pytest.raises(KeyboardInterrupt):
        write_marker(str(tmp_path), Marker("id", NOW, "host", "wst-backup"))
    assert leftovers(str(tmp_path), own=OWN, now=datetime.now(timezone.utc) + timedelta(days=1)) == os.listdir(tmp_path)
    assert len(os.listdir(tmp_path)) == 1
