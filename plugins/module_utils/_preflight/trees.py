# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walk the sources as the archive will, and collect what it would stumble over."""

from __future__ import annotations

from functools import partial
from typing import List

from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard, own_guard
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source, check_names, resolve
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import CLASSIC_PATH, survey
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request


def check_sources(request: Request, report: Report) -> None:
    """Sources that are missing, entries that cannot be archived, and the size of it all."""
    report.attempt(partial(check_names, request.sources, reserved=()))
    present: List[Source] = []
    if not report.attempt(lambda: present.extend(resolve(request.sources))):
        return
    guards: List[Guard] = []
    if not report.attempt(lambda: guards.append(_guard(request))):
        return
    seen = survey(present, guard=guards[0])
    report.facts["sources"] = seen.totals.body()
    report.problems.extend(seen.problems)
    if seen.long_paths:
        report.warnings.append(
            f"{seen.long_paths} paths have more than {CLASSIC_PATH} characters: they are backed up, but programs "
            "without long path support cannot open them after a restore."
        )


def _guard(request: Request) -> Guard:
    """The archive's own: what it leaves out is neither counted nor complained about."""
    return own_guard(
        HostLayout(request.root),
        layers=[request.local_dir, request.mirror_dir],
        secrets=[request.key_file, *request.secrets],
    )
