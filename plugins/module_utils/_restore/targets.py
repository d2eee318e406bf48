# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that a restore writes to: where they may be, and who may say so."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Iterable, Mapping

from ansible_collections.wst.backup.plugins.module_utils._authority.check import Grant, require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._authority.record import comparable, find_authority
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, RestoreTargetRefused
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api

PURPOSE = "restore"  # a word of the audit log


def whole(path: str) -> str:
    """The whole path of a directory below another, in the system's own spelling; raises ``InputInvalid`` for others."""
    full = api.absolute_path(path)
    if not os.path.isabs(path) or ".." in path.replace("\\", "/").split("/") or not os.path.basename(full):
        raise InputInvalid(f"{path!r} is not the whole path of a directory", path=path)
    return full


def check_new(path: str, layout: HostLayout) -> None:
    """Whether a directory of that name may be made; raises ``RestoreTargetRefused`` where not."""
    parent = os.path.dirname(path)
    if os.path.lexists(api.long_path(path)):
        raise RestoreTargetRefused(f"{path} exists", path=path)
    if not os.path.isdir(api.long_path(parent)):
        raise RestoreTargetRefused(f"{parent} is not there, or no directory", path=path, parent=parent)
    if below(path, layout.root) and not in_scratch(path, layout):
        raise RestoreTargetRefused(
            f"{path} lies in the host's own directory, where only {layout.scratch_dir} takes what is restored",
            path=path,
        )


def in_scratch(path: str, layout: HostLayout) -> bool:
    """Whether it lies in the host's scratch directory, or that of drills, links resolved."""
    places = [replace(layout, drills=drills).scratch_dir for drills in (False, True)]
    return any(comparable(path) != comparable(place) and below(path, place) for place in places)


def below(path: str, directory: str) -> bool:
    """Whether it is that directory or lies in it, links resolved, in the case rule of the host."""
    mine, its = comparable(path), comparable(directory)
    return mine == its or mine.startswith(os.path.join(its, ""))


def level_for(paths: Iterable[str], layout: HostLayout) -> str:
    """The level that a restore into these directories needs.

    The scratch directory is nobody's production. What the record does not name is. On a host without a record the
    lower level is told: ``require`` refuses there whatever is needed.
    """
    authority = find_authority(layout)
    if authority is None:
        return L5
    outside = [path for path in paths if not in_scratch(path, layout)]
    return L6 if any(authority.is_production_directory(path) for path in outside) else L5


def require_for(paths: Iterable[str], layout: HostLayout, details: Mapping[str, Any], *, dry_run: bool) -> Grant:
    """Prove the level that these directories need, on record; raises as ``_authority.check.require``."""
    targets = list(paths)
    return require(layout, level_for(targets, layout), PURPOSE, {"targets": targets, **details}, dry_run=dry_run)
