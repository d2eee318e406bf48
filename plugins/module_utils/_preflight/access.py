# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the database be read, with this key, these programs and this encryption?"""

from __future__ import annotations

import os
from typing import List

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._layout import STAGED_KEY, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg.checks import check_key, check_login, check_tools
from ansible_collections.wst.backup.plugins.module_utils._pg.key import refused
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request
from ansible_collections.wst.backup.plugins.module_utils._preflight.targets import access_of


def check_database(request: Request, report: Report) -> None:
    """The key, who may read it, the programs, and a login that looks at everything which would stop a dump."""
    _warn_of_staged(request.key_file, "", report)
    check_restore_key(request, report)
    keys: List[str] = []
    tools: List[Tools] = []
    if report.attempt(lambda: keys.append(check_key(request.key_file))):
        report.attempt(lambda: check_key_access(request, request.key_file))
    if report.attempt(lambda: tools.append(check_tools(request.tools_dir))):
        report.facts["tools"] = tools[0].versions()
    if keys:
        report.attempt(lambda: _look_in(request, report, keys[0], tools))


def check_restore_key(request: Request, report: Report) -> None:
    """Where the host has a key of who restores, it is closed as the other is.

    One that nobody could log in with stops no backup, so that is a warning. To whom it is open is a problem: that role
    may make databases and become the owners of production's.
    """
    path = HostLayout(request.root).restore_key_file
    _warn_of_staged(path, " with -e key_rotation_key=restore", report)
    if path == request.key_file or not os.path.lexists(api.long_path(path)):
        return
    try:
        check_key(path)
    except BackupError as error:
        report.warnings.append(f"a restore would fail: {error.message}")
    report.attempt(lambda: check_key_access(request, path))


def check_key_access(request: Request, path: str) -> None:
    """Raises ``KeyPermissions`` naming everyone but the operator, SYSTEM and Administrators who has access."""
    open_to = access_of(path, request.operator)
    if open_to:
        problem = f"{path} is open: {'; '.join(open_to)}"
        raise refused(problem, path, operator=request.operator, open_to=open_to)


def _warn_of_staged(path: str, how: str, report: Report) -> None:
    staged = path + STAGED_KEY
    if os.path.lexists(api.long_path(staged)):
        report.warnings.append(
            f"{staged} is of a rotation that did not come to its end: run playbook rotate_db_key.yml{how}"
        )


def _look_in(request: Request, report: Report, key: str, tools: List[Tools]) -> None:
    found = check_login(request.database, key, tools[0] if tools else None)
    report.facts["database"] = found.facts
    report.problems.extend(found.problems)
    report.warnings.extend(found.warnings)
