# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of a host that nobody but the operator can reach."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._access import explain
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, PathPermissions, PathUnusable
from ansible_collections.wst.backup.plugins.module_utils._fs import ensure_private_directory, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._platform import api

ABSENT, PRIVATE, OPEN = "absent", "private", "open"
OTHERS = "others"  # private, and not the operator's


def prepare(
    paths: Sequence[str], *, operator: Optional[str], dry_run: bool, along: Sequence[str] = ()
) -> Dict[str, Any]:
    """Make and close the directories; the result of module ``host_directories``.

    :param along: directories that are closed with them where they are there, and are not made.
    :raises PathUnusable: one of them cannot be made. PathPermissions: it cannot be closed, or it is another account's
        and only an administrator can hand it over.
        InputInvalid: there is no such operator.
    """
    before: Dict[str, str] = {}
    problems: Dict[str, List[str]] = {}
    for path in dict.fromkeys([*paths, *filter(_is_there, along)]):
        with _named(path, operator):
            problems[path] = _problems(path, operator)
            before[path] = _state(path, problems[path], operator)
    _refuse_to_shut_ourselves_out(before, operator)
    for path, state in before.items() if not dry_run else ():
        with _named(path, operator):
            _make(path, state, operator)
    return {
        "changed": any(state != PRIVATE for state in before.values()),
        "directories": before,
        "problems": {path: found for path, found in problems.items() if found},
        "diff": {"before": _listing(before), "after": _listing(dict.fromkeys(before, PRIVATE))},
    }


def handed_along(own: Sequence[str]) -> List[str]:
    """Each of them and what stands in it, which may have a list of its own: a run's workspace, a journal's directory.

    What is deeper inherits, or has a list that somebody restored.
    """
    found: List[str] = []
    for path in filter(_is_there, own):
        with _named(path, None), os.scandir(api.long_path(path)) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        found += [path, *(os.path.join(path, name) for name in names)]
    return found


@contextlib.contextmanager
def _named(path: str, operator: Optional[str]) -> Iterator[None]:
    """Failures of the block get their names."""
    try:
        yield
    except LookupError as error:
        raise InputInvalid(f"the operator {operator!r} does not exist on the host", operator=operator) from error
    except OSError as error:
        raise translate_oserror(error, path) from error


def _is_there(path: str) -> bool:
    return os.path.isdir(api.long_path(path))


def _state(path: str, problems: Optional[List[str]], operator: Optional[str]) -> str:
    if problems is None:
        return ABSENT
    if problems:
        return OPEN
    return PRIVATE if operator is None or api.lets_in(path, operator) else OTHERS


def _refuse_to_shut_ourselves_out(before: Dict[str, str], operator: Optional[str]) -> None:
    """Half way through a handover, who is no administrator could not go on."""
    others = [path for path, state in before.items() if state == OTHERS]
    me = api.identity()
    if others and me.elevated is False:
        message = f"{others[0]} is not {operator}'s, and {me.name}, who is no administrator, would be shut out of it"
        raise PathPermissions(f"{message}: hand over as an administrator", paths=others, operator=operator)


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
    elif state in (OPEN, OTHERS):
        api.protect(path, operator)
    left = api.access_problems(path, operator)
    if left:
        message, told = explain("{} stays open: {}".format(path, "; ".join(left)), path, operator=operator)
        raise PathPermissions(message, **told, problems=left)


def _listing(states: Dict[str, str]) -> str:
    return "".join(f"{path}: {state}\n" for path, state in states.items())
