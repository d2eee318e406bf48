# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``event_log`` as Ansible would start it: what reaches the system, and what becomes of a log that refuses."""

from __future__ import annotations

import errno
import os
from typing import Any, List, Tuple

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host


def write(host: Host, **params: Any) -> Any:
    return host.run("event_log", root=None, job="backup", **params)


def test_the_system_s_own_answer_is_told(host: Host) -> None:
    """On Windows the log takes it; elsewhere there is none. Check mode writes nowhere."""
    windows = os.name == "nt"
    told = write(host, message="no_space: D: has 1.2 GiB free")
    assert (told["written"], told["changed"]) == (windows, windows)
    told = write(host, message="x", check=True)
    assert (told["written"], told["changed"]) == (False, False)


def test_what_reaches_the_system(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    written: List[Tuple[str, int, str]] = []

    def take(source: str, number: int, text: str) -> bool:
        written.append((source, number, text))
        return True

    monkeypatch.setattr(api, "write_event", take)
    assert write(host, message="a\0b\nc \u00e4")["changed"]
    assert write(host, message="x" * 99999)["changed"]
    assert host.run("event_log", root=None, job="restore_test", message="x")["changed"]
    assert host.run("event_log", root=None, job="compliance", message="x")["changed"]
    assert written[0] == ("wst.backup", 100, "a b\nc \u00e4")
    assert len(written[1][2]) == 30000
    assert [number for _source, number, _text in written] == [100, 100, 101, 102]
    write(host, message="x", check=True)
    assert len(written) == 4


def test_a_log_that_refuses_is_named(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, number: int, text: str) -> bool:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(api, "write_event", refuse)
    told = write(host, message="x")
    assert (told["failed"], told["code"]) == (True, "event_log_failed")
