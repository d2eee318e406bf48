# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page that this collection writes, in all its states. A new page belongs here."""

from __future__ import annotations

from tools.pages.evidence_cases import evidence_pages
from tools.pages.fleet_cases import fleet_pages

NAMES = (
    "drill-good",
    "drill-failed",
    "drill-unreached",
    "drill-hostile",
    "fleet-mixed",
    "fleet-good",
    "fleet-empty",
    "fleet-bare",
    "fleet-hostile",
)


def all_pages() -> dict[str, str]:
    """HTML by the names of ``NAMES``."""
    return {**evidence_pages(), **fleet_pages()}
