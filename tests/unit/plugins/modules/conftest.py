# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests of modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Host:
    """A host root of its own."""
    return Host(tmp_path, monkeypatch, capsys)
