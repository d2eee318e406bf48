# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log: what reaches the system, what the system itself says, and what becomes of a log that refuses."""

from __future__ import annotations

import errno
import os
from typing import List, Tuple

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import EventLogFailed
from ansible_collections.wst.backup.plugins.module_utils._host.events import write_failure
from ansible_collections.wst.backup.plugins.module_utils._platform import api


def test_the_system_s_own_answer_is_told() -> None:
    """On Windows the log takes it; elsewhere there is none."""
    windows = os.name == "nt"
    told = write_failure("backup", "no_space: D: has 1.2 GiB free, \u00e4 \U0001f4be\nmore", dry_run=False)
    assert told == {"changed": windows, "written": windows}


def test_what_reaches_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    written: List[Tuple[str, int, str]] = []

    def take(source: str, number: int, text: str) -> bool:
        written.append((source, number, text))
        return True

    monkeypatch.setattr(api, "write_event", take)
    assert write_failure("backup", "a\0b\nc \u00e4", dry_run=False)["written"]
    write_failure("restore_test", "x" * 99999, dry_run=False)
    write_failure("compliance", "x", dry_run=False)
    assert write_failure("compliance", "x", dry_run=True) == {"changed": False, "written": False}
    assert [(source, number) for source, number, _text in written] == [("wst.backup", each) for each in (100, 101, 102)]
    assert (written[0][2], len(written[1][2])) == ("a b\nc \u00e4", 30000)


def test_a_log_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, number: int, text: str) -> bool:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(api, "write_event", refuse)
    with pytest.raises(EventLogFailed, match="did not take it"):
        write_failure("backup", "x", dry_run=False)
