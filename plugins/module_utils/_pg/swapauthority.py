# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may put another database in the place of one."""

from __future__ import annotations

import re
from typing import Any, Tuple

from ansible_collections.wst.backup.plugins.module_utils._authority.check import Grant, require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._authority.record import find_authority
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout

PURPOSE = "restore"  # a word of the audit log
_TARGET = re.compile(r"([^/]+):([0-9]{1,5})/(.+)", re.DOTALL)


def parse(target: str) -> Tuple[str, int, str]:
    """Host, port and name of ``host:port/name``; raises InputInvalid for anything else."""
    match = _TARGET.fullmatch(target)
    if match is None:
        raise InputInvalid(f"{target!r} is not host:port/name", target=target)
    return match[1], int(match[2]), match[3]


def level_for(layout: HostLayout, target: str) -> str:
    """The level that a restore into that database needs.

    What the record does not name is production. On a host without a record the lower level is told: ``require`` refuses
    there whatever is needed.
    """
    authority = find_authority(layout)
    host, port, name = parse(target)
    return L6 if authority is not None and authority.is_production_database(host, port, name) else L5


def require_beside(layout: HostLayout, target: str, *, dry_run: bool) -> Grant:
    """Prove that a database may be made beside that one; raises as ``require_for``.

    It takes the server's room, and nobody's place yet.
    """
    return require(layout, L5, PURPOSE, {"target": target, "beside": True}, dry_run=dry_run)


def require_removal(layout: HostLayout, database: str, reason: str, *, dry_run: bool) -> Grant:
    """Prove that a database with single tables may go again; raises as ``require_for``.

    It was never production, and what it has is in the set that it was made of.
    """
    return require(layout, L5, PURPOSE, {"target": database, "removes": True, "reason": reason}, dry_run=dry_run)


def require_for(
    layout: HostLayout, target: str, details: Any, *, removes: bool = False, dry_run: bool = False
) -> Grant:
    """Prove the level that this target needs, on record; raises as ``_authority.check.require``.

    :param removes: the old database goes for good, which needs L6 whatever it is.
    """
    level = L6 if removes else level_for(layout, target)
    return require(layout, level, PURPOSE, {"target": target, **details}, dry_run=dry_run)
