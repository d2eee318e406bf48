# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's context, as the transport gives it."""

from __future__ import annotations

import sys
import types
from datetime import datetime, timezone

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _clock, _context
from ansible_collections.wst.backup.plugins.module_utils._errors import NotProved


def test_without_a_transport_there_is_no_run() -> None:
    assert _context.current() == _context.Context()
    with pytest.raises(NotProved):
        _context.require_run_id()


def test_the_transport_s_data_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {"run_id": "20261123-150000-0123abcd", "controller_time": "2026-11-23T15:00:00Z"}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)
    context = _context.current()
    assert _context.require_run_id() == context.run_id == "20261123-150000-0123abcd"
    assert context.controller_time == datetime(2026, 11, 23, 15, tzinfo=timezone.utc)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        _clock.format_time(datetime(2026, 1, 1))  # noqa: DTZ001  what is refused
    assert _clock.parse_time(_clock.format_time(_clock.utc_now())) <= _clock.utc_now()
