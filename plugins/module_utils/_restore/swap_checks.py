# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be right before trees are swapped: names, kinds, volumes, and nobody who has something open."""

from __future__ import annotations

import itertools
import os
from typing import List, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    InputInvalid,
    RestoreTargetBusy,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import swap, targets
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import Pair

BEFORE = ".before-"  # what an old tree's name has behind it, with the run id


def check_paths(pairs: Sequence[Tuple[str, str]], layout: HostLayout) -> None:
    """What can be said of the paths alone. Raises InputInvalid, RestoreTargetRefused."""
    if not pairs:
        raise InputInvalid("there are no trees to swap")
    paths = [path for pair in pairs for path in pair]
    for path in paths:
        targets.check_path(path)
        if targets.below(path, layout.root) or targets.below(layout.root, path):
            raise RestoreTargetRefused(
                f"{path} is not apart from {layout.root}: what is made there keeps its closed access list",
                path=path,
            )
    for one, other in itertools.permutations(paths, 2):
        if targets.below(one, other):
            raise RestoreTargetRefused(f"{one} is not apart from {other}", path=one, other=other)


def pair_of(new: str, target: str, run_id: str) -> Pair:
    """The pair as it stands. Raises RestoreTargetRefused, PathPermissions, PathUnusable."""
    old = f"{target}{BEFORE}{run_id}"
    new_id = _tree(new)
    if new_id is None:
        raise RestoreTargetRefused(f"{new} is not there", path=new)
    target_id = _tree(target)
    if os.path.lexists(api.long_path(old)):
        raise RestoreTargetRefused(f"{old} exists", path=old)
    parent = os.path.dirname(target)
    if not os.path.isdir(api.long_path(parent)):
        raise RestoreTargetRefused(f"{parent} is not there, or no directory", path=target, parent=parent)
    for path in (parent, *([target] if target_id else [])):
        if not _same_volume(new, path):
            raise RestoreTargetRefused(f"{new} is on another volume than {path}", path=new, target=target)
    return Pair(new, target, old, new_id, target_id)


def _tree(path: str) -> Optional[str]:
    """The file number of a directory, None where nothing is; raises RestoreTargetRefused for anything else."""
    number = swap.number_of(path)
    if number is None:
        return None
    try:
        link = api.read_link(path)
    except OSError as error:
        raise translate_oserror(error, path) from error
    if link is not None:
        raise RestoreTargetRefused(f"{path} is a link to {link}: name the directory itself", path=path, target=link)
    if not os.path.isdir(api.long_path(path)):
        raise RestoreTargetRefused(f"{path} is no directory", path=path)
    return number


def _same_volume(one: str, other: str) -> bool:
    try:
        first, second = api.volume(one), api.volume(other)
    except OSError as error:
        raise translate_oserror(error, other) from error
    if first.id is None or second.id is None:
        return os.path.normcase(first.root) == os.path.normcase(second.root)
    return first.id == second.id


def refuse_open(pairs: Sequence[Pair]) -> None:
    """Windows would refuse the rename; elsewhere who has a file open would go on writing into the old tree."""
    _jobs.step("look for open files", unit="trees")
    held_open: List[str] = []
    for number, pair in enumerate(pairs):
        _jobs.progress(number, len(pairs), pair.target)
        if pair.target_id is not None:
            held_open += [holder.in_words() for holder in api.holders(pair.target, limit=swap.SHOWN)]
    if held_open:
        more = f" and {len(held_open) - 3} more" if len(held_open) > 3 else ""
        raise RestoreTargetBusy(
            "somebody has something open: {}{}".format("; ".join(held_open[:3]), more), held=held_open
        )
