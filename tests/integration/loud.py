# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests could not do, kept for the end of the run; apart, as pytest loads ``conftest`` by another name."""

from __future__ import annotations

import pytest

LOUD = pytest.StashKey[list[str]]()


def loudly(config: pytest.Config, what: str) -> None:
    """What a test could not do is said at the end of the run, once, and the gates repeat it."""
    told = config.stash.setdefault(LOUD, [])
    if what not in told:
        told.append(what)
