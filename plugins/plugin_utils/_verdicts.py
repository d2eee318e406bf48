# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of verdicts, and the verdict on many. Decides only.

The host has the same words in ``module_utils/_compliance/finding.py``; the document between them is what both keep to.
"""

from __future__ import annotations

from collections.abc import Iterable

COMPLIANT, NON_COMPLIANT, UNKNOWN = "compliant", "non-compliant", "unknown"
EXEMPT = "exempt"  # of a requirement alone
WORST_FIRST = {NON_COMPLIANT: 0, UNKNOWN: 1, COMPLIANT: 2, EXEMPT: 3}
OF_HOSTS = frozenset({COMPLIANT, NON_COMPLIANT, UNKNOWN})


def of_all(verdicts: Iterable[str]) -> str:
    """Of a fleet: compliant only where every host is; of no host nothing is known."""
    found = set(verdicts)
    if NON_COMPLIANT in found:
        return NON_COMPLIANT
    return COMPLIANT if found == {COMPLIANT} else UNKNOWN
