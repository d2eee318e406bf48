# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``event_log`` as Ansible would start it."""

from __future__ import annotations

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host


def test_check_mode_writes_nothing_and_a_refusal_has_a_name(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, number: int, text: str) -> bool:
        raise PermissionError(f"{source} {number} {text}")

    monkeypatch.setattr(api, "write_event", refuse)
    given = {"root": None, "job": "restore_test", "text": "drill_mismatch: a row"}
    told = host.run("event_log", check=True, **given)
    assert (told["written"], told["changed"]) == (False, False)
    told = host.run("event_log", **given)
    assert (told["failed"], told["code"]) == (True, "event_log_failed")
    assert "wst.backup 101 drill_mismatch: a row" in told["msg"]
