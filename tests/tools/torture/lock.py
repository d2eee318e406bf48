# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose the host is, read without the collection's code."""

from __future__ import annotations

import json
from pathlib import Path


def owner(control: Path) -> str:
    """The id of the run that has the host; empty for nobody. Raises ValueError, KeyError where the lease is none."""
    try:
        text = (control / "lock" / "lease.json").read_bytes()
    except FileNotFoundError:
        return ""
    return str(json.loads(text)["body"]["run_id"])
