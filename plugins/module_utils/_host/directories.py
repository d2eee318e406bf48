# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of a host that nobody but the operator can reach."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._access import explain
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, PathPermissions, PathUnusable
from ansible_collections.wst.backup.plugins.module_utils._fs import ensure_private_directory, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._platform import api

ABSENT, PRIVATE, OPEN = "absent", "private", "open"


def prepare(paths: Sequence[str], *, operator: Optional[str], dry_run: bool) -> Dict[str, Any]:
    """Make and close the directories; the result of module ``host_directories``.

    :raises PathUnusable: one of them cannot be made. PathPermissions: it cannot be closed.
        InputInvalid: there is no such operator.
    """
    before: Dict[str, str] = {}
    problems: Dict[str, List[str]] = {}
    for path in dict.fromkeys(paths):
        try:
            problems[path] = _problems(path, operator)
            before[path] = ABSENT if problems[path] is None else OPEN if problems[path] else PRIVATE
            if not dry_run:
                _make(path, before[path], operator)
        except LookupError as error:
            raise InputInvalid(f"the operator {operator!r} does not exist on the host", operator=operator) from error
        except OSError as error:
            raise translate_oserror(error, path) from error
    return {
        "changed": any(state != PRIVATE for state in before.values()),
        "directories": before,
        "problems": {path: found for path, found in problems.items() if found},
        "diff": {"before": _listing(before), "after": _listing(dict.fromkeys(before, PRIVATE))},
    }


def _problems(path: str, operator: Optional[str]) -> Any:
    """Who else can reach it; None where it is not there."""
    if not os.path.exists(api.long_path(path)):
        return None
    if not os.path.isdir(api.long_path(path)):
        raise PathUnusable(f"{path} is not a directory", path=path)
    return api.access_problems(path, operator)


def _make(path: str, state: str, operator: Optional[str]) -> None:
    if state == ABSENT:
        ensure_private_directory(path, operator)
    elif state == OPEN:
        api.protect(path, operator)
    left = api.access_problems(path, operator)
    if left:
        message, told = explain("{} stays open: {}".format(path, "; ".join(left)), path, operator=operator)
        raise PathPermissions(message, **told, problems=left)


def _listing(states: Dict[str, str]) -> str:
    return "".join(f"{path}: {state}\n" for path, state in states.items())
