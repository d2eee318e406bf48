# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests of modules."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict

import pytest
from offsite.fixtures import azurite_server, prefix, proxy

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

__all__ = ["azurite_server", "host", "prefix", "proxy", "volumes"]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Host:
    """A host root of its own."""
    return Host(tmp_path, monkeypatch, capsys)


@pytest.fixture
def volumes(monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """What the platform tells of the two layers' volumes: fit, until a test says otherwise."""
    real = api.volume
    changes: Dict[str, Any] = {}

    def volume(path: str) -> api.Volume:
        mirror = os.path.basename(path) == "d"
        fit = replace(
            real(path),
            id="{d}" if mirror else "{c}",
            disk="1" if mirror else "0",
            kind="fixed",
            filesystem="NTFS",
            label="",
            read_only=False,
            compressed=False,
            locked=False,
        )
        return replace(fit, **changes) if mirror else fit

    monkeypatch.setattr(api, "volume", volume)
    return changes
