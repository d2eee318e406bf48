# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small parts of the transport: settings, progress lines, the run's identity, the control node's own log."""

from __future__ import annotations

import json
import multiprocessing
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils import (
    _connection,
    _control_log,
    _errors,
    _progress,
    _run_identity,
    _settings,
)


def settings(windows: bool = True, root: Any = None, **variables: Any) -> _settings.Settings:
    return _settings.read_settings(variables, lambda value: value, windows=windows, root=root)


# --- settings


def test_defaults_by_system() -> None:
    windows, posix = settings(windows=True), settings(windows=False)
    assert windows.python == r"C:\wst-control\runtime\python\python.exe"
    assert (windows.root, posix.root) == (r"C:\wst-control", "/var/lib/wst-backup")
    assert (windows.accept_unproven, windows.reconnect_timeout, windows.control_dir) == (False, 900.0, "~/.wst-backup")


def test_templates_are_resolved_and_empty_means_default() -> None:
    read = _settings.read_settings({"wst_backup_root": "{{ x }}"}, {"{{ x }}": "D:\\r"}.get, windows=True)
    assert read.root == "D:\\r"
    assert settings(wst_backup_root="").root == r"C:\wst-control"


@pytest.mark.parametrize(
    ("given_value", "meaning"),
    [(True, True), ("Yes", True), ("0", False), (False, False), (None, False), (" on ", True)],
)
def test_booleans_as_inventories_write_them(given_value: Any, meaning: bool) -> None:
    assert settings(wst_backup_accept_unproven_connection=given_value).accept_unproven is meaning


@pytest.mark.parametrize("value", ["-1", "inf", "nan", "soon", [1]])
def test_senseless_durations_are_named(value: Any) -> None:
    with pytest.raises(_errors.SettingInvalid, match="wst_backup_reconnect_timeout"):
        settings(wst_backup_reconnect_timeout=value)


# --- progress


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        ({"done": 0}, "  [h] dump: 0 B"),
        ({"done": 999, "total": 1000}, "  [h] dump: 999 B of 1.0 KB"),
        ({"done": 1, "total": 0, "rate": 0}, "  [h] dump: 1 B"),
        ({"step": "verify", "done": 3, "total": 7, "unit": "files"}, "  [h] verify: 3 of 7 files"),
        ({"done": 5e15, "rate": 1e6, "item": "x"}, "  [h] dump: 5000.0 TB, 1.0 MB/s, x"),
        ({"done": 1, "item": "y" * 100}, "  [h] dump: 1 B, ..." + "y" * 57),
        ({"done": "many"}, None),
        ({"done": True}, None),
        ({"done": -1}, None),
        ({}, None),
    ],
)
def test_progress_reads_well(progress: dict[str, Any], text: str) -> None:
    assert _progress.line("h", "dump", progress) == text


@given(
    st.dictionaries(
        st.sampled_from(["done", "total", "rate", "item", "unit", "step"]), st.none() | st.floats() | st.text()
    )
)
def test_no_progress_file_breaks_the_run(progress: dict[str, Any]) -> None:
    line = _progress.line("h", "dump", progress)
    assert line is None or line.startswith("  [h] ")


# --- the run's identity


@given(st.integers(946_684_800, 4_102_444_800), st.integers(-12, 12))  # the years 2000 to 2100
def test_run_ids_are_utc(epoch: int, hours: int) -> None:
    zoned = datetime.fromtimestamp(epoch, timezone(timedelta(hours=hours)))
    run_id = _run_identity.new_run_id(zoned)
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{8}", run_id)
    assert run_id.startswith(f"{zoned.astimezone(timezone.utc):%Y%m%d-%H%M%S}-")


@pytest.mark.parametrize("value", ["", "x", "20261123-150000-0123ABCD", "../20261123-150000-0123abcd", None])
def test_only_a_run_id_is_a_run_id(value: Any) -> None:
    assert _run_identity.current_run_id({"wst_backup_run_id": value}) == ""


def test_the_owner_is_the_process_that_runs_the_play() -> None:
    assert _run_identity.owner() == _run_identity.owner()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_run_identity.owner) != _run_identity.owner()


# --- connections


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (type("WSManFaultError", (Exception,), {"__module__": "winrm.exceptions"})(), True),
        (type("SpnegoError", (Exception,), {"__module__": "spnego.exceptions"})(), True),
        (ValueError(), False),
        (KeyError(), False),
    ],
)
def test_what_counts_as_a_broken_connection(error: Exception, trouble: bool) -> None:
    assert _connection.is_trouble(error) is trouble


class _Connection:
    """Is forgotten with ``reset``, which may go wrong."""

    transport = "winrm"

    def __init__(self, *failures: BaseException) -> None:
        self.failures = failures

    def reset(self) -> None:
        """Each failure comes while the one before it is handled."""
        self._fail(list(self.failures))

    def _fail(self, failures: list[BaseException]) -> None:
        if failures:
            try:
                raise failures[0]
            except BaseException:
                self._fail(failures[1:])
                raise


def test_a_broken_connection_is_forgotten_quietly() -> None:
    assert _connection.close_quietly(_Connection()) is None
    assert _connection.close_quietly(_Connection(OSError("gone"), OSError("really"))) == "really"


def test_an_interrupt_is_not_forgotten_with_the_connection() -> None:
    with pytest.raises(KeyboardInterrupt):
        _connection.close_quietly(_Connection(KeyboardInterrupt(), OSError("torn")))


def test_an_interrupt_that_is_being_handled_does_not_stop_its_own_clean_up() -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert _connection.close_quietly(_Connection(OSError("gone"))) == "gone"


# --- the control node's log


def test_events_are_private_lines_that_only_grow(tmp_path: Path) -> None:
    first = _control_log.record(str(tmp_path / "c"), "web1", {"event": "unreachable", "message": "\u00e4\nb"})
    second = _control_log.record(str(tmp_path / "c"), "web1", {"event": "again"})
    assert first == second
    lines = [json.loads(line) for line in first.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["unreachable", "again"]
    assert lines[0]["message"] == "\u00e4\nb"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[0]["time"])
    assert first.stat().st_mode & 0o077 == 0
    for directory in (first.parent, first.parent.parent, first.parent.parent.parent):
        assert directory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", ".", "", "C:\\x", "h\u00f6st"])
def test_no_inventory_name_leaves_the_directory(tmp_path: Path, name: str) -> None:
    path = _control_log.record(str(tmp_path), name, {})
    assert path.parent.parent == tmp_path / "hosts"
    assert path.parent.resolve() != (tmp_path / "hosts").resolve()


def _record_many(directory: str) -> None:
    for number in range(50):
        _control_log.record(directory, "h", {"number": number, "filler": "x" * 5000})


def test_forks_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_record_many, args=(str(tmp_path),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = (tmp_path / "hosts" / "h" / "events.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 200
