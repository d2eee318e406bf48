# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks in one pass. What one check lacks because another failed, it leaves out: the cause is named once."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.module_utils._names import check_prefix
from ansible_collections.wst.backup.plugins.module_utils._preflight.access import check_database
from ansible_collections.wst.backup.plugins.module_utils._preflight.quotas import check_quotas
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request
from ansible_collections.wst.backup.plugins.module_utils._preflight.swaps import check_swaps
from ansible_collections.wst.backup.plugins.module_utils._preflight.targets import check_targets
from ansible_collections.wst.backup.plugins.module_utils._preflight.trees import check_sources
from ansible_collections.wst.backup.plugins.module_utils._preflight.volumes import check_mirror, check_space

CHECKS = (check_swaps, check_sources, check_targets, check_mirror, check_database, check_space, check_quotas)


def examine(request: Request) -> Report:
    """Every problem that would stop a run, with the facts that the checks met on the way.

    Raises ``InputInvalid`` only: a request that makes no sense cannot be examined.
    """
    check_prefix(request.prefix)
    report = Report()
    for check in CHECKS:
        check(request, report)
    return report
