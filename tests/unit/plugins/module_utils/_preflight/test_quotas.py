# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of the WinRM shell: told, and warned of where they are too low or nobody tells them."""

from __future__ import annotations

import importlib
from typing import Any, Dict, Iterator, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight import quotas
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report

ALL = {"MaxMemoryPerShellMB": 1024, "MaxProcessesPerShell": 25, "MaxEnvelopeSizekb": 500}
KEY = "SOFTWARE\\wst-backup-unit-test"


def examined(monkeypatch: pytest.MonkeyPatch, told: Optional[Dict[str, int]]) -> Report:
    monkeypatch.setattr(quotas.api, "shell_quotas", lambda: told)
    report = Report()
    quotas.check_quotas(None, report)  # type: ignore[arg-type]  # it asks the host, not the request
    assert report.problems == []
    return report


def test_limits_that_are_wide_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    report = examined(monkeypatch, ALL)
    assert (report.facts, report.warnings) == ({"shell_quotas": ALL}, [])


@pytest.mark.parametrize(
    ("name", "value", "least", "command"),
    [
        ("MaxMemoryPerShellMB", 150, 512, "Set-Item WSMan:\\localhost\\Shell\\MaxMemoryPerShellMB 1024"),
        ("MaxProcessesPerShell", 5, 10, "Set-Item WSMan:\\localhost\\Shell\\MaxProcessesPerShell 25"),
        ("MaxEnvelopeSizekb", 150, 270, "Set-Item WSMan:\\localhost\\MaxEnvelopeSizekb 500"),
    ],
)
def test_a_limit_that_is_too_low(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int, least: int, command: str
) -> None:
    report = examined(monkeypatch, {**ALL, name: value})
    assert len(report.warnings) == 1
    assert f"{name} of WinRM is {value}, less than the {least} that the transport needs" in report.warnings[0]
    assert report.warnings[0].endswith(command)
    assert examined(monkeypatch, {**ALL, name: least}).warnings == []
    assert len(examined(monkeypatch, {**ALL, name: least - 1}).warnings) == 1


def test_zero_is_no_limit_where_windows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert examined(monkeypatch, {**ALL, "MaxMemoryPerShellMB": 0, "MaxProcessesPerShell": 0}).warnings == []
    assert len(examined(monkeypatch, {**ALL, "MaxEnvelopeSizekb": 0}).warnings) == 1


def test_what_nobody_tells_is_null_and_never_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    report = examined(monkeypatch, {"MaxProcessesPerShell": 5})
    assert report.facts["shell_quotas"] == {
        "MaxMemoryPerShellMB": None,
        "MaxProcessesPerShell": 5,
        "MaxEnvelopeSizekb": None,
    }
    assert len(report.warnings) == 1


def test_another_system_has_no_such_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    report = examined(monkeypatch, None)
    assert (report.facts, report.warnings) == ({}, [])


@pytest.mark.posix
def test_this_system_has_no_such_limits() -> None:
    assert api.shell_quotas() is None


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Registry key in the policy's place, open for writing."""
    from ansible_collections.wst.backup.plugins.module_utils._platform import _windows_process

    registry: Any = importlib.import_module("winreg")
    monkeypatch.setattr(_windows_process, "_SHELL_POLICY", KEY)
    with registry.CreateKey(registry.HKEY_LOCAL_MACHINE, KEY) as key:
        yield lambda name, kind, value: registry.SetValueEx(key, name, 0, getattr(registry, kind), value)
    registry.DeleteKey(registry.HKEY_LOCAL_MACHINE, KEY)


@pytest.mark.windows
def test_what_a_policy_sets_is_read(policy: Any) -> None:
    assert api.shell_quotas() == {}
    policy("MaxMemoryPerShellMB", "REG_DWORD", 150)
    policy("MaxProcessesPerShell", "REG_SZ", "25")  # policy writes numbers: this is something else
    assert api.shell_quotas() == {"MaxMemoryPerShellMB": 150}


@pytest.mark.windows
def test_without_a_policy_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.wst.backup.plugins.module_utils._platform import _windows_process

    monkeypatch.setattr(_windows_process, "_SHELL_POLICY", KEY + "-none")
    assert api.shell_quotas() == {}
