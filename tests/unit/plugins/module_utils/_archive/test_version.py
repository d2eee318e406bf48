# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version in manifests is the collection's."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.wst.backup.plugins.module_utils._version import VERSION


def test_the_host_s_version_is_galaxy_s() -> None:
    galaxy = (Path(__file__).resolve().parents[5] / "galaxy.yml").read_text(encoding="utf-8")
    assert re.search(r"^version: (\S+)$", galaxy, re.MULTILINE).group(1) == VERSION  # type: ignore[union-attr]
