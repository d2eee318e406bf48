# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The levels of authority, each with what the one before it may do."""

from __future__ import annotations

OPERATOR = "operator"  # who may connect to the host; needs no token
L5 = "L5"  # drills, restores beside production, what counts and what stays
L6 = "L6"  # production, and what production is

LEVELS = (OPERATOR, L5, L6)
WITH_TOKEN = (L5, L6)


def reaches(proven: str, needed: str) -> bool:
    """Whether who has proven that level may do what needs this one. Raises ValueError for what is no level."""
    return LEVELS.index(proven) >= LEVELS.index(needed)
